"""From the state to numbers: the feedback table in view, and the weight of every token."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer.attention import AttentionMap
from explorer.errors import ExplorerError
from explorer.feedback import Diagnostic, FeedbackPolicy, Unit, feedback_table, scores_table
from explorer.source import visible_text
from explorer.widgets._attention.head_view import Focus
from explorer.widgets._attention.scenes import CodeScene
from explorer.widgets._state import METHOD_THRESHOLDS, ExplorerState
from explorer.widgets._traces.scene import TraceScene

if TYPE_CHECKING:
    import pandas as pd


class FeedbackController:
    """Keeps `state.table` in step with what the scores depend on; worked out once a change.

    Register it after the heatmaps, so that the picture is on its way to the page first.
    """

    DEPENDS_ON = (
        "focus", "tab", "threshold", "reduction", "normalisation", "unit_kind", "selection",
        "direction", "method", "method_table", "heads",
        "trace_scene",
    )  # fmt: skip

    def __init__(self, state: ExplorerState, failed: Callable[[BaseException], None]) -> None:
        self.state = state
        self.failed = failed
        state.observe(self._changed, names=list(self.DEPENDS_ON))
        self._refresh()

    def _changed(self, change: Mapping[str, Any]) -> None:
        if self.state.batching:
            self.state.after_batch(self._refresh)
        elif change["name"] == "method_table" and self.state.method == "attention":
            return
        elif change["name"] == "trace_scene":
            self._scene_changed()
        elif change["name"] != "selection" or isinstance(self.state.scene, CodeScene):
            self._refresh()

    def _scene_changed(self) -> None:
        """Let go of the last trace's table; with attention, the focus was announced before."""
        if self.state.focus is None and self.state.method == "attention":
            if self.state.heads is not None:
                self._refresh()
            else:
                self.state.table = None

    def _refresh(self) -> None:
        if self.state.tab != "code" and self.state.method != "attention":
            scene: TraceScene | None = self.state.trace_scene
            if scene is None or not scene.trace.hyperedges:
                self.state.table = None
            elif self.state.method_table is not None:
                # Until it is there the old table stays.
                self.state.table = self.state.method_table
            return
        try:
            table = feedback_of(self.state)
        except ExplorerError as error:
            self.failed(error)
            table = None
        self.state.table = table


def feedback_of(state: ExplorerState) -> pd.DataFrame | None:
    """Return the feedback table of the tab in front; None when there is nothing to score.

    In the code tab the rows averaged over are those of all tokens but special ones, or the one
    row of the pinned token or cell. In the traces tab they are the answer's, unless a set of heads
    says otherwise.
    """
    if state.heads is not None and isinstance(state.scene, TraceScene):
        return _by_heads(state, state.scene)
    focus: Focus | None = state.focus
    if focus is None:
        return _unscored(state)
    scene = focus.scene
    source: tuple[AttentionMap, int | None, int | None]
    source = (focus.attention, focus.layer, focus.head)
    if isinstance(scene, CodeScene):
        units = scene.units(state.unit_kind)
        rows: NDArray[np.intp] | None = pinned_rows(state, scene)
        notes: tuple[Diagnostic, ...] = ()
        if focus.summary is not None and rows is scene.rows:
            source, rows = (focus.summary.mean_row, 0, 0), None
        elif rows is not None and rows is not scene.rows:
            units = _seen_from(scene, int(rows[0]), units)
    else:
        units, rows = scene.evidence.units, scene.evidence.rows
        notes = scene.evidence.diagnostics
    return feedback_table(
        source[0],
        units,
        FeedbackPolicy(threshold=state.threshold),
        rows=rows,
        layer=source[1],
        head=source[2],
        reduction=state.reduction,  # type: ignore[arg-type]
        normalisation=state.normalisation,  # type: ignore[arg-type]
        diagnostics=notes,
    )


def _by_heads(state: ExplorerState, scene: TraceScene) -> pd.DataFrame | None:
    """The table of a trace scored by a set of heads, as a `FeedbackExtractor` works it out.

    What the trace brings no reading for stays unknown: an extractor would ask the embedding.
    """
    if not scene.trace.hyperedges:
        return None
    from explorer.rag._extraction.explanation import Explained, explanation
    from explorer.rag._methods.attention_feedback import attend
    from explorer.rag._methods.extractor_config import ExtractorConfig

    trace = scene.trace
    config = ExtractorConfig("attention", attention_threshold=state.threshold, heads=state.heads)
    found = attend(trace, config)
    table = explanation([Explained(trace.id, trace.hyperedges, found.findings, found.notes)])
    table.attrs |= {"notes": found.notes, "method": "attention", "heads": state.heads}
    return table


def _unscored(state: ExplorerState) -> pd.DataFrame | None:
    """The table of a trace that brings no attention: every hyperedge is unknown."""
    scene = state.scene
    if not isinstance(scene, TraceScene) or not scene.evidence.units:
        return None
    units = scene.evidence.units
    return scores_table(
        np.full(len(units), np.nan),
        units,
        FeedbackPolicy(threshold=state.threshold),
        diagnostics=scene.evidence.diagnostics,
    )


def _seen_from(scene: CodeScene, row: int, units: Sequence[Unit]) -> list[Unit]:
    """Return the units, those unknown that come after a row which cannot look ahead."""
    if scene.attention.visible_keys(0, [row])[0] > row + 1:
        return list(units)
    later = Diagnostic(
        "comes-later",
        "It comes after the pinned token, and this model only looks back: nothing to score.",
    )
    return [
        replace(unit, spans=(), unknown=True, diagnostics=(later,))
        if unit.spans and unit.spans[0][0] > row
        else unit
        for unit in units
    ]


class Line(NamedTuple):
    """The threshold of a feedback table: its value, the trait that moves it, its score axis.

    `name` is None where no trait moves it: the ensemble's follows from the feedback values. `scale`
    is linear but for attention, whose scores are small.
    """

    value: float
    name: str | None
    scale: str


def threshold_line(state: ExplorerState, table: pd.DataFrame | None) -> Line:
    """Return the threshold that a table was made with: its method may not be the chosen one yet."""
    method = "attention" if table is None else table.attrs.get("method", "attention")
    if method == "ensemble" and table is not None and len(table):
        return Line(float(table["threshold"].iloc[0]), None, "linear")
    if table is not None and "method" in table and len(table):
        # Where a method had nothing to go by, most rows may be another's.
        method = str(table["method"].mode().iloc[0])
    name = METHOD_THRESHOLDS[method]
    return Line(getattr(state, name), name, state.scale_of(name))


def selected_unit(state: ExplorerState) -> str | None:
    """Return the name of the unit that is pinned, or that the pinned token belongs to."""
    chosen, scene = state.selection, state.scene
    if chosen is None or scene is None:
        return None
    if chosen["kind"] == "unit":
        return str(chosen["name"])
    if not isinstance(scene, CodeScene):
        return None
    token = chosen.get("index", chosen.get("key"))
    for unit in scene.units(state.unit_kind):
        if any(start <= token < stop for start, stop in unit.spans):
            return unit.name
    return None


def unit_spans(units: Sequence[Unit], name: str | None) -> tuple[tuple[int, int], ...]:
    """Return the spans of the unit of this name; none when there is no such unit."""
    return next((unit.spans for unit in units if unit.name == name), ())


def pinned_rows(state: ExplorerState, scene: CodeScene) -> NDArray[np.intp]:
    """Return the query rows that the bars of the code tab average over."""
    chosen = state.selection
    if chosen is not None and chosen["kind"] == "token" and state.direction == "row":
        return np.array([chosen["index"]])
    if chosen is not None and chosen["kind"] == "cell":
        return np.array([chosen["query"]])
    return scene.rows


def token_weights(
    state: ExplorerState, focus: Focus, hovered: int | None = None
) -> NDArray[np.float32]:
    """Weight by which each token is tinted, float32 (tokens,).

    Where the hovered or pinned token looks (its row), or who looks at it (its column); with
    nothing pinned, the attention that each token receives on average: its importance.
    """
    chosen = state.selection
    index, direction = hovered, state.direction
    if index is None and chosen is not None:
        if chosen["kind"] == "token":
            index = chosen["index"]
        elif chosen["kind"] == "cell":
            index, direction = chosen["query"], "row"
    attention, layer, head = focus.attention, focus.layer, focus.head
    if index is None:
        weights = focus.received
    elif direction == "row":
        weights = attention.weights(layer, head, rows=[index])[0]
    else:
        return attention.weights(layer, head, columns=[index])[:, 0]
    if state.hide_sink and weights.shape[0] > 1:
        weights = weights.copy()
        weights[0] = 0.0
    return weights


def sentence_of(state: ExplorerState) -> str:
    """Say in words what is in view."""
    table: pd.DataFrame | None = state.table
    focus: Focus | None = state.focus
    method = "attention" if table is None else table.attrs.get("method", "attention")
    # When the traces go, the table may go before the focus does.
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
        return "Paste code, or try one of the examples."
    if state.trace_scene is None:
        return "Load a trace file, or try the packaged examples."
    return "This trace brings no attention. Let the model read it to see where the answer looks."


def _head_words(focus: Focus) -> str:
    layer, head = focus.wanted
    many = focus.scene.attention
    if many is None or many.n_layers * many.n_heads == 1:
        return ""
    words = "mean over layers" if layer is None else f"layer {layer}"
    return f"{words}, {'mean over heads' if head is None else f'head {head}'}"


def _code_sentence(state: ExplorerState, scene: CodeScene, focus: Focus, where: str) -> str:
    chosen = state.selection
    prefix = f"{where}: " if where else ""
    if chosen is not None and chosen["kind"] == "cell":
        query, key = chosen["query"], chosen["key"]
        weight = focus.attention.weights(focus.layer, focus.head, rows=[query], columns=[key])
        return (
            f"{prefix}{_named(scene, query)} looks at {_named(scene, key)} "
            f"with weight {float(weight[0, 0]):.3f}"
        )
    weights = np.nan_to_num(token_weights(state, focus), nan=0.0, posinf=0.0, neginf=0.0)
    hidden = state.hide_sink and scene.n_tokens > 1
    top = [int(i) for i in np.argsort(-weights, kind="stable")[:3] if weights[i] > 0]
    listed = ", ".join(f"{_named(scene, i)} {weights[i]:.3f}" for i in top) or "nothing"
    if chosen is not None and chosen["kind"] == "token":
        index = chosen["index"]
        if state.direction == "column":
            return f"{prefix}{_named(scene, index)} is looked at most by {listed}"
        sink = ""
        if hidden:
            value = focus.attention.weights(focus.layer, focus.head, rows=[index], columns=[0])
            sink = f"; sink {float(value[0, 0]):.3f}"
        return f"{prefix}{_named(scene, index)} looks most at {listed}{sink}"
    return f"{prefix}most looked at, on average: {listed}"


def _trace_sentence(
    state: ExplorerState, scene: TraceScene, where: str, table: pd.DataFrame | None
) -> str:
    if table is None:
        return _empty_sentence(state)
    prefix = f"{where}: " if where else ""
    if table.attrs.get("heads") is not None and (table["verdict"] == "unknown").all():
        notes = table.attrs["notes"] or [note for row in table["diagnostics"] for note in row]
        why = notes[0].message if notes else "No hyperedge has a score."
        return f"{prefix}nothing is known. {why}"
    used = set(table.loc[table["verdict"] == "used", "unit"])
    text = f"{prefix}{len(used)} of {len(table)} hyperedges count as used"
    labels = {edge.id: edge.label for edge in scene.trace.hyperedges if edge.label is not None}
    if labels:
        right = {name for name, label in labels.items() if label}
        text += f"; labels say {len(right)}, of which {len(right & used)} are found"
    return text


def _unit_sentence(state: ExplorerState, row: pd.Series, where: str) -> str:
    return (
        f"{where}{': ' if where else ''}{row['unit']} scores {row['score']:.3f}, feedback "
        f"{row['feedback']:.3f}: {row['verdict']} at threshold "
        f"{threshold_line(state, state.table).value:.3g}"
    )


def _named(scene: CodeScene, index: int) -> str:
    token = scene.tokens[index].strip() or visible_text(scene.tokens[index])
    line = scene.line_of(index)
    return f"“{token}”" + (f" (line {line})" if line is not None else "")
