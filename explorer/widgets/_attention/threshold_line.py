"""The threshold line of a feedback table: its value, its trait, and the scale of its axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from explorer.widgets._state import METHOD_THRESHOLDS, ExplorerState

if TYPE_CHECKING:
    import pandas as pd


class ThresholdLine(NamedTuple):
    """The threshold of a feedback table: its value, the trait that moves it, its score axis.

    `name` is None where no trait moves it: the ensemble's follows from the feedback values. `scale`
    is linear except for attention, whose scores are small.
    """

    value: float
    name: str | None
    scale: str


def threshold_line(state: ExplorerState, table: pd.DataFrame | None) -> ThresholdLine:
    """Return the threshold that a table was made with: its method may not be the chosen one yet."""
    method = "attention" if table is None else table.attrs.get("method", "attention")
    if method == "ensemble" and table is not None and len(table):
        return ThresholdLine(float(table["threshold"].iloc[0]), None, "linear")
    if table is not None and "method" in table and len(table):
        # Where a method had nothing to go by, most rows may be another's.
        method = str(table["method"].mode().iloc[0])
    name = METHOD_THRESHOLDS[method]
    return ThresholdLine(getattr(state, name), name, state.scale_of(name))
