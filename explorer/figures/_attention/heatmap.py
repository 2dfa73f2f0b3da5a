"""The attention heatmap: queries down, keys across."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from explorer.errors import ShapeError
from explorer.figures import colours
from explorer.figures._style.label_text import escape_label, shortened, thinned_ticks, three_digits
from explorer.figures._style.pooling import block_of, pool_max
from explorer.figures._style.theme import (
    LABEL_SIZE,
    axis_title,
    bare_axis,
    base_layout,
    note,
    scale_legend,
)
from explorer.figures.colours import ACCENT, LOG_FLOOR, MONO, NEUTRAL_INK, Scaling, Theme, scaled
from explorer.source import visible_text

if TYPE_CHECKING:
    import plotly.graph_objects as go

Boundary = tuple[int, int, str]
"""Key columns ``[start, stop)`` and the name of what stands there."""

MAX_CELLS = 512
"""Longer maps are max-pooled to this many cells a side."""

# Above this size, token texts in every cell would dominate the figure; hovers give positions.
_HOVER_CELLS = 1 << 16

_LABEL_PIXELS = 14


def heatmap(
    weights: ArrayLike,
    query_labels: Sequence[str],
    key_labels: Sequence[str],
    *,
    title: str = "",
    colorscale: str | None = None,
    scaling: Scaling = "linear",
    zmax: float | None = None,
    theme: Theme = "light",
    boundaries: Sequence[Boundary] = (),
    marked: Sequence[tuple[int, int]] = (),
    hover_tokens: bool | None = None,
    width: int = 700,
    height: int = 480,
) -> go.Figure:
    """A heatmap of attention weights.

    Parameters
    ----------
    weights : array_like, shape (queries, keys)
        NaN cells stay empty. More than 512 a side are max-pooled.
    query_labels, key_labels : sequence of str
        One token per row and per column; any text, shown letter by letter.
    title : str
        Plain text.
    colorscale : str, optional
        Name of an attention scale, see `explorer.figures.colours.scale_choices`.
    scaling : {"linear", "sqrt", "log"}
        How a weight becomes a colour. The colour bar and hovers keep telling true weights.
    zmax : float, optional
        The weight at the end of the colour scale; the largest weight by default.
    theme : {"light", "dark"}
    marked : sequence of (start, stop)
        Stretches of key columns that are selected: framed over their whole height.
    boundaries : sequence of (start, stop, name)
        Stretches of key columns to mark off and name.
    hover_tokens : bool, optional
        Whether hovers name the tokens; by default, for up to 65,536 cells. Above that they give
        positions.
    width, height : int
        About how large the figure will be shown, in pixels, to choose how many labels fit. The
        figure keeps the height and takes any width.

    Returns
    -------
    plotly.graph_objects.Figure
        One heatmap trace on linear axes that count tokens; ``layout.meta`` has the whole
        ``x_labels`` and ``y_labels``.

    Raises
    ------
    ShapeError
        If the weights are not a matrix, or the labels do not fit it.
    InputError
        If a scale or scaling has no such name.
    """
    import plotly.graph_objects as go

    pooled = pool_max(np.asarray(weights, dtype=np.float32), MAX_CELLS)
    n_queries, n_keys = np.shape(weights)
    check_labels(n_queries, query_labels, "query rows")
    check_labels(n_keys, key_labels, "key columns")
    blocks = block_of(n_queries, MAX_CELLS), block_of(n_keys, MAX_CELLS)
    top = largest_weight(pooled) if zmax is None else float(zmax)
    images, legend = scale_legend(colorscale, scale_ticks(top, scaling), "weight")
    shapes, names = _boundary_marks(boundaries, n_keys, width)
    left = 16 + 7 * min(14, max((len(visible_text(label)) for label in query_labels), default=0))
    # Plotly rotates key labels, so the longest label decides the margin.
    below = 28 + 7 * min(14, max((len(visible_text(label)) for label in key_labels), default=0))
    above = (32 if title else 12) + (18 if names else 0)
    tick_font = {"family": MONO, "size": LABEL_SIZE, "color": colours.THEMES[theme]["quiet"]}
    trace = go.Heatmap(
        z=scaled(pooled, scaling),
        x0=(blocks[1] - 1) / 2,
        dx=blocks[1],
        y0=(blocks[0] - 1) / 2,
        dy=blocks[0],
        zmin=0.0,
        zmax=float(scaled(top, scaling)),
        colorscale=colours.colorscale(colorscale),
        showscale=False,
        hoverongaps=False,
        **_hovers(pooled, query_labels, key_labels, blocks, hover_tokens),
    )
    return go.Figure(
        data=[trace],
        layout=base_layout(
            theme,
            title=escape_label(title),
            height=height,
            margin={"l": left, "r": 72, "t": above, "b": below, "pad": 2},
            meta={
                "x_labels": [visible_text(label) for label in key_labels],
                "y_labels": [visible_text(label) for label in query_labels],
            },
            xaxis=bare_axis(
                theme,
                range=[-0.5, n_keys - 0.5],
                title=axis_title("key"),
                tickangle=-90,
                **thinned_ticks(key_labels, (width - left - 72) // _LABEL_PIXELS),
            )
            | {"tickfont": tick_font},
            yaxis=bare_axis(
                theme,
                range=[n_queries - 0.5, -0.5],
                title=axis_title("query"),
                **thinned_ticks(query_labels, (height - above - below) // _LABEL_PIXELS),
            )
            | {"tickfont": tick_font},
            shapes=[_frame(), *shapes, *(_marked(*span) for span in marked)],
            annotations=[*legend, *names],
            images=images,
        ),
    )


def scale_ticks(zmax: float, scaling: Scaling) -> list[tuple[float, str]]:
    """Ticks of the colour bar in true weights: (place from 0 to 1, text).

    Examples
    --------
    >>> scale_ticks(1.0, "sqrt")
    [(0.0, '0'), (0.5, '0.25'), (1.0, '1')]
    """
    if scaling == "log":
        powers = [10.0**power for power in range(-4, 1)]
        chosen = [power for power in powers if power < 0.7 * zmax] + [zmax]
        texts = [f"{weight:.2g}" for weight in chosen]
        texts[0] = f"≤{LOG_FLOOR:g}"
    else:
        parts = (0.0, 0.25, 1.0) if scaling == "sqrt" else (0.0, 0.5, 1.0)
        chosen = [part * zmax for part in parts]
        texts = [f"{weight:.2g}" for weight in chosen]
    end = float(scaled(zmax, scaling)) or 1.0
    places = [float(scaled(weight, scaling)) / end for weight in chosen]
    return list(zip(places, texts, strict=True))


def largest_weight(weights: NDArray[np.float32]) -> float:
    """Largest finite weight, at most 1; 1 if no weight is above 0."""
    finite = weights[np.isfinite(weights)]
    return min(1.0, float(finite.max())) if finite.size and finite.max() > 0 else 1.0


def check_labels(count: int, labels: Sequence[str], what: str) -> None:
    """Raise ShapeError if the number of labels differs from `count`."""
    if len(labels) != count:
        raise ShapeError(f"The weights have {count} {what}, but there are {len(labels)} labels.")


def _frame() -> dict[str, Any]:
    return {
        "type": "rect",
        "xref": "paper",
        "yref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": 0,
        "y1": 1,
        "line": {"width": 1, "color": NEUTRAL_INK},
        "opacity": 0.35,
        "layer": "above",
    }


def _hovers(
    pooled: NDArray[np.float32],
    query_labels: Sequence[str],
    key_labels: Sequence[str],
    blocks: tuple[int, int],
    tokens: bool | None,
) -> dict[str, Any]:
    if tokens is None:
        tokens = pooled.size <= _HOVER_CELLS
    if not tokens:
        return {"hovertemplate": "query %{y}<br>key %{x}<extra></extra>"}
    queries = _cell_names(query_labels, blocks[0])
    keys = _cell_names(key_labels, blocks[1])
    cells = np.empty((*pooled.shape, 3), dtype=object)
    cells[..., 0] = np.array(queries, dtype=object)[:, None]
    cells[..., 1] = np.array(keys, dtype=object)[None, :]
    cells[..., 2] = [[three_digits(weight) for weight in row] for row in pooled.tolist()]
    word = "weight" if blocks == (1, 1) else "largest weight"
    return {
        "customdata": cells,
        "hovertemplate": (
            "query  %{customdata[0]}<br>key  %{customdata[1]}<br>"
            f"{word}  <b>%{{customdata[2]}}</b><extra></extra>"
        ),
    }


def _cell_names(labels: Sequence[str], block: int) -> list[str]:
    """Position and token of each row or column of cells, for the hover."""
    names = [f"{at}  {escape_label(shortened(label, 40))}" for at, label in enumerate(labels)]
    if block == 1:
        return names
    return [
        names[at] if at + 1 >= len(names) else f"{at} to {min(at + block, len(names)) - 1}"
        for at in range(0, len(names), block)
    ]


def _marked(start: int, stop: int) -> dict[str, Any]:
    return _frame() | {
        "xref": "x",
        "x0": start - 0.5,
        "x1": stop - 0.5,
        "line": {"width": 1.5, "color": ACCENT},
        "opacity": 1,
    }


def _boundary_marks(
    boundaries: Sequence[Boundary], n_keys: int, width: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    shapes: list[dict[str, Any]] = []
    names: list[dict[str, Any]] = []
    for start, stop, name in boundaries:
        shapes.extend(_edge(edge - 0.5) for edge in (start, stop) if 0 < edge < n_keys)
        # A bar over the plot links the name to its columns.
        shapes.append(
            _edge(start - 0.4, stop - 0.6)
            | {"y0": 1.008, "y1": 1.008, "line": {"width": 2, "color": NEUTRAL_INK}}
        )
        letters = int((stop - start) / n_keys * (width - 140) / 6.2)
        if letters >= 2:
            names.append(
                note(
                    escape_label(shortened(name, letters)),
                    x=(start + stop - 1) / 2,
                    xref="x",
                    y=1,
                    yanchor="bottom",
                    yshift=3,
                    hovertext=escape_label(name),
                )
            )
    return shapes, names


def _edge(x0: float, x1: float | None = None) -> dict[str, Any]:
    return {
        "type": "line",
        "xref": "x",
        "yref": "paper",
        "x0": x0,
        "x1": x0 if x1 is None else x1,
        "y0": 0,
        "y1": 1,
        "line": {"width": 1, "color": NEUTRAL_INK},
        "opacity": 0.6,
        "layer": "above",
    }
