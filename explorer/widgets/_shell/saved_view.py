"""The view as a picture, as a page, and as the columns that say what a table is of."""

from __future__ import annotations

import base64
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer._extras import is_installed
from explorer._number_format import three_digits
from explorer.errors import InputError
from explorer.feedback import FeedbackPolicy
from explorer.figures import colours, feedback_bars, heatmap
from explorer.figures._attention.static_images import overview_png
from explorer.figures._attention.static_parts import Marked
from explorer.figures._style.pooling import pool_blocks
from explorer.widgets._attention.selection import selected_unit, unit_spans
from explorer.widgets._attention.threshold_line import threshold_line
from explorer.widgets._attention.tint_weights import token_weights
from explorer.widgets._attention.view_sentences import sentence_of
from explorer.widgets._code.scene import CodeScene, visible_positions
from explorer.widgets._code.texts import SHORT_VERDICTS
from explorer.widgets._state import ExplorerState
from explorer.widgets._traces.scene import TraceScene

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

_LARGEST_SIDE = 256
_SIDE = 700


def described_table(state: ExplorerState, table: pd.DataFrame) -> pd.DataFrame:
    """Return a feedback table with what its numbers are of, in columns that are equal in all rows.

    Code: model, language, layer, head and ``rows`` (the query row that is pinned, or ``all``).
    Traces: id of the trace, model, layer and head. Then how the scores were made, the threshold,
    and whether it was found by auto.
    """
    described = table.copy()
    described["diagnostics"] = [
        "; ".join(one.message for one in row) for row in table["diagnostics"]
    ]
    scene, focus = state.scene, state.focus
    layer, head = (state.layer, state.head) if focus is None else focus.wanted
    of: dict[str, Any] = {}
    if isinstance(scene, CodeScene):
        of |= {"model": scene.model or "own matrix", "language": scene.language or "text"}
        pinned = _pinned_row(state)
        of["rows"] = "all" if pinned is None else pinned
    elif isinstance(scene, TraceScene):
        of |= {"trace": scene.trace.id, "model": scene.trace.metadata.get("model", "")}
    line = threshold_line(state, table)
    of |= {
        "layer": "mean" if layer is None else layer,
        "head": "mean" if head is None else head,
        "reduction": state.reduction,
        "normalisation": state.normalisation,
        "threshold": line.value,
        "threshold_mode": state.threshold_mode if line.name == "threshold" else "fixed",
    }
    if state.heads is not None and isinstance(scene, TraceScene):
        of |= {"heads": state.heads.name, "layer": "", "head": ""}
    for name, value in of.items():
        if name not in described:
            described[name] = value
    return described


def _pinned_row(state: ExplorerState) -> int | None:
    chosen = state.selection
    if chosen is None or chosen["kind"] == "unit" or state.direction == "column":
        return None
    return int(chosen.get("index", chosen.get("query")))


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
    weights, rows, columns = view_weights(state)
    scene, line = state.scene, threshold_line(state, state.table)
    return overview_png(
        weights,
        rows,
        columns,
        state.table,
        policy=FeedbackPolicy(threshold=line.value),
        marked=_marked(state),
        code=scene.text.splitlines() if isinstance(scene, CodeScene) else (),
        axis=line.scale,  # type: ignore[arg-type]
        words=SHORT_VERDICTS if state.tab == "code" else None,
        title=f"{heading(state)} — {sentence_of(state)}",
        colorscale=state.colour_scale or None,
        scaling=state.scaling,  # type: ignore[arg-type]
        zmax=1.0 if state.colour_range == "fixed" else None,
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


def _marked(state: ExplorerState) -> Marked:
    """Return what is pinned, counted in the rows and columns that a picture shows."""
    scene, chosen = state.scene, state.selection
    unit = selected_unit(state)
    if not isinstance(scene, CodeScene) or chosen is None:
        return Marked(unit=unit)
    rows, columns = visible_positions(
        scene, hide_special=state.hide_special, hide_sink=state.hide_sink
    )
    blocks = [max(1, -(-len(places) // _LARGEST_SIDE)) for places in (rows, columns)]
    row, spans = _pinned_row(state), []
    if chosen["kind"] == "unit":
        spans = list(unit_spans(scene.units(state.unit_kind), chosen["name"]))
    elif row is None:
        spans = [(chosen["index"], chosen["index"] + 1)]
    shown = [tuple(np.searchsorted(columns, span) // blocks[1]) for span in spans]
    place = None if row is None else int(np.searchsorted(rows, row)) // blocks[0]
    return Marked(place, [(a, b) for a, b in shown if b > a], unit)


def view_weights(state: ExplorerState) -> tuple[NDArray[np.float32], list[str], list[str]]:
    """Return the weights in view, pooled where they are many, and labels of rows and columns."""
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


def page(state: ExplorerState) -> str:
    """Return the view as a page: heatmap, code tinted as in the app, and feedback bars."""
    figures = []
    if state.focus is not None:
        weights, rows, columns = view_weights(state)
        heat = heatmap(
            weights,
            rows,
            columns,
            colorscale=state.colour_scale or None,
            scaling=state.scaling,  # type: ignore[arg-type]
            zmax=1.0 if state.colour_range == "fixed" else None,
            marked=_marked(state).columns,
            width=_SIDE,
            height=_SIDE,
        )
        if isinstance(state.scene, CodeScene):
            heat.update_layout(width=_SIDE, height=_SIDE, yaxis={"scaleanchor": "x"})
        row = _marked(state).row
        if row is not None:
            ink = {"color": colours.ACCENT, "width": 1}
            heat.add_hrect(row - 0.5, row + 0.5, line=ink, fillcolor="rgba(0,0,0,0)")
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
        words=SHORT_VERDICTS if state.tab == "code" else None,
        width=980,
    )
    figures.append(bars)
    drawn = "".join(
        figure.to_html(full_html=False, include_plotlyjs=number == 0)
        for number, figure in enumerate(figures)
    )
    return (
        "<!doctype html><meta charset='utf-8'><title>Attention</title>"
        f"<body style='font:14px system-ui;margin:24px'><p>{escape(heading(state))}</p>"
        f"<p>{escape(sentence_of(state))}</p>{_tinted_code(state)}{drawn}</body>"
    )


def _tinted_code(state: ExplorerState) -> str:
    """Return the code with the tint of each token; empty for traces."""
    scene, focus = state.scene, state.focus
    if not isinstance(scene, CodeScene) or focus is None:
        return ""
    weights = token_weights(state, focus)
    places = np.clip(colours.scaled(weights, state.scaling), 0.0, 1.0)  # type: ignore[arg-type]
    fills = colours.scale_rgba(places, state.colour_scale or None)
    parts, end, pinned = [], 0, _pinned_row(state)
    for index in np.flatnonzero(~scene.special).tolist():
        start, stop = (max(int(place), end) for place in scene.offsets[index])
        if stop <= start:
            continue
        red, green, blue, opacity = (float(part) for part in fills[index])
        fill = f"{255 * red:.0f} {255 * green:.0f} {255 * blue:.0f} / {0.6 * opacity:.2f}"
        frame = ";outline:2px solid" if index == pinned else ""
        parts.append(
            f"{escape(scene.text[end:start])}<span title='{three_digits(float(weights[index]))}' "
            f"style='background:rgb({fill}){frame}'>"
            f"{escape(scene.text[start:stop])}</span>"
        )
        end = stop
    return f"<pre>{''.join(parts)}{escape(scene.text[end:])}</pre>"
