"""What the labels say of one way to score, for the thresholds tab and as a report.

Importing this package imports neither plotly nor pandas nor scikit-learn: each name is loaded when
it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from explorer.reporting.report import threshold_report

__all__ = ["threshold_report"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module(f"{__name__}.report"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
