"""The head selector: layer, head, and the grid of heads coloured by a measure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from explorer.widgets._attention.head_set_text import shown_set
from explorer.widgets._attention.head_view import head_measure
from explorer.widgets._base.panel import Panel
from explorer.widgets._code.scene import CodeScene
from explorer.widgets._session import Session
from explorer.widgets._shell import texts
from explorer.widgets._state import CODE_MEASURES, TRACE_MEASURES, ExplorerState
from explorer.widgets._traces.scene import TraceScene

HEAD_MEASURES: Final = "head measures"
"""Name of the job that measures every head; nothing in the app waits for it."""

_DRAWN_BY = (
    "tab", "layer", "head", "heads", "measure", "colour_scale", "code_scene", "trace_scene",
)  # fmt: skip


class HeadSelectorPanel(Panel):
    """Draws layer, head and the grid of heads, a moment after the figures."""

    def __init__(self, state: ExplorerState, session: Session) -> None:
        super().__init__(state, session)
        self._measuring: tuple[int, str] | None = None
        self._serial = 0
        self._last = {"layer": 0, "head": 0}
        gestures = {"head": self._pick, "unpin": lambda _: setattr(state, "selection", None)}
        self.widget = self.selector = self.part(
            "head_selector", texts.PAGE_TEXTS["head_selector"], gestures
        )
        self.draw_on(self._show, *_DRAWN_BY, later=True)
        self.begin()

    def _pick(self, message: Mapping[str, Any]) -> None:
        with self.state.batch():
            self.state.layer, self.state.head = message["layer"], message["head"]

    def _show(self) -> None:
        state, scene = self.state, self.state.scene
        attention = getattr(scene, "attention", None)
        measures = CODE_MEASURES if state.tab == "code" else TRACE_MEASURES
        measure = state.measure if state.measure in measures else next(iter(measures))
        for name in self._last:
            if getattr(state, name) is not None:
                self._last[name] = getattr(state, name)
        values = None
        if attention is not None:
            values = scene.measured.get(measure)
            if values is None:
                self._measure(scene, measure)
        self.selector.paint(state.colour_scale)
        drawn = np.array([] if values is None else values, dtype=np.float32).tobytes()
        if drawn != self.selector.wire.tint:
            self.selector.wire.tint = drawn
        self.selector.show(
            layers=1 if attention is None else attention.n_layers,
            heads=1 if attention is None else attention.n_heads,
            layer=state.layer,
            head=state.head,
            set=None if state.tab == "code" else shown_set(state.heads, _set_caption(state)),
            last=self._last,
            measure=measure,
            measures=[list(pair) for pair in measures.items()],
            serial=self._serial,
            reason=_reason(scene),
        )

    def _measure(self, scene: CodeScene | TraceScene, measure: str) -> None:
        runner = self.session.jobs.runner
        if self._measuring == (id(scene), measure) and runner.running(HEAD_MEASURES):
            return
        self._measuring = (id(scene), measure)

        def done(values: NDArray[np.float32] | None) -> None:
            empty = np.zeros(0, dtype=np.float32)
            scene.measured[measure] = empty if values is None else np.ravel(values)
            self._serial += 1
            self._show()

        runner.start(
            HEAD_MEASURES,
            lambda _: head_measure(scene, measure),
            done=done,
            failed=self.session.jobs.tell,
            message=texts.MEASURING,
        )


def _set_caption(state: ExplorerState) -> str:
    """Return the caption of the grid while a set of heads overrides layer and head."""
    if state.tab != "traces":
        return texts.SET_WEIGHTS
    return texts.set_caption(state.layer, state.head)


def _reason(scene: CodeScene | TraceScene | None) -> str:
    """Return why there is no head to choose; empty where there is one."""
    if scene is None:
        return ""
    if scene.attention is None:
        return texts.NO_ATTENTION
    if scene.attention.n_layers * scene.attention.n_heads > 1:
        return ""
    return texts.ONE_HEAD if isinstance(scene, CodeScene) else texts.ONE_NUMBER
