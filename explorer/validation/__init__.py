"""Is this threshold, this layer, this head any good? Measures against what is known to be used.

Importing this package imports neither torch nor pandas nor scikit-learn: each name is loaded when
it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from explorer.validation.judged import HeadScores, Judged, head_scores, judge

_HOME = {
    "HeadScores": "labelled",
    "Judged": "labelled",
    "head_scores": "judged",
    "judge": "judged",
}

__all__ = [
    "HeadScores",
    "Judged",
    "head_scores",
    "judge",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
