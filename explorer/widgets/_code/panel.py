"""The code tab: heatmap, code as tinted tokens, and feedback bars of one code scene."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ipywidgets
import numpy as np
from numpy.typing import NDArray

from explorer.errors import InputError
from explorer.figures import colours
from explorer.widgets._attention.bars_view import BarsView
from explorer.widgets._attention.head_view import Focus
from explorer.widgets._attention.heatmap_view import HeatView, Picture
from explorer.widgets._attention.selection import unit_spans
from explorer.widgets._attention.tint_weights import token_weights
from explorer.widgets._base.panel_part import PanelPart, sendable
from explorer.widgets._code.scene import CodeScene, visible_positions
from explorer.widgets._code.texts import PAGE_TEXTS
from explorer.widgets._session import Session
from explorer.widgets._state import ExplorerState

_DRAWN_BY = (
    "focus", "hide_special", "hide_sink", "colour_scale", "scaling", "selection", "direction",
)  # fmt: skip


class CodePanel:
    """Binds the state to the widgets of the code tab."""

    def __init__(self, state: ExplorerState, session: Session) -> None:
        self.state = state
        self.session = session
        self.heat = HeatView(
            state,
            session.jobs.runner,
            session.jobs.tell,
            name="Attention heatmap, query rows by key columns",
        )
        self.bars = BarsView(state, name="Feedback bars, one a unit of the code")
        self.text = PanelPart("code_text", PAGE_TEXTS["code_text"])
        self.text.refused = session.jobs.tell
        self.widget = ipywidgets.Box([self.heat.plot, self.text, self.bars.widget])
        for name in ("ex-panel", "ex-code-panel"):
            self.widget.add_class(name)
        self._serial = 0
        self._drawn: CodeScene | None = None
        self._hovered: int | None = None
        self._program_names: list[tuple[str, str]] = []
        self.heat.on_pick = self._pick
        self.bars.on_pick = self._pick_unit
        self.text.on("run", self._run)
        self.text.on("editing", lambda *_: session.models.warm_up())
        self.text.on("pin", lambda message, _: self._pin(message.get("index")))
        self.text.on("hover", lambda message, _: self._hover(message.get("index")))
        self.text.on("set", session.set_from_page)
        self.text.on("window", lambda message, _: session.code.record(int(message["start"])))
        self.text.on("example", lambda message, _: self._example(str(message["name"])))
        state.observe(self._heat_changed, names=list(_DRAWN_BY))
        state.observe(self._changed)
        self.redraw()

    def close(self) -> None:
        """Take the panel off every page."""
        for part in (self.heat.plot, self.bars.plot, self.text, self.widget):
            part.layout.close()
            part.close()

    # gestures

    def _run(self, message: Mapping[str, Any], _: Any) -> None:
        source = str(message.get("source", ""))
        try:
            if source == self.state.source:
                self.session.code.record(afresh=True)
            else:
                self.state.source = source
        except InputError as error:
            self.session.jobs.tell(error)

    def _example(self, name: str) -> None:
        from explorer.examples import example_programs

        for program in example_programs():
            if program.name == name:
                self.state.source = program.code

    def _pin(self, index: Any) -> None:
        chosen = self.state.selection
        if not isinstance(index, int) or chosen == {"kind": "token", "index": index}:
            self.state.selection = None
        else:
            self.state.selection = {"kind": "token", "index": index}

    def _pick(self, query: int, key: int) -> None:
        picked = {"kind": "cell", "query": query, "key": key}
        self.state.selection = None if self.state.selection == picked else picked

    def _pick_unit(self, name: str) -> None:
        picked = {"kind": "unit", "name": name}
        self.state.selection = None if self.state.selection == picked else picked

    def _hover(self, index: Any) -> None:
        self._hovered = index if isinstance(index, int) else None
        self._tint()

    # drawing

    def _changed(self, change: Mapping[str, Any]) -> None:
        if self.state.batching:
            self.state.after_batch(self.redraw)
            return
        name = change["name"]
        if self.state.tab != "code":
            return
        if name == "tab":
            self.redraw()
            return
        if name in {"focus", "direction", "selection", "colour_scale", "scaling", "hide_sink"}:
            self._tint()
        if name in {"focus", "selection", "direction", "source"}:
            self._show_text()
        if name in BarsView.DRAWN_BY:
            self._draw_bars()

    def _heat_changed(self, _: Any) -> None:
        if self.state.tab == "code" and not self.state.batching:
            self._draw_heat()

    def redraw(self) -> None:
        """Draw everything anew."""
        if self.state.tab != "code":
            return
        self._draw_heat()
        self._tint()
        self._show_text()
        self._draw_bars()

    @property
    def _focus(self) -> Focus | None:
        focus = self.state.focus
        return focus if focus is not None and isinstance(focus.scene, CodeScene) else None

    def _draw_heat(self) -> None:
        focus = self._focus
        if focus is None:
            return
        scene: CodeScene = focus.scene  # type: ignore[assignment]
        rows, columns = visible_positions(
            scene, hide_special=self.state.hide_special, hide_sink=self.state.hide_sink
        )
        picture = Picture(
            source=(focus.attention, focus.layer, focus.head),
            rows=rows,
            columns=columns,
            map_key=(id(scene), self.state.hide_special, self.state.hide_sink),
            row_labels=[scene.tokens[i] for i in rows],
            column_labels=[scene.tokens[i] for i in columns],
            marked=self._marked_columns(scene, columns),
        )
        self.heat.show(picture, self._pinned_cell())

    def _draw_bars(self) -> None:
        if self._focus is not None:
            self.bars.show(self.state.table)

    def _pinned_cell(self) -> tuple[int | None, int | None]:
        chosen = self.state.selection
        if chosen is None or chosen["kind"] == "unit":
            return None, None
        if chosen["kind"] == "cell":
            return chosen["query"], chosen["key"]
        if self.state.direction == "row":
            return chosen["index"], None
        return None, chosen["index"]

    def _marked_columns(self, scene: CodeScene, columns: NDArray[np.intp]) -> list[tuple[int, int]]:
        """Return the pinned unit's spans, counted in the columns shown."""
        chosen = self.state.selection
        if chosen is None or chosen["kind"] != "unit":
            return []
        spans = unit_spans(scene.units(self.state.unit_kind), chosen["name"])
        places = [np.searchsorted(columns, span).tolist() for span in spans]
        return [(start, stop) for start, stop in places if stop > start]

    def _tint(self) -> None:
        focus = self._focus
        if focus is not None:
            weights = token_weights(self.state, focus, self._hovered)
            self.text.paint(self.state.colour_scale)
            codes = colours.scale_codes(weights, self.state.scaling)  # type: ignore[arg-type]
            self.text.wire.tint = codes.tobytes()

    def _show_text(self) -> None:
        focus, scene = self._focus, self.state.code_scene
        # What was asked for last, also when it could not be run: it must not be lost.
        source = sendable(self.state.source or (scene.text if scene is not None else ""))
        if source != self.text.wire.source:
            self.text.wire.source = source
        if scene is None or focus is None:
            self.text.show(
                programs=self._programs(), title="code", editable=True,
                direction=self.state.direction, pinned=None, marked=[], window=None,
            )  # fmt: skip
            return
        if scene is not self._drawn:
            self._drawn = scene
            self._serial += 1
            self.text.show_document(serial=self._serial, lines=scene.lines)
        chosen = self.state.selection
        pinned = None
        if chosen is not None and chosen["kind"] != "unit":
            pinned = chosen.get("index", chosen.get("query"))
        self.text.show(
            programs=self._programs(),
            title=f"{scene.language or 'text'}, {scene.n_tokens:,} tokens",
            editable=scene.model is not None,
            direction=self.state.direction,
            pinned=pinned,
            marked=self._marked_tokens(scene),
            window=_window(scene),
        )

    def _marked_tokens(self, scene: CodeScene) -> list[int]:
        chosen = self.state.selection
        if chosen is None or chosen["kind"] != "unit":
            return []
        spans = unit_spans(scene.units(self.state.unit_kind), chosen["name"])
        return [token for start, stop in spans for token in range(start, stop)]

    def _programs(self) -> list[tuple[str, str]]:
        if not self._program_names:
            from explorer.examples import example_programs

            self._program_names = [(p.name, p.title) for p in example_programs()]
        return self._program_names


def _window(scene: CodeScene) -> dict[str, Any] | None:
    if not scene.truncated:
        return None
    size = scene.stop - scene.start
    return {
        "text": (
            f"The model takes {size:,} tokens at a time: tokens {scene.start + 1:,} to "
            f"{scene.stop:,} of {scene.n_total:,} are shown."
        ),
        "previous": max(0, scene.start - size) if scene.start > 0 else None,
        "next": scene.stop if scene.stop < scene.n_total else None,
    }
