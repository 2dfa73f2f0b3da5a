"""The RAG traces tab: question, answer, hyperedges as cards, bars, and the answer's heatmap."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from explorer.widgets._attention.head_view import Focus
from explorer.widgets._attention.heatmap_picture import Picture
from explorer.widgets._attention.heatmap_view import HeatView
from explorer.widgets._attention.selection import selected_unit, unit_spans
from explorer.widgets._attention.threshold_line import threshold_line
from explorer.widgets._base.panel import Panel
from explorer.widgets._session import Session
from explorer.widgets._state import ExplorerState
from explorer.widgets._traces._feedback.methods_panel import MethodsPanel
from explorer.widgets._traces._feedback.weights_panel import WeightsPanel
from explorer.widgets._traces._file.file_panel import TraceFilePanel
from explorer.widgets._traces.cards import (
    CardFilter,
    card_contents,
    chosen_cards,
    evidence_source,
    shared_notes,
    trace_notes,
)
from explorer.widgets._traces.offers import (
    RECORDING_JOBS,
    recording_offer,
    trace_offer,
)
from explorer.widgets._traces.scene import TraceScene
from explorer.widgets._traces.settings_panel import TraceSettingsPanel
from explorer.widgets._traces.texts import PAGE_TEXTS, PLOTS

if TYPE_CHECKING:
    import pandas as pd


class TracesPanel(Panel):
    """Shows the open trace: cards, heatmap, feedback and weights."""

    TAB = "traces"
    session: Session

    def __init__(self, state: ExplorerState, session: Session) -> None:
        super().__init__(state, session)
        self.heat = HeatView(
            state,
            session.jobs,
            name=PLOTS["heatmap"],
            height=260,
        )
        self.heat.on_pick = self._pick
        self.cards = self.part("trace_cards", PAGE_TEXTS["trace_cards"], self._gestures())
        self.file = TraceFilePanel(state, session)
        self.settings = TraceSettingsPanel(state, session)
        self.feedback = MethodsPanel(state, session, self._pick_unit)
        self.weights = WeightsPanel(state, session, self._pick_unit)
        side = self.box([*self.feedback.widgets, *self.weights.widgets], "ex-side")
        top = self.box([self.file.widget, self.settings.widget], "ex-file-top")
        self.widget = self.box(
            [top, self.cards, side, self.keep(self.heat.plot)],
            "ex-panel",
            "ex-traces-panel",
        )
        self._progress: dict[str, Any] | None = None
        self._filter, self._filtered = CardFilter(), -1
        self.draw_on(
            self._draw_heat, "focus", "colour_scale", "colour_range", "scaling", "selection"
        )
        self.draw_on(
            self._show_cards,
            "table", "trace_scene", "selection", "reading_view", "method", "heads",
        )  # fmt: skip
        self.draw_on(self._show_cards, "loaded", of=session.traces)
        self.draw_on(self._show_cards, "draft", of=session.recording)
        self.draw_on(self._show_progress, "reports", of=session.jobs)
        self.begin()

    def close(self) -> None:
        """Take the panel off every page."""
        self.file.close()
        self.settings.close()
        self.feedback.close()
        self.weights.close()
        super().close()

    # gestures

    def _gestures(self) -> dict[str, Any]:
        state, session = self.state, self.session
        return {
            "pin": lambda message: self._pin_unit(message.get("unit")),
            "unpin": lambda _: self._pin_unit(None),
            "record": lambda _: session.recording.record(),
            "record_all": lambda _: session.stand_in.record_all(),
            "read_again": lambda _: self._record_again(),
            "leave_heads": lambda _: setattr(state, "heads", None),
            "by_text": lambda _: setattr(state, "method", "embedding"),
            "auto": lambda _: session.settings.use_auto(),
            "by_labels": lambda _: setattr(state, "tab", "thresholds"),
            "filter": self._filter_cards,
            "next_unlabelled": lambda _: session.labels.next_unlabelled(),
            "label": lambda message: session.labels.label(str(message["unit"]), message["value"]),
            **{f"cancel_{job}": lambda _, job=job: session.cancel(job) for job in RECORDING_JOBS},
        }

    def _filter_cards(self, message: Mapping[str, Any]) -> None:
        self._filter = CardFilter(message["words"], message["which"], message["first"])
        self._show_cards()

    def _pin_unit(self, name: Any) -> None:
        self.state.selection = None if name is None else {"kind": "unit", "name": str(name)}

    def _pick_unit(self, name: str) -> None:
        scene: TraceScene | None = self.state.trace_scene
        if scene is not None and name in scene.unit_names():
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

    def _record_again(self) -> None:
        scene: TraceScene | None = self.state.trace_scene
        if scene is not None:
            self.session.stand_in.record_again(only=[scene.index])

    # drawing

    def _draw_heat(self) -> None:
        focus: Focus | None = self.state.focus
        scene = None if focus is None else focus.scene
        # One score per hyperedge is no map, and the bars show it.
        mapped = isinstance(scene, TraceScene) and scene.evidence.kind != "direct"
        self.heat.plot.layout.display = "" if mapped else "none"
        if focus is not None and isinstance(scene, TraceScene) and mapped:
            self._draw_picture(focus, scene)

    def _draw_picture(self, focus: Focus, scene: TraceScene) -> None:
        picture = scene.picture
        if picture is None:
            return
        layer, head = focus.wanted
        source = (picture, layer, head)
        if picture is scene.attention:
            source = (focus.attention, focus.layer, focus.head)
        columns = scene.picture_columns
        first = int(columns[0]) if len(columns) else 0
        spans = unit_spans(scene.picture_units, selected_unit(self.state))
        self.heat.plot.height = scene.picture_height
        self.heat.show(
            Picture(
                source=source,
                rows=scene.picture_rows,
                columns=columns,
                map_key=id(scene),
                row_labels=scene.picture_row_labels,
                column_labels=scene.picture_column_labels,
                boundaries=scene.picture_boundaries,
                marked=[(start - first, stop - first) for start, stop in spans],
                titles=("answer", "hyperedge" if scene.picture_columns_are_units else "context"),
            )
        )

    def _show_cards(self) -> None:
        traces = self.session.traces.loaded
        scene: TraceScene | None = self.state.trace_scene
        if traces is None or scene is None:
            self.cards.show(count=0, index=0)
            return
        table, chosen = self._table, self.state.selection
        counts = self.session.traces.counts
        draft = self.session.recording.draft
        if self._filtered != scene.index:
            self._filtered, self._filter = scene.index, self._filter._replace(first=0, words="")
        threshold = threshold_line(self.state, table).value
        chosen_ones = chosen_cards(scene, table, self._filter, threshold)
        cards = card_contents(scene, table, chosen_ones.places)
        self._progress = recording_offer(self.session.jobs.reports)
        self.cards.show(
            count=len(traces),
            file=id(traces),
            index=scene.index,
            id=scene.trace.id,
            view=self.state.reading_view,
            source=evidence_source(scene),
            query=scene.trace.query,
            answer=draft if draft is not None else scene.trace.answer,
            streaming=draft is not None,
            offer=self._progress
            or trace_offer(
                self.state, scene, table, len(traces), labelled=bool(counts and counts.labelled)
            ),
            notes=trace_notes(scene),
            shared=shared_notes(cards),
            cards=cards,
            filter=chosen_ones.filter,
            more_unlabelled=counts is None or counts.has_unlabelled,
            pinned=chosen["name"] if chosen is not None and chosen["kind"] == "unit" else None,
        )

    @property
    def _table(self) -> pd.DataFrame | None:
        """The feedback table of the open trace; None while that of another trace is in view."""
        table: pd.DataFrame | None = self.state.table
        scene: TraceScene | None = self.state.trace_scene
        if scene is None or table is None:
            return None
        ids = [edge.id for edge in scene.trace.hyperedges]
        return table if table["unit"].tolist() == ids else None

    def _show_progress(self) -> None:
        """Draw the cards when a model has read more; the reports of most jobs change no card."""
        if recording_offer(self.session.jobs.reports) != self._progress:
            self._show_cards()
