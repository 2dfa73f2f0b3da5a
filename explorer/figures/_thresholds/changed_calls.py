"""Figure of the calls that change between two thresholds: one row per changed unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from explorer.figures._feedback.feedback_rows import LABEL_MARKS
from explorer.figures._style.label_text import escape_label, shortened, three_digits, wrapped
from explorer.figures._style.row_columns import CODE, bar_column, text_column
from explorer.figures._style.score_axis import Truth, truth_terms
from explorer.figures._style.theme import LABEL_SIZE, TRANSPARENT, base_layout, note
from explorer.figures.colours import NEUTRAL_INK, Theme, verdict_colour, verdict_mark
from explorer.source import visible_text

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

MOST_ROWS = 30

_MARGIN, _TOP, _ROW = 8, 48, 22
_LETTER_PIXELS = 7.0
_LABEL, _SCORE, _MARKS, _OUTCOME = 28, 66, 64, 84
_WORDS = {
    "labels": ("label", "right", "wrong"),
    "ablation": ("ablation", "right", "wrong"),
    "agreement": ("other", "agrees", "differs"),
}
"""Kind of truth -> heading of its column, and words for a call that equals it or does not."""

_NOTHING = "\u200a"
"""An empty text that has an element on the page, so that another can take its place at once."""


def changed_calls(table: pd.DataFrame, one: float, other: float, **settings: Any) -> Any:
    """`changed_calls_spec` as a Figure, with the same parameters."""
    import plotly.graph_objects as go

    figure: go.Figure = go.Figure(changed_calls_spec(table, one, other, **settings))
    return figure


def changed_calls_spec(
    table: pd.DataFrame,
    one: float,
    other: float,
    theme: Theme = "light",
    *,
    most: int = MOST_ROWS,
    slots: int | None = None,
    truth: Truth | None = None,
    width: int = 700,
) -> dict[str, Any]:
    """Units whose call changes between two thresholds, those nearest to the new one first.

    Each row has the trace, the unit, its text, its label, its score, the two calls as marks, and
    whether the call is right now.

    Parameters
    ----------
    table : pandas.DataFrame
        From `explorer.validation.changed_units`: ``trace``, ``unit``, ``score``, ``label`` (bool),
        ``at_one`` and ``at_other`` (bool); and ``text`` where texts are to be shown.
    one, other : float
        The thresholds.
    theme : {"light", "dark"}
    most : int
        Rows at most.
    slots : int, optional
        Rows that the figure has room for, whether they are filled or not: then its layout stays
        while a threshold is dragged. As many as there are rows by default.
    truth : {"labels", "ablation", "agreement"}, optional
        ``table.attrs["truth"]`` by default.
    width : int
        Pixels.

    Returns
    -------
    dict
        ``layout.meta["traces"]`` and ``["units"]`` name the rows in the order drawn; what can be
        clicked is the trace ``row``, with one point for each slot.
    """
    truth = truth or table.attrs.get("truth", "labels")
    kinds = truth_terms(truth)
    column, right_word, wrong_word = _WORDS[truth]
    order = _nearest(table["score"].to_numpy(dtype=np.float64), other, min(most, slots or most))
    shown = table.iloc[order]
    count = len(shown)
    rows = max(1, count if slots is None else slots)
    room = width - 2 * _MARGIN
    place = _places(shown, room, fixed=slots is not None)
    names = [str(name) for name in shown["unit"]]
    traces_of = [str(name) for name in shown["trace"]]
    texts = [str(text) for text in shown["text"]] if "text" in shown else [""] * count
    labels = [bool(label) for label in shown["label"]]
    before = [bool(call) for call in shown["at_one"]]
    after = [bool(call) for call in shown["at_other"]]
    scores = shown["score"].to_list()

    def filled(found: Sequence[str]) -> list[str]:
        return [*(text or _NOTHING for text in found), *[_NOTHING] * (rows - count)]

    def words(at: float, found: Sequence[str], align: str, **settings: Any) -> dict[str, Any]:
        return text_column(at, filled(found), align, axis="x", **settings)

    def fitted(found: Sequence[str], pixels: float) -> list[str]:
        letters = int((pixels - 8) / _LETTER_PIXELS)
        flat = (" ".join(visible_text(text).split()) for text in found)
        return [escape_label(shortened(text, letters)) if letters > 3 else "" for text in flat]

    def marks(at: float, calls: Sequence[bool], called: bool, name: str) -> dict[str, Any]:
        verdict = "used" if called else "not used"
        mark = verdict_mark(verdict)
        return words(
            at,
            [mark if call is called else "" for call in calls],
            "center",
            name=f"{name} {verdict}",
        ) | {"textfont": {"size": 13, "color": verdict_colour(verdict)}}

    right = [label is call for label, call in zip(labels, after, strict=True)]
    fills = np.zeros(rows)
    fills[:count] = room
    hovers = [
        _hover(trace, name, text, score, kinds[0 if label else 1], calls, (one, other))
        for trace, name, text, score, label, *calls in zip(
            traces_of, names, texts, scores, labels, before, after, strict=True
        )
    ]
    traces = [
        bar_column(fills, TRANSPARENT, 1.0, base=0.0, name="row")
        | {"customdata": [*hovers, *[""] * (rows - count)]}
        | {"hovertemplate": "%{customdata}<extra></extra>"},
        words(0, fitted(traces_of, place["unit"]), "right", name="trace", opacity=0.75),
        words(place["unit"], fitted(names, place["text"] - place["unit"]), "right", name="unit"),
        words(
            place["text"],
            fitted(texts, place["label"] - 8 - place["text"]),
            "right",
            name="text",
            opacity=0.75,
            **CODE,
        ),
        words(place["label"], [LABEL_MARKS[label] for label in labels], "right", name="label"),
        words(
            place["score"] + _SCORE - 8,
            list(map(three_digits, scores)),
            "left",
            name="score",
            **CODE,
        ),
        *(marks(place["marks"] + 14, before, called, "before") for called in (True, False)),
        words(place["marks"] + 32, ["→"] * count, "center", name="arrow", opacity=0.75),
        *(marks(place["marks"] + 50, after, called, "after") for called in (True, False)),
        words(
            place["outcome"],
            [f"now {right_word if fits else wrong_word}" for fits in right],
            "right",
            name="outcome",
        ),
        _summary(table, count, (one, other), (right_word, wrong_word), room),
    ]
    fixed = {"fixedrange": True}
    return {
        "data": traces,
        "layout": base_layout(
            theme,
            height=_TOP + _ROW * rows + _MARGIN,
            margin={"l": _MARGIN, "r": _MARGIN, "t": _MARGIN, "b": _MARGIN},
            barmode="overlay",
            bargap=0,
            hovermode="closest",
            meta={"traces": traces_of, "units": names},
            xaxis={"range": [0, room], "visible": False, **fixed},
            yaxis={
                "range": [rows - 0.5, -0.5 - (_TOP - _MARGIN) / _ROW],
                "visible": False,
                **fixed,
            },
            annotations=_headings(place, column, room, rows),
        ),
    }


def _nearest(scores: NDArray[np.float64], threshold: float, most: int) -> NDArray[np.intp]:
    """Indices of the scores nearest to the threshold; ties keep their order."""
    far = np.nan_to_num(np.abs(scores - threshold), nan=np.inf)
    if len(far) > most:
        within = np.flatnonzero(far <= np.partition(far, most - 1)[most - 1])
    else:
        within = np.arange(len(far))
    return within[np.argsort(far[within], kind="stable")][:most]


def _places(shown: pd.DataFrame, room: float, *, fixed: bool) -> dict[str, float]:
    """Left edge of each column in pixels; the text column takes the remaining width."""
    numbers = _LABEL + _SCORE + _MARKS + _OUTCOME
    label = room - numbers

    def wide(column: str, part: float) -> float:
        longest = max((len(str(value)) for value in shown[column]), default=4)
        # The columns stay fixed while rows come and go.
        most = min(part * room, 1000 * part)
        return most if fixed else min(12 + longest * _LETTER_PIXELS, most)

    trace, unit = max(40.0, wide("trace", 0.18)), max(36.0, wide("unit", 0.1))
    return {
        "unit": trace,
        "text": trace + unit,
        "label": label,
        "score": label + _LABEL,
        "marks": label + _LABEL + _SCORE,
        "outcome": label + _LABEL + _SCORE + _MARKS,
    }


def _hover(
    trace: str,
    unit: str,
    text: str,
    score: float,
    label: str,
    calls: Sequence[bool],
    thresholds: tuple[float, float],
) -> str:
    called = {True: "used", False: "not used"}
    lines = [f"<b>{escape_label(shortened(unit, 60))}</b> of {escape_label(shortened(trace, 60))}"]
    if text:
        lines.append(wrapped(text))
    verdicts = [
        f"{called[call]} at {three_digits(at)}" for call, at in zip(calls, thresholds, strict=True)
    ]
    lines.append(f"score {three_digits(score)}: {', '.join(verdicts)}; {label}")
    return "<br>".join(lines)


def _summary(
    table: pd.DataFrame,
    shown: int,
    thresholds: tuple[float, float],
    words: tuple[str, str],
    room: float,
) -> dict[str, Any]:
    """A sentence: how many calls change and how many of them become right."""
    total = len(table)
    right = int((table["label"].to_numpy() == table["at_other"].to_numpy()).sum())
    change = f"from {three_digits(thresholds[0])} to {three_digits(thresholds[1])}"
    if not total:
        text = f"No call changes {change}."
    else:
        text = (
            f"{total:,} call{'s' if total > 1 else ''} change{'' if total > 1 else 's'} {change}: "
            f"{right:,} now {words[0]}, {total - right:,} now {words[1]}"
        )
        if room < 400:
            text = f"{total:,} change: {right:,} now {words[0]}, {total - right:,} {words[1]}"
        if shown < total and room > 520:
            text += f"; the {shown} nearest shown"
    return {
        "type": "scatter",
        "x": np.zeros(1),
        "y": np.full(1, -0.5 - (_TOP - _MARGIN - 8) / _ROW),
        "mode": "text",
        "text": [text],
        "textposition": "middle right",
        "textfont": {"size": 12},
        "hoverinfo": "skip",
        "name": "summary",
    }


def _headings(place: dict[str, float], label: str, room: float, rows: int) -> list[dict[str, Any]]:
    tall = _TOP + _ROW * rows - _MARGIN
    row = {
        "y": (rows * _ROW + 10) / tall,
        "yanchor": "middle",
        "font": {"size": LABEL_SIZE, "color": NEUTRAL_INK},
    }

    def heading(text: str, pixels: float, anchor: str = "left") -> dict[str, Any]:
        return note(text, x=pixels / room, xanchor=anchor, **row)

    return [
        heading("trace", 0),
        heading("unit", place["unit"]),
        heading(label, place["label"] + 8, "center"),
        heading("score", place["score"] + _SCORE - 8, "right"),
        heading("call", place["marks"] + 32, "center"),
    ]
