"""Base of the panels: they draw the state, and answer gestures of the page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Protocol, TypeVar

import ipywidgets
import traitlets as t

from explorer.errors import ExplorerError
from explorer.widgets._base.panel_part import PanelPart
from explorer.widgets._jobs.debouncer import Debouncer
from explorer.widgets._jobs.job_manager import JobManager
from explorer.widgets._state import ExplorerState

Drawing = Callable[[], None]
Gesture = Callable[[Mapping[str, Any]], None]
Widget = TypeVar("Widget", bound=ipywidgets.DOMWidget)


class PanelSession(Protocol):
    """What a panel needs of the session."""

    jobs: JobManager

    def set_from_page(self, message: Mapping[str, Any], _: Any = None) -> None:
        """Set a trait that the page asks for."""


class Panel:
    """Draws a part of the state in widgets.

    A subclass creates its widgets (`part`, `box`, `keep`), says with `draw_on` which traits each of
    its drawings depends on, and calls `begin`. From then on a change runs the drawings that depend
    on it, in the order in which they were given. A panel of a tab follows changes only while its
    tab is in front; every drawing runs once when the tab comes to the front.

    Parameters
    ----------
    state
        The state to draw.
    session
        Sets what the page asks for, and shows errors.

    Attributes
    ----------
    widget
        The widget of the whole panel; set by the subclass.
    """

    TAB: ClassVar[str | None] = None
    """The tab that the panel belongs to; None for a panel that every tab shows."""

    widget: ipywidgets.DOMWidget

    def __init__(self, state: ExplorerState, session: PanelSession) -> None:
        self.state = state
        self.session = session
        self._drawings: list[Drawing] = []
        self._owners: dict[int, t.HasTraits] = {}
        self._drawn_by: dict[int, dict[str, list[Drawing]]] = {}
        self._waiting: list[Drawing] = []
        self._debouncers: dict[Drawing, Debouncer] = {}
        self._kept: list[Any] = []
        self._in_front = False
        self._closed = False

    # following

    def draw_on(
        self,
        drawing: Drawing,
        *names: str,
        of: t.HasTraits | None = None,
        later: bool = False,
    ) -> None:
        """Run a drawing when one of these traits changes, and whenever all is drawn.

        Parameters
        ----------
        drawing
            Called without arguments.
        names
            Names of traits.
        of
            What the traits belong to; the state when left out.
        later
            Run it a moment after a change, so that what matters more is on the page first. Many
            changes in that time run it once.
        """
        if drawing not in self._drawings:
            self._drawings.append(drawing)
        if later:
            self._debouncers.setdefault(drawing, Debouncer(lambda: self._draw_in_front(drawing)))
        owner = self.state if of is None else of
        self._owners[id(owner)] = owner
        by_name = self._drawn_by.setdefault(id(owner), {})
        for name in names:
            drawings = by_name.setdefault(name, [])
            if drawing not in drawings:
                drawings.append(drawing)
                drawings.sort(key=self._drawings.index)

    def begin(self) -> None:
        """Start to follow the state; draw if the panel is in front."""
        if self.TAB is not None:
            self.state.observe(self._on_tab, names="tab")
        self._on_tab()

    @property
    def in_front(self) -> bool:
        """Whether the panel follows the state: its tab is in front."""
        return self._in_front

    def redraw(self) -> None:
        """Run every drawing, if the panel is in front."""
        self._waiting.clear()
        if self._in_front:
            for drawing in self._drawings:
                drawing()

    def _on_tab(self, _: Any = None) -> None:
        in_front = self.TAB is None or self.state.tab == self.TAB
        if in_front != self._in_front:
            self._in_front = in_front
            self._follow(in_front)
            if self.state.batching:
                self.state.after_batch(self.redraw)
            else:
                self.redraw()

    def _follow(self, following: bool) -> None:
        for key, owner in self._owners.items():
            ask = owner.observe if following else owner.unobserve
            ask(self._changed, names=list(self._drawn_by[key]))

    def _changed(self, change: Mapping[str, Any]) -> None:
        if not self._in_front:  # the tab was changed by what heard of this change before
            return
        drawings = self._drawn_by[id(change["owner"])][change["name"]]
        if self.state.batching:
            self._waiting += drawings
            self.state.after_batch(self._draw_waiting)
            return
        for drawing in drawings:
            self._draw_or_ask(drawing)

    def _draw_or_ask(self, drawing: Drawing) -> None:
        if drawing in self._debouncers:
            self._debouncers[drawing].ask()
        else:
            drawing()

    def _draw_in_front(self, drawing: Drawing) -> None:
        if self._in_front:
            drawing()

    def _draw_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        if self._in_front:
            for drawing in self._drawings:
                if drawing in waiting:
                    self._draw_or_ask(drawing)

    # widgets

    def keep(self, widget: Widget, *classes: str) -> Widget:
        """Return a widget that is closed with the panel; give it these CSS classes."""
        for name in classes:
            widget.add_class(name)
        self._kept.append(widget)
        return widget

    def box(self, children: Iterable[ipywidgets.DOMWidget], *classes: str) -> ipywidgets.Box:
        """Return a box of widgets that is closed with the panel."""
        return self.keep(ipywidgets.Box(list(children)), *classes)

    def part(
        self,
        name: str,
        texts: Mapping[str, Any],
        gestures: Mapping[str, Gesture] | None = None,
        *,
        styled: bool = False,
    ) -> PanelPart:
        """Return a part of the panel that the page draws.

        Parameters
        ----------
        name
            Name of the part: one of `frontend/src/panels/index.ts`.
        texts
            Its words that never change.
        gestures
            Kind of message -> what answers it, called with the message. Setting a trait of the
            state is answered already.
        styled
            Whether the part brings the app's style sheet.
        """
        part = self.keep(PanelPart(name, texts, styled=styled))
        part.refused = self.session.jobs.tell
        part.on("set", self.session.set_from_page)
        for kind, gesture in (gestures or {}).items():
            self.answer(part, kind, gesture)
        return part

    def answer(self, part: PanelPart, kind: str, gesture: Gesture) -> None:
        """Let `gesture(message)` answer messages of a kind; the app shows an error it raises."""

        def handle(message: Mapping[str, Any], _: list[memoryview]) -> None:
            try:
                gesture(message)
            except (ExplorerError, t.TraitError) as error:
                self.session.jobs.tell(error)

        part.on(kind, handle)

    def close(self) -> None:
        """Stop following and take the widgets off every page."""
        if self._closed:
            return
        self._closed = True
        if self._in_front:
            self._follow(False)
            self._in_front = False
        if self.TAB is not None:
            self.state.unobserve(self._on_tab, names="tab")
        for debouncer in self._debouncers.values():
            debouncer.close()
        for widget in self._kept:
            widget.layout.close()
            widget.close()
