"""The parts both tabs share: header, strip of controls, rail of heads, status line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.feedback import NORMALISATIONS, REDUCTIONS
from explorer.figures import colours
from explorer.widgets._attention.bars_view import MOST_BARS
from explorer.widgets._attention.head_set_text import shown_set
from explorer.widgets._attention.head_view import head_measure
from explorer.widgets._attention.view_sentences import sentence_of
from explorer.widgets._base.panel_part import PanelPart
from explorer.widgets._code.scene import CodeScene
from explorer.widgets._session import Session
from explorer.widgets._shell.texts import PAGE_TEXTS
from explorer.widgets._state import (
    CODE_MEASURES,
    METHOD_THRESHOLDS,
    TRACE_MEASURES,
    UNIT_KINDS,
    ExplorerState,
)
from explorer.widgets._thresholds.panel_contents import status_sentence
from explorer.widgets._traces.scene import TraceScene

_VERDICTS = ("used", "near", "not used", "unknown")
TABS = (("code", "Code"), ("traces", "RAG traces"), ("thresholds", "Thresholds"))
_UNIT_WORDS = {
    "line": "lines",
    "identifier": "identifiers",
    "node": "syntax nodes",
    "token": "tokens",
}


class Shell:
    """Header, strip, rail and status: each follows the state, none knows the others."""

    def __init__(self, state: ExplorerState, session: Session) -> None:
        self.state = state
        self.session = session
        self.header = PanelPart("header", PAGE_TEXTS["header"], styled=True)
        self.strip = PanelPart("toolbar", PAGE_TEXTS["toolbar"])
        self.rail = PanelPart("head_selector", PAGE_TEXTS["head_selector"])
        self.status = PanelPart("status", PAGE_TEXTS["status"])
        for part in (self.header, self.strip, self.rail, self.status):
            part.refused = session.jobs.tell
        self._measuring: tuple[int, str] | None = None
        self._serial = 0
        self._last = {"layer": 0, "head": 0}
        for region in (self.header, self.strip, self.rail):
            region.on("set", session.set_from_page)
        self.rail.on("head", self._set_head)
        self.rail.on("unpin", lambda *_: setattr(state, "selection", None))
        self.status.on("cancel", lambda message, _: session.cancel(message.get("job")))
        self.status.on("dismiss", lambda *_: session.jobs.clear())
        state.observe(self._changed)
        session.jobs.observe(lambda _: self._show_status())
        session.models.observe(lambda _: self._show_header())
        session.thresholds.observe(lambda _: self._follow_lab())
        self._refresh()

    def on_save(self, save: Callable[[Mapping[str, Any]], None]) -> None:
        """Let `save(message)` answer the save menu."""
        self.header.on("save", lambda message, _: save(message))

    def on_copy(self, copy: Callable[[], str]) -> None:
        """Let `copy()` say what the copy button puts on the clipboard."""
        self.header.on("copy", lambda *_: self.header.tell({"kind": "copy", "text": copy()}))

    def close(self) -> None:
        """Take the parts off every page."""
        for region in (self.header, self.strip, self.rail, self.status):
            region.layout.close()
            region.close()

    def _set_head(self, message: Mapping[str, Any], _: Any) -> None:
        with self.state.batch():
            self.state.layer, self.state.head = message["layer"], message["head"]

    def _changed(self, change: Mapping[str, Any]) -> None:
        if self.state.batching:
            self.state.after_batch(self._refresh)
            return
        name = change["name"]
        if name in ("layer", "head") and change["new"] is not None:
            self._last[name] = change["new"]
        if name in _RAIL:
            self._show_rail()
        if name in _STRIP:
            self._show_strip()
        if name in ("tab", "model"):
            self._show_header()
        if name in ("table", "selection", "scene", "trace_scene", "direction"):
            self._show_status()
        if name in _THRESHOLDS:
            self._follow_lab()

    def _follow_lab(self) -> None:
        if self.state.tab == "thresholds":
            self._show_strip()
            self._show_status()

    def _refresh(self) -> None:
        self._show_rail()
        self._show_strip()
        self._show_header()
        self._show_status()

    def _show_header(self) -> None:
        choices = self.session.models.choices()
        here = [[name, label, note] for name, label, note, installed in choices if installed]
        away = [[name, label, note] for name, label, note, installed in choices if not installed]
        name = self.state.model
        if name is None:
            here = [["", "(no model)", "A matrix of your own is shown."], *here]
        elif name not in {entry[0] for entry in (*here, *away)}:
            here = [[name, str(name), ""], *here]
        self.header.show(
            tab=self.state.tab,
            tabs=[list(tab) for tab in TABS],
            model=name or "",
            models=[
                {"group": "On this machine", "options": here},
                {"group": "From the model hub", "options": away},
            ],
            status=self.session.models.status,
        )

    def _show_strip(self) -> None:
        state = self.state
        table = state.table
        verdicts = [] if table is None else table["verdict"].tolist()
        reachable = None
        if table is not None and len(table) and table.attrs.get("method") != "ensemble":
            scores = table["score"].dropna().to_numpy()
            if scores.size:
                reachable = [float(scores.min()), float(scores.max())]
        name = state.threshold_name
        judging = state.tab == "thresholds"
        if judging:
            verdicts, reachable = [], self.session.thresholds.reachable
        self.strip.show(
            threshold=getattr(state, name),
            threshold_name=name,
            threshold_label=name.removesuffix("_threshold"),
            threshold_scale=state.scale_of(name),
            of_attention=name == "threshold",
            of_set=state.heads is not None and state.tab != "code",
            reachable=reachable,
            reduction=state.reduction,
            normalisation=state.normalisation,
            unit_kind=state.unit_kind if state.tab == "code" else None,
            of_code=state.tab == "code",
            judging=judging,
            bar_order=state.bar_order,
            colour_scale=state.colour_scale,
            scaling=state.scaling,
            hide_special=state.hide_special,
            hide_sink=state.hide_sink,
            choices={
                "reduction": [[name, name] for name in REDUCTIONS],
                "normalisation": [[name, name] for name in NORMALISATIONS],
                "unit_kind": [[name, _UNIT_WORDS[name]] for name in UNIT_KINDS],
                "bar_order": [["order", "order"], ["score", "score"]],
                "colour_scale": [list(pair) for pair in colours.scale_choices()],
                "scaling": [["linear", "linear"], ["sqrt", "square root"], ["log", "log"]],
            },
            counts=[
                [
                    verdict,
                    verdicts.count(verdict),
                    colours.verdict_mark(verdict),
                    colours.verdict_colour(verdict),
                ]
                for verdict in _VERDICTS
                if not judging and (verdict != "unknown" or verdict in verdicts)
            ],
        )  # fmt: skip

    def _show_rail(self) -> None:
        state, scene = self.state, self.state.scene
        attention = getattr(scene, "attention", None)
        measures = CODE_MEASURES if state.tab == "code" else TRACE_MEASURES
        measure = state.measure if state.measure in measures else next(iter(measures))
        values = None
        if attention is not None:
            values = scene.measured.get(measure)
            if values is None:
                self._measure(scene, measure)
        self.rail.paint(state.colour_scale)
        drawn = np.array([] if values is None else values, dtype=np.float32).tobytes()
        if drawn != self.rail.wire.tint:
            self.rail.wire.tint = drawn
        self.rail.show(
            layers=1 if attention is None else attention.n_layers,
            heads=1 if attention is None else attention.n_heads,
            layer=state.layer,
            head=state.head,
            set=None if state.tab == "code" else shown_set(state.heads, _set_caption(state)),
            last=dict(self._last),
            measure=measure,
            measures=[list(pair) for pair in measures.items()],
            serial=self._serial,
            reason=_single_reason(state, attention),
        )

    def _measure(self, scene: CodeScene | TraceScene, measure: str) -> None:
        if self._measuring == (id(scene), measure) and self.session.jobs.runner.running("grid"):
            return
        self._measuring = (id(scene), measure)

        def done(values: NDArray[np.float32] | None) -> None:
            empty = np.zeros(0, dtype=np.float32)
            scene.measured[measure] = empty if values is None else np.ravel(values)
            self._serial += 1
            self._show_rail()

        self.session.jobs.runner.start(
            "grid",
            lambda _: head_measure(scene, measure),
            done=done,
            failed=self.session.jobs.tell,
            message="measuring heads",
        )

    def _show_status(self) -> None:
        state, session = self.state, self.session
        table = state.table
        scene = state.scene
        notes = (
            []
            if table is None
            else [[d.code.replace("-", " "), d.message] for d in table.attrs["notes"]]
        )
        about_map = getattr(scene, "notes", ())
        if isinstance(scene, CodeScene):
            about_map = scene.attention.notes  # of a memory map: of what has been read so far
        notes += [["about this attention", note] for note in about_map]
        if isinstance(scene, CodeScene):
            notes += [["units", note] for note in scene.unit_notes(state.unit_kind)]
            first = next(
                (u.name for u in scene.units(state.unit_kind) if u.spans and u.spans[0][0] == 0),
                None,
            )
            if state.hide_sink and first is not None:
                hidden = (
                    "The first token, which draws attention whatever it says, is hidden in the "
                    f"picture but counts in the score of “{first}”."
                )
                notes.append(["sink counted", hidden])
        if table is not None and len(table) > MOST_BARS:
            many = (
                f"The bars show the {MOST_BARS} units with the highest scores; app.feedback has "
                f"all {len(table)}."
            )
            notes.append([f"{MOST_BARS} of {len(table)} units", many])
        sentence = sentence_of(state)
        if state.tab == "thresholds":
            sentence, notes = status_sentence(session), []
        self.status.show(
            sentence=sentence,
            error=session.jobs.error,
            notes=notes,
            jobs=[
                {"job": r.name, "message": r.message, "fraction": r.fraction}
                for r in session.jobs.reports.values()
                if r.name != "grid"
            ],
        )


_RAIL = frozenset(
    {"tab", "layer", "head", "heads", "measure", "colour_scale", "code_scene", "trace_scene"}
)
_THRESHOLDS = frozenset(METHOD_THRESHOLDS.values())
_STRIP = frozenset(
    {
        "table",
        "method",
        "heads",
        "threshold_scale",
        "bar_order",
        "colour_scale",
        "scaling",
        "hide_special",
        "hide_sink",
    }
)


def _set_caption(state: ExplorerState) -> str:
    """Say what the grid still stands for while scores come from a set of heads."""
    if state.tab != "traces":
        return "● by weight in the set"
    layer = "mean of layers" if state.layer is None else f"layer {state.layer}"
    return f"picture: {layer}, {'mean' if state.head is None else f'head {state.head}'}"


def _single_reason(state: ExplorerState, attention: Any) -> str:
    scene = state.scene
    if scene is None:
        return ""
    if attention is None:
        return "No attention yet, so there is no layer or head to choose."
    if attention.n_layers * attention.n_heads > 1:
        return ""
    if isinstance(scene, CodeScene):
        return "This map has one layer and one head."
    return "This trace has one number a hyperedge or token, so there is no layer or head to choose."
