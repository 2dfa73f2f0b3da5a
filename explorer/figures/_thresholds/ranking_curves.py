"""Figure of the ROC curve and the precision-recall curve side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.figures._style.label_text import three_digits
from explorer.figures._style.score_axis import LEFT, RIGHT, Truth, truth_terms
from explorer.figures._style.theme import axis_title, bare_axis, base_layout, note
from explorer.figures._thresholds.rank_curve import OperatingPoint, RankCurve
from explorer.figures._thresholds.ranking_marks import panel_traces, point_traces, readout_trace
from explorer.figures.colours import Theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

_TOP, _ABOVE, _BELOW, _BETWEEN = 8, 44, 40, 52


def rank_curves(roc: RankCurve, pr: RankCurve, prevalence: float, **settings: Any) -> Any:
    """`rank_curves_spec` as a Figure, with the same parameters."""
    import plotly.graph_objects as go

    figure: go.Figure = go.Figure(rank_curves_spec(roc, pr, prevalence, **settings))
    return figure


def rank_curves_spec(
    roc: RankCurve,
    pr: RankCurve,
    prevalence: float,
    at: OperatingPoint | None = None,
    theme: Theme = "light",
    *,
    baselines: Sequence[tuple[RankCurve, RankCurve]] = (),
    truth: Truth = "labels",
    width: int = 700,
    height: int | None = None,
) -> dict[str, Any]:
    """ROC and precision-recall curves with the threshold's point on each.

    Dashed lines are what chance would give: the diagonal, and the prevalence. Baselines are thin
    and grey, with their names.

    Parameters
    ----------
    roc, pr : RankCurve
        From `RankCurve.of`, which thins them once.
    prevalence : float
        Share of used units, which is the precision at chance level.
    at : OperatingPoint, optional
        The threshold; only the points and one line of text depend on it.
    theme : {"light", "dark"}
    baselines : sequence of (roc, pr)
        Other rankings of the same units.
    truth : {"labels", "ablation", "agreement"}
    width, height : int
        Pixels. Default height: the width of a panel, between 200 and 320.

    Returns
    -------
    dict
        The layout does not depend on the threshold.
    """
    room = width - LEFT - RIGHT
    panel = (room - _BETWEEN) / 2
    height = height or int(min(320, max(200, panel))) + _TOP + _ABOVE + _BELOW
    tall = float(height - _TOP - _BELOW)
    size = panel, tall - _ABOVE
    top = size[1] / tall
    known = roc.x.size > 1 and pr.x.size > 1
    caption = truth_terms(truth)[2]
    empty = np.empty(0)
    chance = np.array([0.0, 1.0]) if known else empty
    level = np.full(2, prevalence) if known else empty
    traces = [
        *panel_traces("roc", roc, [one for one, _ in baselines], chance, chance, size, ("x", "y")),
        *panel_traces("pr", pr, [one for _, one in baselines], chance, level, size, ("x2", "y2")),
        *point_traces(at, known=known),
        readout_trace(at, tall - _ABOVE + 15, room, caption, known=known),
    ]
    shares = panel / room
    fixed = {"fixedrange": True}
    ticks = {"tickvals": [0, 0.25, 0.5, 0.75, 1], "ticktext": ["0", ".25", ".5", ".75", "1"]}

    def axis(title: str, **settings: Any) -> dict[str, Any]:
        return bare_axis(
            theme,
            range=[-0.02, 1.02],
            showgrid=True,
            tickangle=0,
            title=axis_title(title, 6),
            **ticks,
            **fixed,
            **settings,
        )

    return {
        "data": traces,
        "layout": base_layout(
            theme,
            height=height,
            margin={"l": LEFT, "r": RIGHT, "t": _TOP, "b": _BELOW},
            hovermode="closest",
            meta={"baselines": [one.name for one, _ in baselines]},
            xaxis=axis("false alarms: share of not used") | {"domain": [0, shares]},
            yaxis=axis("recall: share of used") | {"domain": [0, top]},
            xaxis2=axis("recall: share of used", anchor="y2") | {"domain": [1 - shares, 1]},
            yaxis2=axis("precision: share of called used", anchor="x2") | {"domain": [0, top]},
            # Pixel coordinates for the line of text above the panels.
            xaxis3={"domain": [0, 1], "range": [0, room], "visible": False, **fixed}
            | {"anchor": "y3"},
            yaxis3={"domain": [0, 1], "range": [0, tall], "visible": False, **fixed}
            | {"anchor": "x3"},
            annotations=_captions(roc, pr, prevalence, caption, width, known=known),
        ),
    }


def _captions(
    roc: RankCurve, pr: RankCurve, prevalence: float, truth: str, width: int, *, known: bool
) -> list[dict[str, Any]]:
    if not known:
        why = "Nothing to rank: label some units as used and some as not used."
        return [note(why, x=0, y=0.53, xanchor="left", yanchor="middle")]
    above = {"y": 1, "yanchor": "top"}
    room = width - LEFT - RIGHT
    right = (room + _BETWEEN) / 2 / room
    precision = _area("average precision" if width >= 640 else "AP", pr, width)
    if width >= 840:
        precision += f", prevalence {three_digits(prevalence)}"
    return [
        note(_area("ROC-AUC", roc, width), x=0, xanchor="left", **above),
        note(precision, x=right, xanchor="left", **above),
        note(truth, x=1, xanchor="right", **above, yshift=-19),
    ]


def _area(word: str, curve: RankCurve, width: int) -> str:
    text = f"{word} {three_digits(curve.area)}"
    if curve.interval is not None and width >= 440:
        text += f" ({three_digits(curve.interval[0])} to {three_digits(curve.interval[1])})"
    return text
