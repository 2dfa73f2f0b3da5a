"""Static images: PNG bytes by matplotlib, for notebooks that are read without a kernel."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from explorer._extras import require_extra
from explorer.feedback import FeedbackPolicy
from explorer.figures._attention.heatmap import MAX_CELLS, check_labels, largest_weight, scale_ticks
from explorer.figures._feedback.bars_figure import table_policy
from explorer.figures._feedback.feedback_rows import feedback_digits
from explorer.figures._style.label_text import shortened, thinned, three_digits
from explorer.figures._style.pooling import block_of, pool_max
from explorer.figures._style.score_axis import LOWEST
from explorer.figures.colours import (
    ACCENT,
    THEMES,
    Scaling,
    Theme,
    feedback_colour,
    scale_rgba,
    scaled,
    verdict_colour,
    verdict_mark,
)
from explorer.source import visible_text

if TYPE_CHECKING:
    import pandas as pd

Form = Literal["png", "svg"]

_MOST_BARS = 30
_WIDTH = 9.0  # inches
_HEATMAP_HEIGHT = 5.2
_ROW_HEIGHT = 0.24
_FONT = 8.5


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
) -> bytes:
    """Draw a heatmap with feedback bars below it as a PNG, or as an SVG.

    Parameters
    ----------
    weights : array_like, shape (queries, keys), or None
        None omits the heatmap.
    query_labels, key_labels : sequence of str
    table : pandas.DataFrame or None
        From `explorer.feedback.feedback_table`; None omits the bars. At most the 30 units
        with the highest scores are drawn.
    policy : FeedbackPolicy, optional
        Default: the default policy at the table's threshold.
    title, colorscale, scaling, zmax, theme, dpi
        As in `heatmap_png`.
    form : {"png", "svg"}
        Kind of file.

    Returns
    -------
    bytes
        The file.
    """
    shown = 0 if weights is None else np.asarray(weights).size
    upper = _HEATMAP_HEIGHT if shown else 0.0
    count = 0 if table is None else min(_MOST_BARS, len(table))
    lower = 0.6 + _ROW_HEIGHT * count if count else 0.0
    height = max(1.0, upper + lower)
    figure = _figure(height, theme, dpi)
    if weights is not None and shown:
        axes = figure.add_axes((0.13, (lower + 0.9) / height, 0.77, (upper - 1.35) / height))
        _draw_heatmap(axes, weights, query_labels, key_labels, colorscale, scaling, zmax, theme)
    if table is not None and count:
        policy = table_policy(table, policy)
        axes = figure.add_axes((0.4, 0.1 / height, 0.32, _ROW_HEIGHT * count / height))
        _draw_bars(axes, table, count, policy, theme)
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
    text = shortened(visible_text(title), 130)
    style = {"fontsize": 9.5, "color": THEMES[theme]["ink"], "parse_math": False}
    figure.text(0.02, 1 - 0.14 / height, text, ha="left", va="top", **style)


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
    _bare(axes, theme)
    for spine in axes.spines.values():
        spine.set(visible=True, color=THEMES[theme]["axis"], linewidth=0.5)
    axes.set_facecolor(THEMES[theme]["paper"])
    mono = {"family": "monospace", "fontsize": _FONT - 1.5, "color": THEMES[theme]["quiet"]}
    across, down = thinned(n_keys, 48), thinned(n_queries, 26)
    axes.set_xticks(across, [_tick(key_labels[at]) for at in across], rotation=90, **mono)
    axes.set_yticks(down, [_tick(query_labels[at]) for at in down], **mono)
    _no_math(axes)
    quiet = {"fontsize": _FONT - 1, "color": THEMES[theme]["quiet"]}
    axes.set_xlabel("key", **quiet)
    axes.set_ylabel("query", **quiet)
    legend = axes.inset_axes((1.015, 0.4, 0.012, 0.6))
    ramp = scale_rgba(np.linspace(0.0, 1.0, 128), scale)[:, None]
    legend.imshow(ramp, aspect="auto", origin="lower", extent=(0, 1, 0, 1))
    _bare(legend, theme)
    ticks = scale_ticks(top, scaling)
    legend.yaxis.tick_right()
    legend.set_yticks([place for place, _ in ticks], [text for _, text in ticks], **quiet)
    legend.tick_params(length=0, pad=2)
    legend.text(0.0, -0.05, "weight", ha="left", va="top", **quiet)


def _draw_bars(
    axes: Any, table: pd.DataFrame, count: int, policy: FeedbackPolicy, theme: Theme
) -> None:
    from matplotlib.transforms import blended_transform_factory

    if len(table) > count:
        best = table["score"].fillna(-1.0).nlargest(count).index
        table = table[table.index.isin(best)]
    look = THEMES[theme]
    places = np.arange(count)
    lengths = np.clip(np.nan_to_num(table["score"].to_numpy(dtype=np.float64)), LOWEST, 1.0)
    colours = [feedback_colour(value, policy) for value in table["feedback"]]
    axes.set_xscale("log")
    axes.barh(places, lengths - LOWEST, left=LOWEST, height=0.55, color=colours)
    axes.axvline(max(policy.number, LOWEST), color=ACCENT, linewidth=1.2)
    axes.set(xlim=(LOWEST, 1.0), ylim=(count - 0.5, -0.5))
    _bare(axes, theme)
    axes.set_facecolor("none")
    axes.xaxis.tick_top()
    axes.set_xticks(
        [1e-3, 1e-2, 1e-1, 1], [".001", ".01", ".1", "1"], fontsize=_FONT - 1, color=look["quiet"]
    )
    axes.minorticks_off()
    axes.grid(axis="x", color=look["axis"], alpha=0.25, linewidth=0.5)
    axes.set_axisbelow(True)
    left = blended_transform_factory(axes.figure.transFigure, axes.transData)
    style: dict[str, Any] = {"va": "center", "parse_math": False, "transform": left}
    columns = [table[name].tolist() for name in ("unit", "text", "score", "feedback", "verdict")]
    for place, unit, source, score, given, verdict in zip(places, *columns, strict=True):
        name = shortened(visible_text(str(unit)), 18)
        text = " ".join(visible_text(str(source)).split())
        ink = style | {"fontsize": _FONT, "color": look["ink"]}
        mono = ink | {"family": "monospace", "fontsize": _FONT - 1}
        axes.text(0.02, place, name, **ink)
        if text != name:
            axes.text(0.16, place, shortened(text, 33), **mono | {"color": look["quiet"]})
        axes.text(0.79, place, three_digits(score), ha="right", **mono)
        axes.text(0.85, place, feedback_digits(given), ha="right", **mono)
        mark = ink | {"color": verdict_colour(verdict)}
        axes.text(0.87, place, verdict_mark(verdict), **mark)
        axes.text(0.888, place, verdict, **ink)
    heading = style | {"fontsize": _FONT - 1, "color": look["quiet"]}
    for at, word, side in ((0.79, "score", "right"), (0.85, "feedback", "right")):
        axes.text(at, -1.0, word, ha=side, **heading)


def _bare(axes: Any, theme: Theme) -> None:
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0, pad=2, colors=THEMES[theme]["quiet"], which="both")
    axes.set_xticks([])
    axes.set_yticks([])


def _tick(label: str) -> str:
    return shortened(visible_text(label), 14)


def _no_math(axes: Any) -> None:
    # A token such as $x$ is text, not a formula.
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set_parse_math(False)
