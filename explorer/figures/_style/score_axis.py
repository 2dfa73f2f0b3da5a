"""The axis of scores, and what the figures of a threshold share around it."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from explorer.errors import InputError
from explorer.figures._style.theme import axis_title, bare_axis, base_layout
from explorer.figures.colours import ACCENT, Theme

LOWEST = 1e-4
"""Where the log axis starts; smaller scores, and zero, stand at its edge."""

Scale = Literal["linear", "log"]
Truth = Literal["labels", "ablation", "agreement"]

LEFT, RIGHT = 46, 8
"""Margins in pixels of figures with numbers at the left: alike, so that stacked axes line up."""
TOP, BELOW = 30, 38
"""Margins of figures over the score axis, for a caption and for the name of the axis."""

BAND = "rgba(128,136,146,0.15)"
"""Quiet grey on either theme: what is possible, or how sure a number is."""

_TRUTH_WORDS: dict[str, tuple[str, str, str]] = {
    "labels": ("labelled used", "labelled not used", "truth: labels"),
    "ablation": ("used by ablation", "not used by ablation", "truth: ablation"),
    "agreement": ("used by the other", "not used by the other", "agreement, not truth"),
}


def truth_words(truth: str) -> tuple[str, str, str]:
    """What used and not used are called under a kind of truth, and how it is named in a caption.

    Raises
    ------
    InputError
        When there is no such kind.
    """
    if truth not in _TRUTH_WORDS:
        raise InputError(
            f"Truth is 'labels', 'ablation' or 'agreement', which are never mixed; got {truth!r}."
        )
    return _TRUTH_WORDS[truth]


def gutter_pixels(width: int) -> int:
    """Width of the words at the right of a histogram or of curves over the same scores."""
    return 152 if width >= 640 else 126


def plot_share(width: int) -> float:
    """The part of the room between the margins that the score axis takes, left of the words."""
    return 1.0 - gutter_pixels(width) / max(1, width - LEFT - RIGHT)


def over_scores(
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
    """The layout of a figure over the score axis, with words at its right.

    The words have axes of their own, ``x2`` and ``y2``, in pixels: from the left edge of their
    room, and downwards from its top.

    Parameters
    ----------
    theme : {"light", "dark"}
    title
        Of the score axis.
    yaxis
        What is said of the axis upwards.
    scale, span, width, height
        As in `explorer.figures._thresholds.score_histogram.score_histogram_spec`.
    more
        Further settings of the layout.
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
    """A line over the whole height where the threshold is; at the edge for one beyond it."""
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
        Scores at its ends; 0 (on the log axis 0.0001) to 1 when left out, which is the same range
        for every head, so that figures compare.

    Raises
    ------
    InputError
        When the scale has no such name, or the span is empty.
    """
    if scale not in {"linear", "log"}:
        raise InputError(f"The score axis is 'linear' or 'log', and not {scale!r}.")
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
    """The scores at the ends of the axis.

    Raises
    ------
    InputError
        When the span is empty.
    """
    low, high = (LOWEST if scale == "log" else 0.0, 1.0) if span is None else map(float, span)
    if scale == "log":
        low = max(low, 1e-12)
    if not low < high:
        raise InputError(f"The score axis runs from a lower to a higher score; got {span}.")
    return low, high


_STEPS = [digit * 10.0**power for power in range(-9, 2) for digit in (1, 2, 5)]


def _written(value: float) -> str:
    """A tick as short as it gets: ``.001``, ``.25``, ``1``."""
    return f"{value:g}".removeprefix("0") or "0"
