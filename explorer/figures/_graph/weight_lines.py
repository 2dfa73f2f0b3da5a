"""Figure of the weights of hyperedges over the traces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer._number_format import three_digits
from explorer.feedback import FeedbackPolicy
from explorer.figures._graph.weight_line_marks import (
    LABEL_HEIGHT,
    LEADER_PIXELS,
    LETTER_PIXELS,
    NUMBER_PIXELS,
    band_traces,
    bound_traces,
    end_labels,
    lines_on_others,
    quantile_columns,
    weight_line,
)
from explorer.figures._style.theme import (
    axis_title,
    bare_axis,
    base_layout,
    note,
)
from explorer.figures.colours import Theme

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

_MARGIN = {"l": 46, "r": 8, "t": 30, "b": 38}


def weight_lines(
    lines: pd.DataFrame,
    band: pd.DataFrame | None = None,
    policy: FeedbackPolicy | None = None,
    theme: Theme = "light",
    *,
    width: int = 700,
    selected: int | None = None,
) -> go.Figure:
    """Lines of the weights of some hyperedges over the traces, on a band of all weights.

    Each line has the colour of its mean feedback, and its weight and name at the end. A dot is an
    update, in the colour of its feedback. Dashed lines are the bounds of the selected hyperedge,
    or the outermost bounds of all drawn lines.

    Parameters
    ----------
    lines : pandas.DataFrame
        From `Trajectory.lines`; see `explorer.rag.weight_trajectory`.
    band : pandas.DataFrame, optional
        From `Trajectory.band`: ``step`` and columns named by quantiles, outermost first and last.
    policy : FeedbackPolicy, optional
        Policy of the colours. Default: the default policy.
    theme : {"light", "dark"}
    width : int
        Approximate width on the page in pixels; decides how much of the names fits.
    selected : int, optional
        Number of the hyperedge to emphasise.

    Returns
    -------
    plotly.graph_objects.Figure
        ``layout.meta["lines"]`` are the numbers of the drawn hyperedges and
        ``layout.meta["first_line"]`` is the index of the first line's trace.
    """
    import plotly.graph_objects as go

    return go.Figure(weight_lines_spec(lines, band, policy, theme, width=width, selected=selected))


def weight_lines_spec(
    lines: pd.DataFrame,
    band: pd.DataFrame | None = None,
    policy: FeedbackPolicy | None = None,
    theme: Theme = "light",
    *,
    width: int = 700,
    selected: int | None = None,
) -> dict[str, Any]:
    """`weight_lines` as a plain dict; its layout does not depend on the threshold."""
    policy = FeedbackPolicy() if policy is None else policy
    chosen = [part for _, part in lines.groupby("hyperedge", sort=False)]
    steps = int(lines.attrs.get("steps", lines["step"].max() if len(lines) else 1))
    height = max(300, 90 + LABEL_HEIGHT * len(chosen))
    room = width - _MARGIN["l"] - _MARGIN["r"]
    labels = _label_pixels(chosen, width)
    right = 1.0 - labels / room
    bounds = _bounds(chosen, selected)
    low, high = extent = _extent(lines, band, bounds)
    pixel = (high - low) / (height - _MARGIN["t"] - _MARGIN["b"])
    above, sharing = lines_on_others(chosen)
    numbers = [int(part["hyperedge"].iloc[0]) for part in chosen]
    traces = [
        *band_traces(band),
        *bound_traces(bounds, steps, extent, pixel),
        *(
            weight_line(place, part, steps, policy, selected, above[place])
            for place, part in enumerate(chosen)
        ),
        *end_labels(chosen, selected, labels, extent, pixel),
    ]
    fixed = {"fixedrange": True}
    return {
        "data": traces,
        "layout": base_layout(
            theme,
            height=height,
            margin=_MARGIN,
            hovermode="closest",
            meta={"lines": numbers, "first_line": len(traces) - 2 - len(chosen)},
            xaxis=bare_axis(
                theme,
                range=[0, steps],
                tickformat="d",
                nticks=max(2, min(10, int(right * room / 70))),
                title=axis_title("trace", 6),
                **fixed,
            )
            | {"domain": [0, right]},
            xaxis2={
                "domain": [right, 1],
                "range": [0, 1],
                "visible": False,
                "anchor": "y2",
                **fixed,
            },
            yaxis2={"range": [low, high], "visible": False, "anchor": "x2", **fixed},
            yaxis=bare_axis(
                theme,
                range=[low, high],
                showgrid=True,
                tick0=0,
                dtick=next((d for d in (0.05, 0.25, 0.5, 1.0) if high - low < 7 * d), None),
                nticks=6,
                title=axis_title("weight", 6),
                **fixed,
            ),
            annotations=_captions(chosen, band, right, sharing),
        ),
    }


def _extent(
    lines: pd.DataFrame, band: pd.DataFrame | None, bounds: tuple[set[float], set[float]]
) -> tuple[float, float]:
    """Range of the weight axis: all drawn weights, rounded outwards to quarters.

    The steps keep the range fixed while the threshold moves. The range includes bounds that all
    lines share.
    """
    seen = [lines["weight"].to_numpy(dtype=np.float64)]
    if band is not None:
        seen += [band[name].to_numpy(dtype=np.float64) for name in quantile_columns(band)]
    seen += [np.array(list(values)) for values in bounds if len(values) == 1]
    weights = np.concatenate(seen)
    weights = weights[np.isfinite(weights)]
    if not weights.size:
        return -0.05, 1.05
    low = np.floor(weights.min() * 4 + 1e-6) / 4
    high = max(np.ceil(weights.max() * 4 - 1e-6) / 4, low + 0.25)
    room = 0.1 * (high - low)
    return float(low - room), float(high + room)


def _bounds(chosen: Sequence[pd.DataFrame], selected: int | None) -> tuple[set[float], set[float]]:
    """Lower and upper bounds of the selected line, or of all drawn lines."""
    own = [part for part in chosen if part["hyperedge"].iloc[0] == selected]
    shown = own or chosen
    return {float(part["lower"].iloc[0]) for part in shown}, {
        float(part["upper"].iloc[0]) for part in shown
    }


def _label_pixels(chosen: Sequence[pd.DataFrame], width: int) -> int:
    """Width in pixels of the column of names at the right."""
    longest = max((len(str(part["name"].iloc[0])) for part in chosen), default=0)
    # Never narrower than the heading above the column.
    names = max(52, min(longest * LETTER_PIXELS + 8, 0.26 * width))
    return int(LEADER_PIXELS + NUMBER_PIXELS + names)


def _captions(
    chosen: Sequence[pd.DataFrame], band: pd.DataFrame | None, right: float, sharing: list[int]
) -> list[dict[str, Any]]:
    if not chosen:
        return [note("No hyperedge to follow.", x=0, y=0.5, xanchor="left", yanchor="middle")]
    above = {"y": 1, "yanchor": "bottom", "yshift": 8}
    captions = [note("weight at the end", x=right, xanchor="left", xshift=LEADER_PIXELS, **above)]
    if band is not None and len(band):
        quantiles = quantile_columns(band)
        count = band.attrs.get("hyperedges", 0)
        middle = quantiles[-1] - quantiles[0]
        caption = f"grey: middle {middle:.0%} of {count:,} hyperedges"
        if band.attrs.get("repeated") == 0:
            caption = f"{count:,} hyperedges, each retrieved once"
        captions.append(note(caption, x=0, xanchor="left", **above))
    if sharing:
        weight = three_digits(float(chosen[sharing[0]]["weight"].iloc[-1]))
        words = f"{len(sharing)} lines end at {weight} and lie on each other there: dashed"
        below = {"y": 0, "yanchor": "bottom", "yshift": 4}
        captions.append(note(words, x=0.01, xanchor="left", **below))
    return captions
