"""The state takes what makes sense, and says what would."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from explorer.attention import DenseAttention
from explorer.errors import InputError
from explorer.feedback import HeadCombination, HeadTerm
from explorer.widgets._state import ExplorerState


@pytest.fixture
def state() -> ExplorerState:
    """Return a state that shows a map of 3 layers, 2 heads and 4 tokens."""
    made = ExplorerState()
    attention = DenseAttention(np.full((3, 2, 4, 4), 0.25))
    made.code_scene = SimpleNamespace(attention=attention, unit_names=lambda _: ["line 2"])
    return made


@pytest.mark.parametrize(
    "value", [-0.01, 1.01, float("nan"), float("inf"), 10**400, "0.1", None, True]
)
def test_thresholds_outside_0_to_1_are_refused(state: ExplorerState, value: Any) -> None:
    with pytest.raises(InputError, match="from 0 to 1"):
        state.threshold = value
    assert (state.threshold, state.threshold_mode) == (0.5, "auto")  # as the Code tab begins


@pytest.mark.parametrize("value", [0, 1, 0.5, np.float32(0.25)])
def test_thresholds_inside_are_taken(state: ExplorerState, value: float) -> None:
    state.threshold = value
    assert state.threshold == value


@pytest.mark.parametrize(
    ("name", "value"),
    [("reduction", "median"), ("normalisation", "z"), ("tab", "rag"), ("direction", "up")],
)
def test_unknown_words_are_refused_with_the_known_ones(
    state: ExplorerState, name: str, value: str
) -> None:
    before = getattr(state, name)
    with pytest.raises(InputError, match=f"^{name} must be one of .*'{before}'"):
        setattr(state, name, value)
    assert getattr(state, name) == before


def test_layers_count_from_either_end(state: ExplorerState) -> None:
    state.layer = -1
    assert state.layer == 2
    state.layer = None
    assert state.layer is None
    with pytest.raises(InputError, match="0 to 2"):
        state.layer = 3
    with pytest.raises(InputError, match="0 to 1"):
        state.head = 2


@pytest.mark.parametrize(
    "value",
    [
        {"kind": "token"},
        {"kind": "token", "index": 4},
        {"kind": "token", "index": -1},
        {"kind": "cell", "query": 0, "key": 9},
        {"kind": "word", "index": 0},
        {"index": 0},
        {"kind": "token", "index": "0"},
        {"kind": "token", "index": True},
        {"kind": "token", "index": 1.0},
        {"kind": ["token"], "index": 1},
        {"kind": "unit", "name": "line 3"},
        {"kind": "unit", "name": 2},
    ],
)
def test_selections_that_point_nowhere_are_refused(
    state: ExplorerState, value: dict[str, Any]
) -> None:
    with pytest.raises(InputError, match="selection"):
        state.selection = value
    assert state.selection is None


def test_selections_are_taken(state: ExplorerState) -> None:
    for value in (
        {"kind": "token", "index": 3},
        {"kind": "token", "index": np.int64(2)},
        {"kind": "cell", "query": 3, "key": 0},
        {"kind": "unit", "name": "line 2"},
        None,
    ):
        state.selection = value
        assert state.selection == value


def test_a_batch_runs_what_waits_once(state: ExplorerState) -> None:
    runs: list[tuple[int | None, int | None]] = []

    def run() -> None:
        runs.append((state.layer, state.head))

    state.observe(lambda _: state.after_batch(run), names=["layer", "head"])
    with state.batch():
        state.layer = 1
        state.head = 1
        assert runs == []
    assert runs == [(1, 1)]


def test_auto_is_a_mode_and_the_threshold_stays_a_number(state: ExplorerState) -> None:
    state.threshold = 0.2
    state.threshold = "auto"
    assert (state.threshold, state.threshold_mode) == (0.2, "auto")
    state.show_found_threshold(0.03)
    assert (state.threshold, state.threshold_mode) == (0.03, "auto")
    state.threshold = 0.03  # choosing what is there already is a choice too
    assert (state.threshold, state.threshold_mode) == (0.03, "fixed")


def test_a_state_may_begin_with_auto() -> None:
    state = ExplorerState(threshold="auto")
    assert (state.threshold, state.threshold_mode) == (0.5, "auto")


def test_the_code_tab_has_settings_of_its_own(state: ExplorerState) -> None:
    said: list[tuple[str, object]] = []
    names = ("tab", "threshold", "threshold_mode", "threshold_scale", "normalisation")
    state.observe(lambda change: said.append((change["name"], change["new"])), names=list(names))
    assert (state.threshold_mode, state.threshold_scale, state.normalisation) == (
        "auto",
        "linear",
        "lift",
    )
    state.tab = "traces"
    now = [state.threshold, state.threshold_mode, state.threshold_scale, state.normalisation]
    assert now == [0.1, "fixed", "log", "raw"]  # the reference settings
    assert said[0] == ("tab", "traces")
    assert dict(said) == dict(zip(names, ["traces", *now], strict=True))
    state.threshold, state.normalisation = 0.3, "share"
    state.tab = "thresholds"
    assert (state.threshold, state.normalisation) == (0.3, "share")
    state.tab = "code"
    assert (state.threshold, state.threshold_mode, state.normalisation) == (0.5, "auto", "lift")
    state.tab = "traces"
    assert (state.threshold, state.threshold_mode, state.normalisation) == (0.3, "fixed", "share")


def test_a_set_of_heads_outlives_a_look_at_the_code(state: ExplorerState) -> None:
    state.tab = "traces"
    heads = HeadCombination((HeadTerm("answer", 1, 0, 1.0),))
    state.heads = heads
    state.tab = "code"
    state.tab = "traces"
    assert state.heads == heads
