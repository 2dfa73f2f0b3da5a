from __future__ import annotations

import asyncio
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.errors import InputError, ShapeError
from explorer.feedback import Unit, scores_table
from explorer.rag._weights.update_order import update_order
from explorer.rag._weights.updater import WeightUpdater
from explorer.rag._weights.weight_trajectory import follow_weights, weight_trajectory

THREE_TRACES = [{"he1": 0.0, "he2": 0.5}, {"he3": 1.0}, {"he1": 1.0}]


def test_weights_by_hand():
    table = weight_trajectory(THREE_TRACES)
    # he1: 0.9 * 0.99 = 0.891, then (0.8019 + 0.1) * 0.99; he2: 0.95 * 0.99; he3: 1 * 0.99
    np.testing.assert_allclose(table["weight"], [0.891, 0.9405, 0.99, 0.892881])
    np.testing.assert_allclose(table["before"], [1, 1, 1, 0.891])
    assert table["step"].tolist() == [1, 1, 2, 3]
    assert table["trace"].tolist() == [1, 1, 2, 3]
    assert table["unit"].tolist() == ["he1", "he2", "he3", "he1"]
    assert table["hyperedge"].tolist() == [0, 1, 2, 0]
    assert set(table["lower"]) == {0.25}
    assert set(table["upper"]) == {1.0}
    assert table.attrs["identity"] == "id"


def test_start_and_quality_by_key_or_one_for_all():
    table = weight_trajectory(
        THREE_TRACES, {"strategy": "additive"}, start={"he1": 0.5}, quality={"he3": 0.8, "x": 1}
    )
    # he1: 0.45 * 0.99, then 0.4955 * 0.99; he2: 0.99; he3: 1.05 * 0.99, below 1.6
    np.testing.assert_allclose(table["weight"], [0.4455, 0.99, 1.0395, 0.490545])
    table = weight_trajectory(THREE_TRACES, start=0.5, quality=[0.8, 0.8, 2.0])
    # he1: 0.45 * 0.99 = 0.4455; he2: 0.5 * 0.99; he3: 0.55 * 0.99 is lifted to 1; he1 at last
    np.testing.assert_allclose(table["weight"], [0.4455, 0.495, 1.0, 0.4959405])


def test_unknown_feedback_moves_nothing():
    table = weight_trajectory([("a", "he1", 0.0), ("b", "he1", None), ("c", "he1", 1.0)])
    np.testing.assert_allclose(table["weight"], [0.891, 0.891, 0.892881])
    table = weight_trajectory([("a", "he1", math.nan)])
    assert table["weight"].tolist() == [1.0]


def test_feedback_is_applied_trace_by_trace():
    rows = [("a", "he1", 0.0), ("b", "he1", 1.0), ("a", "he1", 0.5), ("a", "he2", 1.0)]
    table = weight_trajectory(rows)
    assert table["step"].tolist() == [1, 2, 1, 1]
    # he1 in the order 0, 0.5, 1: 0.891; (0.8019 + 0.05) * 0.99 = 0.843381; (0.7590429 + 0.1) * 0.99
    np.testing.assert_allclose(table["weight"], [0.891, 0.850452471, 0.843381, 0.99])
    np.testing.assert_allclose(table["before"], [1.0, 0.843381, 0.891, 1.0])


SIGNALS = st.one_of(st.floats(0, 1), st.just(math.nan))


@given(
    rows=st.lists(st.tuples(st.integers(0, 5), st.sampled_from("abcd"), SIGNALS), max_size=40),
    strategy=st.sampled_from(["ema", "additive", "multiplicative"]),
    start=st.fixed_dictionaries({}, optional={name: st.floats(0, 3) for name in "abc"}),
    quality=st.fixed_dictionaries({}, optional={name: st.floats(0, 2) for name in "bcd"}),
)
def test_a_trajectory_is_what_the_updater_does(rows, strategy, start, quality):
    table = weight_trajectory(rows, {"strategy": strategy}, start=start, quality=quality)
    nodes = {
        name: {"weight": start.get(name, 1.0), "quality_score": quality.get(name, 0.5)}
        for name in "abcd"
    }
    updater = WeightUpdater(nodes, {"strategy": strategy})
    first = list(dict.fromkeys(trace for trace, _, _ in rows))
    expected = {}
    for at in sorted(range(len(rows)), key=lambda at: first.index(rows[at][0])):
        _, name, signal = rows[at]
        if not math.isnan(signal):
            asyncio.run(updater.update_weights(name, signal))
        expected[at] = nodes[name].get("dynamic_weight", nodes[name]["weight"])
    assert table["weight"].tolist() == [expected[at] for at in range(len(rows))]


def rows_with_texts(*rows):
    return pd.DataFrame(rows, columns=["trace", "unit", "text", "feedback"])


def test_ids_that_only_count_are_told_apart_by_text():
    rows = rows_with_texts(
        ("q1", "h1", "The Nile", 0.0), ("q1", "h2", "The Rhine", 0.0),
        ("q2", "h1", "The Rhine", 0.0), ("q2", "h2", "", 0.0), ("q3", "h2", "", 0.0),
    )  # fmt: skip
    order, _ = update_order(rows)
    assert order.identity == "text"
    assert order.keys == ("The Nile", "The Rhine", "h2")
    assert order.hyperedges.tolist() == [0, 1, 1, 2, 2]
    assert order.name(1) == "The Rhine"
    by_id, _ = update_order(rows, "id")
    assert by_id.keys == ("h1", "h2")
    assert by_id.hyperedges.tolist() == [0, 1, 0, 1, 1]
    by_trace, _ = update_order(rows, "trace")
    assert by_trace.keys == (("q1", "h1"), ("q1", "h2"), ("q2", "h1"), ("q2", "h2"), ("q3", "h2"))
    assert by_trace.name(2) == "q2 · h1"
    table = weight_trajectory(rows, start={"The Rhine": 0.5})
    np.testing.assert_allclose(table["before"], [1, 0.5, 0.4455, 1, 0.891])


def test_a_text_is_not_the_id_that_reads_the_same():
    rows = rows_with_texts(("q1", "h1", "h2", 0.0), ("q2", "h2", "", 0.0))
    order, _ = update_order(rows, "text")
    assert order.hyperedges.tolist() == [0, 1]


def test_ids_with_one_text_each_are_the_identity():
    rows = rows_with_texts(("q1", "h1", "The Nile", 0.0), ("q2", "h1", "The Nile", 1.0))
    assert update_order(rows)[0].identity == "id"
    assert update_order([("q1", "h1", 0.5, "A"), ("q2", "h1", 0.5, "B")])[0].identity == "text"


def test_feedback_tables_one_for_each_trace():
    units = [
        Unit.from_spans("he1", "The Nile", [(0, 1)]),
        Unit.from_spans("he2", "Cologne", [(1, 2)]),
    ]
    tables = [scores_table(np.array([0.5, 0.0]), units), scores_table(np.array([0.0]), units[:1])]
    table = weight_trajectory(tables)
    # feedback 1 and 0.3, then 0.3: 0.99; 0.93 * 0.99; (0.891 + 0.03) * 0.99
    np.testing.assert_allclose(table["weight"], [0.99, 0.9207, 0.91179])
    assert table["text"].tolist() == ["The Nile", "Cologne", "The Nile"]


def test_no_rows():
    for rows in ([], pd.DataFrame({"trace": [], "unit": [], "feedback": []})):
        assert weight_trajectory(rows).empty
        order, feedback = update_order(rows)
        trajectory = follow_weights(order, feedback)
        assert trajectory.most_moved().tolist() == []
        assert trajectory.lines([]).empty
        assert trajectory.final().tolist() == []
        assert trajectory.band()["step"].tolist() == [0]


def test_the_most_moved():
    order, feedback = update_order(THREE_TRACES)
    trajectory = follow_weights(order, feedback)
    # from the start 1: he1 to 0.891, he2 to 0.9405, he3 to 0.99
    np.testing.assert_allclose(trajectory.moved(), [0.109, 0.0595, 0.01])
    assert trajectory.most_moved(2).tolist() == [0, 1]
    assert trajectory.most_moved(2, keep=2).tolist() == [0, 2]
    np.testing.assert_allclose(trajectory.final(), [0.892881, 0.9405, 0.99])
    # he2 falls to its upper bound 0.4 at once: this does not count as movement
    trajectory = follow_weights(order, feedback, quality={"he2": 0.2})
    np.testing.assert_allclose(trajectory.moved(), [0.109, 0.0, 0.01])


def test_lines_begin_before_the_first_trace():
    order, feedback = update_order(THREE_TRACES)
    lines = follow_weights(order, feedback).lines([0, 2])
    assert lines["hyperedge"].tolist() == [0, 0, 0, 2, 2]
    assert lines["step"].tolist() == [0, 1, 3, 0, 2]
    assert lines["trace"].tolist() == ["", "1", "3", "", "2"]
    np.testing.assert_allclose(lines["weight"], [1, 0.891, 0.892881, 1, 0.99])
    assert lines["updates"].tolist() == [2, 2, 2, 1, 1]
    assert lines.attrs["steps"] == 3


def test_long_lines_are_thinned_to_the_last_of_each_stretch():
    order, feedback = update_order([{"he1": 0.5 + (at % 2) / 2} for at in range(1000)])
    trajectory = follow_weights(order, feedback)
    lines = trajectory.lines([0], points=100)
    assert 90 <= len(lines) <= 102
    assert lines["step"].iloc[-1] == 1000
    assert lines["weight"].iloc[-1] == trajectory.weights[-1]
    np.testing.assert_array_equal(
        lines["weight"][1:], trajectory.weights[lines["step"][1:].to_numpy() - 1]
    )


def test_the_band_by_hand():
    # Eleven hyperedges that start at 0, 0.1, ..., 1; the first trace moves only the lowest, to 1.
    first = {f"he{at}": math.nan for at in range(11)} | {"he0": 1.0}
    order, feedback = update_order([first])
    start = np.arange(11) / 10
    config = {"update_alpha": 1, "decay_factor": 1}
    band = follow_weights(order, feedback, config, start=start).band()
    assert band["step"].tolist() == [0, 1]
    np.testing.assert_allclose(band[0.1], [0.1, 0.2], atol=1e-6)
    np.testing.assert_allclose(band[0.25], [0.25, 0.35], atol=1e-6)
    np.testing.assert_allclose(band[0.5], [0.5, 0.6], atol=1e-6)
    np.testing.assert_allclose(band[0.9], [0.9, 1.0], atol=1e-6)
    assert band.attrs == {"hyperedges": 11, "repeated": 0}
    order, feedback = update_order(THREE_TRACES)
    assert follow_weights(order, feedback).band().attrs["repeated"] == 1


def test_the_band_over_many_traces_is_the_quantiles_of_filled_weights():
    rng = np.random.default_rng(1)
    rows = [{f"he{at}": rng.random() for at in rng.integers(0, 30, 5)} for _ in range(60)]
    order, feedback = update_order(rows)
    trajectory = follow_weights(order, feedback)
    filled = np.empty((61, 30))
    current = np.ones(len(order.keys))
    filled = [current.copy()]
    for step in range(1, 61):
        for row in np.flatnonzero(order.steps == step):
            current[order.hyperedges[row]] = trajectory.weights[row]
        filled.append(current.copy())
    band = trajectory.band()
    for quantile in (0.1, 0.25, 0.5, 0.75, 0.9):
        np.testing.assert_allclose(band[quantile], np.quantile(filled, quantile, axis=1), atol=1e-6)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (None, "not NoneType"),
        ("he1", "not str"),
        ({"he1": 0.5}, "not dict"),
        ([1.0], r"Row 1 should be \(trace, id, feedback\)"),
        ([("t", "he1")], r"Row 1 should be"),
        ([("t", "he1", 0.5), "abc"], "Row 2 should be"),
        ([("t", "he1", 1.5)], "row 0 has 1.5"),
        ([("t", "he1", "high")], "must be numbers from 0 to 1"),
        (pd.DataFrame({"unit": ["a"]}), "lacks feedback, trace. Its columns are unit"),
        ([pd.DataFrame({"unit": ["a"]})], "Table 1 has no columns"),
    ],
)
def test_rows_that_are_none(rows, words):
    with pytest.raises(InputError, match=words):
        weight_trajectory(rows)


def test_numbers_that_are_none():
    with pytest.raises(InputError, match="'id', 'text' or 'trace', not by 'name'"):
        weight_trajectory(THREE_TRACES, identity="name")
    for start in (math.nan, -1.0, {"he1": math.inf}):
        with pytest.raises(InputError, match="start weight of hyperedges must be finite"):
            weight_trajectory(THREE_TRACES, start=start)
    with pytest.raises(InputError, match="quality of hyperedges must be numbers"):
        weight_trajectory(THREE_TRACES, quality={"he1": "good"})
    with pytest.raises(ShapeError, match="3 hyperedges, but the quality"):
        weight_trajectory(THREE_TRACES, quality=[1, 2])
    with pytest.raises(InputError, match="no setting 'alfa'"):
        weight_trajectory(THREE_TRACES, {"alfa": 1})
    order, _ = update_order(THREE_TRACES)
    with pytest.raises(ShapeError, match="4 rows, but the feedback"):
        follow_weights(order, [0.5])
