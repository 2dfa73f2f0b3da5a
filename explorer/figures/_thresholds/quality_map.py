"""The map of quality: how well each layer and head ranks, with the best and the chosen one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from explorer.errors import InputError, ShapeError
from explorer.figures._style.label_text import thinned, three_digits
from explorer.figures._style.score_axis import Truth, truth_words
from explorer.figures._style.theme import (
    TRANSPARENT,
    axis_title,
    bare_axis,
    base_layout,
    note,
    scale_legend,
)
from explorer.figures.colours import (
    ACCENT,
    NEUTRAL_INK,
    THEMES,
    Rgba,
    Theme,
    css,
    verdict_colour,
)

if TYPE_CHECKING:
    import plotly.graph_objects as go

_TOP, _BELOW, _LEFT, _RIGHT = 46, 38, 46, 104

Place = tuple[int | None, int | None]
"""A layer and a head; None stands for the mean over all."""

Stops = Sequence[tuple[float, Rgba]]


@dataclass(frozen=True)
class QualityLook:
    """How a measure of quality is called and coloured; `chance` None: what the caller says."""

    word: str
    chance: float | None
    diverging: bool


_AROUND = 84
"""Pixels that title, axis and legend of a map take."""

QUALITY_LOOKS = {
    "auc": QualityLook("ROC-AUC", 0.5, diverging=True),
    "average_precision": QualityLook("average precision", None, diverging=False),
    "f1": QualityLook("best F1", None, diverging=False),
}
"""Measures by the names that `explorer.validation.quality_map` has for them."""


def map_height(layers: int, room: int) -> int:
    """Height in pixels of a map whose rows take this room together, each at most 20 pixels.

    Examples
    --------
    >>> map_height(30, 300), map_height(6, 300), map_height(12, 300)
    (384, 204, 324)
    """
    return _AROUND + int(max(120, min(20, room / layers) * layers))


def quality_map_figure(values: ArrayLike, metric: str = "auc", **settings: Any) -> Any:
    """`quality_map_spec` as a Figure, with the same parameters."""
    import plotly.graph_objects as go

    figure: go.Figure = go.Figure(quality_map_spec(values, metric, **settings))
    return figure


def quality_map_spec(
    values: ArrayLike,
    metric: str = "auc",
    theme: Theme = "light",
    *,
    chosen: Place | None = None,
    intervals: tuple[ArrayLike, ArrayLike] | None = None,
    chance: float | None = None,
    highest: float | None = None,
    truth: Truth = "labels",
    width: int = 700,
    height: int | None = None,
) -> dict[str, Any]:
    """Layers down, heads across; what is no better than chance has no ink.

    Teal is better than chance. ROC-AUC below 0.5, which ranks the wrong way round, is brown.

    Parameters
    ----------
    values : array_like, shape (layers, heads)
        NaN cells stay empty.
    metric : str
        One of `QUALITY_LOOKS`.
    theme : {"light", "dark"}
    chosen : (layer, head), optional
        What is chosen now, framed; None for either frames a row, a column or all. Negative numbers
        count from the end.
    intervals : (low, high), optional
        Each (layers, heads), for the hovers.
    chance : float, optional
        What chance would give, where that depends on the labels: the prevalence for average
        precision. The least value when left out.
    highest : float, optional
        The value at the end of the colours; the farthest from chance when left out.
    truth : {"labels", "ablation", "agreement"}
    width, height : int
        Pixels.

    Returns
    -------
    dict
        The trace that can be clicked is the heatmap, whose y is the layer and x the head;
        ``layout.meta`` says so, and has ``layers``, ``heads`` and the ``best`` (or None).

    Raises
    ------
    ShapeError
        When the values are not a matrix, or the intervals are of another shape.
    InputError
        When the metric has no such name.
    """
    if metric not in QUALITY_LOOKS:
        known = ", ".join(map(repr, QUALITY_LOOKS))
        raise InputError(f"The map shows one of {known}, and not {metric!r}.")
    look = QUALITY_LOOKS[metric]
    cells = np.asarray(values, dtype=np.float64)
    if cells.ndim != 2 or cells.size == 0:
        raise ShapeError(f"The map needs values (layers, heads), but they have {cells.shape}.")
    layers, heads = cells.shape
    if chosen is not None:
        layer, head = chosen
        chosen = (
            None if layer is None else layer % layers,
            None if head is None else head % heads,
        )
    middle = look.chance if look.chance is not None else chance
    low, middle, high = _ends(cells, middle, highest, diverging=look.diverging)
    stops = _stops(diverging=look.diverging)
    best = _best(cells)
    ticks = [(0.0, three_digits(low)), (1.0, three_digits(high))]
    if look.diverging:
        ticks.insert(1, (0.5, f"{three_digits(middle)} chance"))
    elif middle > 0 and chance is not None:
        ticks[0] = (0.0, f"{three_digits(middle)} chance")
    images, legend = scale_legend(stops, ticks, look.word.replace("average ", "avg. "))
    pixels = height or _TOP + _BELOW + max(120, min(20, 480 // layers) * layers)
    traces = [
        {
            "type": "heatmap",
            "z": cells,
            "zmin": low,
            "zmax": high,
            "colorscale": [[place, css(colour)] for place, colour in stops],
            "showscale": False,
            "xgap": 1,
            "ygap": 1,
            "hoverongaps": False,
            "customdata": _told(cells, intervals, look.word),
            "hovertemplate": "layer %{y}, head %{x}<br>%{customdata}<extra></extra>",
            "name": "quality",
        },
        _frame(chosen, layers, heads),
        _ring(best),
    ]
    fixed = {"fixedrange": True}
    return {
        "data": traces,
        "layout": base_layout(
            theme,
            height=pixels,
            margin={"l": _LEFT, "r": _RIGHT, "t": _TOP, "b": _BELOW},
            hovermode="closest",
            meta={
                "rows": "layers",
                "columns": "heads",
                "layers": layers,
                "heads": heads,
                "best": best,
            },
            xaxis=bare_axis(
                theme,
                range=[-0.5, heads - 0.5],
                title=axis_title("head"),
                tickvals=thinned(heads, max(4, (width - _LEFT - _RIGHT) // 28)),
                **fixed,
            ),
            yaxis=bare_axis(
                theme,
                range=[layers - 0.5, -0.5],
                title=axis_title("layer", 6),
                tickvals=thinned(layers, 16),
                **fixed,
            ),
            shapes=[_edge(theme)],
            images=images,
            annotations=[
                *legend,
                *_captions(cells, best, chosen, look, truth_words(truth)[2]),
            ],
        ),
    }


def _ends(
    cells: NDArray[np.float64], chance: float | None, highest: float | None, *, diverging: bool
) -> tuple[float, float, float]:
    """Values at the low end of the colours, at chance, and at the high end."""
    finite = cells[np.isfinite(cells)]
    least, most = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    middle = least if chance is None else float(chance)
    if diverging:
        far = max(most - middle, middle - least, 0.05) if highest is None else highest - middle
        far = min(0.5, np.ceil(far * 20 - 1e-9) / 20)
        return middle - far, middle, middle + far
    top = most if highest is None else float(highest)
    return middle, middle, max(top, middle + 0.05)


def _stops(*, diverging: bool) -> Stops:
    """No ink at chance, teal above it, and brown below where there is a below."""

    def shade(verdict: str, opacity: float) -> Rgba:
        colour = verdict_colour(verdict)
        red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
        return red, green, blue, opacity

    strengths = ((0.0, 0.0), (0.5, 0.42), (1.0, 1.0))
    above = [(place, shade("used", opacity)) for place, opacity in strengths]
    if not diverging:
        return above
    below = [((1 - place) / 2, shade("not used", opacity)) for place, opacity in strengths]
    return [*reversed(below), *((0.5 + place / 2, colour) for place, colour in above)]


def _best(cells: NDArray[np.float64]) -> tuple[int, int] | None:
    if not np.isfinite(cells).any():
        return None
    layer, head = divmod(int(np.nanargmax(cells)), cells.shape[1])
    return layer, head


def _told(
    cells: NDArray[np.float64], intervals: tuple[ArrayLike, ArrayLike] | None, word: str
) -> NDArray[np.object_]:
    texts = [[f"{word} <b>{three_digits(value)}</b>" for value in row] for row in cells.tolist()]
    if intervals is not None:
        low, high = (np.asarray(end, dtype=np.float64) for end in intervals)
        if low.shape != cells.shape or high.shape != cells.shape:
            raise ShapeError(
                f"The intervals have shapes {low.shape} and {high.shape}; the values {cells.shape}."
            )
        texts = [
            [
                f"{text} ({three_digits(one)} to {three_digits(other)})"
                for text, one, other in zip(*rows, strict=True)
            ]
            for rows in zip(texts, low.tolist(), high.tolist(), strict=True)
        ]
    found = np.empty(cells.shape, dtype=object)
    found[:] = texts
    return found


def _frame(chosen: Place | None, layers: int, heads: int) -> dict[str, Any]:
    """The chosen cell, row or column; a trace, so that the layout stays when it moves."""
    x, y = np.empty(0), np.empty(0)
    if chosen is not None:
        layer, head = chosen
        left, right = (0, heads - 1) if head is None else (head, head)
        top, bottom = (0, layers - 1) if layer is None else (layer, layer)
        x = np.array([left, right, right, left, left]) + np.array([-0.5, 0.5, 0.5, -0.5, -0.5])
        y = np.array([top, top, bottom, bottom, top]) + np.array([-0.5, -0.5, 0.5, 0.5, -0.5])
    return {
        "type": "scatter",
        "x": x,
        "y": y,
        "mode": "lines",
        "line": {"color": ACCENT, "width": 2},
        "cliponaxis": False,
        "hoverinfo": "skip",
        "name": "chosen",
    }


def _ring(best: tuple[int, int] | None) -> dict[str, Any]:
    """A white ring with a dark edge around the best head, which reads on any cell."""
    count = 0 if best is None else 2
    return {
        "type": "scatter",
        "x": np.full(count, 0 if best is None else best[1], dtype=np.float64),
        "y": np.full(count, 0 if best is None else best[0], dtype=np.float64),
        "mode": "markers",
        "marker": {
            "symbol": "circle-open",
            "size": [13, 10][:count],
            "color": [NEUTRAL_INK, "#ffffff"][:count],
            "line": {"width": 2},
        },
        "cliponaxis": False,
        "hoverinfo": "skip",
        "name": "best",
    }


def _edge(theme: Theme) -> dict[str, Any]:
    corners = {"x0": 0, "x1": 1, "y0": 0, "y1": 1, "xref": "paper", "yref": "paper"}
    line = {"width": 1, "color": THEMES[theme]["grid"]}
    return {"type": "rect", **corners, "line": line, "fillcolor": TRANSPARENT, "layer": "below"}


def _captions(
    cells: NDArray[np.float64],
    best: tuple[int, int] | None,
    chosen: Place | None,
    look: QualityLook,
    truth: str,
) -> list[dict[str, Any]]:
    above = {"y": 1, "yanchor": "bottom"}
    captions = [note(truth, x=1, xanchor="right", yshift=6, **above)]
    if best is None:
        why = "No head can be judged: that takes units labelled used and others."
        return [note(why, x=0, xanchor="left", yshift=6, **above)]
    word = look.word.removeprefix("best ")
    told = f"○ best: layer {best[0]}, head {best[1]}, {word} {three_digits(cells[best])}"
    captions.append(note(told, x=0, xanchor="left", yshift=24, **above))
    if chosen is not None:
        layer, head = chosen
        frame = f'<span style="color:{ACCENT}">▢</span> chosen: {_words(layer, head)}'
        if layer is not None and head is not None:
            frame += f", {three_digits(cells[layer, head])}"
        captions.append(note(frame, x=0, xanchor="left", yshift=6, **above))
    return captions


def _words(layer: int | None, head: int | None) -> str:
    where = "mean of all layers" if layer is None else f"layer {layer}"
    return f"{where}, " + ("mean of heads" if head is None else f"head {head}")
