"""The traces tab: question, answer, hyperedges as cards, bars, and the answer's heatmap."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import ipywidgets

from explorer.figures import colours
from explorer.traces import Trace, TraceSet
from explorer.widgets._attention.head_view import Focus
from explorer.widgets._attention.heatmap_view import HeatView, Picture
from explorer.widgets._attention.selection import selected_unit, unit_spans
from explorer.widgets._base.panel_part import PanelPart
from explorer.widgets._session import Session
from explorer.widgets._shell.uploads import Uploads
from explorer.widgets._state import ExplorerState
from explorer.widgets._traces.controller import SCORING
from explorer.widgets._traces.rescoring import lacking, read_by_stand_in
from explorer.widgets._traces.scene import TraceScene
from explorer.widgets._traces.side_panel import SidePanel

if TYPE_CHECKING:
    import pandas as pd

_HEAT = ("focus", "colour_scale", "scaling", "selection")
_MOST_PROBLEMS = 100
MOST_CARDS = 200
"""More cards than this are too many to read, and slow a page down."""
_CARDS = frozenset({"table", "trace_scene", "selection", "reading_view", "method", "heads"})


class TracesPanel:
    """Binds the state to the widgets of the traces tab."""

    def __init__(self, state: ExplorerState, session: Session) -> None:
        self.state = state
        self.session = session
        self.heat = HeatView(
            state,
            session.jobs.runner,
            session.jobs.tell,
            name="Attention of answer rows to context columns",
            height=260,
        )
        self.side = SidePanel(state, session, self._pick_unit)
        self.cards = PanelPart("cards")
        self.widget = ipywidgets.Box([self.cards, self.side.widget, self.heat.plot])
        for name in ("ex-panel", "ex-traces-panel"):
            self.widget.add_class(name)
        self._told: dict[str, Any] | None = None
        self.heat.on_pick = self._pick
        on = self.cards.on
        on("set", session.set_from_page)
        on("pin", lambda message, _: self._pin_unit(message.get("unit")))
        on("unpin", lambda *_: setattr(state, "selection", None))
        on("load_path", lambda message, _: session.traces.load_path(str(message["path"])))
        on("load_examples", lambda *_: session.traces.load_examples())
        Uploads(self.cards, session.traces.load_bytes, session.jobs.tell)
        on("record", lambda *_: session.traces.read())
        on("record_all", lambda *_: session.traces.score_all())
        on("read_again", lambda *_: self._read_again())
        on("leave_heads", lambda *_: setattr(state, "heads", None))
        for lane in ("trace", SCORING):
            on(f"cancel {lane}", lambda *_, lane=lane: session.cancel(lane))
        on("by_text", lambda *_: setattr(state, "method", "embedding"))
        on("reach", lambda *_: self._reach())
        on("label", lambda message, _: session.traces.label(str(message["unit"]), message["value"]))
        state.observe(self._heat_changed, names=list(_HEAT))
        state.observe(self._changed)
        session.traces.observe(lambda _: self._show_cards(), names=["loaded", "draft"])
        session.jobs.observe(lambda _: self._show_progress(), names="reports")

    def close(self) -> None:
        """Take the panel off every page."""
        self.side.close()
        for part in (self.heat.plot, self.cards, self.widget):
            part.layout.close()
            part.close()

    # gestures

    def _pin_unit(self, name: Any) -> None:
        self.state.selection = None if name is None else {"kind": "unit", "name": str(name)}

    def _pick_unit(self, name: str) -> None:
        chosen = {"kind": "unit", "name": name}
        self.state.selection = None if self.state.selection == chosen else chosen

    def _pick(self, query: int, key: int) -> None:
        scene: TraceScene | None = self.state.trace_scene
        if scene is None:
            return
        for unit in scene.picture_units:
            if any(start <= key < stop for start, stop in unit.spans):
                self._pick_unit(unit.name)
                return
        self.state.selection = None

    # drawing

    def _changed(self, change: Mapping[str, Any]) -> None:
        if self.state.batching:
            self.state.after_batch(self.redraw)
            return
        name = change["name"]
        if self.state.tab != "traces":
            return
        if name == "tab":
            self.redraw()
            return
        if name in _CARDS:
            self._show_cards()

    def _heat_changed(self, _: Any) -> None:
        if self.state.tab == "traces" and not self.state.batching:
            self._draw_heat()

    def redraw(self) -> None:
        """Draw everything anew."""
        if self.state.tab != "traces":
            return
        self._draw_heat()
        self._show_cards()

    @property
    def _focus(self) -> Focus | None:
        focus = self.state.focus
        return focus if focus is not None and isinstance(focus.scene, TraceScene) else None

    def _draw_heat(self) -> None:
        focus = self._focus
        self.heat.plot.layout.display = "none" if focus is None else ""
        if focus is None:
            return
        scene: TraceScene = focus.scene  # type: ignore[assignment]
        picture = scene.picture
        if picture is None:
            return
        layer, head = focus.wanted
        source = (picture, layer, head)
        if picture is focus.scene.attention:
            source = (focus.attention, focus.layer, focus.head)
        rows = scene.picture_rows
        columns = scene.picture_columns
        spans = unit_spans(scene.picture_units, selected_unit(self.state))
        first = int(columns[0]) if len(columns) else 0
        self.heat.plot.height = scene.picture_height
        picture_shown = Picture(
            source=source,
            rows=rows,
            columns=columns,
            map_key=id(scene),
            row_labels=scene.picture_row_labels,
            column_labels=scene.picture_column_labels,
            boundaries=scene.picture_boundaries,
            marked=[(start - first, stop - first) for start, stop in spans],
            titles=("answer", "hyperedge" if scene.picture_columns_are_units else "context"),
        )
        self.heat.show(picture_shown)

    def _show_cards(self) -> None:
        if self.state.tab != "traces":
            return
        traces = self.session.traces.loaded
        scene: TraceScene | None = self.state.trace_scene
        problems = _problems(traces)
        if traces is None or scene is None:
            self.cards.show(count=0, index=0, problems=problems)
            return
        table = self._table
        chosen = self.state.selection
        draft = self.session.traces.draft
        self.cards.show(
            count=len(traces),
            file=id(traces),
            index=scene.index,
            id=scene.trace.id,
            view=self.state.reading_view,
            source=_source(scene),
            query=scene.trace.query,
            answer=draft if draft is not None else scene.trace.answer,
            streaming=draft is not None,
            offer=self._under_way() or self._offer(scene),
            problems=problems,
            notes=_notes(scene),
            cards=_cards(scene, table),
            pinned=chosen["name"] if chosen is not None and chosen["kind"] == "unit" else None,
        )

    @property
    def _table(self) -> pd.DataFrame | None:
        """The feedback table of the open trace; None when there is none."""
        table: pd.DataFrame | None = self.state.table
        scene: TraceScene | None = self.state.trace_scene
        if scene is None or table is None:
            return None
        if table["unit"].tolist() != [edge.id for edge in scene.trace.hyperedges]:
            return None  # that of another trace, while this one's is under way
        return table

    def _show_progress(self) -> None:
        """Draw the cards anew when what is being read has got further; most work is not theirs."""
        under_way = self._under_way()
        if under_way != self._told:
            self._told = under_way
            self._show_cards()

    def _under_way(self) -> dict[str, Any] | None:
        """What is being read now, where it was asked for."""
        for lane in ("trace", SCORING):
            report = self.session.jobs.reports.get(lane)
            if report is not None:
                done = "" if report.fraction is None else f" ({report.fraction:.0%})"
                said = f"{report.message.rstrip(' .…')}{done} …"
                return {"text": said, "actions": [[f"cancel {lane}", "cancel", "Stop reading"]]}
        return None

    def _offer(self, scene: TraceScene) -> dict[str, Any] | None:
        """What is missing here, and what can be done about it: kind, words and title each."""
        trace = scene.trace
        if not trace.hyperedges:
            return {"text": "This trace has no hyperedges to score.", "actions": []}
        if self.state.method != "attention":
            return None
        if scene.attention is None:
            return self._offer_attention(trace)
        if self.state.heads is not None:
            unreadable = self._offer_readings(scene)
            if unreadable is not None:
                return unreadable
        within = self._within_reach()
        if within is None:
            return None
        return {
            "text": f"No hyperedge reaches the threshold of {self.state.threshold:.3g}: the "
            f"largest score is {2 * within:.3g}.",
            "actions": [["reach", f"use {within:.3g}", "Half of the largest score of this trace"]],
        }

    def _offer_readings(self, scene: TraceScene) -> dict[str, Any] | None:
        """What to do where the set of heads cannot score a trace; None where it can."""
        table = self._table
        if table is None or not table.attrs["notes"] or not table["score"].isna().all():
            return None
        title = (
            "Let the chosen model read this trace again, with the rows of the question and a "
            "question without content"
        )
        again = ["read_again", "read it again", title]
        leave = ["leave_heads", "go by layer and head", "Take the set of heads away"]
        lacks = lacking(scene.trace, ("question",), content_free=True)
        can = bool(lacks) and read_by_stand_in(scene.trace)
        return {
            "text": table.attrs["notes"][0].message,
            "actions": [*([again] if can else []), leave],
        }

    def _read_again(self) -> None:
        scene: TraceScene | None = self.state.trace_scene
        if scene is not None:
            self.session.traces.score_all(content_free=True, overwrite=True, only=[scene.index])

    def _offer_attention(self, trace: Trace) -> dict[str, Any]:
        count = 0 if self.session.traces.loaded is None else len(self.session.traces.loaded)
        every = [
            "record_all",
            f"all {count:,} traces",
            "Let the chosen model read every trace that has an answer and no attention",
        ]
        by_text = ["by_text", "compare texts", "Feedback by embedding: no attention is needed"]
        if trace.answer.strip():
            text = (
                "No attention is in this trace. A local model can read the answer as a stand-in "
                "and show where it looks."
            )
            first = ["record", "record attention", "Let the chosen model read this trace"]
            return {"text": text, "actions": [first, *([every] if count > 1 else []), by_text]}
        text = (
            "This trace has neither an answer nor attention. The chosen model can answer it from "
            "the hyperedges."
        )
        return {
            "text": text,
            "actions": [["record", "answer and record", "The chosen model answers this trace"]],
        }

    def _within_reach(self) -> float | None:
        """A threshold that some score of this trace reaches; None where one does already."""
        table = self._table
        scores = [] if table is None else [s for s in table["score"].tolist() if not math.isnan(s)]
        if not scores or max(scores) <= 0 or max(scores) >= self.state.threshold:
            return None
        return float(f"{max(scores) / 2:.3g}")

    def _reach(self) -> None:
        within = self._within_reach()
        if within is not None:
            self.state.threshold = within


_GIVEN = {
    "direct": "a score for every hyperedge, given by the trace",
    "token-weights": "token weights and a mapping, given by the trace",
}


def _source(scene: TraceScene) -> str:
    """Say whose attention the scores come from."""
    attention = scene.attention
    if attention is None:
        return ""
    if scene.evidence.kind in _GIVEN:
        return _GIVEN[scene.evidence.kind]
    heads = f"{attention.n_layers} layers of {attention.n_heads} heads"
    if scene.evidence.kind == "matrix":
        return f"attention matrix given by the trace, {heads}"
    reader = scene.trace.metadata.get("model")
    of = f"attention of {reader}" if isinstance(reader, str) else "recorded attention"
    return f"{of}, {heads}, " + ("read here" if scene.token_attention else "with the trace")


def _problems(traces: TraceSet | None) -> dict[str, Any]:
    found = () if traces is None else traces.problems
    lines = [problem for problem in found if problem.line]
    left_out = sum(not problem.loaded for problem in lines)
    said = [
        f"{count} {noun}{'' if count == 1 else 's'}{what}"
        for count, noun, what in (
            (left_out, "line", " not read"),
            (len(lines) - left_out, "line", " changed"),
            (len(found) - len(lines), "note", ""),
        )
        if count
    ]
    more = len(found) - _MOST_PROBLEMS
    return {
        "title": ", ".join(said),
        "lines": [[p.line, p.message] for p in found[:_MOST_PROBLEMS]],
        "more": f"and {more:,} more: see app.traces.problems" if more > 0 else "",
    }


def _notes(scene: TraceScene) -> list[str]:
    """What must be known about the trace as a whole."""
    notes = [
        note.message
        for note in scene.evidence.diagnostics
        if note.code != "no-attention"  # the offer says so
    ]
    more = len(scene.trace.hyperedges) - MOST_CARDS
    if more > 0:
        notes.append(
            f"The first {MOST_CARDS} hyperedges are shown; app.feedback has the other {more:,} too."
        )
    return notes


def _cards(scene: TraceScene, table: pd.DataFrame | None) -> list[dict[str, Any]]:
    """The hyperedges with what their cards say, in retrieval order."""
    edges = scene.trace.hyperedges[:MOST_CARDS]
    if table is None:
        units = scene.evidence.units[: len(edges)]
        rows = [(None, None, "unknown", unit.diagnostics) for unit in units]
    else:
        columns = ("score", "feedback", "verdict", "diagnostics")
        rows = list(zip(*(table[name].tolist()[: len(edges)] for name in columns), strict=True))
    return [
        {
            "id": edge.id,
            "text": edge.hyperedge,
            "entities": list(edge.entities),
            "label": edge.label,
            "score": _finite(score),
            "feedback": _finite(feedback),
            "verdict": verdict,
            "mark": colours.verdict_mark(verdict),
            "colour": colours.feedback_colour(feedback),
            "diagnostics": [[d.code.replace("-", " "), d.message] for d in diagnostics],
        }
        for edge, (score, feedback, verdict, diagnostics) in zip(edges, rows, strict=True)
    ]


def _finite(value: Any) -> float | None:
    return None if value is None or math.isnan(value) else float(value)
