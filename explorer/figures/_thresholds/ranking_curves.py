"""Ranking: the ROC curve and the precision-recall curve side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from explorer.errors import ShapeError
from explorer.figures._style.label_text import escape_label, shortened, three_digits
from explorer.figures._style.line_labels import word_places
from explorer.figures._style.score_axis import BAND, LEFT, RIGHT, Truth, truth_words
from explorer.figures._style.theme import LABEL_SIZE, axis_title, bare_axis, base_layout, note
from explorer.figures.colours import ACCENT, NEUTRAL_INK, Theme
from explorer.source import visible_text

if TYPE_CHECKING:
    import plotly.graph_objects as go

_TOP, _ABOVE, _BELOW, _BETWEEN = 8, 44, 40, 52
_MOST_POINTS = 200
_COLOUR = "#7a66f0"
_QUIET = "#a4abb3"


@dataclass(frozen=True, eq=False)
class RankCurve:
    """One curve of a ranking.

    Parameters
    ----------
    x, y : ndarray of float64, shape (points,)
        False alarms and hits as shares for ROC; recall and precision for PR.
    area : float
        ROC-AUC or average precision; NaN when not known.
    interval : (low, high), optional
        Of the area.
    low, high : ndarray of float64, shape (points,), optional
        Interval of `y` at each `x`.
    name : str
        Of a baseline, in words.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    area: float = float("nan")
    interval: tuple[float, float] | None = None
    low: NDArray[np.float64] | None = None
    high: NDArray[np.float64] | None = None
    name: str = ""

    @classmethod
    def of(
        cls,
        x: ArrayLike,
        y: ArrayLike,
        area: float = float("nan"),
        interval: tuple[float, float] | None = None,
        low: ArrayLike | None = None,
        high: ArrayLike | None = None,
        name: str = "",
    ) -> RankCurve:
        """A curve of any number of points, thinned to what can be seen.

        Points are kept at even distances along the curve, with the first and the last.

        Raises
        ------
        ShapeError
            When the arrays do not have the same length.
        """
        parts = [np.asarray(one, dtype=np.float64) for one in (x, y)]
        ends = [None if one is None else np.asarray(one, dtype=np.float64) for one in (low, high)]
        shapes = {one.shape for one in (*parts, *ends) if one is not None}
        if len(shapes) != 1 or parts[0].ndim != 1:
            raise ShapeError(f"A curve needs arrays of one length; got {sorted(shapes)}.")
        keep = _along(*parts)
        edges = [None if one is None else one[keep] for one in ends]
        return cls(parts[0][keep], parts[1][keep], area, interval, edges[0], edges[1], name)


def _along(x: NDArray[np.float64], y: NDArray[np.float64]) -> Any:
    if len(x) <= _MOST_POINTS:
        return slice(None)
    steps = np.hypot(np.diff(x), np.diff(y))
    walked = np.concatenate([[0.0], np.cumsum(np.nan_to_num(steps))])
    wanted = np.linspace(0.0, walked[-1], _MOST_POINTS)
    return np.unique([0, *np.searchsorted(walked, wanted).clip(0, len(x) - 1), len(x) - 1])


@dataclass(frozen=True)
class OperatingPoint:
    """Where a threshold stands on both curves: shares from 0 to 1, NaN where undefined."""

    threshold: float
    false_alarms: float
    recall: float
    precision: float


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
        Share of the units that are used, which is the precision of chance.
    at : OperatingPoint, optional
        The threshold; only the points and one line of text follow it.
    theme : {"light", "dark"}
    baselines : sequence of (roc, pr)
        Other rankings of the same units.
    truth : {"labels", "ablation", "agreement"}
    width, height : int
        Pixels; when left out, as high as the panels are wide, between 200 and 320.

    Returns
    -------
    dict
        The layout does not change with the threshold.
    """
    room = width - LEFT - RIGHT
    panel = (room - _BETWEEN) / 2
    height = height or int(min(320, max(200, panel))) + _TOP + _ABOVE + _BELOW
    tall = float(height - _TOP - _BELOW)
    size = panel, tall - _ABOVE
    top = size[1] / tall
    known = roc.x.size > 1 and pr.x.size > 1
    empty = np.empty(0)
    chance = np.array([0.0, 1.0]) if known else empty
    level = np.full(2, prevalence) if known else empty
    traces = [
        *_panel("roc", roc, [one for one, _ in baselines], chance, chance, size, ("x", "y")),
        *_panel("pr", pr, [one for _, one in baselines], chance, level, size, ("x2", "y2")),
        *_points(at, known=known),
        _told(at, tall - _ABOVE + 15, width, known=known),
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
            yaxis2=axis("precision: share of called", anchor="x2") | {"domain": [0, top]},
            # Pixels of the whole room above the panels, for the line that follows the threshold.
            xaxis3={"domain": [0, 1], "range": [0, room], "visible": False, **fixed}
            | {"anchor": "y3"},
            yaxis3={"domain": [0, 1], "range": [0, tall], "visible": False, **fixed}
            | {"anchor": "x3"},
            annotations=_captions(roc, pr, prevalence, truth_words(truth)[2], width, known=known),
        ),
    }


def _panel(
    name: str,
    curve: RankCurve,
    baselines: Sequence[RankCurve],
    chance_x: NDArray[np.float64],
    chance_y: NDArray[np.float64],
    size: tuple[float, float],
    axes: tuple[str, str],
) -> list[dict[str, Any]]:
    here = {"xaxis": axes[0], "yaxis": axes[1]}

    def line(x: Any, y: Any, called: str, **look: Any) -> dict[str, Any]:
        return {
            "type": "scatter",
            "x": x,
            "y": y,
            "mode": "lines",
            "line": look,
            "hoverinfo": "skip",
            "name": called,
            **here,
        }

    edges = np.empty(0), np.empty(0)
    if curve.low is not None and curve.high is not None:
        sure = ~(np.isnan(curve.low) | np.isnan(curve.high))
        edges = (
            np.concatenate([curve.x[sure], curve.x[sure][::-1]]),
            np.concatenate([curve.high[sure], curve.low[sure][::-1]]),
        )
    drawn = [curve, *baselines]
    # Baselines keep clear of each other, of the curve, and of the line of chance.
    lines = [(one.x * size[0], one.y * size[1]) for one in drawn]
    lines.append((chance_x * size[0], chance_y * size[1]))
    word = "chance" if name == "roc" else "prevalence"
    if name == "pr" and chance_y.size:
        word += f" {three_digits(float(chance_y[0]))}"
    words = ["", *(_short(one.name) for one in baselines), word]
    places = word_places(lines, words, size, [(0.0, size[0], -20.0, 4.0)])
    texts = words[1:]
    across, up = ("false alarms", "recall") if name == "roc" else ("recall", "precision")
    return [
        line(*edges, f"{name} band", width=0) | {"fill": "toself", "fillcolor": BAND},
        line(chance_x, chance_y, f"{name} chance", width=1, color=NEUTRAL_INK, dash="4px,3px"),
        *(
            line(one.x, one.y, f"{name} baseline {place}", width=1, color=_QUIET)
            for place, one in enumerate(baselines)
        ),
        line(curve.x, curve.y, name, width=2.5, color=_COLOUR)
        | {
            "customdata": [
                f"{across} {x:.3f}, {up} {y:.3f}" for x, y in zip(curve.x, curve.y, strict=True)
            ],
            "hoverinfo": "text",
            "hovertemplate": "%{customdata}<extra></extra>",
        },
        {
            "type": "scatter",
            "x": np.array([x / size[0] for x, _ in places[1:]]),
            "y": np.array([y / size[1] for _, y in places[1:]]),
            "mode": "text",
            "text": texts,
            "textposition": "middle center",
            "textfont": {"size": LABEL_SIZE, "color": NEUTRAL_INK},
            "hoverinfo": "skip",
            "name": f"{name} names",
            **here,
        },
    ]


def _short(name: str) -> str:
    return escape_label(shortened(visible_text(name), 20))


def _points(at: OperatingPoint | None, *, known: bool) -> list[dict[str, Any]]:
    shown = at is not None and known
    places = {
        "roc": (at.false_alarms, at.recall) if at is not None and shown else (np.nan, np.nan),
        "pr": (at.recall, at.precision) if at is not None and shown else (np.nan, np.nan),
    }
    return [
        {
            "type": "scatter",
            "x": np.array([x]),
            "y": np.array([y]),
            "mode": "markers",
            "marker": {"size": 11, "color": ACCENT, "line": {"width": 0}},
            "cliponaxis": False,
            "hoverinfo": "skip",
            "name": f"{name} point",
            "xaxis": axes[0],
            "yaxis": axes[1],
        }
        for (name, (x, y)), axes in zip(places.items(), (("x", "y"), ("x2", "y2")), strict=True)
    ]


def _told(at: OperatingPoint | None, y: float, width: int, *, known: bool) -> dict[str, Any]:
    """The point in words; plain letters, which can change in place."""
    text = " "
    if at is not None and known:
        right = f"{at.precision:.0%}"
        text = (
            f"at {three_digits(at.threshold)} nothing is called used"
            if np.isnan(at.precision)
            else f"at {three_digits(at.threshold)}: {at.recall:.0%} of the used found, "
            f"{at.false_alarms:.0%} false alarms, {right} of the calls right"
            if width >= 640
            else f"at {three_digits(at.threshold)}: {at.recall:.0%} found, "
            f"{at.false_alarms:.0%} false alarms, {right} of calls right"
            if width >= 440
            else f"{at.recall:.0%} found, {at.false_alarms:.0%} false, {right} right"
        )
    return {
        "type": "scatter",
        "x": np.array([0.0]),
        "y": np.array([y]),
        "xaxis": "x3",
        "yaxis": "y3",
        "mode": "text",
        "text": [text],
        "textposition": "middle right",
        "textfont": {"size": LABEL_SIZE, "color": ACCENT},
        "cliponaxis": False,
        "hoverinfo": "skip",
        "name": "here",
    }


def _captions(
    roc: RankCurve, pr: RankCurve, prevalence: float, truth: str, width: int, *, known: bool
) -> list[dict[str, Any]]:
    if not known:
        why = "Nothing to rank: that takes scores of units labelled used and of others."
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
    told = f"{word} {three_digits(curve.area)}"
    if curve.interval is not None and width >= 440:
        told += f" ({three_digits(curve.interval[0])} to {three_digits(curve.interval[1])})"
    return told
