"""Methods side by side, and kappa against a table worked out by hand."""

from __future__ import annotations

import asyncio
import math

import pandas as pd
import pytest

from explorer.errors import InputError, TraceError
from explorer.rag._extraction.extractor import FeedbackExtractor
from explorer.rag._extraction.method_comparison import agreement
from explorer.traces import Hyperedge, Trace

EDGES = [Hyperedge("a", "The Nile is long."), Hyperedge("b", "Quartz")]
VECTORS = {"So the Nile is long.": [1, 0], "The Nile is long.": [0, 1], "Quartz": [1, 0]}


def compare(metadata=None, **more):
    calls = []

    def function(texts):
        calls.append(texts)
        return [VECTORS[text] for text in texts]

    trace = Trace("t", "?", EDGES, "So the Nile is long.", metadata or {})
    table = asyncio.run(FeedbackExtractor(function).compare(trace, **more))
    return table, calls


def test_every_method_has_its_column_and_its_verdicts():
    table, calls = compare({"hyperedge_attention": {"a": 0.45, "b": 0.0}})
    assert table.unit.tolist() == ["a", "b"]
    assert table.attention.tolist() == [1.0, 0.3]
    assert table.citation.tolist() == [1.0, 0.3]
    assert table.embedding.to_numpy() == pytest.approx([0.3 + 0.5 / 0.7 * 0.2, 1.0])
    ensemble = [0.5 + 0.3 * (0.3 + 0.5 / 0.7 * 0.2) + 0.2, 0.15 + 0.3 + 0.06]
    assert table.ensemble.to_numpy() == pytest.approx(ensemble, abs=1e-6)
    assert table.attention_verdict.tolist() == ["used", "not used"]
    assert table.embedding_verdict.tolist() == ["near", "used"]
    assert table.attrs["methods"] == ("attention", "embedding", "citation", "lexical", "ensemble")
    assert len(calls) == 1  # two methods ask, the texts are embedded once


def test_a_method_without_its_evidence_has_no_bar():
    table, _ = compare(methods=("attention", "logprobs", "embedding"))
    assert table.attention.isna().all()
    assert table.logprobs.isna().all()
    assert table.attention_verdict.tolist() == ["unknown", "unknown"]
    assert table.embedding.notna().all()
    assert [note.code for note in table.attrs["notes"]["attention"]] == ["no-attention"]


def verdicts(**columns):
    return pd.DataFrame({f"{name}_verdict": values for name, values in columns.items()})


def test_agreement_and_kappa_of_ten_calls():
    used, near, unused = "used", "near", "not used"
    one = [used] * 5 + [unused] * 5
    two = [used] * 4 + [near] + [used] * 2 + [unused] * 3
    (row,) = agreement(verdicts(one=one, two=two)).itertuples(index=False)
    # 4 + 3 equal of 10; by chance 0.5 * 0.6 + 0.5 * 0.4 = 0.5
    assert row.first, row.second == ("one", "two")
    assert row.units == 10
    assert row.agreement == pytest.approx(0.7)
    assert row.kappa == pytest.approx((0.7 - 0.5) / 0.5)


def test_what_one_of_them_does_not_know_is_left_out():
    table = verdicts(one=["used", "unknown", "near"], two=["used", "used", "unknown"])
    (row,) = agreement(table).itertuples(index=False)
    assert (row.units, row.agreement) == (1, 1.0)
    assert math.isnan(row.kappa)  # one call throughout: chance explains it


def test_nothing_in_common_is_nan():
    table = verdicts(one=["unknown"], two=["used"], three=["unknown"])
    found = agreement(table)
    assert found[["first", "second"]].to_numpy().tolist() == [
        ["one", "two"],
        ["one", "three"],
        ["two", "three"],
    ]
    assert found.units.tolist() == [0, 0, 0]
    assert found.agreement.isna().all()
    assert agreement(table, ["one"]).empty


def test_agreement_that_chance_explains_is_exactly_nothing():
    table = verdicts(one=["not used"] * 7, two=["near"] * 5 + ["used"] + ["near"])
    assert agreement(table).kappa.tolist() == [0.0]


def test_total_disagreement_is_minus_one():
    table = verdicts(one=["used", "not used"], two=["not used", "used"])
    assert agreement(table).kappa.tolist() == [-1.0]


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(InputError, match="magic_verdict"):
        agreement(verdicts(one=["used"]), ["one", "magic"])
    for methods in ("attention", [], ["magic"], ["citation", "citation"], None):
        with pytest.raises(InputError, match="`methods` must be"):
            compare(methods=methods)
    with pytest.raises(TraceError):
        asyncio.run(FeedbackExtractor().compare({"id": "a"}))


def test_agreement_takes_a_list_of_tables_and_nothing_else():
    table, _ = compare({"hyperedge_attention": {"a": 0.5, "b": 0.0}})
    both = agreement([table, table])
    assert both["units"].tolist() == [2 * count for count in agreement(table)["units"]]
    for nothing in (pd.DataFrame({"a": [1]}), [], [pd.DataFrame()], "table"):
        with pytest.raises(InputError, match="compare"):
            agreement(nothing)
