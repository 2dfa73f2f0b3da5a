"""A label goes where no line crosses it and no other label is."""

from __future__ import annotations

import numpy as np

from explorer.figures._style.label_placement import place_labels


def beside(markers, lines=(), texts=(40.0, 14.0), room=(200.0, 200.0), width=10.0):
    markers = np.array(markers, dtype=float)
    count = len(markers)
    return place_labels(
        markers,
        np.full((count, 2), width),
        np.full((count, 2), texts),
        np.array(lines, dtype=float).reshape(-1, 4),
        room,
        range(count),
    )


def test_below_when_nothing_is_in_the_way():
    found = beside([[100, 100]])
    assert found.sides == ["below"]
    # The marker ends at 105, the label is 14 high and begins two pixels later.
    np.testing.assert_allclose(found.boxes, [[80, 107, 120, 121]])
    assert found.kept.all()


def test_not_where_a_line_runs():
    down = [100, 100, 100, 180]
    up = [100, 100, 100, 20]
    right = [100, 100, 180, 100]
    assert beside([[100, 100]], [down]).sides == ["above"]
    assert beside([[100, 100]], [down, up]).sides == ["right"]
    assert beside([[100, 100]], [down, up, right]).sides == ["left"]
    np.testing.assert_allclose(beside([[100, 100]], [down, up]).boxes, [[107, 93, 147, 107]])


def test_not_outside_the_picture():
    assert beside([[100, 190]]).sides == ["above"]
    assert beside([[8, 190]]).sides == ["right"]


def test_not_on_a_marker_or_another_label():
    found = beside([[100, 100], [100, 116]])
    assert found.sides == ["above", "below"]
    assert found.kept.all()


def test_of_two_that_have_no_room_the_first_is_written():
    found = beside([[20, 8], [22, 10]], room=(42.0, 30.0), width=2.0)
    assert found.kept.tolist() == [True, False]


def test_no_labels():
    assert beside(np.zeros((0, 2)), texts=(0.0, 0.0)).sides == []
