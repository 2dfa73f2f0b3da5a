"""A transformers model in a folder of this machine: checks, and loading."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from explorer.errors import ExplorerError, ModelError, ModelNotFoundError
from explorer.models._catalogue.transformers_logging import quiet_thread, silenced
from explorer.models._model_kind import auto_class, kind_of
from explorer.run_control import RunControl

_PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl")


def load_folder(folder: Path, name: str, control: RunControl) -> tuple[Any, Any]:
    """Return the torch model (float32, evaluation mode) and tokenizer of a folder.

    Parameters
    ----------
    folder
        Has ``config.json``, weights in safetensors, and a tokenizer.
    name
        Name of the model in messages.
    control
        Receives the progress; its cancel event is checked at every step.

    Raises
    ------
    ModelNotFoundError
        If there is no model in the folder.
    ModelError
        If the weights are pickled, tensors are missing, or the model needs code of its own.
    Cancelled
        If the cancel event of `control` was set.
    """
    config = read_config(folder, name)
    refuse_remote_code(config, name)
    check_weights([path.name for path in folder.iterdir()], name)
    control.report("loading", 0.0, f"Loading {name}: starting transformers ...")
    from transformers import AutoConfig, AutoTokenizer

    from explorer.models._catalogue.weight_reading import read_model

    def advance(_: str, fraction: float | None) -> None:
        part = 0.6 + 0.4 * fraction if fraction is not None else None
        control.report("loading", part, f"Loading {name}: reading weights ...")

    try:
        with quiet_thread():
            settings = AutoConfig.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
            control.report("loading", 0.4, f"Loading {name}: reading the tokenizer ...")
            tokenizer = AutoTokenizer.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
            advance("", 0.0)
            found = read_model(
                folder, settings, kind_of(settings), control, lambda part: advance("", part)
            )
        if found is None:
            found = _converted_by_transformers(folder, settings, advance)
        torch_model, lacking = found
    except ExplorerError:
        raise
    except Exception as error:  # transformers raises errors of many libraries
        raise ModelError(
            f"{name} could not be loaded: {first_line(error)} "
            "Check that the folder is a complete transformers model, or choose another model."
        ) from error
    # A pooler is not part of attention, and many checkpoints omit it.
    missing = sorted(key for key in lacking if "pooler" not in key)
    if missing:
        raise ModelError(
            f"{name} is incomplete: its weights lack {len(missing)} tensors ({missing[0]} ...), "
            "so its attention would be random. Get the whole model again."
        )
    torch_model.eval()
    control.report("loading", 1.0, f"{name} is ready.")
    return torch_model, tokenizer


def _converted_by_transformers(
    folder: Path, settings: Any, advance: Callable[[str, float | None], None]
) -> tuple[Any, list[str]]:
    """Return a model and the names that it lacks: the names of its file are not those of the model.

    This changes global state of torch and transformers, for the time of the load.
    """
    import torch

    with silenced(advance):
        torch_model, info = auto_class(kind_of(settings)).from_pretrained(
            folder,
            config=settings,
            dtype=torch.float32,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    return torch_model, sorted(info["missing_keys"])


def read_config(folder: Path, name: str) -> dict[str, Any]:
    """Return the parsed ``config.json`` of a folder.

    Raises
    ------
    ModelNotFoundError
        If the file does not exist.
    ModelError
        If it is not the configuration of a model.
    """
    path = folder / "config.json"
    if not path.is_file():
        raise ModelNotFoundError(
            f"The folder {name} has no config.json, so it is not a transformers model. "
            "Give the folder that model.save_pretrained() wrote."
        )
    try:
        config = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"The config.json of {name} cannot be read: {error}.") from error
    if not isinstance(config, dict) or not isinstance(config.get("model_type"), str):
        raise ModelError(
            f"The config.json of {name} has no model_type, so the model cannot be built. "
            "Save the model again with a current transformers."
        )
    return config


def refuse_remote_code(config: dict[str, Any], name: str) -> None:
    """Raise `ModelError` if only code from the model's repository can build the model."""
    from transformers import CONFIG_MAPPING

    if config["model_type"] in CONFIG_MAPPING:
        return  # with a known type, transformers' own class is used and auto_map ignored
    if config.get("auto_map"):
        raise ModelError(
            f"{name} brings Python code of its own (model type {config['model_type']!r}), and "
            "explorer never runs code from a model. Choose a model that transformers knows, or "
            "load it yourself and pass it with Model.wrap(model, tokenizer)."
        )
    raise ModelError(
        f"The installed transformers does not know {name}'s model type {config['model_type']!r}. "
        "A newer transformers may; or choose another model."
    )


def check_weights(files: list[str], name: str) -> None:
    """Raise `ModelError` if `files` contains no weights in safetensors."""
    if any(file.endswith(".safetensors") for file in files):
        return
    if pickled := [file for file in files if file.endswith(_PICKLED)]:
        raise ModelError(
            f"{name} has only pickled weights ({pickled[0]}), which can run any code when they "
            "are opened, so explorer refuses them. Convert them to safetensors: load the model "
            "where you trust it and call model.save_pretrained(folder)."
        )
    raise ModelError(
        f"{name} has no weights in safetensors. Save it with model.save_pretrained(folder), "
        "or choose another model."
    )


def first_line(error: BaseException) -> str:
    """Return the first line of an error as a sentence."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    line = lines[0].strip()
    return line if line.endswith((".", "!", "?")) else line + "."
