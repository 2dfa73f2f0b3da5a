"""The histogram of scores: what was used above the axis, what was not used below it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from explorer.errors import InputError, ShapeError
from explorer.figures.colours import ACCENT, NEUTRAL_INK, Theme, verdict_colour
from explorer.figures.labels import three_digits
from explorer.figures.looks import (
    LABEL_SIZE,
    TEXT_SIZE,
    TRANSPARENT,
    axis_title,
    bare_axis,
    base_layout,
    note,
)
from explorer.figures.rows import LABEL_MARKS
from explorer.figures.score_axis import (
    LEFT,
    RIGHT,
    Scale,
    Truth,
    gutter_pixels,
    plot_share,
    score_span,
    score_ticks,
    truth_words,
)

if TYPE_CHECKING:
    import plotly.graph_objects as go

MOST_RUG = 60
"""Fewer scores than this are drawn one by one as well."""

_TOP, _BELOW = 30, 38
_PALE = 0.38
"""Opacity of bars on the side of the threshold that is called not used."""


@dataclass(frozen=True, eq=False)
class LabelledScores:
    """Scores apart by label and in rising order, from which any histogram is counted at once.

    Parameters
    ----------
    used, not_used : ndarray of float32
        Scores of the units that are labelled so, rising, without NaN. Float32 is the precision of
        attention, and what a threshold is compared in.
    unknown : int
        How many labelled units have no score.
    """

    used: NDArray[np.float32]
    not_used: NDArray[np.float32]
    unknown: int = 0

    @classmethod
    def of(cls, scores: ArrayLike, labels: ArrayLike) -> LabelledScores:
        """Sort scores apart; NaN is a score that is not known.

        Raises
        ------
        ShapeError
            When there are not as many labels as scores.
        """
        values = np.asarray(scores, dtype=np.float32).ravel()
        truth = np.asarray(labels, dtype=bool).ravel()
        if values.shape != truth.shape:
            raise ShapeError(f"There are {values.size} scores, but {truth.size} labels.")
        known = ~np.isnan(values)
        return cls(
            np.sort(values[known & truth]),
            np.sort(values[known & ~truth]),
            int(values.size - known.sum()),
        )

    def called(self, threshold: float) -> tuple[int, int]:
        """How many of the used and of the not used score at least the threshold."""
        least = np.float32(threshold)
        above = [part.size - int(np.searchsorted(part, least)) for part in self._parts]
        return above[0], above[1]

    def counts(self, edges: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Used and not used from edge to edge; scores beyond the ends count in the end bins."""
        found = []
        for part in self._parts:
            passed = np.searchsorted(part, edges.astype(np.float32))
            passed[0], passed[-1] = 0, part.size
            found.append(np.diff(passed))
        return found[0], found[1]

    @property
    def _parts(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        return self.used, self.not_used


def score_histogram(scores: LabelledScores, threshold: float | None = None, **settings: Any) -> Any:
    """`score_histogram_spec` as a Figure, with the same parameters; it draws the threshold."""
    import plotly.graph_objects as go

    settings.setdefault("threshold_line", threshold is not None)
    figure: go.Figure = go.Figure(score_histogram_spec(scores, threshold, **settings))
    return figure


def score_histogram_spec(
    scores: LabelledScores,
    threshold: float | None = None,
    theme: Theme = "light",
    *,
    scale: Scale = "log",
    span: tuple[float, float] | None = None,
    counted: Literal["sqrt", "linear"] = "sqrt",
    truth: Truth = "labels",
    reachable: float | None = None,
    bins: int | None = None,
    width: int = 700,
    height: int = 220,
    threshold_line: bool = False,
) -> dict[str, Any]:
    """Scores of used units above the axis and of not used units below it.

    Bars at or above the threshold are strong and the others pale, so that the picture shows hits,
    misses and false alarms; beside it stand the counts.

    Parameters
    ----------
    scores : LabelledScores
        Sorted once for a head; the rest takes a few milliseconds, whatever their number.
    threshold : float, optional
        What is called used. Only colours and texts follow it.
    theme : {"light", "dark"}
    scale, span
        The score axis, as in `explorer.figures.score_axis.score_ticks`. Scores beyond its ends
        count in the bins at the ends.
    counted : {"sqrt", "linear"}
        Height of a bar; the square root lets few used ones show beside many others.
    truth : {"labels", "ablation", "agreement"}
        What used means here.
    reachable : float, optional
        The largest score that any unit could have; what lies within is shaded.
    bins : int, optional
        How many; from the width and the number of scores when left out.
    width, height : int
        Pixels.
    threshold_line : bool
        Whether to draw the threshold; a view with a line to drag draws its own.

    Returns
    -------
    dict
        ``layout.meta["edges"]`` are the edges of the bins; what can be clicked has one point per
        bin. The layout does not change with the threshold.

    Raises
    ------
    InputError
        When a choice has no such name.
    """
    if counted not in {"sqrt", "linear"}:
        raise InputError(f"Counts are drawn as 'sqrt' or 'linear', and not as {counted!r}.")
    words = truth_words(truth)
    ticks = score_ticks(scale, span)
    low, high = score_span(scale, span)
    total = scores.used.size + scores.not_used.size
    pixels = plot_share(width) * (width - LEFT - RIGHT)
    number = bins or (24 if total < MOST_RUG else int(max(24, min(80, pixels / 7))))
    spaced = np.geomspace if scale == "log" else np.linspace
    edges = spaced(low, high, number + 1)
    counts = scores.counts(edges)
    tall = [np.sqrt(part) if counted == "sqrt" else part.astype(float) for part in counts]
    top = max(1.0, *(float(part.max()) for part in tall))
    reach = [max(float(part.max()) * 1.08, 0.3 * top) + 0.04 * top for part in tall]
    rugged = 0 < total < MOST_RUG
    if rugged:
        room = 14 * sum(reach) / (height - _TOP - _BELOW)
        reach = [side + room for side in reach]
    traces = [
        _shade(reachable, low, high, reach),
        *_bars(edges, tall, threshold, scale),
        _answering(edges, counts, reach, scale, words),
        _rug(scores, low, high, reach, shown=rugged),
        *_words(scores, threshold, words, height, width),
    ]
    share = plot_share(width)
    fixed = {"fixedrange": True}
    return {
        "data": traces,
        "layout": base_layout(
            theme,
            height=height,
            margin={"l": LEFT, "r": RIGHT, "t": _TOP, "b": _BELOW},
            barmode="overlay",
            bargap=0,
            hovermode="closest",
            meta={"edges": edges},
            xaxis=bare_axis(
                theme,
                **ticks,
                showgrid=True,
                layer="below traces",
                tickangle=0,
                title=axis_title("score", 6),
                **fixed,
            )
            | {"domain": [0, share]},
            yaxis=bare_axis(
                theme,
                range=[-reach[1], reach[0]],
                **_count_ticks(counts, counted, reach, height),
                **fixed,
            ),
            xaxis2={
                "domain": [share, 1],
                "range": [0, gutter_pixels(width)],
                "visible": False,
                "anchor": "y2",
                **fixed,
            },
            yaxis2={
                "range": [height - _TOP - _BELOW, 0],
                "visible": False,
                "anchor": "x2",
                **fixed,
            },
            shapes=[
                *([_base()] if total else []),
                *(_line(threshold, low) if threshold_line and threshold is not None else []),
            ],
            annotations=_captions(scores, counted, words[2], width),
        ),
    }


def _bars(
    edges: NDArray[np.float64],
    tall: list[NDArray[np.float64]],
    threshold: float | None,
    scale: Scale,
) -> list[dict[str, Any]]:
    # On a log axis too, plotly wants centre and width of a bar in scores.
    left, right = edges[:-1], edges[1:]
    gap = 0.08 * (right - left)
    seen = np.sqrt(left * right) if scale == "log" else (left + right) / 2
    strong = np.ones(len(seen), dtype=bool) if threshold is None else seen >= threshold
    traces = []
    for name, lengths, colour in (
        ("used", tall[0], verdict_colour("used")),
        ("not used", -tall[1], verdict_colour("not used")),
    ):
        pale = f"rgba({','.join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))},{_PALE})"
        traces.append(
            {
                "type": "bar",
                "x": (left + right) / 2,
                "y": lengths,
                "width": right - left - gap,
                "marker": {
                    "color": [colour if one else pale for one in strong],
                    "line": {"width": 0},
                    "cornerradius": 1,
                },
                "name": name,
                "hoverinfo": "skip",
            }
        )
    return traces


def _answering(
    edges: NDArray[np.float64],
    counts: tuple[NDArray[np.intp], NDArray[np.intp]],
    reach: list[float],
    scale: Scale,
    words: tuple[str, str, str],
) -> dict[str, Any]:
    """Columns over the whole height that answer the pointer, also where a bar is short."""
    texts = []
    ends = list(map(three_digits, edges.tolist()))
    used, not_used = (part.tolist() for part in counts)
    for at in range(len(ends) - 1):
        place = f"score {ends[at]} to {ends[at + 1]}"
        if at == 0 and scale == "log":
            place = f"score below {ends[1]}"
        elif at == len(ends) - 2 and edges[-1] < 1:
            place = f"score from {ends[at]} up"
        texts.append(f"{place}<br>{used[at]:,} {words[0]}<br>{not_used[at]:,} {words[1]}")
    return {
        "type": "bar",
        "x": (edges[:-1] + edges[1:]) / 2,
        "y": np.full(len(ends) - 1, reach[0] + reach[1]),
        "base": -reach[1],
        "width": np.diff(edges),
        "marker": {"color": TRANSPARENT, "line": {"width": 0}},
        "name": "bins",
        "customdata": texts,
        "hovertemplate": "%{customdata}<extra></extra>",
    }


def _shade(reachable: float | None, low: float, high: float, reach: list[float]) -> dict[str, Any]:
    end = low if reachable is None else float(min(max(reachable, low), high))
    return {
        "type": "scatter",
        "x": np.array([low, end, end, low]),
        "y": np.array([-reach[1], -reach[1], reach[0], reach[0]]),
        "mode": "lines",
        "fill": "toself",
        "fillcolor": "rgba(128,136,146,0.10)",
        "line": {"width": 0},
        "name": "reachable",
        "hoverinfo": "skip",
    }


def _rug(
    scores: LabelledScores, low: float, high: float, reach: list[float], *, shown: bool
) -> dict[str, Any]:
    """Every score as a stroke at the edge of its half, while there are few."""
    used, not_used = (scores.used, scores.not_used) if shown else (np.empty(0), np.empty(0))
    sizes = used.size, not_used.size
    colours = [verdict_colour("used")] * sizes[0] + [verdict_colour("not used")] * sizes[1]
    return {
        "type": "scatter",
        "x": np.clip(np.concatenate([used, not_used]), low, high),
        "y": np.repeat([0.95 * reach[0], -0.95 * reach[1]], sizes),
        "mode": "markers",
        "marker": {
            "symbol": "line-ns-open",
            "size": 9,
            "color": colours,
            "line": {"width": 1.5},
        },
        "name": "rug",
        "hoverinfo": "skip",
    }


def _words(
    scores: LabelledScores,
    threshold: float | None,
    words: tuple[str, str, str],
    height: int,
    width: int,
) -> list[dict[str, Any]]:
    """What the halves are, how many units they have, and how many of them are called used."""
    room = height - _TOP - _BELOW
    # In pixels from the top: a name, and two lines under it, for each half.
    tops = np.array([0.0, max(54.0, room - 48.0)])
    above = (None, None) if threshold is None else scores.called(threshold)
    parts = (scores.used.size, scores.not_used.size)
    narrow = width < 640

    def lines(offset: float, texts: list[str], at: float, **settings: Any) -> dict[str, Any]:
        return {
            "type": "scatter",
            "x": np.full(len(texts), at),
            "y": tops + offset,
            "xaxis": "x2",
            "yaxis": "y2",
            "mode": "text",
            "text": texts,
            "textposition": "middle right",
            "cliponaxis": False,
            "hoverinfo": "skip",
            **settings,
        }

    halves = ["used", "not used"] if narrow else list(words[:2])
    called = [
        " "
        if one is None
        else f"{one:,} called used" + (f", {one / whole:.0%}" if whole and not narrow else "")
        for one, whole in zip(above, parts, strict=True)
    ]
    if not any(parts):
        halves, called = ["", ""], ["", ""]
    return [
        lines(
            8,
            [LABEL_MARKS[True], LABEL_MARKS[False]] if any(parts) else ["", ""],
            10,
            name="marks",
            textfont={
                "size": TEXT_SIZE,
                "color": [verdict_colour("used"), verdict_colour("not used")],
            },
        ),
        lines(8, halves, 26, name="halves", textfont={"size": TEXT_SIZE}),
        lines(
            24,
            [f"{part:,} unit{'' if part == 1 else 's'}" if any(parts) else "" for part in parts],
            26,
            name="totals",
            textfont={"size": LABEL_SIZE, "color": NEUTRAL_INK},
        ),
        lines(40, called, 26, name="called", textfont={"size": LABEL_SIZE}),
    ]


def _count_ticks(
    counts: tuple[NDArray[np.intp], NDArray[np.intp]],
    counted: str,
    reach: list[float],
    height: int,
) -> dict[str, Any]:
    """Round counts to name, on both sides of the axis."""
    steps = [0, *(digit * 10**power for power in range(9) for digit in (1, 2, 5))]
    pixel = (height - _TOP - _BELOW) / sum(reach)
    places, texts = [0.0], ["0" if any(part.any() for part in counts) else ""]
    for part, sign in zip(counts, (1, -1), strict=True):
        last = 0.0
        most = int(part.max()) if part.size else 0
        for step in reversed([step for step in steps if 0 < step <= most]):
            at = float(np.sqrt(step)) if counted == "sqrt" else float(step)
            if at * pixel < 16 or (last and (last - at) * pixel < 30):
                continue
            last = at
            places.append(sign * at)
            texts.append(f"{step // 1000}k" if step >= 1000 else f"{step}")
    order = np.argsort(places)
    return {
        "tickvals": [places[i] for i in order],
        "ticktext": [texts[i] for i in order],
    }


def _base() -> dict[str, Any]:
    """Where both halves begin; a shape, since a page gives axes the colours of its theme."""
    ends = {"xref": "x domain", "yref": "y", "x0": 0, "x1": 1, "y0": 0, "y1": 0}
    return {"type": "line", "name": "base", **ends, "line": {"color": NEUTRAL_INK, "width": 1}}


def _line(threshold: float, low: float) -> list[dict[str, Any]]:
    at = max(threshold, low)
    place = {"xref": "x", "yref": "paper", "x0": at, "x1": at, "y0": 0, "y1": 1}
    look = {"line": {"color": ACCENT, "width": 1.5}, "layer": "above"}
    return [{"type": "line", "name": "threshold", **place, **look}]


def _captions(scores: LabelledScores, counted: str, truth: str, width: int) -> list[dict[str, Any]]:
    total = scores.used.size + scores.not_used.size
    if total == 0:
        why = (
            f"None of the {scores.unknown:,} labelled units has a score."
            if scores.unknown
            else "No labelled units: label some as used or not used to see their scores here."
        )
        return [note(why, x=0, y=0.6, xanchor="left", yanchor="middle")]
    above = {"y": 1, "yanchor": "bottom", "yshift": 8}
    told = f"scores of {total:,} units"
    if scores.unknown:
        told += f", {scores.unknown:,} unknown left out"
    if width >= 520 and counted == "sqrt":
        told += ", heights as square roots"
    captions = [note(told, x=0, xanchor="left", **above)]
    captions.append(note(truth, x=1, xanchor="right", **above))
    return captions
