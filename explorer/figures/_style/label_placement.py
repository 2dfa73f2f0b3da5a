"""On which side of its marker a label is written, and which labels there is no room for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_SAMPLES = 15
_APART = 2.0


Side = Literal["below", "above", "right", "left"]
_WAYS: Mapping[Side, tuple[int, int]] = {
    "below": (0, 1),
    "above": (0, -1),
    "right": (1, 0),
    "left": (-1, 0),
}


class LabelSides(NamedTuple):
    """Where labels go.

    `boxes` are the rectangles that they take up, about: left, top, right and bottom, (nodes, 4).
    `sides` says on which side of its marker each stands: below, above, right or left. `kept`,
    (nodes,), says which of them are written.
    """

    boxes: Array
    sides: list[Side]
    kept: NDArray[np.bool_]


def labels_beside(
    markers: Array,
    widths: Array,
    texts: Array,
    lines: Array,
    room: tuple[float, float],
    first: Sequence[int],
) -> LabelSides:
    """Choose a side for the label of each marker.

    A label stands below its marker, unless above, right or left of it fewer lines run through it
    and it comes in nobody's way. Of two labels that overlap all the same the one that comes first
    is written, and none that the picture would cut off.

    Parameters
    ----------
    markers
        Centres of the markers in pixels, (nodes, 2), y downwards.
    widths
        Widths (and heights) of the markers, and the largest that they could be, (nodes, 2). Sides
        are chosen for the largest.
    texts
        Widths and heights of the labels, (nodes, 2).
    lines
        Lines that are drawn, (lines, 4): x and y of both ends.
    room
        Width and height of the picture.
    first
        All nodes, the most important first.
    """
    largest = widths[:, 1]
    offsets = {side: _offset(largest, texts, way) for side, way in _WAYS.items()}
    chosen: list[Side] = ["below"] * len(markers)
    dots = _boxes(markers, np.stack([largest, largest], axis=-1))
    boxes = _boxes(markers + offsets["below"], texts)
    for node in first:
        others = np.arange(len(markers)) != node
        taken = np.concatenate([dots[others], boxes[others]])
        best = (True, np.inf)
        for side, offset in offsets.items():
            box = _boxes(markers[node] + offset[node], texts[node])
            free = not _hits(box, taken).any() and _within(box, room)
            # Fewer lines first; of what is alike the first.
            rank = (not free, float(_crossings(box, lines)))
            if rank < best:
                best, boxes[node], chosen[node] = rank, box, side
    for side, way in _WAYS.items():
        there = np.array([choice == side for choice in chosen], dtype=bool)
        near = markers[there] + _offset(widths[there, 0], texts[there], way)
        boxes[there] = _boxes(near, texts[there])
    kept = np.zeros(len(markers), dtype=bool)
    for node in first:
        against = np.concatenate([dots[np.arange(len(markers)) != node], boxes[kept]])
        kept[node] = _within(boxes[node], room) and not _hits(boxes[node], against).any()
    return LabelSides(boxes, chosen, kept)


def _offset(widths: Array, texts: Array, way: tuple[int, int]) -> Array:
    """From the centres of markers to those of labels on one side."""
    return np.array(way) * (widths[:, None] + texts + 2 * _APART) / 2


def _boxes(centres: Array, sizes: Array) -> Array:
    """Left, top, right and bottom of rectangles, (..., 4)."""
    return np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=-1)


def _hits(box: Array, others: Array) -> NDArray[np.bool_]:
    """Say which rectangles overlap one."""
    return np.asarray(
        (box[0] < others[:, 2])
        & (others[:, 0] < box[2])
        & (box[1] < others[:, 3])
        & (others[:, 1] < box[3])
    )


def _within(box: Array, room: tuple[float, float]) -> bool:
    """Say whether a rectangle lies in the picture, give or take what rounding takes."""
    return bool((box[:2] >= -1).all() and (box[2:] <= np.array(room) + 1).all())


def _crossings(box: Array, lines: Array) -> int:
    """Count the lines that run through a rectangle, looking at points along each."""
    along = np.linspace(0.0, 1.0, _SAMPLES)[:, None, None]
    points = lines[:, :2] + along * (lines[:, 2:] - lines[:, :2])  # (samples, lines, 2)
    inside = (points > box[:2]) & (points < box[2:])
    return int(inside.all(axis=-1).any(axis=0).sum())
