from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from explorer.feedback import (
    Diagnostic,
    FeedbackPolicy,
    ScoreSettings,
    Unit,
    feedback_table,
    scores_table,
)
from explorer.feedback._feedback_table import scored_units


class OneRow:
    """One layer, one head, one query row."""

    def __init__(self, row):
        self.row = np.asarray(row, dtype=np.float32)
        self.n_layers = self.n_heads = self.n_queries = 1
        self.n_keys = self.row.size

    def weights(self, layer=None, head=None, rows=None, columns=None):
        return self.row[None]


def codes(diagnostics):
    return [diagnostic.code for diagnostic in diagnostics]


def test_one_row_per_unit_with_the_promised_columns():
    units = [Unit.from_spans("line 1", "x = 1", [(0, 2)]), Unit.from_spans("line 2", "y", [(2, 3)])]
    table = feedback_table(OneRow([0.5, 0.3, 0.05]), units)
    assert list(table) == ["unit", "text", "tokens", "score", "feedback", "verdict", "diagnostics"]
    assert table["unit"].tolist() == ["line 1", "line 2"]
    assert table["text"].tolist() == ["x = 1", "y"]
    assert table["tokens"].tolist() == [2, 1]
    np.testing.assert_allclose(table["score"], [0.4, 0.05], atol=1e-6)
    np.testing.assert_allclose(table["feedback"], [1.0, 0.4], atol=1e-6)
    assert table["verdict"].tolist() == ["used", "near"]
    assert table["diagnostics"].tolist() == [(), ()]
    assert table.attrs["reachable"] == (0.5, 1.0)
    assert table.attrs["threshold"] == 0.1


def test_long_units_are_told_that_the_threshold_is_out_of_reach():
    units = [Unit.from_spans("ten", "", [(0, 10)]), Unit.from_spans("eleven", "", [(10, 21)])]
    table = feedback_table(OneRow(np.full(21, 1 / 21)), units)
    assert codes(table["diagnostics"][0]) == []
    (diagnostic,) = table["diagnostics"][1]
    assert diagnostic.code == "threshold-out-of-reach"
    assert "With 11 tokens this unit can score at most 0.0909" in diagnostic.message
    assert "threshold of 0.1" in diagnostic.message


def test_nan_is_no_feedback_and_says_why():
    units = [Unit.from_spans("a", "", [(0, 1)]), Unit.from_spans("b", "", [(1, 2)])]
    table = feedback_table(OneRow([np.nan, 0.5]), units)
    assert np.isnan(table["feedback"][0])
    assert table["verdict"].tolist() == ["unknown", "used"]
    assert codes(table["diagnostics"][0]) == ["nan-score"]


def test_scores_outside_zero_to_one_are_clipped_and_say_so():
    units = [Unit.from_spans(name, "", [(i, i + 1)]) for i, name in enumerate("abc")]
    table = feedback_table(OneRow([-0.5, 2.0, 1.000001]), units)
    assert codes(table["diagnostics"][0]) == codes(table["diagnostics"][1]) == ["score-clipped"]
    assert codes(table["diagnostics"][2]) == []  # rounding is no news
    np.testing.assert_allclose(table["feedback"], [0.3, 1.0, 1.0])


def test_what_was_noticed_while_finding_a_unit_comes_first():
    unmatched = Diagnostic("unmatched-hyperedge", "No chunk of the context resembles it.")
    table = feedback_table(OneRow([1.0]), [Unit("he1", "", (), 0, (unmatched,))])
    assert codes(table["diagnostics"][0]) == ["unmatched-hyperedge", "empty-unit"]
    assert table["score"].tolist() == [0.0]


def test_notes_about_the_whole_table():
    given = Diagnostic("truncated-input", "Only the first 512 tokens were read.")
    units = [Unit.from_spans("a", "", [(0, 2)]), Unit.from_spans("b", "", [(1, 3)])]
    table = feedback_table(
        OneRow([0.0, 0.0, 0.0]), units, normalisation="lift", diagnostics=[given]
    )
    assert codes(table.attrs["notes"]) == [
        "truncated-input",
        "units-overlap",
        "no-attention",
        "flat-upper-branch",
    ]
    assert "'a' and 'b'" in table.attrs["notes"][1].message


def test_a_rising_upper_branch_needs_no_note():
    units = [Unit.from_spans("a", "", [(0, 1)])]
    table = feedback_table(OneRow([0.5]), units, FeedbackPolicy(positive=0.7))
    assert table.attrs["notes"] == ()


def test_scores_that_are_already_there():
    units = [Unit.from_spans("he1", "", [(0, 1)]), Unit.from_spans("he2", "", [(1, 2)])]
    table = scores_table(np.array([0.45, 0.05]), units)
    np.testing.assert_allclose(table["feedback"], [1.0, 0.4])
    with pytest.raises(ValueError, match="zip"):
        scores_table(np.array([0.45]), units)


def test_a_column_shares_the_attributes_of_its_table():
    """pandas copies attributes deeply for every column: what cannot change is not copied."""
    units = [Unit.from_spans("a", "", [(0, 1)])]
    table = feedback_table(OneRow([0.5]), units)
    column = table["score"]
    for name in ("reachable", "notes"):
        assert column.attrs[name] is table.attrs[name]
        assert isinstance(table.attrs[name], tuple)


def test_tables_of_the_same_scores_do_not_share_their_cells():
    units = [Unit.from_spans("a", "x", [(0, 1)])]
    scored = scored_units(OneRow([0.5]), units, ScoreSettings())
    first, second = (scored.table(FeedbackPolicy(threshold)) for threshold in (0.1, 0.9))
    first.loc[0, ["unit", "tokens"]] = ["b", 7]
    assert second.loc[0, ["unit", "tokens"]].tolist() == ["a", 1]
    assert scored.table(FeedbackPolicy(0.1)).loc[0, ["unit", "tokens"]].tolist() == ["a", 1]


def test_tables_can_be_joined_sorted_and_empty():
    units = [Unit.from_spans("a", "", [(0, 1)])]
    table = feedback_table(OneRow([0.5]), units)
    assert len(pd.concat([table, table])) == 2
    assert table.sort_values("score").attrs["threshold"] == 0.1
    empty = feedback_table(OneRow([0.5]), [])
    assert list(empty) == list(table)
    assert empty["score"].dtype == np.float64


def test_the_core_needs_nothing_but_numpy():
    program = (
        "import sys, explorer.feedback; heavy = {'torch', 'plotly', 'pandas', 'ipywidgets', "
        "'matplotlib', 'transformers'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
