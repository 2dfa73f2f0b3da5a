"""Score settings: one object for the parameters that travel together."""

from __future__ import annotations

import copy
import dataclasses
import inspect

import numpy as np
import pytest

from explorer.attention import DenseAttention
from explorer.errors import InputError
from explorer.feedback import (
    NORMALISATIONS,
    REDUCTIONS,
    ScoreSettings,
    Unit,
    feedback_table,
    score_all_heads,
    score_units,
)

NAMES = ("layer", "head", "rows", "reduction", "normalisation", "k")
UNITS = [Unit.from_spans("a", "", [(0, 2)]), Unit.from_spans("b", "", [(2, 5)])]


@pytest.fixture
def attention():
    weights = np.random.default_rng(7).dirichlet(np.ones(5), size=(2, 3, 6))
    return DenseAttention(weights)


def test_the_defaults_are_those_of_score_units():
    defaults = {
        name: one.default
        for name, one in inspect.signature(score_units).parameters.items()
        if name in NAMES
    }
    assert {name: getattr(ScoreSettings(), name) for name in NAMES} == defaults


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("normalisation", NORMALISATIONS)
@pytest.mark.parametrize("rows", [None, slice(1, 4), [0, 5], [True, False] * 3])
def test_the_object_gives_the_scores_of_its_single_settings(
    attention, reduction, normalisation, rows
):
    names = {"reduction": reduction, "normalisation": normalisation, "k": 2, "rows": rows}
    flat = score_units(attention, UNITS, layer=-1, head=2, **names)
    one = ScoreSettings(layer=-1, head=2, **names)
    np.testing.assert_array_equal(score_units(attention, UNITS, settings=one), flat)
    table = feedback_table(attention, UNITS, settings=one)
    np.testing.assert_allclose(table["score"], flat, rtol=1e-6)
    every = one.replace(layer=None, head=None)
    np.testing.assert_allclose(
        score_all_heads(attention, UNITS, settings=every)[1, 2], flat, rtol=1e-5
    )


def test_single_settings_and_the_object_at_once_are_refused(attention):
    one = ScoreSettings(layer=1)
    for function in (score_units, feedback_table):
        with pytest.raises(InputError, match=r"Both settings= .* ScoreSettings\(head=0\)"):
            function(attention, UNITS, head=0, settings=one)
        with pytest.raises(InputError, match="must be a ScoreSettings, but it is a dict"):
            function(attention, UNITS, settings={"layer": 1})


def test_one_layer_is_no_setting_for_all_heads(attention):
    with pytest.raises(InputError, match=r"Every layer and head is scored.*layer=1"):
        score_all_heads(attention, UNITS, settings=ScoreSettings(layer=1))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"layer": 1.0}, "The layer must be a whole number, or None for the mean, not 1.0"),
        ({"head": True}, "The head must be a whole number, or None for the mean, not True"),
        ({"reduction": "max"}, "There is no reduction 'max'"),
        ({"normalisation": None}, "There is no normalisation None"),
        ({"k": 0}, "must be 1 or more, not 0"),
        ({"rows": [0.5]}, "The query rows must be whole numbers"),
        ({"rows": "answer"}, "The query rows must be whole numbers"),
        ({"rows": [[0, 1]]}, "The query rows must be whole numbers"),
        ({"rows": [[0], [1, 2]]}, "The query rows must be whole numbers"),
        ({"rows": True}, "The query rows must be whole numbers"),
    ],
)
def test_a_wrong_setting_is_refused_at_once_also_by_replace(wrong, message):
    with pytest.raises(InputError, match=message):
        ScoreSettings(**wrong)
    with pytest.raises(InputError, match=message):
        ScoreSettings().replace(**wrong)


def test_replace_changes_a_copy_and_knows_its_settings():
    one = ScoreSettings(layer=3, rows=[1, 2])
    other = one.replace(head=0, layer=None)
    assert (other.layer, other.head, list(other.rows)) == (None, 0, [1, 2])
    assert one.layer == 3
    with pytest.raises(InputError, match="no score setting 'top_k'"):
        one.replace(top_k=2)


def test_settings_are_frozen_and_named():
    with pytest.raises(dataclasses.FrozenInstanceError):
        ScoreSettings().layer = 1
    with pytest.raises(TypeError):
        ScoreSettings(1)
    rows = np.array([1, 2])
    one = ScoreSettings(rows=rows)
    rows[0] = 5
    assert one.rows.tolist() == [1, 2]
    with pytest.raises(ValueError, match="read-only"):
        one.rows[0] = 5


@pytest.mark.parametrize("rows", [None, slice(1, None), [1, 2], [True, False], 4])
def test_equal_settings_are_one_key(rows):
    one = ScoreSettings(layer=np.int64(2), rows=rows)
    other = ScoreSettings(layer=2, rows=rows)
    assert one == other
    assert len({one, other, copy.deepcopy(one)}) == 1
    assert one != one.replace(k=4)
    assert one != one.replace(rows=[1, 0])
    assert one != "settings"


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        (ScoreSettings(), "ScoreSettings()"),
        (
            ScoreSettings(layer=0, normalisation="lift"),
            "ScoreSettings(layer=0, normalisation='lift')",
        ),
        (ScoreSettings(rows=slice(3, 5), k=2), "ScoreSettings(rows=slice(3, 5, None), k=2)"),
        (ScoreSettings(rows=[4]), "ScoreSettings(rows=[4])"),
        (ScoreSettings(rows=range(90)), "ScoreSettings(rows=<90 rows>)"),
        (ScoreSettings(rows=np.zeros(9, bool)), "ScoreSettings(rows=<mask of 9 rows>)"),
    ],
)
def test_only_what_is_not_the_default_is_shown(settings, shown):
    assert repr(settings) == shown
