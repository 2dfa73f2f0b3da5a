"""Code is looked at, not used; what a pin cannot see differs from a score of 0."""

from __future__ import annotations

import numpy as np
import pytest

from explorer import Explorer
from explorer.source import visible_text

from ...support.app_driver import AppDriver


def _causal(n: int) -> np.ndarray:
    weights = np.tril(np.random.default_rng(1).random((n, n)) + 0.01)
    weights[:, 0] += 5.0  # a sink
    return weights / weights.sum(axis=1, keepdims=True)


def _bars(page: AppDriver) -> dict[str, list[str]]:
    figure = page.plots["code_bars"].plot.figure
    return {trace["name"]: trace["text"] for trace in figure["data"] if "text" in trace}


def test_bars_and_counts_say_what_fits_code() -> None:
    app = Explorer(threshold=0.02, selection=None, layer=21)
    page = AppDriver(app)
    words = [word for word, *_ in page.toolbar["counts"]]
    assert words == ["looked at", "a little", "hardly looked at"]
    said = {text.split("</span> ")[1] for text in _bars(page)["verdict"]}
    assert said <= {"looked at", "a little", "hardly looked at"}
    assert set(app.feedback["verdict"]) <= {"used", "near", "not used"}  # for programs
    page.open("traces")
    assert [word for word, *_ in page.toolbar["counts"]][:3] == ["used", "near", "not used"]


def test_what_comes_after_the_pin_cannot_be_seen_from_there() -> None:
    app = Explorer()
    app.selection = {"kind": "token", "index": 30}  # line 4 of 9
    page = AppDriver(app)
    later = app.feedback[app.feedback["verdict"] == "unknown"]
    assert later["unit"].tolist() == [f"line {number}" for number in (5, 6, 7, 8, 9)]
    (count,) = [entry for entry in page.toolbar["counts"] if entry[0] == "comes later"]
    assert count[1] == 5
    assert [text.split("</span> ")[1] for text in _bars(page)["verdict"]][-5:] == [
        "comes later"
    ] * 5
    app.selection = {"kind": "unit", "name": "line 9"}
    assert "cannot" not in page.status["sentence"]  # nothing is pinned that could not see it


def test_a_hidden_sink_has_no_part_in_the_scores() -> None:
    weights = _causal(12)
    app = Explorer.from_attention(
        weights, list("abcdefghijkl"), normalisation="share", hide_sink=True
    )
    scores = app.feedback["score"].to_numpy()
    assert np.isnan(scores[0])
    seen = weights[:, 1:].mean(axis=0)
    np.testing.assert_allclose(scores[1:], seen / seen.sum(), rtol=1e-5)
    notes = [note for note, _ in AppDriver(app).status["notes"]]
    assert "sink left out" in notes
    app.hide_sink = False
    assert app.feedback["score"][0] == pytest.approx(weights[:, 0].mean(), rel=1e-5)


def test_a_unit_is_scored_by_the_tokens_that_the_pin_can_see() -> None:
    app = Explorer(normalisation="lift")
    app.selection = {"kind": "token", "index": 24}  # in the middle of line 3
    scene = app.code_scene
    (line,) = [unit for unit in scene.units("line") if unit.name == "line 3"]
    assert line.positions[0] < 24 < line.positions[-1]
    row = app.feedback.set_index("unit").loc["line 3"]
    assert row["tokens"] == sum(line.positions <= 24)
    mass = scene.attention.weights(app.layer, app.head, rows=[24])[0]
    inside = np.concatenate([unit.positions for unit in scene.units("line")])
    inside = inside[(inside > 0) & (inside <= 24)]
    own = [place for place in line.positions if place <= 24]
    lift = mass[own].sum() / mass[inside].sum() * len(inside) / len(own)
    assert row["score"] == pytest.approx(lift / (1 + lift), rel=1e-4)


def test_all_columns_of_ones_own_matrix_are_shown_with_their_tokens() -> None:
    weights = np.full((6, 6), 1 / 6)
    app = Explorer.from_attention(weights, ["cls", "a", "b", "  ", "c", "sep"])
    page = AppDriver(app)
    assert page.plots["code_heatmap"].plot.on_exact(range(6))[0].shape == (6,)
    assert _bars(page)["text"] == ["cls", "a", "b", visible_text("  "), "c", "sep"]
