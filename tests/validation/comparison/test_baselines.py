"""Baselines by hand, and the table in which they stand beside a method."""

from __future__ import annotations

import threading
from math import log

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from explorer.errors import Cancelled, InputError
from explorer.rag._methods.word_overlap import content_words, word_overlap
from explorer.run_control import RunControl
from explorer.traces import Hyperedge, Trace
from explorer.validation import (
    BASELINES,
    Resampling,
    baseline_scores,
    baseline_table,
    compare_scores,
    judge,
    lexical_overlap,
)

from ..made_units import by_chance

TEXTS = ("The Nile is in Africa", "The Rhine is in Europe", "A river in Africa", "the of")


def traces(n=3):
    made = []
    for number in range(n):
        edges = [
            Hyperedge(
                f"h{place}",
                text,
                label=place in {0, 2},
                extra={} if place == 3 else {"retrieval_score": 1.0 - place / 10},
            )
            for place, text in enumerate(TEXTS)
        ]
        made.append(Trace(f"t{number}", "Which river is in Africa?", edges, "The Nile"))
    return made


@pytest.fixture
def judged():
    return judge(traces(), [[0.5, 0.1, 0.4, 0.2]] * 3)


def axes(texts):
    """Embed a text by which of three words it has."""
    return [[float(word in text) for word in ("Nile", "Africa", "river")] for text in texts]


def test_the_simple_ones(judged):
    found = baseline_scores([], judged, ("always-no", "random", "length", "position"), seed=1)
    assert found["always-no"].scores.tolist() == [0.0] * 12
    assert found["position"].scores[:4] == pytest.approx([1, 2 / 3, 1 / 3, 0])
    assert found["length"].scores[:4].tolist() == [5.0, 5.0, 4.0, 2.0]
    again = baseline_scores([], judged, ("random",), seed=1)["random"].scores
    other = baseline_scores([], judged, ("random",), seed=2)["random"].scores
    assert found["random"].scores.tolist() == again.tolist() != other.tolist()


def test_retrieval_scores_and_what_is_said_where_there_are_none(judged):
    found = baseline_scores(traces(), judged, ("retrieval-score",))["retrieval-score"]
    assert found.scores[:4] == pytest.approx([1.0, 0.9, 0.8, np.nan], nan_ok=True)
    (note,) = found.notes
    assert (note.code, note.message[:8]) == ("no-retrieval-score", "3 of 12 ")


def test_lexical_overlap_by_its_formula():
    # Content words of question and answer: river, africa, nile. Of the four texts one has river,
    # two africa, one nile.
    one, two = log(1 + 3.5 / 1.5), log(1 + 2.5 / 2.5)
    total = 2 * one + two
    found = lexical_overlap("Which river is in Africa? The Nile", TEXTS)
    assert found == pytest.approx([(one + two) / total, 0, (one + two) / total, 0])
    assert lexical_overlap("Which is it?", TEXTS).tolist() == [0.0] * 4
    assert lexical_overlap("Nile", ["The Nile"]).tolist() == [1.0]


def test_words_are_compared_without_case_and_marks():
    assert content_words("Was it the NILE, or l'Afrique?") == ["nile", "l", "afrique"]
    # which river is in africa the nile: of seven words the first text has five.
    found = word_overlap("Which river is in Africa? The Nile", TEXTS)
    assert found == pytest.approx([5 / 7, 3 / 7, 3 / 7, 1 / 7])


def test_embeddings_of_the_answer_and_of_question_with_answer(judged):
    found = baseline_scores(traces(), judged, ("embedding", "answer-embedding"), embed=axes)
    # The answer is on the first axis; question and answer are on all three.
    assert found["answer-embedding"].scores[:3] == pytest.approx(
        [1 / np.sqrt(2), np.nan, 0], nan_ok=True
    )
    both = 2 / np.sqrt(6)
    assert found["embedding"].scores[:3] == pytest.approx([both, np.nan, both], nan_ok=True)


@pytest.mark.parametrize("embed", [lambda texts: 1 / 0, lambda texts: [[1.0]]])
def test_an_embedding_that_fails_is_told_and_the_rest_stands(judged, embed):
    found = baseline_scores(traces(), judged, ("embedding", "word-overlap"), embed=embed)
    assert np.isnan(found["embedding"].scores).all()
    assert [note.code for note in found["embedding"].notes] == ["embedding-failed"]
    assert not np.isnan(found["word-overlap"].scores).any()


def test_an_async_embedding_is_told():
    async def embed(texts):
        return axes(texts)

    judged = judge(traces(1), [[0.1, 0.2, 0.3, 0.4]])
    (note,) = baseline_scores(traces(1), judged, ("embedding",), embed=embed)["embedding"].notes
    assert "async" in note.message


def test_traces_that_are_not_there_are_told(judged):
    found = baseline_scores(traces(2), judged, ("lexical-overlap",))["lexical-overlap"]
    assert np.isnan(found.scores).tolist() == [False] * 8 + [True] * 4
    assert [note.code for note in found.notes] == ["no-texts"]


@pytest.mark.packaged_model
def test_the_packaged_model_embeds():
    judged = judge(traces(1), [[0.1, 0.2, 0.3, 0.4]])
    seen = []
    found = baseline_scores(
        traces(1), judged, ("embedding",), control=RunControl(progress=seen.append)
    )
    nile, rhine, *_ = found["embedding"].scores
    assert nile > rhine
    assert any(step.stage == "embedding" for step in seen)


def test_the_table_has_the_method_and_every_baseline(judged):
    table = baseline_table(
        traces(), judged, embed=axes, method="mean of all heads", resampling=Resampling(samples=50)
    )
    assert table.scores.tolist() == ["mean of all heads", *BASELINES]
    method = table.iloc[0]
    assert method.auc == roc_auc_score(judged.labels, judged.scores) == 1.0
    assert (method.auc_ahead, method.f1_ahead) == (0.0, 0.0)
    never = table[table.scores == "always-no"].iloc[0]
    assert (never.auc, never.f1, never.average_precision) == (0.5, 0.0, 0.5)
    assert never.auc_ahead == 0.5
    retriever = table[table.scores == "retrieval-score"].iloc[0]
    assert (retriever.units, retriever.unknown) == (9, 3)
    assert table.attrs["truth"] == "labels"
    assert table.attrs["prevalence"] == 0.5
    codes = [note.code for note in table.attrs["notes"]["retrieval-score"]]
    assert codes == ["no-retrieval-score", "unknown-scores"]


def test_figures_of_the_table_are_those_of_scikit_learn():
    one = by_chance(60, digits=1)
    two = by_chance(60, digits=1, gain=0.0)
    two = one.with_scores(two.scores)
    table = compare_scores({"one": one, "two": two}, resampling=Resampling(samples=0))
    for row, judged in zip(table.itertuples(), (one, two), strict=True):
        assert row.auc == pytest.approx(roc_auc_score(judged.labels, judged.scores))
        expected = average_precision_score(judged.labels, judged.scores)
        assert row.average_precision == pytest.approx(expected)
        every = [f1_score(judged.labels, judged.scores >= at) for at in np.unique(judged.scores)]
        assert row.f1 == pytest.approx(max(every))
    assert table.auc_ahead[1] == pytest.approx(table.auc[0] - table.auc[1])
    assert table.f1_ahead[1] == pytest.approx(table.f1[0] - table.f1[1])


def test_a_method_may_have_the_name_of_a_baseline(judged):
    """The app's method `embedding` is one: its comparison never came."""
    names = ("length", "embedding")
    table = baseline_table(
        traces(), judged, method="embedding", names=names, embed=axes,
        resampling=Resampling(samples=20),
    )  # fmt: skip
    assert table.scores.tolist() == ["embedding", "length", "embedding (baseline)"]
    assert table.auc[0] == roc_auc_score(judged.labels, judged.scores)


def test_a_constant_score_has_the_f1_of_chance():
    """Direct scores gave every unit the length 1: best F1 0 made the method's lead look larger."""
    judged = by_chance(30, prevalence=0.3)
    flat = judged.with_scores(np.zeros(len(judged)))
    table = compare_scores(
        {"own": judged, "flat": flat, "always-no": flat}, resampling=Resampling(samples=200)
    ).set_index("scores")
    p = judged.prevalence
    assert table.f1["flat"] == pytest.approx(2 * p / (1 + p))
    assert table.f1["flat"] == pytest.approx(f1_score(judged.labels, np.ones(len(judged))))
    assert table.f1_low["flat"] < table.f1["flat"] < table.f1_high["flat"]
    assert table.threshold["flat"] == 0.0
    assert table.f1["always-no"] == 0.0
    assert np.isinf(table.threshold["always-no"])
    assert table.f1_ahead["flat"] == pytest.approx(table.f1["own"] - table.f1["flat"])


def test_differences_are_paired():
    """The same scores are never ahead of themselves, however few the traces."""
    judged = by_chance(10)
    table = compare_scores({"one": judged, "two": judged.with_scores(judged.scores.copy())})
    assert (table.auc_ahead_low[1], table.auc_ahead_high[1]) == (0.0, 0.0)
    assert table.auc_low[1] < table.auc[1] < table.auc_high[1]


def test_a_difference_is_over_the_units_that_both_know():
    judged = by_chance(40)
    scores = by_chance(40, seed=5).scores.copy()
    scores[:100] = np.nan
    table = compare_scores(
        {"one": judged, "two": judged.with_scores(scores)}, resampling=Resampling(samples=0)
    )
    expected = roc_auc_score(judged.labels[100:], judged.scores[100:]) - roc_auc_score(
        judged.labels[100:], scores[100:]
    )
    assert table.auc_ahead[1] == pytest.approx(expected)


def test_refusals(judged):
    with pytest.raises(InputError, match="no baseline 'luck'"):
        baseline_scores([], judged, ("luck",))
    with pytest.raises(InputError, match="no baseline"):
        baseline_scores([], judged, "random")
    with pytest.raises(InputError, match="no scores"):
        compare_scores({})
    with pytest.raises(InputError, match="other units"):
        compare_scores({"one": by_chance(3), "two": by_chance(4)})
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        baseline_scores(traces(), judged, control=RunControl(cancel=stop))
