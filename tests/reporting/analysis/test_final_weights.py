"""Where weights end, by labels: counted by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from explorer.rag._weights.update_order import update_order
from explorer.rag._weights.weight_trajectory import follow_weights
from explorer.reporting._analysis.final_weights import final_weights, hyperedges_of
from explorer.validation import LabelledScores


def judged(units: list[tuple[str, str, bool]]) -> LabelledScores:
    traces = tuple(dict.fromkeys(trace for trace, _, _ in units))
    count = len(units)
    return LabelledScores(
        scores=np.zeros(count),
        labels=np.array([label for _, _, label in units]),
        groups=np.array([traces.index(trace) for trace, _, _ in units]),
        traces=traces,
        units=tuple(unit for _, unit, _ in units),
        lengths=np.ones(count),
        positions=np.zeros(count),
        truth="labels",
    )


def test_a_hyperedge_counts_once_for_each_of_its_labels() -> None:
    rows = [("a", "x", 1.0), ("a", "y", 0.0), ("b", "x", 1.0), ("b", "z", math.nan)]
    order, feedback = update_order(rows, "id")
    # Additive: w + 0.1 (f - 0.5), without decay, within 0.25 to 2.
    config = {"strategy": "additive", "decay_factor": 1.0, "max_weight_ratio": 4.0}
    moves = follow_weights(order, feedback, config)
    assert moves.final() == pytest.approx([1.1, 0.95, 1.0])
    known = judged([("b", "z", False), ("a", "x", True), ("b", "x", False), ("a", "y", True)])
    assert hyperedges_of(order, known).tolist() == [2, 0, 0, 1]
    ends = final_weights(moves, known)
    assert (ends.above, ends.below, ends.level) == (1, 1, 1)
    assert ends.used == pytest.approx((1.1 + 0.95) / 2)
    assert ends.not_used == pytest.approx((1.0 + 1.1) / 2)
    assert ends.lead == pytest.approx(-0.025)
    assert ends.labelled == (2, 2)
    assert not ends.capped


def test_what_is_in_no_trace_or_not_labelled_is_left_out() -> None:
    order, feedback = update_order([("a", "x", 0.0), ("a", "y", 0.0)], "id")
    moves = follow_weights(order, feedback)
    known = judged([("a", "x", True), ("a", "lost", True), ("c", "x", False)])
    assert hyperedges_of(order, known).tolist() == [0, -1, -1]
    ends = final_weights(moves, known)
    assert ends.labelled == (1, 0)
    assert ends.used == pytest.approx(0.9 * 0.99)
    assert math.isnan(ends.not_used)
    assert math.isnan(ends.lead)
    assert ends.below == 2
    assert ends.capped  # the weight 1 is twice the quality 0.5
