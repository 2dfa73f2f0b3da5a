"""Finding, loading and running transformers; tokens and the characters they come from.

Importing this package imports neither torch nor transformers: each name is loaded when it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from explorer.models.choices import DEFAULT_MODEL, ModelChoice, available_models
    from explorer.models.loading import clear_models, load_model, warm_up
    from explorer.models.model import Model
    from explorer.models.progress import Progress
    from explorer.models.reading import Reading
    from explorer.models.tokens import TokenizedText

_HOME = {
    "DEFAULT_MODEL": "choices",
    "Model": "model",
    "ModelChoice": "choices",
    "Progress": "progress",
    "Reading": "reading",
    "TokenizedText": "tokens",
    "available_models": "choices",
    "clear_models": "loading",
    "load_model": "loading",
    "warm_up": "loading",
}

__all__ = [
    "DEFAULT_MODEL",
    "Model",
    "ModelChoice",
    "Progress",
    "Reading",
    "TokenizedText",
    "available_models",
    "clear_models",
    "load_model",
    "warm_up",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
