"""Nodes, positions and labels of the figure of hyperedges and entities."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from explorer.figures._graph.graph_layout import place_nodes
from explorer.figures._style.label_placement import LabelSides, place_labels
from explorer.figures._style.label_text import shortened
from explorer.figures._style.theme import LABEL_SIZE
from explorer.source import visible_text

if TYPE_CHECKING:
    from explorer.traces import Hyperedge

MOST_HYPEREDGES = 120
MOST_ENTITIES = 200
"""Largest numbers drawn: the heaviest hyperedges and the most shared entities are kept."""

SMALLEST, PLAIN, LARGEST = 14.0, 22.0, 34.0
"""Sides of squares in pixels: for weight 0, without weights, and for the largest weight."""

_LETTER = 0.58  # width of a letter, in font sizes
_LINE = 14.0
_MARK = 14.0  # the mark of the verdict
_NAME_LETTERS = 16
_CAPTION = 18.0  # above the hyperedges without entities


@dataclass(frozen=True)
class Node:
    """One node: a marker, as wide as it is high, and a label of one or two lines.

    `room` is the width of the largest marker that it could have: places are chosen for that one,
    so that nothing moves while weights do. `text` is the width and height of the label in pixels,
    about.
    """

    marker: float
    room: float
    lines: tuple[str, ...]
    text: tuple[float, float]

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the largest marker with the label below it."""
        return max(self.room, self.text[0]), self.room + self.text[1] + 4


@dataclass(frozen=True)
class Scene:
    """Nodes of the figure, hyperedges before entities.

    Attributes
    ----------
    drawn
        The hyperedges that are drawn, by their place among all.
    entities
        The entities, as first written.
    members
        For each entity the hyperedges that are about it, by their place among all.
    nodes
        One for each hyperedge drawn, then one for each entity.
    markers
        Centres of the markers in pixels, (nodes, 2), x to the right and y downwards.
    labels
        Where the labels stand.
    lines
        Pairs of nodes that a line joins: a hyperedge and an entity.
    alone
        Where, from the top, the rows of hyperedges without entities begin; None without any.
    """

    drawn: list[int]
    entities: list[str]
    members: list[list[int]]
    nodes: list[Node]
    markers: NDArray[np.float64]
    labels: LabelSides
    lines: list[tuple[int, int]]
    alone: float | None


def build_scene(
    hyperedges: Sequence[Hyperedge],
    weights: NDArray[np.float64] | None,
    width: float,
    height: float,
) -> Scene:
    """Choose the hyperedges and entities to draw, and place them in a box.

    Parameters
    ----------
    hyperedges
        The facts of one trace.
    weights
        The weight of each, NaN where it is not known; None where there are none.
    width, height
        The box, in pixels.
    """
    drawn = _heaviest(len(hyperedges), weights)
    names, members = _entities(hyperedges, drawn)
    sides = _sides(weights, len(hyperedges))
    nodes = [_hyperedge_node(hyperedges[i].id, sides[i]) for i in drawn]
    nodes += [_entity_node(name, len(found)) for name, found in zip(names, members, strict=True)]
    number = {i: place for place, i in enumerate(drawn)}
    lines = [
        (number[i], len(drawn) + entity) for entity, found in enumerate(members) for i in found
    ]
    centres, alone = _centres(tuple(node.size for node in nodes), tuple(lines), width, height)
    rises = np.array([(node.size[1] - node.room) / 2 for node in nodes])
    markers = centres - np.stack([np.zeros(len(nodes)), rises], axis=-1)
    ends = np.array([[*markers[one], *markers[other]] for one, other in lines]).reshape(-1, 4)
    labels = place_labels(
        markers,
        np.array([(node.marker, node.room) for node in nodes]).reshape(-1, 2),
        np.array([node.text for node in nodes]).reshape(-1, 2),
        ends,
        (width, height),
        # Hyperedges first, then entities by the number of hyperedges that share them.
        sorted(range(len(nodes)), key=lambda node: (node >= len(drawn), -nodes[node].room)),
    )
    return Scene(drawn, names, members, nodes, markers, labels, lines, alone)


def _heaviest(count: int, weights: NDArray[np.float64] | None) -> list[int]:
    """Indices of the hyperedges to draw, in order: all, or the heaviest."""
    if count <= MOST_HYPEREDGES:
        return list(range(count))
    heavy = np.zeros(count) if weights is None else np.nan_to_num(weights, nan=-np.inf)
    return sorted(np.argsort(-heavy, kind="stable")[:MOST_HYPEREDGES].tolist())


def _entities(
    hyperedges: Sequence[Hyperedge], drawn: Sequence[int]
) -> tuple[list[str], list[list[int]]]:
    """Entities to draw, as first spelled, and the hyperedges of each."""
    names: dict[str, str] = {}
    members: dict[str, list[int]] = {}
    for i in drawn:
        for name in hyperedges[i].entities:
            flat = " ".join(name.split())
            key = flat.casefold()
            if not key:
                continue
            names.setdefault(key, flat)
            found = members.setdefault(key, [])
            if i not in found[-1:]:
                found.append(i)
    keys = list(names)
    if len(keys) > MOST_ENTITIES:
        shared = set(sorted(keys, key=lambda key: -len(members[key]))[:MOST_ENTITIES])
        keys = [key for key in keys if key in shared]
    return [names[key] for key in keys], [members[key] for key in keys]


def _sides(weights: NDArray[np.float64] | None, count: int) -> list[float]:
    """Side of each square in pixels; the area grows with the weight, unknown counts as 0."""
    if weights is None:
        return [PLAIN] * count
    known = np.where(np.isfinite(weights), np.maximum(weights, 0.0), 0.0)
    most = float(known.max(initial=0.0))
    shares = known / most if most > 0 else known
    areas = SMALLEST**2 + (LARGEST**2 - SMALLEST**2) * shares
    return [math.sqrt(area) for area in areas]


def _hyperedge_node(name: str, side: float) -> Node:
    """A square with its id and space for the verdict mark."""
    label = shortened(visible_text(name), _NAME_LETTERS)
    return Node(side, LARGEST, (label,), (_pixels(label) + _MARK, _LINE))


def _entity_node(name: str, facts: int) -> Node:
    """A dot with its name, larger if several facts share it."""
    lines = _two_lines(shortened(visible_text(name), 2 * _NAME_LETTERS - 2))
    text = max(map(_pixels, lines)), _LINE * len(lines)
    marker = 6.0 + 2.0 * min(facts - 1, 3)
    return Node(marker, marker, lines, text)


def _two_lines(name: str) -> tuple[str, ...]:
    """Break a long name into two lines at the space nearest to its middle."""
    spaces = [place for place, letter in enumerate(name) if letter == " "]
    if len(name) <= _NAME_LETTERS or not spaces:
        return (name,)
    middle = min(spaces, key=lambda place: abs(place - len(name) / 2))
    return name[:middle], name[middle + 1 :]


def _pixels(text: str) -> float:
    """Approximate width of a label in pixels."""
    letters = sum(1.8 if unicodedata.east_asian_width(letter) in "WF" else 1.0 for letter in text)
    return letters * _LETTER * LABEL_SIZE + 4


# Cached: positions take most of the time and do not depend on the threshold.
@lru_cache(maxsize=64)
def _centres(
    taken: tuple[tuple[float, float], ...],
    lines: tuple[tuple[int, int], ...],
    width: float,
    height: float,
) -> tuple[NDArray[np.float64], float | None]:
    """Positions of nodes: connected ones above, hyperedges without entities in rows below.

    Returns
    -------
    tuple of ndarray and float
        The centres, (nodes, 2), and where the rows begin; None without any.
    """
    import networkx as nx

    graph = nx.Graph(lines)
    alone = [number for number in range(len(taken)) if number not in graph]
    cell = max((taken[number][0] + 14 for number in alone), default=1.0)
    tall = max((taken[number][1] + 8 for number in alone), default=0.0)
    across = max(1, int(width // cell))
    rows = math.ceil(len(alone) / across)
    below = min(rows * tall, height * (0.6 if graph else 1.0))
    begin = height - below if graph else _CAPTION
    centres = np.zeros((len(taken), 2))
    sizes = {number: taken[number] for number in graph}
    above = max(1.0, begin - _LINE - (_CAPTION if rows else 0))
    for number, centre in place_nodes(graph, sizes, width, above).items():
        centres[number] = centre[0], centre[1] + _LINE  # a label may stand above the topmost
    for place, number in enumerate(alone):
        row, column = divmod(place, across)
        centres[number] = (column + 0.5) * cell, begin + (row + 0.5) * below / rows
    centres.setflags(write=False)
    return centres, begin if rows else None
