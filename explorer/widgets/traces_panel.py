"""The traces tab: question, answer, hyperedges as cards, bars, and the answer's heatmap."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import ipywidgets

from explorer.errors import TraceError
from explorer.figures import colours
from explorer.traces import TraceSet
from explorer.widgets.bars_view import BarsView
from explorer.widgets.focus import Focus
from explorer.widgets.heat_view import HeatView, Picture
from explorer.widgets.region import Region
from explorer.widgets.scenes import TraceScene
from explorer.widgets.scoring import selected_unit, unit_spans
from explorer.widgets.session import Session
from explorer.widgets.state import ExplorerState

if TYPE_CHECKING:
    import pandas as pd

_HEAT = ("focus", "colour_scale", "scaling", "selection")
_MOST_PROBLEMS = 100
_CARDS = frozenset({"table", "trace_scene", "selection"})


class TracesPanel:
    """Binds the state to the widgets of the traces tab."""

    def __init__(self, state: ExplorerState, session: Session) -> None:
        self.state = state
        self.session = session
        self.heat = HeatView(
            state,
            session.desk.runner,
            session.desk.tell,
            name="Attention of answer rows to context columns",
            height=260,
        )
        self.bars = BarsView(state, name="Feedback bars, one a hyperedge")
        self.cards = Region("cards")
        self.widget = ipywidgets.Box([self.cards, self.bars.widget, self.heat.plot])
        for name in ("ex-panel", "ex-traces-panel"):
            self.widget.add_class(name)
        self._upload: tuple[str, bytearray] = ("", bytearray())
        self.heat.on_pick = self._pick
        self.bars.on_pick = self._pick_unit
        on = self.cards.on
        on("set", session.set_from_page)
        on("pin", lambda message, _: self._pin_unit(message.get("unit")))
        on("unpin", lambda *_: setattr(state, "selection", None))
        on("load_path", lambda message, _: session.rag.load_path(str(message["path"])))
        on("load_examples", lambda *_: session.rag.load_examples())
        on("upload", self._receive)
        on("too_large", self._too_large)
        on("unreadable", self._unreadable)
        on("record", lambda *_: session.rag.read())
        state.observe(self._heat_changed, names=list(_HEAT))
        state.observe(self._changed)
        session.rag.observe(lambda _: self._show_cards(), names=["traces", "draft"])
        session.desk.observe(lambda _: self._show_cards(), names="reports")

    def close(self) -> None:
        """Take the panel off every page."""
        for part in (self.heat.plot, self.bars.plot, self.cards, self.widget):
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

    def _receive(self, message: Mapping[str, Any], buffers: list[memoryview]) -> None:
        upload, name = str(message["id"]), str(message["name"])
        if self._upload[0] != upload:
            self._upload = (upload, bytearray())
        contents = self._upload[1]
        if int(message["offset"]) == len(contents):
            for buffer in buffers:
                contents += bytes(buffer)
        self.cards.tell({"received": True})
        if len(contents) >= int(message["size"]):
            self._upload = ("", bytearray())
            self.session.rag.load_bytes(bytes(contents), name)

    def _too_large(self, message: Mapping[str, Any], _: Any) -> None:
        size = int(message["size"]) / 2**20
        self.session.desk.tell(
            TraceError(
                f"{message['name']} is {size:,.0f} MB, and at most 200 MB can be loaded "
                "through the page. Give its path instead, or go through it with "
                "explorer.traces.iter_traces."
            )
        )

    def _unreadable(self, message: Mapping[str, Any], _: Any) -> None:
        self.session.desk.tell(
            TraceError(f"{message['name']} cannot be read. Choose a file, not a folder.")
        )

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
        if name in BarsView.DRAWN_BY:
            self._draw_bars()
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
        self._draw_bars()
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

    def _draw_bars(self) -> None:
        table = self.state.table
        scene: TraceScene | None = self.state.trace_scene
        self.bars.widget.layout.display = "none" if table is None else ""
        if scene is not None:
            self.bars.show(table, {edge.id: edge.label for edge in scene.trace.hyperedges})

    def _show_cards(self) -> None:
        if self.state.tab != "traces":
            return
        traces = self.session.rag.traces
        scene: TraceScene | None = self.state.trace_scene
        problems = _problems(traces)
        if traces is None or scene is None:
            self.cards.show(count=0, index=0, problems=problems)
            return
        table = self.state.table if self._focus is not None else None
        chosen = self.state.selection
        draft = self.session.rag.draft
        self.cards.show(
            count=len(traces),
            file=id(traces),
            index=scene.index,
            id=scene.trace.id,
            query=scene.trace.query,
            answer=draft if draft is not None else scene.trace.answer,
            streaming=draft is not None,
            offer=self._offer(scene),
            problems=problems,
            notes=[d.message for d in scene.evidence.diagnostics],
            cards=[_card(scene, place, table) for place in range(len(scene.trace.hyperedges))],
            pinned=chosen["name"] if chosen is not None and chosen["kind"] == "unit" else None,
        )

    def _offer(self, scene: TraceScene) -> dict[str, str] | None:
        if not scene.trace.hyperedges:
            return {"text": "This trace has no hyperedges to score.", "action": ""}
        if scene.attention is not None:
            return None
        if scene.trace.answer.strip():
            return {
                "text": "No attention is in this trace. A local model can read the answer as a "
                "stand-in and show where it looks.",
                "action": "record attention",
            }
        return {
            "text": "This trace has neither an answer nor attention. The chosen model can answer "
            "it from the hyperedges.",
            "action": "answer and record",
        }


def _problems(traces: TraceSet | None) -> dict[str, Any]:
    found = () if traces is None else traces.problems
    left_out = sum(not problem.loaded for problem in found)
    changed = len(found) - left_out
    said = [
        f"{count} line{'' if count == 1 else 's'} {what}"
        for count, what in ((left_out, "not read"), (changed, "changed"))
        if count
    ]
    more = len(found) - _MOST_PROBLEMS
    return {
        "title": ", ".join(said),
        "lines": [[p.line, p.message] for p in found[:_MOST_PROBLEMS]],
        "more": f"and {more:,} more: see app.traces.problems" if more > 0 else "",
    }


def _card(scene: TraceScene, place: int, table: pd.DataFrame | None) -> dict[str, Any]:
    edge = scene.trace.hyperedges[place]
    row = None if table is None else table.iloc[place]
    verdict = "unknown" if row is None else str(row["verdict"])
    diagnostics = scene.evidence.units[place].diagnostics if row is None else row["diagnostics"]
    feedback = None if row is None else float(row["feedback"])
    return {
        "id": edge.id,
        "text": edge.hyperedge,
        "entities": list(edge.entities),
        "label": edge.label,
        "score": None if row is None else _finite(row["score"]),
        "feedback": _finite(feedback),
        "verdict": verdict,
        "mark": colours.verdict_mark(verdict),
        "colour": colours.feedback_colour(feedback),
        "diagnostics": [[d.code.replace("-", " "), d.message] for d in diagnostics],
    }


def _finite(value: Any) -> float | None:
    return None if value is None or math.isnan(value) else float(value)
