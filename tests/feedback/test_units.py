from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.errors import InputError
from explorer.feedback import Unit
from explorer.feedback._units import overlapping_pair


@given(st.lists(st.integers(0, 60)))
def test_positions_survive_the_way_through_spans(positions):
    unit = Unit.from_positions("u", "", positions)
    assert unit.positions.tolist() == sorted(set(positions))
    assert unit.tokens == len(set(positions))
    stops = [stop for _, stop in unit.spans]
    starts = [start for start, _ in unit.spans]
    assert all(stop < start for stop, start in zip(stops, starts[1:], strict=False))


def test_spans_in_any_order_and_overlapping_are_merged():
    unit = Unit.from_spans("u", "", [(7, 9), (2, 4), (3, 5), (5, 6), (9, 9)])
    assert unit.spans == ((2, 6), (7, 9))
    assert unit.tokens == 6


@pytest.mark.parametrize("span", [(-1, 3), (4, 2)])
def test_a_span_that_makes_no_sense_names_its_unit(span):
    with pytest.raises(InputError, match="'line 3'"):
        Unit("line 3", "x", (span,), 1)


def test_positions_must_be_whole_numbers():
    with pytest.raises(InputError, match="whole numbers"):
        Unit.from_positions("u", "", [0.5])


@given(st.lists(st.lists(st.integers(0, 30), max_size=6), max_size=6))
def test_overlap_is_found_exactly_when_a_position_occurs_twice(positions):
    units = [Unit.from_positions(str(i), "", some) for i, some in enumerate(positions)]
    distinct = [position for some in positions for position in set(some)]
    pair = overlapping_pair(units)
    assert (pair is not None) == (len(distinct) != len(set(distinct)))
    if pair is not None:
        assert set(pair[0].positions) & set(pair[1].positions)
        assert int(pair[0].name) < int(pair[1].name)
