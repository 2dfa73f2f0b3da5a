"""The sentence of the status line: what is in view, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from explorer._number_format import three_digits
from explorer.attention._head_name import head_name
from explorer.source import visible_text
from explorer.widgets._attention.head_view import Focus
from explorer.widgets._attention.threshold_line import threshold_line
from explorer.widgets._attention.tint_weights import token_weights
from explorer.widgets._attention.verdict_words import shown_verdict, verdict_words
from explorer.widgets._code import texts as code_texts
from explorer.widgets._code.scene import CodeScene
from explorer.widgets._state import ExplorerState
from explorer.widgets._traces.scene import TraceScene

if TYPE_CHECKING:
    import pandas as pd


def sentence_of(state: ExplorerState) -> str:
    """Return a sentence about what is in view."""
    table: pd.DataFrame | None = state.table
    focus: Focus | None = state.focus
    method = "attention" if table is None else table.attrs.get("method", "attention")
    # When the traces are removed, the table may be removed before the focus.
    if state.scene is None or (focus is None and method == "attention"):
        return _empty_sentence(state)
    where = _head_words(focus) if method == "attention" else f"by {method}"  # type: ignore[arg-type]
    heads = None if table is None else table.attrs.get("heads")
    if heads is not None:
        where = heads.name
    chosen = state.selection
    if chosen is not None and chosen["kind"] == "unit" and table is not None:
        found = table[table["unit"] == chosen["name"]]
        if len(found):
            return _unit_sentence(state, found.iloc[0], where)
    scene = state.scene
    if isinstance(scene, TraceScene):
        return _trace_sentence(state, scene, where, table)
    return _code_sentence(state, scene, focus, where)  # type: ignore[arg-type]


def _empty_sentence(state: ExplorerState) -> str:
    if state.tab == "code":
        return code_texts.NO_CODE_SENTENCE
    if state.trace_scene is None:
        return "Load a trace file, or try the packaged examples."
    return "This trace has no attention. A local model can read it and record attention."


def _head_words(focus: Focus) -> str:
    many = focus.scene.attention
    if many is None or many.n_layers * many.n_heads == 1:
        return ""
    return head_name(*focus.wanted)


def _code_sentence(state: ExplorerState, scene: CodeScene, focus: Focus, where: str) -> str:
    chosen = state.selection
    prefix = f"{where}: " if where else ""
    if chosen is not None and chosen["kind"] == "cell":
        query, key = chosen["query"], chosen["key"]
        weight = focus.attention.weights(focus.layer, focus.head, rows=[query], columns=[key])
        tokens = named_token(scene, query), named_token(scene, key)
        return prefix + code_texts.cell_sentence(*tokens, three_digits(float(weight[0, 0])))
    weights = np.nan_to_num(token_weights(state, focus), nan=0.0, posinf=0.0, neginf=0.0)
    hidden = state.hide_sink and scene.n_tokens > 1
    top = [int(i) for i in np.argsort(-weights, kind="stable")[:3] if weights[i] > 0]
    listed = ", ".join(f"{named_token(scene, i)} {three_digits(float(weights[i]))}" for i in top)
    if chosen is not None and chosen["kind"] == "token":
        index = chosen["index"]
        if state.direction == "column":
            return prefix + code_texts.column_sentence(named_token(scene, index), listed)
        sink = None
        if hidden:
            value = focus.attention.weights(focus.layer, focus.head, rows=[index], columns=[0])
            sink = three_digits(float(value[0, 0]))
        return prefix + code_texts.row_sentence(named_token(scene, index), listed, sink)
    return prefix + _mean_sentence(scene, focus, [(i, float(weights[i])) for i in top])


def _mean_sentence(scene: CodeScene, focus: Focus, top: list[tuple[int, float]]) -> str:
    received = focus.received
    listed = ", ".join(
        code_texts.over_rows(named_token(scene, i), three_digits(weight), int(received.rows[i]))
        for i, weight in top
    )
    hidden = int(np.count_nonzero(~received.enough & ~scene.special))
    return code_texts.mean_sentence(listed, hidden, received.least)


def _trace_sentence(
    state: ExplorerState, scene: TraceScene, where: str, table: pd.DataFrame | None
) -> str:
    if table is None:
        return _empty_sentence(state)
    prefix = f"{where}: " if where else ""
    if table.attrs.get("heads") is not None and (table["verdict"] == "unknown").all():
        notes = table.attrs["notes"] or [note for row in table["diagnostics"] for note in row]
        why = notes[0].message if notes else "No hyperedge has a score."
        return f"{prefix}no scores. {why}"
    used = set(table.loc[table["verdict"] == "used", "unit"])
    text = f"{prefix}{len(used)} of {len(table)} hyperedges count as used"
    labels = {edge.id: edge.label for edge in scene.trace.hyperedges if edge.label is not None}
    if labels:
        right = {name for name, label in labels.items() if label}
        text += f"; {len(right)} are labelled used, {len(right & used)} of them found"
    return text


def _unit_sentence(state: ExplorerState, row: pd.Series, where: str) -> str:
    verdict = verdict_words(state).get(shown_verdict(row["verdict"], row["diagnostics"]))
    prefix = f"{where}{': ' if where else ''}"
    if verdict == code_texts.VERDICTS["later"]:
        return f"{prefix}{row['unit']} {verdict}"
    score, feedback = three_digits(row["score"]), three_digits(row["feedback"])
    return (
        f"{prefix}{row['unit']} scores {score}, feedback {feedback}: "
        f"{verdict or row['verdict']} at threshold "
        f"{three_digits(threshold_line(state, state.table).value)}"
    )


def named_token(scene: CodeScene, index: int) -> str:
    """Return a token with its line, as sentences name it."""
    token = scene.tokens[index].strip() or visible_text(scene.tokens[index])
    return code_texts.token_name(token, scene.line_of(index))
