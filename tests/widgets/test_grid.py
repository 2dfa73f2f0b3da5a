"""The grid of heads: every measure in its menus has numbers for every head."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.attention import DenseAttention
from explorer.attention.measures import MEASURES
from explorer.examples import example_traces
from explorer.traces import evidence
from explorer.widgets._attention.head_view import head_measure
from explorer.widgets._code.scene import matrix_scene
from explorer.widgets._state import CODE_MEASURES, TRACE_MEASURES
from explorer.widgets._traces.scene import TraceScene


def test_the_menu_offers_the_registry_of_measures() -> None:
    offered = [measure for measure in MEASURES.values() if measure.in_menu]
    assert list(CODE_MEASURES.items()) == [(one.name, one.label) for one in offered]
    assert [one.label for one in offered] == ["entropy", "sink", "previous token", "distance"]


@pytest.mark.parametrize("name", CODE_MEASURES)
def test_measures_of_code(name: str) -> None:
    weights = np.tril(np.random.default_rng(0).random((3, 2, 5, 5)))
    scene = matrix_scene(DenseAttention(weights / weights.sum(-1, keepdims=True)))
    values = head_measure(scene, name)
    assert values is not None
    assert values.shape == (3, 2)
    assert np.isfinite(values).all()


@pytest.mark.parametrize("name", TRACE_MEASURES)
def test_measures_of_traces(name: str) -> None:
    trace = example_traces()[0]
    scene = TraceScene(trace, 0, evidence(trace))
    values = head_measure(scene, name)
    assert values is not None
    assert values.shape == (30, 9)
    assert ((values >= 0) & (values <= 1.01)).all()
