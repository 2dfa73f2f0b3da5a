"""The score axis, and the layout of figures that share it."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from explorer.errors import InputError
from explorer.figures._style.theme import axis_title, bare_axis, base_layout
from explorer.figures.colours import ACCENT, Theme

LOWEST = 1e-4
"""Lower end of the log axis; smaller scores and zero are drawn at this end."""

Scale = Literal["linear", "log"]
Truth = Literal["labels", "ablation", "agreement"]

LEFT, RIGHT = 46, 8
"""Margins in pixels of figures with numbers at the left; equal, so that stacked axes line up."""
TOP, BELOW = 30, 38
"""Margins in pixels for the caption above and the axis title below."""

BAND = "rgba(128,136,146,0.15)"
"""Grey of reachable ranges and of intervals, in both themes."""

_TRUTH_WORDS: dict[str, tuple[str, str, str]] = {
    "labels": ("labelled used", "labelled not used", "judged by labels"),
    "ablation": ("used by ablation", "not used by ablation", "judged by ablation"),
    "agreement": ("used by the other", "not used by the other", "agreement, not ground truth"),
}


def truth_terms(truth: str) -> tuple[str, str, str]:
    """Terms for used, not used and the caption under a kind of truth.

    Raises
    ------
    InputError
        If the kind is unknown.
    """
    if truth not in _TRUTH_WORDS:
        raise InputError(f"truth must be 'labels', 'ablation' or 'agreement'; got {truth!r}.")
    return _TRUTH_WORDS[truth]


def gutter_pixels(width: int) -> int:
    """Width in pixels of the column of words at the right of a figure with a score axis."""
    return 152 if width >= 640 else 126


def plot_share(width: int) -> float:
    """Share of the width between the margins that the score axis takes."""
    return 1.0 - gutter_pixels(width) / max(1, width - LEFT - RIGHT)


def score_layout(
    theme: Theme,
    *,
    title: str,
    yaxis: dict[str, Any],
    scale: Scale,
    span: tuple[float, float] | None,
    width: int,
    height: int,
    **more: Any,
) -> dict[str, Any]:
    """Layout of a figure with a score axis and a column of words at its right.

    The words have their own axes ``x2`` and ``y2`` in pixels: x from the left edge of the column,
    y downwards from its top.

    Parameters
    ----------
    theme : {"light", "dark"}
    title
        Title of the score axis.
    yaxis
        Settings of the vertical axis.
    scale, span, width, height
        As in `explorer.figures.score_histogram_spec`.
    more
        More layout settings.
    """
    share = plot_share(width)
    fixed = {"fixedrange": True}
    return base_layout(
        theme,
        height=height,
        margin={"l": LEFT, "r": RIGHT, "t": TOP, "b": BELOW},
        hovermode="closest",
        xaxis=bare_axis(
            theme,
            **score_ticks(scale, span),
            showgrid=True,
            layer="below traces",
            tickangle=0,
            title=axis_title(title, 6),
            **fixed,
        )
        | {"domain": [0, share]},
        yaxis=bare_axis(theme, **yaxis, **fixed),
        xaxis2={
            "domain": [share, 1],
            "range": [0, gutter_pixels(width)],
            "visible": False,
            "anchor": "y2",
            **fixed,
        },
        yaxis2={"range": [height - TOP - BELOW, 0], "visible": False, "anchor": "x2", **fixed},
        **more,
    )


def threshold_at(threshold: float, low: float) -> dict[str, Any]:
    """A vertical line at the threshold, or at the edge of the axis for a smaller threshold."""
    at = max(threshold, low)
    place = {"xref": "x", "yref": "paper", "x0": at, "x1": at, "y0": 0, "y1": 1}
    look = {"line": {"color": ACCENT, "width": 1.5}, "layer": "above"}
    return {"type": "line", "name": "threshold", **place, **look}


def score_ticks(scale: Scale, span: tuple[float, float] | None = None) -> dict[str, Any]:
    """Type, range and ticks of the score axis.

    Parameters
    ----------
    scale : {"linear", "log"}
    span : (low, high), optional
        Scores at the ends of the axis. Default 0 (0.0001 on the log axis) to 1, the same range for
        every head, so that figures can be compared.

    Raises
    ------
    InputError
        If the scale is unknown or the span is empty.
    """
    if scale not in {"linear", "log"}:
        raise InputError(f"scale must be 'linear' or 'log'; got {scale!r}.")
    low, high = score_span(scale, span)
    if scale == "linear":
        step = next(s for s in _STEPS if (high - low) / s <= 5) if span is not None else 0.25
        first = np.ceil(low / step - 1e-9)
        ticks = [float(step * at) + 0.0 for at in np.arange(first, high / step + 1e-9)]
        return {
            "range": [low, high],
            "tickvals": ticks,
            "ticktext": [_written(round(tick, 10)) for tick in ticks],
        }
    powers = range(int(np.ceil(np.log10(low) - 1e-9)), int(np.floor(np.log10(high) + 1e-9)) + 1)
    ticks = [10.0**power for power in powers]
    texts = [_written(tick) for tick in ticks]
    if span is None:
        texts[0] = ""
    return {
        "type": "log",
        "range": [np.log10(low), np.log10(high)],
        "tickvals": ticks,
        "ticktext": texts,
    }


def score_span(scale: Scale, span: tuple[float, float] | None = None) -> tuple[float, float]:
    """Scores at the two ends of the axis.

    Raises
    ------
    InputError
        If the span is empty.
    """
    low, high = (LOWEST if scale == "log" else 0.0, 1.0) if span is None else map(float, span)
    if scale == "log":
        low = max(low, 1e-12)
    if not low < high:
        raise InputError(f"span must be (low, high) with low < high; got {span}.")
    return low, high


_STEPS = [digit * 10.0**power for power in range(-9, 2) for digit in (1, 2, 5)]


def _written(value: float) -> str:
    """Format a tick without a leading zero: ``.001``, ``.25``, ``1``."""
    return f"{value:g}".removeprefix("0") or "0"
