"""The parts of a static picture: bars, code, and what is pinned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from explorer.feedback import FeedbackPolicy
from explorer.figures._feedback.feedback_rows import feedback_digits, seen_verdict
from explorer.figures._style.label_text import shortened, three_digits
from explorer.figures._style.score_axis import LOWEST, Scale
from explorer.figures.colours import (
    ACCENT,
    THEMES,
    Theme,
    feedback_colour,
    verdict_colour,
    verdict_mark,
)
from explorer.source import visible_text

if TYPE_CHECKING:
    import pandas as pd

FONT = 8.5
WIDTH = 9.0
"""Width of a picture in inches."""
_CODE_LINE_HEIGHT, _CODE_LETTER_WIDTH = 0.135, 0.056


class Marked(NamedTuple):
    """What is pinned in a picture.

    Attributes
    ----------
    row
        Query row of the heatmap.
    columns
        Stretches of key columns, half open.
    unit
        Name of a unit with a bar.
    """

    row: int | None = None
    columns: Sequence[tuple[int, int]] = ()
    unit: str | None = None


NOTHING_MARKED = Marked()


def draw_marks(axes: Any, marked: Marked, n_keys: int) -> None:
    """Frame the pinned row and columns of a heatmap."""
    from matplotlib.patches import Rectangle

    frame: dict[str, Any] = {"fill": False, "edgecolor": ACCENT, "linewidth": 1.0, "clip_on": False}
    if marked.row is not None:
        axes.add_patch(Rectangle((-0.5, marked.row - 0.5), n_keys, 1.0, **frame))
    bottom, top = axes.get_ylim()
    for start, stop in marked.columns:
        axes.add_patch(Rectangle((start - 0.5, top), stop - start, bottom - top, **frame))


def draw_code(
    figure: Any, code: Sequence[str], corner: tuple[float, float], inches: float, theme: Theme
) -> None:
    """Write lines of code below a corner, as far as they fit."""
    left, top = corner
    most = int(inches / _CODE_LINE_HEIGHT)
    lines = list(code) if len(code) <= most else [*code[: most - 1], "…"]
    style = {"family": "monospace", "fontsize": FONT - 2, "color": THEMES[theme]["ink"]}
    letters = int((1 - left - 0.02) * WIDTH / _CODE_LETTER_WIDTH)
    for number, line in enumerate(lines):
        text = shortened(line.replace("\t", "    ").rstrip(), letters)
        at = top - number * _CODE_LINE_HEIGHT / figure.get_figheight()
        figure.text(left, at, text, va="top", parse_math=False, **style)


def draw_bars(
    axes: Any,
    table: pd.DataFrame,
    count: int,
    policy: FeedbackPolicy,
    theme: Theme,
    selected: str | None,
    axis: Scale,
    words: Mapping[str, str],
) -> None:
    """Draw the units with the highest scores as bars, with texts at the left and numbers."""
    from matplotlib.transforms import blended_transform_factory

    if len(table) > count:
        best = table["score"].fillna(-1.0).nlargest(count).index
        table = table[table.index.isin(best)]
    look = THEMES[theme]
    places = np.arange(count)
    low = LOWEST if axis == "log" else 0.0
    lengths = np.clip(np.nan_to_num(table["score"].to_numpy(dtype=np.float64)), low, 1.0)
    colours = [feedback_colour(value, policy) for value in table["feedback"]]
    axes.set_xscale(axis)
    axes.barh(places, lengths - low, left=low, height=0.55, color=colours)
    axes.axvline(max(policy.number, low), color=ACCENT, linewidth=1.2)
    axes.set(xlim=(low, 1.0), ylim=(count - 0.5, -0.5))
    bare(axes, theme)
    axes.set_facecolor("none")
    axes.xaxis.tick_top()
    ticks = {"log": [1e-3, 1e-2, 1e-1, 1], "linear": [0, 0.25, 0.5, 0.75, 1]}[axis]
    texts = [f"{tick:g}".removeprefix("0") or "0" for tick in ticks]
    axes.set_xticks(ticks, texts, fontsize=FONT - 1, color=look["quiet"])
    axes.minorticks_off()
    axes.grid(axis="x", color=look["axis"], alpha=0.25, linewidth=0.5)
    axes.set_axisbelow(True)
    left = blended_transform_factory(axes.figure.transFigure, axes.transData)
    style: dict[str, Any] = {"va": "center", "parse_math": False, "transform": left}
    columns = [table[name].tolist() for name in ("unit", "text", "score", "feedback")]
    columns.append(list(map(seen_verdict, table["verdict"], table["diagnostics"])))
    for place, unit, source, score, given, verdict in zip(places, *columns, strict=True):
        name = shortened(visible_text(str(unit)), 18)
        if unit == selected:
            axes.axhspan(place - 0.5, place + 0.5, color=ACCENT, alpha=0.12, linewidth=0)
        text = " ".join(visible_text(str(source)).split())
        ink = style | {"fontsize": FONT, "color": look["ink"]}
        mono = ink | {"family": "monospace", "fontsize": FONT - 1}
        axes.text(0.02, place, name, **ink)
        if text != name:
            axes.text(0.16, place, shortened(text, 33), **mono | {"color": look["quiet"]})
        axes.text(0.79, place, three_digits(score), ha="right", **mono)
        axes.text(0.85, place, feedback_digits(given), ha="right", **mono)
        mark = ink | {"color": verdict_colour(verdict)}
        axes.text(0.87, place, verdict_mark(verdict), **mark)
        axes.text(
            0.888, place, words.get(verdict, "unknown" if verdict == "later" else verdict), **ink
        )
    heading = style | {"fontsize": FONT - 1, "color": look["quiet"]}
    for at, word, side in ((0.79, "score", "right"), (0.85, "feedback", "right")):
        axes.text(at, -1.0, word, ha=side, **heading)


def bare(axes: Any, theme: Theme) -> None:
    """Take frame, ticks and their lines from axes."""
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0, pad=2, colors=THEMES[theme]["quiet"], which="both")
    axes.set_xticks([])
    axes.set_yticks([])
