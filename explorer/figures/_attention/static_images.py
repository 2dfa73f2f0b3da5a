"""Static images: PNG bytes by matplotlib, for notebooks that are read without a kernel."""

from __future__ import annotations

import io
import textwrap
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from explorer._extras import require_extra
from explorer.feedback import FeedbackPolicy
from explorer.figures._attention.heatmap import MAX_CELLS, check_labels, largest_weight, scale_ticks
from explorer.figures._attention.static_parts import (
    FONT,
    NOTHING_MARKED,
    WIDTH,
    Marked,
    bare,
    draw_bars,
    draw_code,
    draw_marks,
)
from explorer.figures._feedback.bars_figure import table_policy
from explorer.figures._style.label_text import shortened, thinned
from explorer.figures._style.pooling import block_of, pool_max
from explorer.figures._style.score_axis import Scale
from explorer.figures.colours import (
    THEMES,
    Scaling,
    Theme,
    scale_rgba,
    scaled,
)
from explorer.source import visible_text

if TYPE_CHECKING:
    import pandas as pd

Form = Literal["png", "svg"]

_MOST_BARS = 30
_WIDTH = WIDTH
_HEATMAP_HEIGHT = 5.2
_ROW_HEIGHT = 0.24
_LINE_HEIGHT = 0.17
_TITLE_LETTERS = 118


def heatmap_png(
    weights: ArrayLike,
    query_labels: Sequence[str],
    key_labels: Sequence[str],
    title: str = "",
    *,
    colorscale: str | None = None,
    scaling: Scaling = "sqrt",
    zmax: float | None = None,
    theme: Theme = "light",
    dpi: int = 110,
) -> bytes:
    """Draw a heatmap as a PNG.

    Parameters
    ----------
    weights : array_like, shape (queries, keys)
    query_labels, key_labels : sequence of str
    title : str
    colorscale, scaling, zmax, theme
        As in `explorer.figures.heatmap`, with ``sqrt`` scaling by default, because a static image
        has no hover for small weights.
    dpi : int, default 110

    Returns
    -------
    bytes
        The PNG file.

    Raises
    ------
    ShapeError, InputError
        As `explorer.figures.heatmap`.
    """
    figure = _figure(_HEATMAP_HEIGHT, theme, dpi)
    axes = figure.add_axes((0.13, 0.18, 0.77, 0.74))
    _draw_heatmap(axes, weights, query_labels, key_labels, colorscale, scaling, zmax, theme)
    _draw_title(figure, title, theme)
    return _written(figure, "png")


def overview_png(
    weights: ArrayLike | None,
    query_labels: Sequence[str],
    key_labels: Sequence[str],
    table: pd.DataFrame | None,
    *,
    policy: FeedbackPolicy | None = None,
    title: str = "",
    colorscale: str | None = None,
    scaling: Scaling = "sqrt",
    zmax: float | None = None,
    theme: Theme = "light",
    dpi: int = 110,
    form: Form = "png",
    marked: Marked = NOTHING_MARKED,
    code: Sequence[str] = (),
    axis: Scale = "log",
    words: Mapping[str, str] | None = None,
) -> bytes:
    """Draw a heatmap with feedback bars below it as a PNG, or as an SVG.

    A square map is drawn square; a long title has several lines.

    Parameters
    ----------
    weights : array_like, shape (queries, keys), or None
        None omits the heatmap.
    query_labels, key_labels : sequence of str
    table : pandas.DataFrame or None
        From `explorer.feedback.feedback_table`; None omits the bars. At most the 30 units
        with the highest scores are drawn; a line below them says so.
    policy : FeedbackPolicy, optional
        Default: the default policy at the table's threshold.
    title, colorscale, scaling, zmax, theme, dpi
        As in `heatmap_png`.
    form : {"png", "svg"}
        Kind of file.
    marked : Marked
        The row, the columns and the unit that are pinned.
    code : sequence of str
        Lines of code, which are drawn at the right of the heatmap as far as they fit.
    axis : {"log", "linear"}
        Axis of the scores.
    words : mapping, optional
        What the bars say for each verdict; the verdict itself when left out.

    Returns
    -------
    bytes
        The file.
    """
    shown = 0 if weights is None else np.asarray(weights).size
    upper = _HEATMAP_HEIGHT if shown else 0.0
    count = 0 if table is None else min(_MOST_BARS, len(table))
    cut = table is not None and len(table) > count
    foot = 0.1 + (0.22 if cut else 0.0)
    lower = 0.5 + foot + _ROW_HEIGHT * count if count else 0.0
    above = _LINE_HEIGHT * (len(_title_lines(title)) - 1) if title else 0.0
    height = max(1.0, upper + lower + above)
    figure = _figure(height, theme, dpi)
    if weights is not None and shown:
        high = upper - 1.35
        n_queries, n_keys = np.shape(weights)
        wide = 0.77 * _WIDTH
        if 0.9 <= n_keys / n_queries <= 1.1:  # square, but for a hidden column or two
            wide = high * n_keys / n_queries
        axes = figure.add_axes((0.13, (lower + 0.9) / height, wide / _WIDTH, high / height))
        _draw_heatmap(axes, weights, query_labels, key_labels, colorscale, scaling, zmax, theme)
        draw_marks(axes, marked, n_keys)
        if code and wide < 0.5 * _WIDTH:
            left = 0.13 + wide / _WIDTH + 0.09
            draw_code(figure, code, (left, (lower + 0.9 + high) / height), high, theme)
    if table is not None and count:
        policy = table_policy(table, policy)
        axes = figure.add_axes((0.4, foot / height, 0.32, _ROW_HEIGHT * count / height))
        draw_bars(axes, table, count, policy, theme, marked.unit, axis, words or {})
        if cut:
            note = f"The {count} units with the highest scores of {len(table)}."
            quiet = {"fontsize": FONT - 1, "color": THEMES[theme]["quiet"]}
            figure.text(0.02, 0.1 / height, note, va="bottom", **quiet)
    _draw_title(figure, title, theme)
    return _written(figure, form)


def _figure(height: float, theme: Theme, dpi: int) -> Any:
    require_extra("images", "A PNG")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # Not through pyplot: no global state and safe in any thread.
    figure = Figure(figsize=(_WIDTH, height), dpi=dpi, facecolor=THEMES[theme]["paper"])
    FigureCanvasAgg(figure)
    return figure


def _written(figure: Any, form: Form) -> bytes:
    from matplotlib import rc_context

    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # A letter that the font lacks is drawn as a box; the reader cannot do anything about it.
        warnings.filterwarnings("ignore", message=".*[Gg]lyph", category=UserWarning)
        # Texts stay texts, and equal figures are equal files.
        with rc_context({"svg.fonttype": "none", "svg.hashsalt": "explorer"}):
            figure.savefig(buffer, format=form, metadata={"Date": None} if form == "svg" else None)
    return buffer.getvalue()


def _draw_title(figure: Any, title: str, theme: Theme) -> None:
    height = figure.get_figheight()
    text = "\n".join(_title_lines(title))
    style = {"fontsize": 9.5, "color": THEMES[theme]["ink"], "parse_math": False}
    figure.text(0.02, 1 - 0.14 / height, text, ha="left", va="top", **style)


def _title_lines(title: str) -> list[str]:
    """Return a title in lines that fit the width; a very long one ends in an ellipsis."""
    return textwrap.wrap(shortened(visible_text(title), 6 * _TITLE_LETTERS), _TITLE_LETTERS) or [""]


def _draw_heatmap(
    axes: Any,
    weights: ArrayLike,
    query_labels: Sequence[str],
    key_labels: Sequence[str],
    scale: str | None,
    scaling: Scaling,
    zmax: float | None,
    theme: Theme,
) -> None:
    pooled = pool_max(np.asarray(weights, dtype=np.float32), MAX_CELLS)
    n_queries, n_keys = np.shape(weights)
    check_labels(n_queries, query_labels, "query rows")
    check_labels(n_keys, key_labels, "key columns")
    top = largest_weight(pooled) if zmax is None else float(zmax)
    end = float(scaled(top, scaling)) or 1.0
    places = scaled(pooled, scaling) / end
    cells = scale_rgba(np.nan_to_num(places), scale)
    cells[~np.isfinite(pooled), 3] = 0.0
    extent = (
        -0.5,
        pooled.shape[1] * block_of(n_keys, MAX_CELLS) - 0.5,
        pooled.shape[0] * block_of(n_queries, MAX_CELLS) - 0.5,
        -0.5,
    )
    axes.imshow(cells, aspect="auto", interpolation="nearest", extent=extent)
    axes.set_xlim(-0.5, n_keys - 0.5)
    axes.set_ylim(n_queries - 0.5, -0.5)
    bare(axes, theme)
    for spine in axes.spines.values():
        spine.set(visible=True, color=THEMES[theme]["axis"], linewidth=0.5)
    axes.set_facecolor(THEMES[theme]["paper"])
    mono = {"family": "monospace", "fontsize": FONT - 1.5, "color": THEMES[theme]["quiet"]}
    across, down = thinned(n_keys, 48), thinned(n_queries, 26)
    axes.set_xticks(across, [_tick(key_labels[at]) for at in across], rotation=90, **mono)
    axes.set_yticks(down, [_tick(query_labels[at]) for at in down], **mono)
    _no_math(axes)
    quiet = {"fontsize": FONT - 1, "color": THEMES[theme]["quiet"]}
    axes.set_xlabel("key", **quiet)
    axes.set_ylabel("query", **quiet)
    legend = axes.inset_axes((1.015, 0.4, 0.012, 0.6))
    ramp = scale_rgba(np.linspace(0.0, 1.0, 128), scale)[:, None]
    legend.imshow(ramp, aspect="auto", origin="lower", extent=(0, 1, 0, 1))
    bare(legend, theme)
    ticks = scale_ticks(top, scaling)
    legend.yaxis.tick_right()
    legend.set_yticks([place for place, _ in ticks], [text for _, text in ticks], **quiet)
    legend.tick_params(length=0, pad=2)
    legend.text(0.0, -0.05, "weight", ha="left", va="top", **quiet)


def _tick(label: str) -> str:
    return shortened(visible_text(label), 14)


def _no_math(axes: Any) -> None:
    # A token such as $x$ is text, not a formula.
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set_parse_math(False)
