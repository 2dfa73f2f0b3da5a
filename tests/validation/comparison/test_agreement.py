"""Methods that say the same: agreement, and never truth."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from explorer.errors import InputError, ShapeError
from explorer.rag import FeedbackExtractor
from explorer.traces import Hyperedge, Trace
from explorer.validation import Resampling, call_agreement, calls_of, judge, method_agreement, sweep


def axes(texts):
    return [[1.0, float("Nile" in text)] for text in texts]


@pytest.fixture(scope="module")
def tables():
    random = np.random.default_rng(0)
    made = []
    for number in range(12):
        edges = [
            Hyperedge(f"h{place}", "The Nile" if random.random() < 0.5 else "The Rhine")
            for place in range(5)
        ]
        direct = {edge.id: float(random.random() / 4) for edge in edges}
        metadata = {"hyperedge_attention": direct} if number else {}
        made.append(Trace(f"t{number}", "Which?", edges, "The Nile", metadata))

    def table(method, **more):
        extractor = FeedbackExtractor(axes, {"method": method, **more})
        return asyncio.run(extractor.explain_traces(made))

    return made, table("attention"), table("embedding", similarity_threshold=0.9)


def test_kappa_is_that_of_scikit_learn_where_both_know(tables):
    _, attention, embedding = tables
    found = method_agreement({"attention": attention, "embedding": embedding}).iloc[0]
    mine = (attention.trace != "t0").to_numpy()  # it has no attention of its own
    one = (attention.verdict == "used").to_numpy()[mine]
    two = (embedding.verdict == "used").to_numpy()[mine]
    assert found.units == 55
    assert found.agreement == pytest.approx((one == two).mean())
    assert found.kappa == pytest.approx(cohen_kappa_score(one, two))
    assert found.kappa_low < found.kappa < found.kappa_high


def test_a_table_of_agreement_says_that_it_is_no_truth(tables):
    _, attention, embedding = tables
    table = method_agreement(
        {"attention": attention, "embedding": embedding}, resampling=Resampling(samples=5)
    )
    assert table.attrs["truth"] == "agreement"


def test_calls_of_a_method_serve_as_labels_of_agreement(tables):
    made, attention, embedding = tables
    judged = judge(made, attention, "agreement", labels=calls_of(embedding))
    assert judged.truth == "agreement"
    assert judged.labels.tolist() == (embedding.verdict == "used").tolist()
    found = sweep(judged, [0.1], resampling=Resampling(samples=0))
    assert found.truth == "agreement"
    known = ~np.isnan(judged.scores)
    assert known.tolist() == (attention.trace != "t0").tolist()
    called = judged.scores[known] >= 0.1
    assert found.table.kappa[0] == pytest.approx(cohen_kappa_score(judged.labels[known], called))


def test_what_a_method_had_to_ask_another_is_no_call_of_its_own(tables):
    _, attention, _ = tables
    assert "t0" not in calls_of(attention)
    assert len(calls_of(attention)) == 11


def test_refusals(tables):
    _, attention, embedding = tables
    with pytest.raises(InputError, match="two methods or more"):
        method_agreement({"attention": attention})
    with pytest.raises(InputError, match="other hyperedges"):
        method_agreement({"attention": attention, "embedding": embedding[5:]})
    with pytest.raises(InputError, match="no column verdict"):
        calls_of(attention.drop(columns="verdict"))


def test_agreement_of_calls_is_that_of_scikit_learn():
    random = np.random.default_rng(2)
    one = random.integers(0, 2, 60).astype(float)
    two = np.where(random.random(60) < 0.7, one, 1 - one)
    two[[3, 9]] = np.nan
    groups = np.repeat(np.arange(12), 5)
    found = call_agreement(one, two, groups)
    known = ~np.isnan(two)
    assert found.units == 58
    assert found.used == (one[known].sum(), two[known].sum())
    assert found.share == pytest.approx((one == two)[known].mean())
    assert found.kappa.value == pytest.approx(cohen_kappa_score(one[known], two[known]))
    assert found.kappa.low < found.kappa.value < found.kappa.high
    assert call_agreement(one, one, groups).kappa == (1.0, 1.0, 1.0)


def test_agreement_about_nothing_is_not_a_number():
    nothing = call_agreement([np.nan], [1.0], [0])
    assert nothing.units == 0
    assert np.isnan([nothing.share, *nothing.kappa]).all()
    always = call_agreement([1, 1], [1, 1], [0, 1])
    assert always.share == 1.0
    assert np.isnan(always.kappa.value)
    with pytest.raises(ShapeError, match="one length"):
        call_agreement([1], [1, 0], [0])
