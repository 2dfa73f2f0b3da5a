"""The threshold mode "auto" in the app: found for each view, shown, and left by a drag."""

from __future__ import annotations

import json

import numpy as np
import pytest

from explorer import Explorer
from explorer.traces import TraceSet

from ..support.app_driver import AppDriver
from .scored_traces import scored_trace


def _traces() -> TraceSet:
    scores = {"one": [0.02, 0.5, 0.04], "two": [0.002, 0.004, 0.05]}
    return TraceSet([scored_trace(name, given, [None] * 3) for name, given in scores.items()])


@pytest.fixture
def app() -> Explorer:
    return Explorer.from_traces(_traces(), threshold="auto")


def test_each_trace_gets_its_own(app: Explorer) -> None:
    assert app.threshold_mode == "auto"
    assert app.threshold == pytest.approx(0.27)
    assert app.feedback["verdict"].tolist() == ["not used", "used", "not used"]
    app.trace = 1
    assert app.threshold == pytest.approx(0.027)
    assert app.threshold_mode == "auto"
    assert app.feedback["verdict"].tolist() == ["not used", "not used", "used"]


def test_the_page_hears_of_it(app: Explorer) -> None:
    page = AppDriver(app)
    shown = page.toolbar.content
    assert shown["threshold_mode"] == "auto"
    assert shown["threshold"] == pytest.approx(0.27)
    assert "the largest gap" in shown["threshold_found"]
    page.plots["trace_bars"].drag(0.3)
    assert (app.threshold, app.threshold_mode) == (0.3, "fixed")
    assert page.toolbar.content["threshold_mode"] == "fixed"
    assert page.toolbar.content["threshold_found"] is None
    page.choose("threshold_mode", "auto")
    assert app.threshold == pytest.approx(0.27)


def test_a_found_threshold_is_worked_out_once(app: Explorer) -> None:
    tables = []
    app.observe(lambda change: tables.append(change["new"]), names="table")
    app.trace = 1
    assert [table.attrs["threshold"] for table in tables if table is not None] == [
        pytest.approx(0.027)
    ]


def test_the_thresholds_tab_keeps_one_number(app: Explorer) -> None:
    app.tab = "thresholds"
    app.trace = 1
    assert app.threshold == pytest.approx(0.27)


def test_settings_and_config_say_auto(app: Explorer) -> None:
    assert app.settings()["threshold"] == "auto"
    again = Explorer.from_traces(_traces(), **json.loads(json.dumps(app.settings())))
    assert (again.threshold_mode, again.threshold) == ("auto", pytest.approx(0.27))


def test_code_in_lift_is_compared_with_what_length_predicts() -> None:
    weights = np.tril(np.ones((4, 4)))
    weights /= weights.sum(axis=1, keepdims=True)
    app = Explorer.from_attention(weights, list("abcd"), threshold="auto", normalisation="lift")
    assert app.threshold == 0.5
    app.normalisation = "raw"
    scores = np.sort(app.feedback["score"].to_numpy())
    place = int(np.argmax(np.diff(scores)))
    assert app.threshold == pytest.approx(scores[place : place + 2].mean())
