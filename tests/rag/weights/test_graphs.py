from __future__ import annotations

import asyncio
import io

import networkx as nx
import pytest

from explorer.errors import InputError
from explorer.rag._weights.graphs import DictGraph, NetworkXGraph, as_graph
from explorer.rag._weights.updater import WeightUpdater

FACT = '"<hyperedge>The Nile, \\"the\\" longest river"'


@pytest.mark.parametrize("kind", [nx.Graph, nx.DiGraph, nx.MultiGraph, nx.MultiDiGraph])
def test_networkx_graphs_keep_all_but_the_weight(kind):
    graph = kind()
    graph.add_node(FACT, role="hyperedge", weight=1.0, quality_score=0.8)
    graph.add_edge(FACT, '"NILE"', weight=3)
    weight = asyncio.run(WeightUpdater(graph).update_weights(FACT, 0.0))
    assert weight == pytest.approx(0.891)
    node = graph.nodes[FACT]
    assert node["dynamic_weight"] == weight
    assert (node["role"], node["weight"], node["quality_score"]) == ("hyperedge", 1.0, 0.8)
    assert list(graph.edges(data="weight")) == [(FACT, '"NILE"', 3)]
    assert set(graph) == {FACT, '"NILE"'}


def test_an_updated_graph_can_still_be_written_as_graphml():
    graph = nx.Graph()
    graph.add_node("he1", weight=1.0)
    asyncio.run(WeightUpdater(graph).batch_update([("he1", 0.2), ("he1", 0.9)]))
    file = io.BytesIO()
    nx.write_graphml(graph, file)
    again = nx.read_graphml(io.BytesIO(file.getvalue()))
    assert again.nodes["he1"] == graph.nodes["he1"]


def test_networkx_nodes_come_as_copies_and_new_ones_are_made():
    graph = nx.Graph()
    adapter = NetworkXGraph(graph)
    asyncio.run(adapter.upsert_node("new", {"node_for_adding": 1, "weight": 0.5}))
    node = asyncio.run(adapter.get_node("new"))
    assert node == {"node_for_adding": 1, "weight": 0.5}
    node["weight"] = 9
    assert graph.nodes["new"]["weight"] == 0.5
    assert asyncio.run(adapter.get_node("gone")) is None


def test_a_dict_is_written_in_place():
    fields = {"weight": 0.5}
    nodes = {"he1": fields}
    adapter = DictGraph(nodes)
    asyncio.run(adapter.upsert_node("he1", {"extra": 1}))
    asyncio.run(adapter.upsert_node("he2", {"weight": 2}))
    assert fields == {"weight": 0.5, "extra": 1}
    assert nodes["he2"] == {"weight": 2}
    node = asyncio.run(adapter.get_node("he1"))
    node["weight"] = 9
    assert fields["weight"] == 0.5
    assert asyncio.run(adapter.get_node("gone")) is None


def test_as_graph_picks_the_adapter():
    assert isinstance(as_graph({}), DictGraph)
    assert isinstance(as_graph(nx.MultiDiGraph()), NetworkXGraph)
    adapter = DictGraph({})
    assert as_graph(adapter) is adapter


@pytest.mark.parametrize(
    ("thing", "words"),
    [
        (None, "NoneType has no get_node and no upsert_node"),
        ([{"weight": 1}], "list has no get_node"),
        ("graph.graphml", "str has no get_node"),
        (DictGraph, "DictGraph is a class, not a graph"),
        (type("Half", (), {"get_node": lambda self, node_id: None})(), "Half has no upsert_node"),
        (type("Wrong", (), {"get_node": 1, "upsert_node": 2})(), "Wrong has no get_node"),
    ],
)
def test_what_is_no_graph(thing, words):
    with pytest.raises(InputError, match=words):
        as_graph(thing)


def test_the_adapters_refuse_what_is_not_theirs():
    with pytest.raises(InputError, match="DictGraph takes a dict"):
        DictGraph([1])
    with pytest.raises(InputError, match="NetworkXGraph takes a NetworkX graph"):
        NetworkXGraph({})
