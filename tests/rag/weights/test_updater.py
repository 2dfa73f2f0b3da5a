from __future__ import annotations

import asyncio
import math
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.errors import InputError, UpdateError
from explorer.rag._weights.graphs import DictGraph
from explorer.rag._weights.update_rule import UpdateConfig
from explorer.rag._weights.updater import WeightUpdater

NOON = datetime(2025, 1, 2, 12, tzinfo=UTC)


def updater_of(graph, **config):
    return WeightUpdater(graph, config, clock=lambda: NOON)


def update(graph, hyperedge_id, feedback, **config):
    return asyncio.run(updater_of(graph, **config).update_weights(hyperedge_id, feedback))


class SlowGraph(DictGraph):
    """Lets others run between reading and writing."""

    async def get_node(self, node_id):
        await asyncio.sleep(0)
        return await super().get_node(node_id)

    async def upsert_node(self, node_id, node_data):
        await asyncio.sleep(0.001)
        await super().upsert_node(node_id, node_data)


class PlainGraph:
    """Methods that are not async, and a node that is the graph's own dict."""

    def __init__(self, nodes):
        self.nodes = nodes

    def get_node(self, node_id):
        return self.nodes.get(node_id)

    def upsert_node(self, node_id, node_data):
        self.nodes[node_id] = node_data


class BrokenGraph(PlainGraph):
    """Refuses to write the ids in `broken`; writes first and then fails for those in `late`."""

    def __init__(self, nodes, broken=(), late=()):
        super().__init__(nodes)
        self.broken, self.late = set(broken), set(late)

    def upsert_node(self, node_id, node_data):
        if node_id in self.broken:
            raise ConnectionError("the database went away")
        super().upsert_node(node_id, node_data)
        if node_id in self.late:
            raise TimeoutError("no answer")


@pytest.mark.parametrize(
    ("strategy", "quality", "feedback", "expected"),
    [
        # bounds [0.25, 1] for quality 0.5; [0.4, 1.6] for 0.8
        ("ema", 0.5, 1.0, 0.99),  # (0.9 + 0.1) * 0.99
        ("ema", 0.5, 0.3, 0.9207),  # (0.9 + 0.03) * 0.99
        ("ema", 0.8, 0.0, 0.891),  # 0.9 * 0.99
        ("ema", 0.2, 1.0, 0.4),  # 0.99 is above 2 * 0.2
        ("additive", 0.8, 1.0, 1.0395),  # (1 + 0.05) * 0.99
        ("additive", 0.5, 1.0, 1.0),  # 1.0395 is above 2 * 0.5
        ("additive", 0.8, 0.3, 0.9702),  # (1 - 0.02) * 0.99
        ("multiplicative", 0.8, 0.0, 0.9405),  # (1 - 0.05) * 0.99
        ("multiplicative", 0.8, 0.5, 0.99),  # neutral: only the decay
        ("multiplicative", 4.0, 0.5, 2.0),  # 0.99 is below 0.5 * 4
        ("ema", 0.0, 1.0, 0.0),  # a quality of 0 leaves the weight 0
    ],
)
def test_one_update_by_hand(strategy, quality, feedback, expected):
    nodes = {"he1": {"weight": 1.0, "quality_score": quality}}
    assert update(nodes, "he1", feedback, strategy=strategy) == pytest.approx(expected, abs=1e-12)
    assert nodes["he1"]["dynamic_weight"] == pytest.approx(expected, abs=1e-12)


def test_settings_by_hand():
    # (0.5 * 0.6 + 0.5 * 1) * 0.5 = 0.4; bounds 0.5 * [0.9, 1] lift it to 0.45
    nodes = {"he1": {"dynamic_weight": 0.6}}
    config = {"update_alpha": 0.5, "decay_factor": 0.5}
    assert update(dict(nodes), "he1", 1.0, **config) == pytest.approx(0.4)
    nodes = {"he1": {"dynamic_weight": 0.6}}
    bounds = {"min_weight_ratio": 0.9, "max_weight_ratio": 1}
    assert update(nodes, "he1", 1.0, **config, **bounds) == pytest.approx(0.45)


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        ({"dynamic_weight": 0.5, "weight": 9.0}, 0.4455),  # (0.45 + 0) * 0.99
        ({"dynamic_weight": None, "weight": 0.6}, 0.5346),  # 0.54 * 0.99
        ({}, 0.891),  # weight 1, quality 0.5
        ({"weight": np.float32(0.5), "quality_score": np.int64(1)}, 0.5),  # 0.4455 below 0.5 * 1
    ],
)
def test_where_the_weight_comes_from(node, expected):
    assert update({"he1": node}, "he1", 0.0) == pytest.approx(expected, abs=1e-12)


def test_the_rest_of_the_node_stays():
    node = {"role": "hyperedge", "weight": 2, "quality_score": 0.7, "tags": ["a"]}
    nodes = {'"A fact about <x>"': dict(node), "other": {"weight": 3}}
    update(nodes, '"A fact about <x>"', 0.4)
    written = nodes['"A fact about <x>"']
    assert {name: written[name] for name in node} == node
    assert written["feedback_count"] == 1
    assert written["last_updated"] == "2025-01-02T12:00:00+00:00"
    assert type(written["dynamic_weight"]) is float
    assert set(written) - set(node) == {"dynamic_weight", "feedback_count", "last_updated"}
    assert nodes["other"] == {"weight": 3}


def test_a_count_that_is_there_goes_on():
    nodes = {"he1": {"feedback_count": 41}, "he2": {"feedback_count": "many"}}
    asyncio.run(updater_of(nodes).batch_update({"he1": 1, "he2": 0}))
    assert nodes["he1"]["feedback_count"] == 42
    assert nodes["he2"]["feedback_count"] == 1


def test_a_graph_with_plain_methods_is_not_changed_before_it_is_written():
    graph = BrokenGraph({"he1": {"weight": 1.0}}, broken={"he1"})
    with pytest.raises(UpdateError, match="could not write hyperedge 'he1'"):
        update(graph, "he1", 0.0)
    assert graph.nodes == {"he1": {"weight": 1.0}}


def scalar(weight, feedback, quality, strategy, alpha, decay, low, high):
    """The three formulas, written out once more."""
    if strategy == "ema":
        weight = weight - alpha * weight + alpha * feedback
    elif strategy == "additive":
        weight += alpha * (feedback - 0.5)
    else:
        weight += weight * alpha * (feedback - 0.5)
    weight *= decay
    if weight > quality * high:
        return quality * high
    return max(weight, quality * low)


@given(
    start=st.floats(0, 10),
    signals=st.lists(st.floats(0, 1), min_size=1, max_size=20),
    quality=st.floats(0, 3),
    strategy=st.sampled_from(["ema", "additive", "multiplicative"]),
    alpha=st.floats(1e-3, 1),
    decay=st.floats(1e-3, 1),
)
def test_any_sequence_is_that_of_the_formulas(start, signals, quality, strategy, alpha, decay):
    nodes = {"he1": {"weight": start, "quality_score": quality}}
    updater = updater_of(nodes, strategy=strategy, update_alpha=alpha, decay_factor=decay)
    asyncio.run(updater.batch_update([("he1", signal) for signal in signals]))
    expected = start
    for signal, change in zip(signals, updater.history("he1"), strict=True):
        expected = scalar(expected, signal, quality, strategy, alpha, decay, 0.5, 2.0)
        assert change.after == pytest.approx(expected, rel=1e-9, abs=1e-12)
        assert 0.5 * quality <= change.after <= 2 * quality
    assert nodes["he1"]["dynamic_weight"] == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_updates_at_the_same_time_are_not_lost():
    async def together():
        await asyncio.gather(*(updater.update_weights("he1", 0.0) for _ in range(20)))

    nodes = {"he1": {"quality_score": 0.01, "weight": 1.0}, "he2": {}}
    graph = SlowGraph(nodes)
    updater = WeightUpdater(graph, {"min_weight_ratio": 0, "max_weight_ratio": 1000})
    asyncio.run(together())
    # each of the 20 multiplies by 0.9 * 0.99
    assert nodes["he1"]["dynamic_weight"] == pytest.approx(0.891**20)
    assert nodes["he1"]["feedback_count"] == 20
    asyncio.run(together())  # another event loop
    assert nodes["he1"]["feedback_count"] == 40


def test_a_batch_applies_repeated_ids_in_order():
    nodes = {"he1": {"weight": 1.0}, "he2": {"weight": 1.0}}
    updater = WeightUpdater(SlowGraph(nodes))
    weights = asyncio.run(updater.batch_update([("he1", 0.0), ("he2", 0.5), ("he1", 1.0)]))
    # he1: 0.9 * 0.99 = 0.891, then (0.8019 + 0.1) * 0.99 = 0.892881
    assert weights == {"he1": pytest.approx(0.892881), "he2": pytest.approx(0.9405)}
    assert list(weights) == ["he1", "he2"]
    assert [change.feedback for change in updater.history("he1")] == [0.0, 1.0]


def test_a_batch_takes_what_an_extractor_gives():
    expected = {"he1": pytest.approx(0.892881), "he2": pytest.approx(0.9405)}
    one = {"he1": 0.0, "he2": 0.5}
    for batch in ([one, {"he1": 1.0}], iter([one, ("he1", 1.0)])):
        assert asyncio.run(WeightUpdater({"he1": {}, "he2": {}}).batch_update(batch)) == expected
    assert asyncio.run(WeightUpdater({"he2": {}}).batch_update({"he2": 0.5})) == {
        "he2": pytest.approx(0.9405)
    }
    assert asyncio.run(WeightUpdater({}).batch_update({})) == {}


def test_many_ids_in_one_batch():
    nodes = {f"he{i}": {} for i in range(100)}
    updater = WeightUpdater(SlowGraph(nodes))
    weights = asyncio.run(updater.batch_update(dict.fromkeys(nodes, 1.0)))
    assert list(weights) == list(nodes)
    assert all(node["dynamic_weight"] == pytest.approx(0.99) for node in nodes.values())


def test_a_batch_that_fails_halfway_can_go_on():
    graph = BrokenGraph({name: {} for name in ("he1", "he2", "he3")}, broken={"he2"})
    updater = updater_of(graph)
    batch = [("he1", 0.0), ("he2", 0.0), ("he3", 0.5), ("he2", 1.0), ("he1", 1.0), ("gone", 1.0)]
    with pytest.raises(UpdateError, match="2 of 4 hyperedges could not be updated") as caught:
        asyncio.run(updater.batch_update(batch))
    error = caught.value
    assert error.done == [("he1", 0.0), ("he3", 0.5), ("he1", 1.0)]
    assert error.failed == [("he2", 0.0), ("he2", 1.0), ("gone", 1.0)]
    assert isinstance(error.reasons["he2"], ConnectionError)
    assert isinstance(error.reasons["gone"], InputError)
    assert [change.hyperedge_id for change in updater.history()] == ["he1", "he1", "he3"]
    assert graph.nodes["he2"] == {}

    graph.broken.clear()
    graph.nodes["gone"] = {}
    weights = asyncio.run(updater.batch_update(error.failed))
    assert weights == {"he2": pytest.approx(0.892881), "gone": pytest.approx(0.99)}
    assert {name: node["feedback_count"] for name, node in graph.nodes.items()} == {
        "he1": 2,
        "he2": 2,
        "he3": 1,
        "gone": 1,
    }
    assert updater.statistics()["updates"] == 6


def test_what_was_written_before_an_error_is_not_counted_again():
    graph = BrokenGraph({"he1": {}, "bound": {"weight": 1.0}}, late={"he1", "bound"})
    updater = updater_of(graph, strategy="additive")
    assert asyncio.run(updater.update_weights("he1", 0.0)) == pytest.approx(0.9405)
    # At the bound the weight does not tell that it was written; the count does.
    assert asyncio.run(updater.update_weights("bound", 1.0)) == 1.0
    assert asyncio.run(updater.update_weights("bound", 1.0)) == 1.0
    assert len(updater.history()) == 3


def test_a_graph_that_cannot_be_read():
    class Unreadable(DictGraph):
        async def get_node(self, node_id):
            raise OSError("no such socket")

    with pytest.raises(UpdateError, match=r"could not read hyperedge 'he1' \(OSError") as caught:
        update(Unreadable({}), "he1", 1.0)
    assert caught.value.failed == [("he1", 1.0)]
    assert caught.value.done == []
    assert isinstance(caught.value.__cause__, OSError)


@pytest.mark.parametrize(
    "feedback",
    [math.nan, None, True, np.True_, -0.1, 1.01, math.inf, "0.5", 10**400, 1j, np.array([1.0])],
)  # fmt: skip
def test_feedback_that_is_none(feedback):
    nodes = {"he1": {}, "he2": {}}
    with pytest.raises(InputError, match="Feedback is a number from 0 to 1"):
        update(nodes, "he1", feedback)
    with pytest.raises(InputError, match="hyperedge 'he2'"):
        asyncio.run(WeightUpdater(nodes).batch_update({"he1": 1.0, "he2": feedback}))
    assert nodes == {"he1": {}, "he2": {}}, "a batch is checked before it is begun"


@pytest.mark.parametrize(
    ("batch", "words"),
    [
        (None, "of type NoneType"),
        ("he1", "of type str"),
        (["he1"], "also holds 'he1'"),
        ([("he1", 0.5, 1)], "also holds"),
        ([0.5], "also holds 0.5"),
        ([(None, 0.5)], "named by its id"),
        ([(["he1"], 0.5)], "named by its id"),
    ],
)
def test_batches_that_are_none(batch, words):
    with pytest.raises(InputError, match=words):
        asyncio.run(WeightUpdater({"he1": {}}).batch_update(batch))


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (None, "no hyperedge 'he1'"),
        ("text", "returned str for hyperedge 'he1'"),
        ([1], "returned list"),
        ({"dynamic_weight": math.nan}, "dynamic_weight of hyperedge 'he1' must be a finite"),
        ({"weight": math.inf}, "weight of hyperedge 'he1' must be a finite"),
        ({"weight": -1}, "must be a finite number that is not below 0, but it is -1"),
        ({"weight": "1.0"}, "must be a number, but it is '1.0'"),
        ({"weight": True}, "must be a number, but it is True"),
        ({"quality_score": math.nan}, "quality_score of hyperedge 'he1' must be"),
        ({"quality_score": -0.5}, "quality_score of hyperedge 'he1' must be"),
        ({"quality_score": [0.5]}, "quality_score of hyperedge 'he1' must be"),
    ],
)
def test_nodes_that_cannot_be_used(node, words):
    nodes = {"he1": node}
    updater = WeightUpdater(nodes)
    with pytest.raises(InputError, match=words):
        asyncio.run(updater.update_weights("he1", 0.5))
    assert nodes == {"he1": node}
    assert updater.history() == []


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"strategy": "ewma"}, "no update strategy 'ewma'.*Did you mean 'ema'"),
        ({"strategy": None}, "no update strategy None"),
        ({"alpha": 0.1}, "no setting 'alpha'.*'update_alpha'"),
        ({"decay": 0.9}, "no setting 'decay'. Did you mean 'decay_factor'"),
        ({"update_alpha": 0}, "update_alpha must be above 0"),
        ({"update_alpha": 1.5}, "update_alpha must be above 0 and at most 1"),
        ({"update_alpha": True}, "update_alpha must be a number"),
        ({"decay_factor": math.nan}, "decay_factor must be a finite number"),
        ({"decay_factor": "0.9"}, "decay_factor must be a number"),
        ({"min_weight_ratio": 3}, "must not be above max_weight_ratio, but they are 3 and 2"),
        ({"max_weight_ratio": math.inf}, "max_weight_ratio must be a finite"),
        ({"max_history_length": -1}, "whole number from 0"),
        ({"max_history_length": 2.5}, "whole number from 0"),
        ({"max_history_length": True}, "whole number from 0"),
        ([("strategy", "ema")], "must be a mapping"),
    ],
)
def test_settings_that_are_none(config, words):
    with pytest.raises(InputError, match=words):
        WeightUpdater({}, config)


def test_settings_may_be_ready_made():
    config = UpdateConfig("additive")
    assert WeightUpdater({}, config).config is config
    assert WeightUpdater({}).config == UpdateConfig("ema", 0.1, 0.99, 0.5, 2.0, 100)


def test_history_says_what_happened():
    nodes = {"he1": {"dynamic_weight": 0.6, "quality_score": 0.4}}
    updater = updater_of(nodes)
    asyncio.run(updater.update_weights("he1", 1.0))
    (change,) = updater.history()
    assert (change.hyperedge_id, change.before, change.feedback) == ("he1", 0.6, 1.0)
    assert change.after == pytest.approx(0.6336)  # (0.54 + 0.1) * 0.99
    assert (change.lower, change.upper, change.strategy) == (0.2, 0.8, "ema")
    assert change.when == NOON
    assert updater.history("he2") == []


def test_the_history_is_bounded_but_statistics_count_all():
    updater = updater_of({"he1": {}, "he2": {}}, max_history_length=2)
    asyncio.run(updater.batch_update([("he1", signal) for signal in (0.0, 0.5, 1.0, 0.0)]))
    asyncio.run(updater.update_weights("he2", 1.0))
    assert [change.feedback for change in updater.history("he1")] == [1.0, 0.0]
    assert len(updater.history()) == 3
    assert updater.statistics()["updates"] == 5
    assert updater.statistics("he1")["mean_feedback"] == pytest.approx(0.375)
    none = updater_of({"he1": {}}, max_history_length=0)
    asyncio.run(none.update_weights("he1", 1.0))
    assert none.history() == []
    endless = updater_of({"he1": {}}, max_history_length=None)
    asyncio.run(endless.batch_update([("he1", 0.5)] * 150))
    assert len(endless.history()) == 150


def test_statistics_by_hand():
    nodes = {"up": {"weight": 0.5}, "down": {"weight": 0.26}, "top": {"weight": 1.0}}
    updater = updater_of(nodes, strategy="additive", decay_factor=1)
    empty = updater.statistics()
    assert (empty["updates"], empty["hyperedges"]) == (0, 0)
    assert math.isnan(empty["mean_feedback"])
    assert math.isnan(empty["mean_weight"])
    asyncio.run(updater.batch_update({"up": 1.0, "down": 0.3, "top": 0.8}))
    # 0.5 + 0.05 = 0.55; 0.26 - 0.02 = 0.24 -> 0.25; 1 + 0.03 -> 1
    statistics = updater.statistics()
    assert statistics == {
        "hyperedges": 3,
        "updates": 3,
        "raised": 1,
        "lowered": 1,
        "unchanged": 1,
        "at_lower": 1,
        "at_upper": 1,
        "mean_feedback": pytest.approx(0.7),
        "mean_weight": pytest.approx(0.6),
        "min_weight": 0.25,
        "max_weight": 1.0,
    }
    with pytest.raises(InputError, match="'gone' was not updated"):
        updater.statistics("gone")
    assert repr(updater) == "<WeightUpdater: additive, 3 hyperedges updated>"


def test_reset_goes_back_to_before_the_first_update():
    nodes = {
        "weighed": {"weight": 0.8},
        "moved": {"weight": 0.8, "dynamic_weight": 0.6, "feedback_count": 7},
        "bare": {},
        "still": {"dynamic_weight": 0.7},
    }
    updater = updater_of(nodes)
    for _ in range(3):
        asyncio.run(updater.batch_update({"weighed": 0.0, "moved": 1.0, "bare": 1.0}))
    assert asyncio.run(updater.reset(["moved", "still"])) == {"moved": 0.6, "still": 0.7}
    assert nodes["moved"]["dynamic_weight"] == 0.6
    assert nodes["moved"]["feedback_count"] == 7
    assert "feedback_count" not in nodes["still"]
    assert updater.history("moved") == []
    assert len(updater.history()) == 6
    assert asyncio.run(updater.reset()) == {"weighed": 0.8, "bare": 1.0}
    assert nodes["bare"]["dynamic_weight"] == 1.0
    assert nodes["bare"]["feedback_count"] == 0
    assert updater.statistics()["updates"] == 0
    assert asyncio.run(updater.reset()) == {}


def test_a_reset_that_fails_halfway_can_go_on():
    graph = BrokenGraph({"he1": {"weight": 0.9}, "he2": {"weight": 0.8}})
    updater = updater_of(graph)
    asyncio.run(updater.batch_update({"he1": 0.0, "he2": 0.0}))
    graph.broken.add("he1")
    with pytest.raises(UpdateError, match="1 of 2 hyperedges could not be put back") as caught:
        asyncio.run(updater.reset())
    assert caught.value.failed == [("he1", 0.9)]
    assert caught.value.done == [("he2", 0.8)]
    graph.broken.clear()
    assert asyncio.run(updater.reset()) == {"he1": 0.9}
    with pytest.raises(UpdateError, match="no hyperedge 'gone'"):
        asyncio.run(updater.reset(["gone"]))
    with pytest.raises(InputError, match=r"reset\(\['he1'\]\)"):
        asyncio.run(updater.reset("he1"))


def test_a_cancelled_batch_keeps_what_was_done():
    nodes = {f"he{i}": {} for i in range(100)}

    class Waits(DictGraph):
        async def upsert_node(self, node_id, node_data):
            if node_id == "he50":
                await asyncio.Event().wait()
            await super().upsert_node(node_id, node_data)

    updater = WeightUpdater(Waits(nodes))

    async def stopped():
        task = asyncio.create_task(updater.batch_update(dict.fromkeys(nodes, 1.0)))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return await asyncio.wait_for(updater.update_weights("he0", 1.0), 5)

    asyncio.run(stopped())
    written = {name for name, node in nodes.items() if node}
    assert {change.hyperedge_id for change in updater.history()} == written
    assert "he50" not in written


def test_reset_counts_from_before_also_where_a_graph_hands_out_its_own_nodes():
    class Own(DictGraph):
        async def get_node(self, node_id):
            return self.nodes[node_id]

    nodes = {"he1": {"feedback_count": 3}}
    updater = WeightUpdater(Own(nodes))
    asyncio.run(updater.update_weights("he1", 1.0))
    assert nodes["he1"]["feedback_count"] == 4
    asyncio.run(updater.reset())
    assert nodes["he1"]["feedback_count"] == 3


class _OddNode(dict):
    def get(self, *_):
        raise RuntimeError("odd")


class _GivesUp(DictGraph):
    async def get_node(self, node_id):
        if node_id == "he1":
            raise asyncio.CancelledError
        return await super().get_node(node_id)


class _HandsOut(DictGraph):
    async def get_node(self, node_id):
        return self.nodes[node_id]


class _Refuses(_HandsOut):
    async def upsert_node(self, node_id, node_data):
        if node_id == "he1":
            raise OSError("full")
        await super().upsert_node(node_id, node_data)


@pytest.mark.parametrize(
    ("graph", "reason"),
    [
        (_HandsOut({"he1": _OddNode(), "he2": {}}), "odd"),
        (_GivesUp({"he1": {}, "he2": {}}), "cancelled"),
        (
            _Refuses(
                {
                    # At its bound only the count shows a write, and this is not a count.
                    "he1": {
                        "dynamic_weight": 1.0,
                        "quality_score": 0.5,
                        "feedback_count": np.ones(2),
                    },
                    "he2": {},
                }
            ),
            "full",
        ),
    ],
    ids=["node that raises", "graph that cancels", "array for a count"],
)
def test_what_a_graph_may_do_wrong_is_told_for_the_hyperedge_it_concerns(graph, reason):
    updater = updater_of(graph, decay_factor=1.0)
    with pytest.raises(UpdateError, match=reason) as caught:
        asyncio.run(updater.batch_update({"he1": 1.0, "he2": 1.0}))
    assert caught.value.failed == [("he1", 1.0)]
    assert caught.value.done == [("he2", 1.0)]


def test_odd_arguments_are_refused_in_words():
    with pytest.raises(InputError, match="list of ids"):
        asyncio.run(WeightUpdater({}).reset(5))
    with pytest.raises(InputError, match="no update strategy"):
        UpdateConfig(strategy=np.array([1, 2]))
    updater = updater_of({"he1": {}}, max_history_length=10**30)
    asyncio.run(updater.update_weights("he1", 1.0))
    assert len(updater.history()) == 1
