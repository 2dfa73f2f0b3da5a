"""The interface of a loaded model that the modules below `Model` use."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from explorer.models._model_kind import ModelKind
from explorer.run_control import RunControl


class LoadedModel(Protocol):
    """A transformers model with its tokenizer; `explorer.models.Model` is one.

    Code that tokenizes, generates or records takes this protocol, so that it does not depend on
    `Model`, whose methods call that code.
    """

    label: str
    kind: ModelKind
    n_layers: int
    n_heads: int
    max_tokens: int
    torch_model: Any
    tokenizer: Any

    def tensors(self, ids: Sequence[int] | Any) -> dict[str, Any]:
        """Return ``input_ids`` and ``attention_mask`` of one text, (1, tokens), on the device."""

    def run(self, control: RunControl) -> AbstractContextManager[Any]:
        """Return a context that lends the torch model to one job at a time."""


def text_config(torch_model: Any) -> Any:
    """Return the configuration of a transformers model's text part."""
    config = torch_model.config
    return config.get_text_config() if hasattr(config, "get_text_config") else config


def shown_name(name: str) -> str:
    """Return the name of a model as it is shown: of a path the last part; a hub id stays whole."""
    is_path = Path(name).is_absolute() or name.startswith((".", "~")) or Path(name).is_dir()
    return (Path(name).name or name) if is_path else name
