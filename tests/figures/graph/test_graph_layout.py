"""Places follow the distances in a graph, and rectangles stay apart."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from explorer.figures._graph.graph_layout import place_nodes, separate, stress_layout


def distances_of(graph):
    return np.array(nx.floyd_warshall_numpy(graph))


def seen(places):
    return np.linalg.norm(places[:, None] - places[None], axis=-1)


def test_a_path_is_a_straight_line_along_x():
    distances = distances_of(nx.path_graph(5))
    places = stress_layout(distances)
    np.testing.assert_allclose(seen(places), distances, atol=0.01)
    np.testing.assert_allclose(places[:, 1], 0, atol=0.1)


def test_a_triangle_has_equal_sides():
    places = stress_layout(distances_of(nx.complete_graph(3)))
    np.testing.assert_allclose(seen(places)[np.triu_indices(3, 1)], 1.0, atol=1e-3)


def test_leaves_of_one_node_part():
    places = stress_layout(distances_of(nx.star_graph(6)))
    between = seen(places)
    # Six leaves around a hub: a hexagon, in which neighbours are as far apart as from the hub.
    np.testing.assert_allclose(between[0, 1:], between[0, 1], rtol=0.05)
    assert between[1:, 1:][~np.eye(6, dtype=bool)].min() > 0.8 * between[0, 1]


def test_one_point_and_two():
    np.testing.assert_array_equal(stress_layout(np.zeros((1, 1))), [[0, 0]])
    places = stress_layout(np.array([[0.0, 3.0], [3.0, 0.0]]))
    assert abs(places[0, 0] - places[1, 0]) == pytest.approx(3, abs=1e-3)


def test_overlapping_rectangles_go_the_shorter_way():
    places = separate(
        np.array([[50.0, 50.0], [52.0, 58.0]]), np.array([[40.0, 10.0], [40.0, 10.0]]), 200, 200
    )
    assert abs(places[0, 1] - places[1, 1]) >= 10
    np.testing.assert_allclose(places[:, 0], [50, 52], atol=0.2)


def test_rectangles_in_one_place_part_and_stay_in_the_box():
    boxes = np.full((9, 2), 20.0)
    places = separate(np.full((9, 2), 40.0), boxes, 120, 120)
    for one in range(9):
        for other in range(one):
            assert (np.abs(places[one] - places[other]) >= 20).any()
    assert (places >= 10).all()
    assert (places <= 110).all()


def test_components_do_not_run_into_each_other_and_fill_the_box():
    graph = nx.disjoint_union_all([nx.star_graph(5), nx.path_graph(3), nx.path_graph(2)])
    found = place_nodes(graph, dict.fromkeys(graph, (60.0, 20.0)), 800, 400)
    assert list(found) == list(graph)
    parts = [range(6), range(6, 9), range(9, 11)]
    bounds = []
    for part in parts:
        points = np.array([found[node] for node in part])
        half = np.array([30, 10])
        bounds.append((points.min(axis=0) - half, points.max(axis=0) + half))
    for one in range(3):
        for other in range(one):
            gap = np.maximum(bounds[one][0] - bounds[other][1], bounds[other][0] - bounds[one][1])
            assert gap.max() >= 0
    low, high = np.min([b[0] for b in bounds], axis=0), np.max([b[1] for b in bounds], axis=0)
    assert (low >= -1e-6).all()
    assert (high <= [800 + 1e-6, 400 + 1e-6]).all()
    assert (high - low)[0] > 500 or (high - low)[1] > 300


def test_an_empty_graph():
    assert place_nodes(nx.Graph(), {}, 100, 100) == {}
