"""Figure of all heads: one small cell per layer and head, coloured by a measure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from explorer.errors import ShapeError
from explorer.figures import colours
from explorer.figures._style.label_text import escape_label, thinned, three_digits
from explorer.figures._style.theme import axis_title, bare_axis, base_layout, scale_legend
from explorer.figures.colours import ACCENT, Theme

if TYPE_CHECKING:
    import plotly.graph_objects as go


def head_grid(
    values: ArrayLike,
    *,
    measure: str = "value",
    selected: tuple[int, int] | None = None,
    colorscale: str | None = None,
    theme: Theme = "light",
    title: str = "",
) -> go.Figure:
    """A heatmap with one cell per head: layers down, heads across.

    Parameters
    ----------
    values : array_like, shape (layers, heads)
        A measure of each head. The smallest and the largest finite value are the ends of the
        colour scale; NaN cells stay empty.
    measure : str
        What the values are, in words.
    selected : (layer, head), optional
        A head to frame; negative numbers count from the end.
    colorscale, theme, title
        As in `explorer.figures.heatmap`.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    ShapeError
        If the values are not a matrix.
    """
    import plotly.graph_objects as go

    cells = np.asarray(values, dtype=np.float32)
    if cells.ndim != 2 or cells.size == 0:
        raise ShapeError(f"The grid needs values (layers, heads), but they have {cells.shape}.")
    layers, heads = cells.shape
    finite = cells[np.isfinite(cells)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if high <= low:
        high = low + 1.0
    ticks = [(0.0, three_digits(low)), (1.0, three_digits(high))]
    images, legend = scale_legend(colorscale, ticks, escape_label(measure))
    shapes = []
    if selected is not None:
        layer, head = selected[0] % layers, selected[1] % heads
        frame = {"x0": head - 0.5, "x1": head + 0.5, "y0": layer - 0.5, "y1": layer + 0.5}
        shapes.append({"type": "rect", **frame, "line": {"color": ACCENT, "width": 2}})
    digits = np.array(
        [[three_digits(value) for value in row] for row in cells.tolist()], dtype=object
    )
    return go.Figure(
        data=[
            go.Heatmap(
                z=cells,
                zmin=low,
                zmax=high,
                colorscale=colours.colorscale(colorscale),
                showscale=False,
                xgap=1,
                ygap=1,
                customdata=digits,
                hovertemplate=(
                    "layer %{y}, head %{x}<br>"
                    + escape_label(measure)
                    + " <b>%{customdata}</b><extra></extra>"
                ),
                hoverongaps=False,
            )
        ],
        layout=base_layout(
            theme,
            title=escape_label(title),
            height=(60 if title else 44) + max(120, min(20, 480 // layers) * layers),
            margin={"l": 40, "r": 84, "t": 32 if title else 12, "b": 36},
            xaxis=bare_axis(
                theme,
                range=[-0.5, heads - 0.5],
                title=axis_title("head"),
                tickvals=thinned(heads, 16),
            ),
            yaxis=bare_axis(
                theme,
                range=[layers - 0.5, -0.5],
                title=axis_title("layer"),
                tickvals=thinned(layers, 16),
            ),
            shapes=shapes,
            annotations=legend,
            images=images,
        ),
    )
