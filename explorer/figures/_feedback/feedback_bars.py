"""Feedback bars: one row per unit, with the score as length and the feedback as colour."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from explorer.feedback import FeedbackPolicy
from explorer.figures._feedback.bars_figure import BarsFigure, table_policy
from explorer.figures._feedback.feedback_rows import UnitLabels
from explorer.figures.colours import Theme

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go


def feedback_bars(
    table: pd.DataFrame,
    policy: FeedbackPolicy | None = None,
    theme: Theme = "light",
    labels: UnitLabels | None = None,
    *,
    sort: Literal["order", "score"] = "order",
    axis: Literal["linear", "log"] = "log",
    width: int = 700,
    threshold_line: bool = True,
    words: Mapping[str, str] | None = None,
    selected: str | None = None,
) -> go.Figure:
    """Horizontal bars of a feedback table.

    Each row has the unit's name and text, a bar as long as its score in the colour of its
    feedback, a pale track as far as its score could reach, and the numbers.

    Parameters
    ----------
    table : pandas.DataFrame
        From `explorer.feedback.feedback_table`.
    policy : FeedbackPolicy, optional
        Threshold and colours. Default: the default policy at the table's threshold.
    theme : {"light", "dark"}
    labels : mapping of unit to bool, or sequence of bool, optional
        Ground truth: marked ✓ (used) or ✗ (not used).
    sort : {"order", "score"}
        FeedbackRows in the table's order, or by falling score with unknown scores last.
    axis : {"linear", "log"}
        Scale of the score axis. Its range is fixed, so bars of different heads are comparable.
    width : int
        Approximate width on the page in pixels; decides how much of the texts fits.
    selected : str, optional
        The unit to mark, by name.
    words : mapping, optional
        What the bars say for each verdict; the verdict itself when left out.
    threshold_line : bool
        Whether to draw the threshold; a view with a draggable line draws its own.

    Returns
    -------
    plotly.graph_objects.Figure
        Every trace has one point per unit in the order drawn, which is ``layout.meta["units"]``.

    Raises
    ------
    InputError
        If `sort` or `axis` is unknown.
    ShapeError
        If the number of labels differs from the number of units.
    """
    import plotly.graph_objects as go

    return go.Figure(
        feedback_bars_spec(
            table,
            policy,
            theme,
            labels,
            sort=sort,
            axis=axis,
            width=width,
            threshold_line=threshold_line,
            words=words,
            selected=selected,
        )
    )


def feedback_bars_spec(
    table: pd.DataFrame,
    policy: FeedbackPolicy | None = None,
    theme: Theme = "light",
    labels: UnitLabels | None = None,
    *,
    sort: Literal["order", "score"] = "order",
    axis: Literal["linear", "log"] = "log",
    width: int = 700,
    threshold_line: bool = True,
    words: Mapping[str, str] | None = None,
    selected: str | None = None,
) -> dict[str, Any]:
    """`feedback_bars` as a plain dict with ``data`` and ``layout``.

    A plotly Figure validates every property, which takes ten times as long as building the dict;
    views that redraw while the threshold is dragged use this.
    """
    bars = BarsFigure(
        table,
        labels,
        theme,
        sort=sort,
        axis=axis,
        width=width,
        threshold_line=threshold_line,
        words=words,
    )
    return bars.spec(table_policy(table, policy), selected)
