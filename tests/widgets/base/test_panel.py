"""A panel draws what changed, once, and only while its tab is in front."""

from __future__ import annotations

from typing import Any

import pytest
import traitlets as t
from ipywidgets.widgets.widget import _instances

from explorer.errors import InputError
from explorer.widgets._base.panel import Panel
from explorer.widgets._jobs.job_manager import JobManager
from explorer.widgets._state import ExplorerState

from ...support.app_driver import PanelDriver
from ...support.call_counter import count_calls


class Count(t.HasTraits):
    value = t.Int(0)


class Session:
    """Takes what a page sets."""

    def __init__(self) -> None:
        self.jobs = JobManager()
        self.set: list[Any] = []

    def set_from_page(self, message: Any, _: Any = None) -> None:
        self.set.append(message)


class Drawn(Panel):
    """Writes down which of its drawings ran."""

    TAB = "traces"

    def __init__(self, state: ExplorerState, session: Session, count: Count) -> None:
        super().__init__(state, session)
        self.drawn: list[str] = []
        self.status = self.part("weights", {}, {"cancel": self.fail})
        self.widget = self.box([self.status], "ex-panel")
        self.draw_on(self.bars, "threshold", "method")
        self.draw_on(self.words, "method", "layer")
        self.draw_on(self.words, "value", of=count)
        self.begin()

    def bars(self) -> None:
        self.drawn.append("bars")

    def words(self) -> None:
        self.drawn.append("words")

    def fail(self, message: Any) -> None:
        if message.get("badly"):
            raise ZeroDivisionError
        raise InputError("This cannot be.")

    def since(self) -> list[str]:
        drawn, self.drawn = self.drawn, []
        return drawn


class Everywhere(Drawn):
    TAB = None


@pytest.fixture
def state() -> ExplorerState:
    return ExplorerState()


def test_a_change_runs_the_drawings_that_depend_on_it_in_their_order(state: ExplorerState) -> None:
    count = Count()
    state.tab = "traces"
    panel = Drawn(state, Session(), count)
    assert panel.since() == ["bars", "words"]
    state.threshold = 0.3
    assert panel.since() == ["bars"]
    state.method = "citation"
    assert panel.since() == ["bars", "words"]
    count.value = 1
    assert panel.since() == ["words"]
    state.head = 3
    assert panel.since() == []


def test_a_batch_runs_each_drawing_once(state: ExplorerState) -> None:
    state.tab = "traces"
    panel = Drawn(state, Session(), Count())
    panel.since()
    with state.batch():
        state.layer, state.method, state.threshold = 3, "citation", 0.4
        assert panel.since() == []
    assert panel.since() == ["bars", "words"]
    with state.batch():
        state.layer = 4
    assert panel.since() == ["words"]


def test_a_panel_behind_another_tab_is_not_called_and_catches_up_once(
    state: ExplorerState, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = Count()
    called = count_calls(monkeypatch, "explorer.widgets._base.panel.Panel._changed")
    panel = Drawn(state, Session(), count)
    assert not panel.in_front
    state.threshold, state.method, count.value = 0.3, "citation", 2
    assert (called, panel.since()) == ([], [])
    state.tab = "traces"
    assert panel.in_front
    assert panel.since() == ["bars", "words"]
    state.tab = "thresholds"
    called.clear()  # the threshold of the other tabs came with the tab
    state.threshold = 0.4
    count.value = 3
    assert (called, panel.since()) == ([], [])
    with state.batch():
        state.tab, state.threshold = "traces", 0.5
    assert panel.since() == ["bars", "words"]
    state.layer = 2
    assert called[-1][1]["name"] == "layer"


def test_a_tab_that_another_observer_leaves_is_not_drawn_any_more(state: ExplorerState) -> None:
    state.tab = "traces"

    def leave(_: Any) -> None:
        state.tab = "code"

    state.observe(leave, names="threshold")
    panel = Drawn(state, Session(), Count())
    panel.since()
    state.threshold = 0.3
    assert panel.since() == []


def test_a_panel_of_no_tab_is_always_in_front(state: ExplorerState) -> None:
    panel = Everywhere(state, Session(), Count())
    panel.since()
    # The threshold changes with the code tab, which has its own.
    for tab, drawn in (("traces", ["bars"]), ("thresholds", []), ("code", ["bars"])):
        state.tab = tab
        assert panel.since() == drawn
        state.layer = len(tab)
        assert panel.since() == ["words"]


def test_gestures_reach_the_session_and_their_errors_the_app(state: ExplorerState) -> None:
    session = Session()
    panel = Drawn(state, session, Count())
    message = {"kind": "set", "name": "layer", "value": 3}
    status = PanelDriver(panel.status)
    status.press("set", name="layer", value=3)
    assert session.set == [message]
    status.press("cancel")
    assert session.jobs.error == "This cannot be."
    with pytest.raises(ZeroDivisionError):  # a fault of the program is not hidden
        status.press("cancel", badly=True)


def test_a_closed_panel_leaves_nothing_behind(state: ExplorerState) -> None:
    before = set(_instances)
    count = Count()
    state.tab = "traces"
    panel = Drawn(state, Session(), count)
    panel.since()
    assert "ex-panel" in panel.widget.get_state()["_dom_classes"]
    panel.close()
    panel.close()
    state.threshold, state.tab, count.value = 0.3, "code", 5
    state.tab = "traces"
    assert panel.since() == []
    assert panel.widget.comm is None
    assert panel.widget.layout.comm is None
    assert panel.status.comm is None
    assert panel.status.wire.comm is None
    assert set(_instances) <= before
