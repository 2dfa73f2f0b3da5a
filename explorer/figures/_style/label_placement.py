"""Placement of the labels of markers: the side of each, and the labels that do not fit."""

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
    """Chosen positions of labels.

    `boxes` are the approximate rectangles of the labels: left, top, right and bottom, (nodes, 4).
    `sides` is the side of the marker that each label is on: below, above, right or left. `kept`,
    (nodes,), is False for a label that is not drawn.
    """

    boxes: Array
    sides: list[Side]
    kept: NDArray[np.bool_]


def place_labels(
    markers: Array,
    widths: Array,
    texts: Array,
    lines: Array,
    room: tuple[float, float],
    first: Sequence[int],
) -> LabelSides:
    """Choose a side for the label of each marker.

    A label goes below its marker, unless fewer lines cross it above, right or left and it overlaps
    nothing there. If two labels still overlap, only the first in `first` is drawn. A label that
    does not fit into the picture is not drawn.

    Parameters
    ----------
    markers
        Centres of the markers in pixels, (nodes, 2), y downwards.
    widths
        Current and largest possible width (and height) of each marker, (nodes, 2). Sides are
        chosen for the largest, so that they do not change while markers grow.
    texts
        Widths and heights of the labels, (nodes, 2).
    lines
        The drawn lines, (lines, 4): x and y of both ends.
    room
        Width and height of the picture.
    first
        All nodes by falling importance.
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
            # Fewer crossing lines first; ties keep the order of the sides.
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
    """Offsets from the centres of markers to the centres of labels on one side, (nodes, 2)."""
    return np.array(way) * (widths[:, None] + texts + 2 * _APART) / 2


def _boxes(centres: Array, sizes: Array) -> Array:
    """Left, top, right and bottom of rectangles, (..., 4)."""
    return np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=-1)


def _hits(box: Array, others: Array) -> NDArray[np.bool_]:
    """Whether each rectangle overlaps `box`, (others,)."""
    return np.asarray(
        (box[0] < others[:, 2])
        & (others[:, 0] < box[2])
        & (box[1] < others[:, 3])
        & (others[:, 1] < box[3])
    )


def _within(box: Array, room: tuple[float, float]) -> bool:
    """Whether a rectangle lies in the picture, within a pixel of rounding."""
    return bool((box[:2] >= -1).all() and (box[2:] <= np.array(room) + 1).all())


def _crossings(box: Array, lines: Array) -> int:
    """Number of lines that cross a rectangle, tested at points along each line."""
    along = np.linspace(0.0, 1.0, _SAMPLES)[:, None, None]
    points = lines[:, :2] + along * (lines[:, 2:] - lines[:, :2])  # (samples, lines, 2)
    inside = (points > box[:2]) & (points < box[2:])
    return int(inside.all(axis=-1).any(axis=0).sum())
