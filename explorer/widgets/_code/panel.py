"""The code tab: heatmap, code as tinted tokens, and feedback bars of one code scene."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.figures import colours
from explorer.widgets._attention.bars_view import BarsView
from explorer.widgets._attention.head_view import Focus
from explorer.widgets._attention.heatmap_picture import Picture
from explorer.widgets._attention.heatmap_view import HeatView
from explorer.widgets._attention.selection import unit_spans
from explorer.widgets._attention.tint_weights import token_weights
from explorer.widgets._attention.view_sentences import named_token
from explorer.widgets._base.panel import Panel
from explorer.widgets._base.panel_part import sendable
from explorer.widgets._code import texts
from explorer.widgets._code.scene import CodeScene, visible_positions
from explorer.widgets._session import Session
from explorer.widgets._state import ExplorerState

_HEATMAP = (
    "focus", "hide_special", "hide_sink", "colour_scale", "colour_range", "scaling",
    "selection", "direction",
    "unit_kind",
)  # fmt: skip
_TINT = ("focus", "direction", "selection", "colour_scale", "scaling", "hide_sink")
_TEXT = (
    "focus", "selection", "direction", "source", "code_scene", "unit_kind", "language",
    "reading_hint",
)  # fmt: skip


class CodePanel(Panel):
    """Draws the code tab: heatmap and bars first, the tinted code a moment later."""

    TAB = "code"

    def __init__(self, state: ExplorerState, session: Session) -> None:
        super().__init__(state, session)
        self._models, self._controller = session.models, session.code
        self.heat = HeatView(state, session.jobs, name=texts.HEATMAP)
        self.bars = BarsView(state, name=texts.BARS)
        gestures = {
            "run": self._record,
            "editing": lambda _: self._models.warm_up(),
            "pin": lambda message: self._pin(message.get("index")),
            "hover": lambda message: self._hover(message.get("index")),
            "window": lambda message: self._controller.record(int(message["start"])),
            "example": lambda message: self._example(message["name"]),
        }
        self.text = self.part("code_text", texts.PAGE_TEXTS["code_text"], gestures)
        plots = self.keep(self.heat.plot), self.keep(self.bars.plot)
        self.widget = self.box([plots[0], self.text, plots[1]], "ex-panel", "ex-code-panel")
        self._live = session.live
        self._serial = 0
        self._drawn: CodeScene | None = None
        self._hovered: int | None = None
        self.heat.on_pick = self._pick_cell
        self.bars.on_pick = self._pick_unit
        self.heat.plot.observe(self._zoomed, "zoom")
        self.draw_on(self._draw_heat, *_HEATMAP)
        self.draw_on(self._draw_bars, *BarsView.DRAWN_BY)
        self.draw_on(self._tint, *_TINT, later=True)
        self.draw_on(self._show_text, *_TEXT, later=True)
        self.begin()

    # gestures

    def _record(self, message: Mapping[str, Any]) -> None:
        source = message["source"]
        if source == self.state.source:
            self._controller.record(afresh=True)
        else:
            self.state.source = source

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

    def _pick_cell(self, query: int, key: int) -> None:
        picked = {"kind": "cell", "query": query, "key": key}
        self.state.selection = None if self.state.selection == picked else picked

    def _pick_unit(self, name: str) -> None:
        picked = {"kind": "unit", "name": name}
        self.state.selection = None if self.state.selection == picked else picked

    def _hover(self, index: Any) -> None:
        self._hovered = index if isinstance(index, int) else None
        self._tint()

    # drawing

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
        # The newest code, also if it could not be run: the user's text must not be lost.
        source = sendable(self.state.source or (scene.text if scene is not None else ""))
        if source != self.text.wire.source:
            self.text.wire.source = source
        if scene is None or focus is None:
            self.text.show(
                programs=self._programs, title=texts.NO_CODE, language=self.state.language,
                languages=texts.language_choices(None), editable=True, live=self._live,
                direction=self.state.direction, bars_title="", reading_hint=False, pinned=None,
                marked=[], window=None,
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
            programs=self._programs,
            title=texts.code_title(scene.language, scene.n_tokens),
            language=self.state.language,
            languages=texts.language_choices(scene.found),
            editable=scene.model is not None,
            live=self._live,
            direction=self.state.direction,
            bars_title=self._bars_title(scene),
            reading_hint=self.state.reading_hint,
            pinned=pinned,
            marked=self._marked_tokens(scene),
            window=_window(scene),
        )

    def _bars_title(self, scene: CodeScene) -> str:
        chosen = self.state.selection
        if chosen is None or chosen["kind"] == "unit":
            return texts.bars_title(None, "row")
        if chosen["kind"] == "cell":
            return texts.bars_title(named_token(scene, chosen["query"]), "row")
        return texts.bars_title(named_token(scene, chosen["index"]), self.state.direction)

    def _zoomed(self, change: Mapping[str, Any]) -> None:
        """Scroll the text to where the heatmap was zoomed to."""
        if change["new"] is not None and self.in_front:
            row = self.heat.row_at(change["new"][2])
            if row is not None:
                self.text.tell({"kind": "reveal", "index": row})

    def _marked_tokens(self, scene: CodeScene) -> list[int]:
        chosen = self.state.selection
        if chosen is None or chosen["kind"] != "unit":
            return []
        spans = unit_spans(scene.units(self.state.unit_kind), chosen["name"])
        return [token for start, stop in spans for token in range(start, stop)]

    @cached_property
    def _programs(self) -> list[tuple[str, str]]:
        """Name and title of every example program."""
        from explorer.examples import example_programs

        return [(program.name, program.title) for program in example_programs()]


def _window(scene: CodeScene) -> dict[str, Any] | None:
    if not scene.truncated:
        return None
    size = scene.stop - scene.start
    return {
        "text": texts.window(size, scene.start + 1, scene.stop, scene.n_total),
        "previous": max(0, scene.start - size) if scene.start > 0 else None,
        "next": scene.stop if scene.stop < scene.n_total else None,
    }
