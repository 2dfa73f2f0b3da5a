"""Colours of attention, feedback, verdicts and themes.

A quantity has the same colour in every figure and panel. Colour never carries a meaning alone:
verdicts also have a word and a mark, weights also have numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from explorer.errors import InputError
from explorer.feedback import FeedbackPolicy, Verdict

Theme = Literal["light", "dark"]
Scaling = Literal["linear", "sqrt", "log"]

Rgba = tuple[float, float, float, float]
"""Red, green, blue from 0 to 255 and opacity from 0 to 1."""

THEMES: Mapping[Theme, Mapping[str, str]] = {
    "light": {
        "ink": "#24292f",
        "quiet": "#656d76",
        "axis": "#8c959f",
        "grid": "rgba(110,118,129,0.18)",
        "paper": "#ffffff",
    },
    "dark": {
        "ink": "#e2e4e9",
        "quiet": "#9aa1aa",
        "axis": "#767d86",
        "grid": "rgba(160,168,179,0.18)",
        "paper": "#111418",
    },
}
"""CSS colours of text and lines in each theme."""

NEUTRAL_INK = "#7c848d"
"""Colour of text and lines that must be readable in both themes."""

ACCENT = "#e8590c"
"""Colour of the threshold line and of pins."""

SANS = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'
MONO = 'ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace'

# Attention. The default scale starts transparent and ends at a strong colour of medium lightness,
# so that zero attention leaves no ink on a light or a dark page. On a light page it darkens
# monotonically; on a dark page it brightens up to three quarters, above which the hue changes from
# violet to crimson. With red or green blindness the blue component still decreases.
_SCALES: Mapping[str, Sequence[tuple[float, Rgba]]] = {
    "violet": (
        (0.00, (92, 124, 250, 0.0)),
        (0.25, (98, 134, 255, 0.42)),
        (0.50, (116, 100, 250, 0.76)),
        (0.75, (150, 76, 226, 0.92)),
        (1.00, (200, 30, 130, 1.0)),
    ),
    "viridis": (
        (0.000, (68, 1, 84, 1.0)),
        (0.125, (71, 45, 123, 1.0)),
        (0.250, (59, 82, 139, 1.0)),
        (0.375, (44, 114, 142, 1.0)),
        (0.500, (33, 145, 140, 1.0)),
        (0.625, (40, 174, 128, 1.0)),
        (0.750, (94, 201, 98, 1.0)),
        (0.875, (173, 220, 48, 1.0)),
        (1.000, (253, 231, 37, 1.0)),
    ),
    "cividis": (
        (0.000, (0, 34, 78, 1.0)),
        (0.125, (24, 53, 107, 1.0)),
        (0.250, (65, 77, 107, 1.0)),
        (0.375, (94, 100, 110, 1.0)),
        (0.500, (124, 123, 120, 1.0)),
        (0.625, (155, 148, 119, 1.0)),
        (0.750, (188, 174, 108, 1.0)),
        (0.875, (222, 202, 86, 1.0)),
        (1.000, (254, 232, 56, 1.0)),
    ),
    "magma": (
        (0.000, (0, 0, 4, 1.0)),
        (0.125, (28, 16, 68, 1.0)),
        (0.250, (79, 18, 123, 1.0)),
        (0.375, (129, 37, 129, 1.0)),
        (0.500, (181, 54, 122, 1.0)),
        (0.625, (229, 80, 100, 1.0)),
        (0.750, (251, 135, 97, 1.0)),
        (0.875, (254, 194, 135, 1.0)),
        (1.000, (252, 253, 191, 1.0)),
    ),
}

DEFAULT_SCALE = "violet"

LOG_FLOOR = 1e-4
"""Weights up to this value get the colour of zero attention with log scaling."""


def scale_choices() -> tuple[tuple[str, str], ...]:
    """All attention scales as (name, label) for a menu; the empty name is the default scale."""
    return tuple(("" if name == DEFAULT_SCALE else name, name) for name in _SCALES)


def scale_stops(name: str | None = None) -> Sequence[tuple[float, Rgba]]:
    """Stops of a colour scale: (place from 0 to 1, colour).

    Raises
    ------
    InputError
        If the scale is unknown.
    """
    if (name or DEFAULT_SCALE) not in _SCALES:
        names = ", ".join(repr(known) for known in _SCALES)
        raise InputError(f"There is no colour scale {name!r}. Choose one of {names}.")
    return _SCALES[name or DEFAULT_SCALE]


def colorscale(name: str | None = None) -> list[list[float | str]]:
    """A colour scale in plotly's form: a list of [place, CSS colour]."""
    return [[place, css(colour)] for place, colour in scale_stops(name)]


def scale_rgba(values: ArrayLike, name: str | None = None) -> NDArray[np.float64]:
    """Colours of values in [0, 1] as red, green, blue and opacity, each in [0, 1]; (..., 4)."""
    places = [place for place, _ in scale_stops(name)]
    colours = np.array([colour for _, colour in scale_stops(name)]) / (255.0, 255.0, 255.0, 1.0)
    at = np.asarray(values, dtype=np.float64)
    return np.stack([np.interp(at, places, colours[:, channel]) for channel in range(4)], axis=-1)


def lookup_table(name: str | None = None, theme: Theme = "light") -> list[str]:
    """256 opaque CSS colours ``#rrggbb`` of a scale, blended with the theme's page colour."""
    rgba = scale_rgba(np.linspace(0.0, 1.0, 256), name)
    page = np.array(hex_channels(THEMES[theme]["paper"])) / 255.0
    seen = rgba[:, :3] * rgba[:, 3:] + page * (1.0 - rgba[:, 3:])
    return [_hex(row) for row in np.rint(seen * 255.0).astype(int).tolist()]


def scaled(weights: ArrayLike, scaling: Scaling = "linear") -> NDArray[np.float32]:
    """Map weights to places on the colour scale, in [0, 1]; NaN stays NaN.

    ``linear`` is the weight, ``sqrt`` its square root, ``log`` is 1 + log10(weight)/4, and 0 for
    weights up to `LOG_FLOOR`. All map 0 to 0 and 1 to 1.

    Raises
    ------
    InputError
        If the scaling is unknown.
    """
    clipped = np.clip(np.asarray(weights, dtype=np.float32), 0.0, 1.0)
    match scaling:
        case "linear":
            places = clipped
        case "sqrt":
            places = np.sqrt(clipped)
        case "log":
            logs = np.log10(np.maximum(clipped, np.float32(LOG_FLOOR)))
            places = 1.0 - logs / np.log10(np.float32(LOG_FLOOR))
        case _:
            raise InputError(
                f"There is no colour scaling {scaling!r}. Choose one of 'linear', 'sqrt', 'log'."
            )
    return np.asarray(places, dtype=np.float32)


def scale_codes(weights: ArrayLike, scaling: Scaling = "linear") -> NDArray[np.uint8]:
    """Map weights to indices into `lookup_table`, uint8; NaN gets 0."""
    places = np.nan_to_num(scaled(weights, scaling), nan=0.0)
    return np.asarray(np.rint(places * 255.0), dtype=np.uint8)


def feedback_colour(feedback: float | None, policy: FeedbackPolicy | None = None) -> str:
    """Colour of a feedback value: brown below neutral, grey at neutral, teal above.

    The scale ends at `policy`'s negative feedback (brown) and at 1 (teal). Unknown feedback (None
    or NaN) is pale grey.
    """
    return feedback_colours([np.nan if feedback is None else feedback], policy)[0]


def feedback_colours(feedback: ArrayLike, policy: FeedbackPolicy | None = None) -> list[str]:
    """The colours of many feedback values, as `feedback_colour` has them; NaN is unknown."""
    policy = FeedbackPolicy() if policy is None else policy
    values = np.clip(np.asarray(feedback, dtype=np.float64), 0.0, 1.0)
    above, below = 1.0 - policy.neutral, policy.neutral - policy.negative
    # A scale without room has its end's colour.
    used = (values - policy.neutral) / above if above else np.ones_like(values)
    not_used = (policy.neutral - values) / below if below else np.ones_like(values)
    upper = values >= policy.neutral
    part = np.clip(np.where(upper, used, not_used), 0.0, 1.0)[:, None]
    neutral, ends = (
        np.array(hex_channels(_NEUTRAL)),
        np.where(upper[:, None], hex_channels(_USED), hex_channels(_NOT_USED)),
    )
    mixed = np.rint(neutral + (ends - neutral) * np.nan_to_num(part)).astype(np.int64)
    return [
        _UNKNOWN if unknown else f"#{red:02x}{green:02x}{blue:02x}"
        for unknown, (red, green, blue) in zip(
            np.isnan(values).tolist(), mixed.tolist(), strict=True
        )
    ]


# Brown and teal (ColorBrewer's BrBG) are distinguishable with any colour vision, and contrast with
# light and dark pages.
_USED = "#0f8f82"
_NOT_USED = "#b0692b"
_NEUTRAL = "#969ba1"
_UNKNOWN = "#b4b8bd"


@dataclass(frozen=True)
class VerdictLook:
    """Mark and colour of a verdict."""

    mark: str
    colour: str


VERDICT_LOOKS: Mapping[Verdict, VerdictLook] = {
    "used": VerdictLook("●", _USED),
    "near": VerdictLook("◐", _NEUTRAL),
    "not used": VerdictLook("○", _NOT_USED),
    "unknown": VerdictLook("?", _UNKNOWN),
}
"""Mark and colour by verdict."""

_LATER = VerdictLook("–", _UNKNOWN)  # noqa: RUF001  # a dash: nothing to see from here


def verdict_mark(verdict: str) -> str:
    """The mark of a verdict: ●, ◐, ○ or ?."""
    return _look(verdict).mark


def verdict_colour(verdict: str) -> str:
    """The colour of a verdict."""
    return _look(verdict).colour


def _look(verdict: str) -> VerdictLook:
    if verdict == "later":
        return _LATER
    for word, look in VERDICT_LOOKS.items():
        if word == verdict:
            return look
    return VERDICT_LOOKS["unknown"]


def css(colour: Rgba) -> str:
    """Format a colour as CSS."""
    red, green, blue, opacity = colour
    return f"rgba({red:g},{green:g},{blue:g},{opacity:g})"


def hex_channels(colour: str) -> list[int]:
    """Red, green and blue of a colour such as ``"#7a66f0"``, each from 0 to 255."""
    return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]


def _hex(channels: Sequence[int]) -> str:
    return "#" + "".join(f"{channel:02x}" for channel in channels)


def tinted(colour: str, opacity: float) -> str:
    """A colour such as ``"#7a66f0"`` that lets through what lies below it.

    Examples
    --------
    >>> tinted("#7a66f0", 0.2)
    'rgba(122,102,240,0.2)'
    """
    return f"rgba({','.join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))},{opacity})"
