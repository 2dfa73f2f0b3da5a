"""Histogram of scores: used units above the axis, not used units below it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from explorer._number_format import three_digits
from explorer.errors import InputError
from explorer.figures._feedback.feedback_rows import LABEL_MARKS
from explorer.figures._style.score_axis import (
    BELOW,
    LEFT,
    RIGHT,
    TOP,
    Scale,
    Truth,
    plot_share,
    score_layout,
    score_span,
    threshold_at,
    truth_terms,
)
from explorer.figures._style.theme import (
    LABEL_SIZE,
    TEXT_SIZE,
    note,
)
from explorer.figures._thresholds.histogram_marks import bars, hover_columns, rug, shade
from explorer.figures._thresholds.score_groups import ScoreGroups
from explorer.figures.colours import NEUTRAL_INK, Theme, verdict_colour

if TYPE_CHECKING:
    import plotly.graph_objects as go

MOST_RUG = 60
"""Fewer scores than this are drawn one by one as well."""

_MOST_LETTERS = 22
"""Letters that fit into the column at the right."""


def score_histogram(scores: ScoreGroups, threshold: float | None = None, **settings: Any) -> Any:
    """`score_histogram_spec` as a Figure with a threshold line; takes the same parameters."""
    import plotly.graph_objects as go

    settings.setdefault("threshold_line", threshold is not None)
    figure: go.Figure = go.Figure(score_histogram_spec(scores, threshold, **settings))
    return figure


def score_histogram_spec(
    scores: ScoreGroups,
    threshold: float | None = None,
    theme: Theme = "light",
    *,
    scale: Scale = "log",
    span: tuple[float, float] | None = None,
    counted: Literal["sqrt", "linear"] = "sqrt",
    truth: Truth = "labels",
    reachable: float | None = None,
    reference: float | None = None,
    bins: int | None = None,
    width: int = 700,
    height: int = 220,
    threshold_line: bool = False,
) -> dict[str, Any]:
    """Scores of used units above the axis and of not used units below it.

    Bars at or above the threshold are strong and the others pale, so that the picture shows hits,
    misses and false alarms; the counts are at the right.

    Parameters
    ----------
    scores : LabelledScores
        Sorted once for a head; the rest takes a few milliseconds, whatever their number.
    threshold : float, optional
        What is called used. Only colours and texts follow it.
    theme : {"light", "dark"}
    scale, span
        The score axis, as in `score_axis.score_ticks`. Scores beyond its ends
        count in the bins at the ends.
    counted : {"sqrt", "linear"}
        Height of a bar; the square root keeps few used units visible next to many others.
    truth : {"labels", "ablation", "agreement"}
        What used means here.
    reachable : float, optional
        The largest score that any unit could have; what lies within is shaded.
    reference : float, optional
        A threshold to compare with; marked where the axis reaches it.
    bins : int, optional
        How many; from the width and the number of scores by default.
    width, height : int
        Pixels.
    threshold_line : bool
        Whether to draw the threshold; a view with a line to drag draws its own.

    Returns
    -------
    dict
        ``layout.meta["edges"]`` are the edges of the bins; what can be clicked has one point per
        bin. The layout does not change with the threshold, but for the side on which the name of
        the reference stands.

    Raises
    ------
    InputError
        If a choice has no such name.
    """
    if counted not in {"sqrt", "linear"}:
        raise InputError(f"Counts are drawn as 'sqrt' or 'linear', and not as {counted!r}.")
    words = truth_terms(truth)
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
        room = 14 * sum(reach) / (height - TOP - BELOW)
        reach = [side + room for side in reach]
    shapes, notes = _reference(reference, threshold, (low, high), scale)
    traces = [
        shade(reachable, low, high, reach),
        *bars(edges, tall, threshold, scale),
        hover_columns(edges, counts, reach, scale, words),
        rug(scores, low, high, reach, shown=rugged),
        *_words(scores, threshold, words, height, width),
    ]
    return {
        "data": traces,
        "layout": score_layout(
            theme,
            title="score",
            yaxis={
                "range": [-reach[1], reach[0]],
                **_count_ticks(counts, counted, reach, height),
            },
            scale=scale,
            span=span,
            width=width,
            height=height,
            barmode="overlay",
            bargap=0,
            meta={"edges": edges},
            shapes=[
                *([_base()] if total else []),
                *(
                    [threshold_at(threshold, low)]
                    if threshold_line and threshold is not None
                    else []
                ),
                *shapes,
            ],
            annotations=[*_captions(scores, counted, words[2], width), *notes],
        ),
    }


def _words(
    scores: ScoreGroups,
    threshold: float | None,
    words: tuple[str, str, str],
    height: int,
    width: int,
) -> list[dict[str, Any]]:
    """Text traces that name the halves and count their units and those called used."""
    room = height - TOP - BELOW
    # Pixels from the top: a name and two lines below it for each half.
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
        " " if one is None else _called(one, 0 if narrow else whole)
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


def _called(number: int, whole: int) -> str:
    """Return how many are called used, and their share unless `whole` is 0, as short as fits."""
    share = f", {number / whole:.0%}" if whole else ""
    text = f"{number:,} called used{share}"
    return text if len(text) <= _MOST_LETTERS else f"{number:,} called{share}"


def _count_ticks(
    counts: tuple[NDArray[np.intp], NDArray[np.intp]],
    counted: str,
    reach: list[float],
    height: int,
) -> dict[str, Any]:
    """Ticks at round counts on both sides of the axis."""
    steps = [0, *(digit * 10**power for power in range(9) for digit in (1, 2, 5))]
    pixel = (height - TOP - BELOW) / sum(reach)
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
    """The base line of both halves; a shape, because a page recolours axes by its theme."""
    ends = {"xref": "x domain", "yref": "y", "x0": 0, "x1": 1, "y0": 0, "y1": 0}
    return {"type": "line", "name": "base", **ends, "line": {"color": NEUTRAL_INK, "width": 1}}


def _reference(
    reference: float | None, threshold: float | None, span: tuple[float, float], scale: Scale
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A dotted line at the reference, named on the side away from the threshold if it fits."""
    if reference is None or not span[0] <= reference <= span[1]:
        return [], []
    # On a log axis plotly takes shapes in scores and annotations in powers of ten.
    places = np.array([reference, *span])
    place, low, high = (np.log10(places) if scale == "log" else places).tolist()
    share = (place - low) / (high - low)
    crowded = threshold is not None and threshold > reference
    mark = {
        "type": "line",
        "name": "reference",
        "xref": "x",
        "x0": reference,
        "x1": reference,
        "yref": "y domain",
        "y0": 0,
        "y1": 1,
        "layer": "below",
        "line": {"width": 1, "dash": "dot", "color": NEUTRAL_INK},
    }
    words = note(
        f"reference {three_digits(reference)}",
        x=place,
        y=0,
        xref="x",
        yref="y domain",
        xanchor="right" if share > (0.2 if crowded else 0.76) else "left",
        yanchor="bottom",
    )
    return [mark], [words]


def _captions(scores: ScoreGroups, counted: str, truth: str, width: int) -> list[dict[str, Any]]:
    total = scores.used.size + scores.not_used.size
    if total == 0:
        why = (
            f"None of the {scores.unknown:,} labelled units has a score."
            if scores.unknown
            else "No labelled units: label some as used or not used to see their scores here."
        )
        return [note(why, x=0, y=0.6, xanchor="left", yanchor="middle")]
    above = {"y": 1, "yanchor": "bottom", "yshift": 8}
    caption = f"scores of {total:,} units"
    if scores.unknown:
        caption += f", {scores.unknown:,} unknown left out"
    if width >= 520 and counted == "sqrt":
        caption += ", heights as square roots"
    captions = [note(caption, x=0, xanchor="left", **above)]
    captions.append(note(truth, x=1, xanchor="right", **above))
    return captions
