"""A recommendation that is shown can be left again, with everything as it was before."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.traces import Hyperedge, Trace
from explorer.validation import Recommendation, calibrate
from explorer.widgets._explorer import Explorer
from explorer.widgets._jobs.job_runner import JobReport

LAYERS, HEADS, UNITS = 3, 2, 5


def trace(seed: int) -> Trace:
    """Two of five are used; two heads look at them, unsurely."""
    rng = np.random.default_rng(seed)
    edges = [Hyperedge(f"h{i}", f"Fact {i}.", label=i < 2) for i in range(UNITS)]
    attention = rng.random((LAYERS, HEADS, UNITS)) / 9
    for layer, head in ((1, 0), (2, 1)):
        attention[layer, head, :2] += 0.06
    found = {"unit_attention": attention, "unit_tokens": [5] * UNITS}
    return Trace(f"t{seed}", "What is so?", edges, "This is so.", found)


@pytest.fixture(scope="module")
def found() -> tuple[list[Trace], Recommendation]:
    traces = [trace(seed) for seed in range(24)]
    recommendation = calibrate(traces, repeats=1, samples=50)
    assert recommendation.accepted
    assert "heads" in recommendation.config
    return traces, recommendation


@pytest.fixture
def app(found: tuple[list[Trace], Recommendation], monkeypatch: pytest.MonkeyPatch) -> Explorer:
    app = Explorer.from_traces(found[0], tab="thresholds", layer=2, head=0, threshold=0.25)
    monkeypatch.setattr("explorer.validation.calibrate", lambda *_, **__: found[1])
    press(app, "recommend")
    app.wait()
    return app


def press(app: Explorer, kind: str) -> None:
    app._thresholds_panel.figures._handlers[kind]({}, [])


def is_shown(app: Explorer) -> bool:
    shown: bool = app._thresholds_panel.figures.wire.content["recommended"]["shown"]
    return shown


def test_everything_is_as_it_was(app: Explorer) -> None:
    app.method = "citation"
    assert not is_shown(app)
    press(app, "take")
    taken = app.threshold
    assert (app.method, taken == 0.25, is_shown(app)) == ("attention", False, True)
    press(app, "go back")
    assert (app.method, app.layer, app.head, app.threshold) == ("citation", 2, 0, 0.25)
    assert app.heads is None
    assert not is_shown(app)
    # What moved meanwhile is shown no longer as recommended.
    press(app, "take")
    app.threshold = 0.9
    assert not is_shown(app)


@pytest.mark.parametrize("leave", ["heads", "layer"])
@pytest.mark.parametrize("own", [None, 0.4])
def test_a_set_that_is_taken_away_takes_its_threshold_along(
    app: Explorer, own: float | None, leave: str
) -> None:
    press(app, "take")
    assert app.threshold != 0.25
    if own is not None:
        app.threshold = own
    app._session.set_from_page({"name": leave, "value": {"heads": None, "layer": 1}[leave]})
    # One that was set since is the user's own, and stays.
    assert (app.threshold, app.heads) == (own or 0.25, None)


def test_leaving_a_set_of_ones_own_leaves_the_threshold(app: Explorer) -> None:
    press(app, "take")
    heads = app.heads
    press(app, "go back")
    app.heads = heads
    app.threshold = 0.6
    app._session.set_from_page({"name": "heads", "value": None})
    assert (app.threshold, app.heads) == (0.6, None)


def test_the_header_says_loading_while_a_model_is_loaded_and_no_longer(
    app: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = app._session.models
    name = app.model
    models.status = {"kind": "busy", "text": "loading"}
    app._session.jobs.reports = {"ablating": JobReport("ablating", "trace 1 of 9")}
    assert models.status["text"] == "loading"
    monkeypatch.setitem(models._models, name, None)
    app._session.jobs.reports = {"ablating": JobReport("ablating", "trace 2 of 9")}
    assert models.status["text"] == "ready"


def test_choosing_can_be_stopped_where_it_was_begun(
    app: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped: list[str | None] = []
    monkeypatch.setattr(app._session, "cancel", stopped.append)
    press(app, "cancel recommend")
    assert stopped == ["recommend"]
    assert app._thresholds_panel.figures.wire.content["recommending"] is False
