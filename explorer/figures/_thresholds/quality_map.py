"""Figure of the quality of each layer and head, with the best and the chosen head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from explorer.attention._head_name import head_name
from explorer.errors import InputError, ShapeError
from explorer.figures._style.label_text import thinned, three_digits
from explorer.figures._style.score_axis import Truth, truth_terms
from explorer.figures._style.theme import (
    axis_title,
    bare_axis,
    base_layout,
    note,
    scale_legend,
)
from explorer.figures._thresholds.quality_map_marks import (
    Place,
    colour_ends,
    colour_stops,
    edge_shape,
    frame_trace,
    hover_texts,
    ring_trace,
)
from explorer.figures.colours import (
    ACCENT,
    Theme,
    css,
)

if TYPE_CHECKING:
    import plotly.graph_objects as go

_TOP, _BELOW, _LEFT, _RIGHT = 46, 38, 46, 104


@dataclass(frozen=True)
class QualityLook:
    """Name, chance level and colours of a quality measure; `chance` None: given by the caller."""

    word: str
    chance: float | None
    diverging: bool


_AROUND = 84
"""Height in pixels of title, axis and legend."""

QUALITY_LOOKS = {
    "auc": QualityLook("ROC-AUC", 0.5, diverging=True),
    "average_precision": QualityLook("average precision", None, diverging=False),
    "f1": QualityLook("best F1", None, diverging=False),
}
"""Looks by the metric names of `explorer.validation.quality_map`."""


def map_height(layers: int, room: int) -> int:
    """Height in pixels of a map whose rows share `room` pixels, at most 20 pixels each.

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
    """A heatmap of a quality measure: layers down, heads across.

    Teal is better than chance; cells at chance level have no ink. ROC-AUC below 0.5, a reversed
    ranking, is brown.

    Parameters
    ----------
    values : array_like, shape (layers, heads)
        NaN cells stay empty.
    metric : str
        One of `QUALITY_LOOKS`.
    theme : {"light", "dark"}
    chosen : (layer, head), optional
        The framed choice; None as layer or head frames a column, a row or the whole map. Negative
        numbers count from the end.
    intervals : (low, high), optional
        Each (layers, heads), for the hovers.
    chance : float, optional
        Chance level of a measure where it depends on the labels, such as the prevalence for
        average precision. Default: the smallest value.
    highest : float, optional
        Value at the end of the colour scale. Default: the value farthest from chance.
    truth : {"labels", "ablation", "agreement"}
    width, height : int
        Pixels.

    Returns
    -------
    dict
        The clickable trace is the heatmap; its y is the layer and its x the head. ``layout.meta``
        names both and has ``layers``, ``heads`` and ``best`` (or None).

    Raises
    ------
    ShapeError
        If the values are not a matrix, or the intervals have another shape.
    InputError
        If the metric is unknown.
    """
    if metric not in QUALITY_LOOKS:
        known = ", ".join(map(repr, QUALITY_LOOKS))
        raise InputError(f"metric must be one of {known}; got {metric!r}.")
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
    low, middle, high = colour_ends(cells, middle, highest, diverging=look.diverging)
    stops = colour_stops(diverging=look.diverging)
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
            "customdata": hover_texts(cells, intervals, look.word),
            "hovertemplate": "layer %{y}, head %{x}<br>%{customdata}<extra></extra>",
            "name": "quality",
        },
        frame_trace(chosen, layers, heads),
        ring_trace(best),
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
            shapes=[edge_shape(theme)],
            images=images,
            annotations=[
                *legend,
                *_captions(cells, best, chosen, look, truth_terms(truth)[2]),
            ],
        ),
    }


def _best(cells: NDArray[np.float64]) -> tuple[int, int] | None:
    if not np.isfinite(cells).any():
        return None
    layer, head = divmod(int(np.nanargmax(cells)), cells.shape[1])
    return layer, head


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
        why = "No head can be judged: label some units as used and some as not used."
        return [note(why, x=0, xanchor="left", yshift=6, **above)]
    word = look.word.removeprefix("best ")
    best_text = f"○ best: layer {best[0]}, head {best[1]}, {word} {three_digits(cells[best])}"
    captions.append(note(best_text, x=0, xanchor="left", yshift=24, **above))
    if chosen is not None:
        layer, head = chosen
        frame = f'<span style="color:{ACCENT}">▢</span> chosen: {head_name(layer, head)}'
        if layer is not None and head is not None:
            frame += f", {three_digits(cells[layer, head])}"
        captions.append(note(frame, x=0, xanchor="left", yshift=6, **above))
    return captions
