"""A recommendation that is shown can be left again, with everything as it was before."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from explorer.traces import Hyperedge, Trace
from explorer.validation import CrossValidation, Recommendation, Resampling, calibrate
from explorer.widgets._explorer import Explorer
from explorer.widgets._session import Session

from ...support.app_driver import AppDriver, until

pytestmark = pytest.mark.slow

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
    recommendation = calibrate(
        traces, cross_validation=CrossValidation(repeats=1), resampling=Resampling(samples=50)
    )
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
    page = AppDriver(app)
    page.figures.press(kind)


def is_shown(app: Explorer) -> bool:
    page = AppDriver(app)
    shown: bool = page.figures["recommended"]["shown"]
    return shown


def test_everything_is_as_it_was(app: Explorer) -> None:
    app.method = "citation"
    assert not is_shown(app)
    press(app, "take")
    taken = app.threshold
    assert (app.method, taken == 0.25, is_shown(app)) == ("attention", False, True)
    press(app, "go_back")
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
    AppDriver(app).choose(leave, {"heads": None, "layer": 1}[leave])
    # One that was set since is the user's own, and stays.
    assert (app.threshold, app.heads) == (own or 0.25, None)


def test_leaving_a_set_of_ones_own_leaves_the_threshold(app: Explorer) -> None:
    press(app, "take")
    heads = app.heads
    press(app, "go_back")
    app.heads = heads
    app.threshold = 0.6
    AppDriver(app).choose("heads", None)
    assert (app.threshold, app.heads) == (0.6, None)


def test_the_header_says_loading_while_a_model_is_loaded_and_no_longer(
    found: tuple[list[Trace], Recommendation], monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded, measured = threading.Event(), threading.Event()

    def load_model(name: str, **_: object) -> SimpleNamespace:
        loaded.wait(60)
        return SimpleNamespace(name=name)

    def ablate(some: object, *_: object, **__: object) -> object:
        measured.wait(60)
        return some

    monkeypatch.setattr("explorer.models.load_model", load_model)
    monkeypatch.setattr("explorer.validation.ablate", ablate)

    async def main() -> None:
        app = Explorer.from_traces(found[0], tab="thresholds", truth="ablation")
        page = AppDriver(app)
        await until(lambda: page.figures["offer"])
        page.figures.press("measure")
        assert page.header["status"]["text"] == "loading"
        app.reference_threshold = 0.3
        assert page.header["status"]["text"] == "loading"
        loaded.set()
        # The model is there, and the work with it goes on.
        await until(lambda: "ablating" in page.jobs and followed(app, page))
        page.figures.press("stop")
        measured.set()
        app.close()

    def followed(app: Explorer, page: AppDriver) -> bool:
        app.method = "citation" if app.method == "attention" else "attention"
        return page.header["status"]["text"] == "ready"

    asyncio.run(main())


def test_choosing_can_be_stopped_where_it_was_begun(
    app: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = AppDriver(app)
    stopped: list[str | None] = []
    monkeypatch.setattr(Session, "cancel", lambda _, job=None: stopped.append(job))
    press(app, "cancel_recommend")
    assert stopped == ["recommend"]
    assert page.figures["recommending"] is False
