"""Figure of token importance: the attention that each token receives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from explorer.errors import ShapeError
from explorer.figures._style.label_text import escape_label, shortened, thinned_ticks, three_digits
from explorer.figures._style.theme import LABEL_SIZE, axis_title, bare_axis, base_layout
from explorer.figures.colours import ACCENT, MONO, THEMES, Theme, lookup_table, scale_codes

if TYPE_CHECKING:
    import plotly.graph_objects as go

_LABEL_PIXELS = 14


def importance(
    tokens: Sequence[str],
    received: ArrayLike,
    *,
    selected: int | None = None,
    colorscale: str | None = None,
    theme: Theme = "light",
    title: str = "",
    width: int = 700,
) -> go.Figure:
    """A vertical bar per token with the attention that it receives.

    Parameters
    ----------
    tokens : sequence of str
        In reading order. The axis counts positions, so repeated tokens keep their own bars.
    received : array_like, shape (tokens,)
        Attention received, such as from `AttentionMap.received`.
    selected : int, optional
        A token to mark.
    colorscale, theme, title, width
        As in `explorer.figures.heatmap`.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    ShapeError
        If the number of values differs from the number of tokens.
    """
    import plotly.graph_objects as go

    values = np.asarray(received, dtype=np.float64)
    if values.shape != (len(tokens),):
        raise ShapeError(
            f"There are {len(tokens)} tokens, but the attention received has the shape "
            f"{values.shape}."
        )
    finite = np.nan_to_num(values)
    top = float(finite.max(initial=0.0)) or 1.0
    # Colour repeats the height; small bars start at a third of the scale to be visible.
    shades = np.maximum(scale_codes(finite / top), 90)
    table = lookup_table(colorscale, theme)
    fills = [table[code] for code in shades]
    if selected is not None:
        fills[selected] = ACCENT
    hovers = [
        f"{at}  {escape_label(shortened(token, 40))}<br>receives <b>{three_digits(value)}</b>"
        for at, (token, value) in enumerate(zip(tokens, values, strict=True))
    ]
    longest = max((len(token) for token in tokens), default=1)
    return go.Figure(
        data=[
            go.Bar(
                x=np.arange(len(tokens)),
                y=finite,
                width=0.8,
                marker={"color": fills, "line": {"width": 0}, "cornerradius": 1},
                customdata=hovers,
                hovertemplate="%{customdata}<extra></extra>",
            )
        ],
        layout=base_layout(
            theme,
            title=escape_label(title),
            height=(32 if title else 12) + 150 + 7 * min(14, longest),
            margin={"l": 44, "r": 12, "t": 32 if title else 12, "b": 16 + 7 * min(14, longest)},
            meta={"x_labels": list(tokens)},
            xaxis=bare_axis(
                theme,
                range=[-0.6, len(tokens) - 0.4],
                tickangle=-90,
                **thinned_ticks(tokens, (width - 56) // _LABEL_PIXELS),
            )
            | {"tickfont": {"family": MONO, "size": LABEL_SIZE, "color": THEMES[theme]["quiet"]}},
            yaxis=bare_axis(
                theme,
                range=[0, top * 1.05],
                showgrid=True,
                nticks=4,
                title=axis_title("attention received"),
            ),
        ),
    )
