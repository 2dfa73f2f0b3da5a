"""Layout of small graphs: stress majorisation, packing of components, overlap removal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import networkx as nx

Positions = NDArray[np.float64]
"""Pixel coordinates, (nodes, 2), x to the right and y downwards."""

_ROUNDS = 150
_PUSHES = 200
_GAP = 6.0
_STRETCH = 1.6


def place_nodes(
    graph: nx.Graph[int], sizes: Mapping[int, tuple[float, float]], width: float, height: float
) -> dict[int, tuple[float, float]]:
    """Place the nodes of a graph in a box.

    Each connected component is laid out by stress majorisation (Gansner, Koren and North, 2004),
    so that distances on the page follow distances in the graph; components are packed in rows,
    the result is fitted into the box, and nodes whose rectangles overlap are pushed apart.

    Parameters
    ----------
    graph
        The graph. The layout is deterministic: ties are broken by the order of nodes and edges.
    sizes
        Width and height in pixels of each node with its label.
    width, height
        The box, in pixels.

    Returns
    -------
    dict
        The centre of each node, x to the right and y downwards.
    """
    import networkx as nx

    if not graph:
        return {}
    parts = sorted(
        (list(filter(members.__contains__, graph)) for members in nx.connected_components(graph)),
        key=len,
        reverse=True,
    )
    shapes = [_component(graph, part, sizes) for part in parts]
    places = np.concatenate(_packed(shapes, [_sizes(part, sizes) for part in parts], width, height))
    nodes = [node for part in parts for node in part]
    boxes = _sizes(nodes, sizes)
    places = _fitted(places, boxes, width, height)
    places = separate(places, boxes, width, height)
    return {node: (float(x), float(y)) for node, (x, y) in zip(nodes, places, strict=True)}


def stress_layout(distances: NDArray[np.float64]) -> Positions:
    """Place points so that their distances are close to the given ones.

    Minimises the sum over pairs of (distance on the page - d)^2 / d^2 by majorisation, beginning
    with classical scaling. `networkx.kamada_kawai_layout` reaches the same stress on graphs of 32
    and 90 nodes in four to six times the time, so it is not used here.

    Parameters
    ----------
    distances
        (nodes, nodes), symmetric, finite, positive off the diagonal.

    Returns
    -------
    ndarray of float64, (nodes, 2)
        Around 0, the longer direction along x.
    """
    count = len(distances)
    if count == 1:
        return np.zeros((1, 2))
    places = _scaled_classically(distances)
    off = ~np.eye(count, dtype=bool)
    weights = np.zeros_like(distances)
    weights[off] = distances[off] ** -2.0
    laplacian = np.diag(weights.sum(axis=1)) - weights
    inverse = np.linalg.pinv(laplacian)
    for _ in range(_ROUNDS):
        seen = np.linalg.norm(places[:, None] - places[None], axis=-1)
        ratio = np.divide(weights * distances, seen, out=np.zeros_like(seen), where=seen > 1e-9)
        moved = inverse @ ((np.diag(ratio.sum(axis=1)) - ratio) @ places)
        change = float(np.abs(moved - places).max())
        places = moved
        if change < 1e-4:
            break
    return _turned(places)


def separate(
    places: Positions, boxes: NDArray[np.float64], width: float, height: float
) -> Positions:
    """Push overlapping rectangles apart within a box.

    Parameters
    ----------
    places
        Centres, (nodes, 2).
    boxes
        Widths and heights, (nodes, 2).
    width, height
        The box that all rectangles stay in, as far as they fit.

    Returns
    -------
    ndarray of float64, (nodes, 2)
    """
    low = np.minimum(boxes / 2, [width / 2, height / 2])
    high = np.maximum([width, height] - boxes / 2, [width / 2, height / 2])
    # Coinciding points are nudged in different directions; otherwise they would never separate.
    places = np.clip(places + 0.1 * _directions(len(places)), low, high)
    half = boxes.T / 2 + _GAP / 2
    need_x, need_y = half[:, :, None] + half[:, None, :]
    pairs = np.triu(np.ones((len(places), len(places)), dtype=bool), k=1)
    for _ in range(_PUSHES):
        x, y = places.T
        over_x = need_x - np.abs(x[:, None] - x)
        over_y = need_y - np.abs(y[:, None] - y)
        one, other = np.nonzero((over_x > 0) & (over_y > 0) & pairs)
        if not len(one):
            break
        over = np.stack([over_x[one, other], over_y[one, other]], axis=-1)
        ahead = np.where(places[one] > places[other], 1.0, -1.0)
        # Push along the direction with the smaller overlap.
        push = 0.35 * over * ahead * (over == over.min(axis=1, keepdims=True))
        moves = np.zeros_like(places)
        np.add.at(moves, one, push)
        np.add.at(moves, other, -push)
        places = np.clip(places + moves, low, high)
    return places


def _component(
    graph: nx.Graph[int], part: Sequence[int], sizes: Mapping[int, tuple[float, float]]
) -> Positions:
    """Lay out one connected component, in pixels around 0."""
    import networkx as nx

    number = {node: index for index, node in enumerate(part)}
    distances = np.zeros((len(part), len(part)))
    for node, found in nx.all_pairs_shortest_path_length(graph.subgraph(part)):
        for other, steps in found.items():
            distances[number[node], number[other]] = steps
    # Edges are long enough for the labels at their ends.
    step = 40.0 + 0.45 * float(np.mean([sizes[node][0] for node in part]))
    return stress_layout(distances * step)


def _scaled_classically(distances: NDArray[np.float64]) -> Positions:
    """Classical scaling to two dimensions (Torgerson, 1952)."""
    count = len(distances)
    centre = np.eye(count) - 1.0 / count
    values, vectors = np.linalg.eigh(-0.5 * centre @ distances**2 @ centre)
    places = np.zeros((count, 2))
    for axis in range(min(2, count)):
        vector = vectors[:, -1 - axis]
        # Eigenvectors have no sign: make the largest entry positive.
        vector = vector * np.sign(vector[np.argmax(np.round(np.abs(vector), 6))])
        places[:, axis] = vector * math.sqrt(max(0.0, float(values[-1 - axis])))
    # Leaves of one node coincide here, so nudge them apart.
    return np.asarray(places + 0.05 * float(distances.mean()) * _directions(count))


def _directions(count: int) -> Positions:
    """`count` distinct unit vectors, at multiples of the golden angle."""
    turns = np.arange(count) * 2.399963
    return np.stack([np.cos(turns), np.sin(turns)], axis=-1)


def _turned(places: Positions) -> Positions:
    """Rotate points so that their largest spread is along x."""
    centred = places - places.mean(axis=0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    if len(directions) < 2:
        directions = np.eye(2)
    directions = (
        directions * np.sign(directions[np.arange(2), np.abs(directions).argmax(axis=1)])[:, None]
    )
    return np.asarray(centred @ directions.T)


def _packed(
    shapes: Sequence[Positions], boxes: Sequence[NDArray[np.float64]], width: float, height: float
) -> list[Positions]:
    """Pack components into rows with about the aspect ratio of the box."""
    corners = [
        ((shape - box / 2).min(axis=0) - _GAP, (shape + box / 2).max(axis=0) + _GAP)
        for shape, box in zip(shapes, boxes, strict=True)
    ]
    spans = [high - low for low, high in corners]
    # Small components are aligned in columns.
    small = [number for number, shape in enumerate(shapes) if len(shape) <= 3]
    if small:
        cell = np.max([spans[number] for number in small], axis=0)
        for number in small:
            low, _ = corners[number]
            corners[number] = (low - (cell - spans[number]) / 2, low + cell)
            spans[number] = cell
    area = sum(float(span[0] * span[1]) for span in spans)
    row_width = max(*(float(span[0]) for span in spans), math.sqrt(1.15 * area * width / height))
    rows: list[list[int]] = [[]]
    for number, span in enumerate(spans):
        if rows[-1] and sum(spans[other][0] for other in rows[-1]) + span[0] > row_width:
            rows.append([])
        rows[-1].append(number)
    moved = list(shapes)
    y = gap = 0.0
    for number_of_row, row in enumerate(rows):
        # The last row keeps the columns of the row above.
        if not (number_of_row and all(number in small for number in rows[number_of_row - 1])):
            gap = (row_width - sum(float(spans[number][0]) for number in row)) / len(row)
        x = gap / 2
        for number in row:
            moved[number] = shapes[number] - corners[number][0] + np.array([x, y])
            x += float(spans[number][0]) + gap
        y += max(float(spans[number][1]) for number in row)
    return moved


def _fitted(
    places: Positions, boxes: NDArray[np.float64], width: float, height: float
) -> Positions:
    """Scale positions, but not node sizes, to fill the box."""
    low, high = (places - boxes / 2).min(axis=0), (places + boxes / 2).max(axis=0)
    inner = np.ptp(places, axis=0)
    margin = (high - low) - inner
    scale = np.divide([width, height] - margin, inner, out=np.ones(2), where=inner > 1e-6)
    scale = np.clip(scale, 0.05, None)
    # Limit the ratio of both scales, so that the layout is not distorted.
    scale = np.minimum(scale, scale.min() * _STRETCH)
    scale = np.minimum(scale, _STRETCH)
    grown = places * scale
    low, high = (grown - boxes / 2).min(axis=0), (grown + boxes / 2).max(axis=0)
    return np.asarray(grown + (np.array([width, height]) - low - high) / 2)


def _sizes(nodes: Sequence[int], sizes: Mapping[int, tuple[float, float]]) -> NDArray[np.float64]:
    """Return the sizes of some nodes, (nodes, 2)."""
    return np.array([sizes[node] for node in nodes], dtype=np.float64).reshape(-1, 2)
