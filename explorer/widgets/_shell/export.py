"""The view as files: table, figure, picture, settings; and the still picture of a notebook."""

from __future__ import annotations

import base64
import json
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer._extras import is_installed
from explorer._number_format import three_digits
from explorer.errors import InputError
from explorer.feedback import FeedbackPolicy
from explorer.figures import feedback_bars, heatmap
from explorer.figures._attention.static_images import overview_png
from explorer.figures._style.pooling import pool_blocks
from explorer.traces import save_traces
from explorer.widgets._attention.selection import selected_unit
from explorer.widgets._attention.threshold_line import threshold_line
from explorer.widgets._attention.view_sentences import sentence_of
from explorer.widgets._code.scene import CodeScene, visible_positions
from explorer.widgets._state import SETTINGS, ExplorerState
from explorer.widgets._traces.scene import TraceScene

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LARGEST_SIDE = 256
_FILES = {
    "table": ("feedback.csv", "text/csv"),
    "html": ("attention.html", "text/html"),
    "png": ("attention.png", "image/png"),
    "traces": ("traces.jsonl", "application/x-ndjson"),
    "settings": ("explorer.json", "application/json"),
}
_LARGEST_DOWNLOAD = 64 * 2**20


def settings_of(state: ExplorerState) -> dict[str, Any]:
    """Return the traits that say how things are shown, as JSON and `Explorer` take them."""
    settings = {name: getattr(state, name) for name in SETTINGS}
    if state.threshold_mode == "auto":
        settings["threshold"] = "auto"
    return settings | {"heads": None if state.heads is None else state.heads.to_dict()}


def contents(state: ExplorerState, kind: str) -> bytes:
    """Return the contents of a file of this kind.

    Raises
    ------
    InputError
        There is nothing to save yet, or no such kind.
    """
    if kind == "settings":
        return json.dumps(settings_of(state), indent=2).encode()
    if kind == "traces":
        return _traces_file(state)
    if state.table is None:
        raise InputError("There is nothing to save yet: run some code or load a trace first.")
    if kind == "table":
        table = state.table.copy()
        table["diagnostics"] = ["; ".join(d.message for d in row) for row in table["diagnostics"]]
        csv: str = table.to_csv(index=False)
        return csv.encode()
    if kind == "html":
        return _page(state).encode()
    if kind == "png":
        return picture(state)
    raise InputError(f"The kind of file must be one of {', '.join(_FILES)}; got {kind!r}.")


def download(state: ExplorerState, kind: str) -> dict[str, Any]:
    """Return a file as the page gets it."""
    if kind not in _FILES:
        raise InputError(f"The kind of file must be one of {', '.join(_FILES)}; got {kind!r}.")
    name, mime = _FILES[kind]
    encoded = base64.b64encode(contents(state, kind)).decode()
    return {"name": name, "mime": mime, "base64": encoded}


def python_of(state: ExplorerState) -> str:
    """Return Python that shows this view again."""
    shown = settings_of(state)
    defaults: dict[str, Any] = {name: state.default_of(name) for name in SETTINGS}
    defaults = {**defaults, "model": None}
    arguments = [
        f"{name}={value!r}"
        for name, value in shown.items()
        if value != defaults[name] or name in ("layer", "threshold")
    ]
    if state.selection is not None:
        arguments.append(f"selection={state.selection!r}")
    if state.tab == "code" and state.code_scene is not None and state.code_scene.model is None:
        arguments = [a for a in arguments if not a.startswith("model=")]
        call = f"Explorer.from_attention(attention, tokens, {', '.join(arguments)})"
        comment = "# attention, tokens: your own matrix"
        return f"from explorer import Explorer\n\n{comment}\n{call}\n"
    if state.tab != "code":
        path = getattr(getattr(state, "traces", None), "path", None)
        first = "" if path is None else f"{str(path)!r}, "
        arguments = [a for a in arguments if a != "tab='traces'"] + [f"trace={state.trace!r}"]
        call = f"Explorer.from_traces({first}{', '.join(arguments)})"
    else:
        call = f"Explorer.from_code({state.source!r}, {', '.join(arguments)})"
    return f"from explorer import Explorer\n\n{call}\n"


def _traces_file(state: ExplorerState) -> bytes:
    """Return the loaded traces as JSON Lines, with their labels and the attention recorded here."""
    traces = getattr(state, "traces", None)
    if traces is None or not len(traces):
        raise InputError("There are no traces to save: load some first.")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "traces.jsonl"
        save_traces(traces, path)
        size = path.stat().st_size
        if size > _LARGEST_DOWNLOAD:
            raise InputError(
                f"The traces are {size / 2**20:,.0f} MB, too large to download through the page. "
                'Write them from the notebook: app.save("traces.jsonl").'
            )
        return path.read_bytes()


def heading(state: ExplorerState) -> str:
    """Return the heading of a saved picture: model or trace, score and threshold."""
    scene = state.scene
    threshold = f"threshold {three_digits(threshold_line(state, state.table).value)}"
    score = f"{state.reduction}, {state.normalisation}"
    if isinstance(scene, TraceScene):
        score = score if state.heads is None else state.heads.name
        reader = scene.trace.metadata.get("model")
        of = [f"trace {scene.trace.id}", str(reader) if isinstance(reader, str) else ""]
        if state.method != "attention":
            of, score = of[:1], f"by {state.method}"
        return " · ".join(part for part in (*of, score, threshold) if part)
    model = getattr(scene, "model", None) or "own matrix"
    return f"{model} · {score} · {threshold}"


def picture(state: ExplorerState) -> bytes:
    """Return the view as a PNG: heatmap and bars.

    Raises
    ------
    InputError
        No attention is in view, so there is no heatmap to draw.
    """
    if state.focus is None:
        raise InputError(
            "There is no attention in view to draw. Save the feedback table, or the HTML picture."
        )
    weights, rows, columns = _view(state)
    table = state.table
    return overview_png(
        weights,
        rows,
        columns,
        table,
        title=f"{heading(state)} — {sentence_of(state)}",
        colorscale=state.colour_scale or None,
        scaling=state.scaling,  # type: ignore[arg-type]
        zmax=1.0,
    )


def still_picture(state: ExplorerState) -> str | None:
    """Return the view as HTML for notebooks opened without a kernel.

    None while there is nothing to show, and without the extra ``images``.

    The style sheet of the living app hides it: it only shows where the app cannot.
    """
    if state.table is None or state.focus is None or not is_installed("images"):
        return None
    encoded = base64.b64encode(picture(state)).decode()
    return (
        '<div class="explorer-still"><img alt="Attention heatmap and feedback bars" '
        f'style="max-width:100%" src="data:image/png;base64,{encoded}"></div>'
    )


def _view(state: ExplorerState) -> tuple[NDArray[np.float32], list[str], list[str]]:
    focus = state.focus
    scene = focus.scene
    if isinstance(scene, CodeScene):
        rows, columns = visible_positions(
            scene, hide_special=state.hide_special, hide_sink=state.hide_sink
        )
        source = (focus.attention, focus.layer, focus.head)
        row_labels = [scene.tokens[i] for i in rows]
        column_labels = [scene.tokens[i] for i in columns]
    else:
        rows, columns = scene.picture_rows, scene.picture_columns
        source = (scene.picture, *focus.wanted)
        row_labels, column_labels = scene.picture_row_labels, scene.picture_column_labels
    attention, layer, head = source
    block = max(1, -(-len(rows) // _LARGEST_SIDE)), max(1, -(-len(columns) // _LARGEST_SIDE))
    step = block[0] * max(1, (1 << 22) // max(1, len(columns)) // block[0])
    pooled = np.concatenate(
        [
            pool_blocks(
                attention.weights(layer, head, rows=rows[at : at + step], columns=columns), *block
            )
            for at in range(0, len(rows), step)
        ]
    )
    return pooled, row_labels[:: block[0]], column_labels[:: block[1]]


def _page(state: ExplorerState) -> str:
    figures = []
    if state.focus is not None:
        weights, rows, columns = _view(state)
        heat = heatmap(
            weights,
            rows,
            columns,
            colorscale=state.colour_scale or None,
            scaling=state.scaling,  # type: ignore[arg-type]
            zmax=1.0,
        )
        figures.append(heat)
    labels = None
    if isinstance(state.scene, TraceScene):
        labels = {edge.id: edge.label for edge in state.scene.trace.hyperedges}
    line = threshold_line(state, state.table)
    bars = feedback_bars(
        state.table,
        FeedbackPolicy(threshold=line.value),
        labels=labels,
        sort=state.bar_order,  # type: ignore[arg-type]
        axis=line.scale,  # type: ignore[arg-type]
        selected=selected_unit(state),
    )
    figures.append(bars)
    drawn = "".join(
        figure.to_html(full_html=False, include_plotlyjs=number == 0)
        for number, figure in enumerate(figures)
    )
    return (
        "<!doctype html><meta charset='utf-8'><title>Attention</title>"
        f"<body style='font:14px system-ui;margin:24px'><p>{escape(heading(state))}</p>"
        f"<p>{escape(sentence_of(state))}</p>{drawn}</body>"
    )
