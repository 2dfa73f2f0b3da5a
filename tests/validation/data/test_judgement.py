"""Scores are joined with labels, and a mismatch is reported."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

import numpy as np
import pandas as pd
import pytest

from explorer.errors import Cancelled, InputError, ShapeError, ValidationError
from explorer.examples import example_traces
from explorer.rag import FeedbackExtractor
from explorer.run_control import RunControl
from explorer.traces import Hyperedge, Trace
from explorer.validation import (
    baseline_table,
    bias,
    changed_units,
    confusion_at,
    head_scores,
    judge,
    quality_map,
)
from explorer.validation._data.score_checks import measurable, table_notes

from ..made_units import judged_of


def trace_of(name, labels, **metadata):
    edges = [
        Hyperedge(f"h{place}", "word " * (place + 1), label=label)
        for place, label in enumerate(labels)
    ]
    return Trace(name, "What?", edges, "That.", metadata)


def codes(notes):
    return [note.code for note in notes]


def test_units_without_a_label_are_left_out_and_keep_their_places():
    traces = [
        trace_of("a", [True, None, False]),
        trace_of("b", [None, None]),
        trace_of("c", [True]),
    ]
    judged = judge(traces, {"a": [0.1, 0.2, 0.3], "b": [0.4, 0.5], "c": [0.6]})
    assert judged.scores.tolist() == [0.1, 0.3, 0.6]
    assert judged.labels.tolist() == [True, False, True]
    assert judged.groups.tolist() == [0, 0, 1]
    assert judged.traces == ("a", "c")
    assert judged.units == ("h0", "h2", "h0")
    assert judged.positions.tolist() == [0.0, 1.0, 0.0]
    assert judged.lengths.tolist() == [1.0, 3.0, 1.0]
    assert judged.length_in == "words"
    assert codes(judged.notes) == ["traces-without-labels"]
    assert judged.prevalence == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    "scores",
    [
        {"a": {"h0": 0.1, "h1": 0.2}},
        {"a": {"h1": 0.2, "h0": 0.1}},
        {"a": np.array([0.1, 0.2])},
        [[0.1, 0.2]],
    ],
)
def test_scores_come_in_several_forms(scores):
    assert judge([trace_of("a", [True, False])], scores).scores.tolist() == [0.1, 0.2]


def test_a_table_of_the_extractor_is_taken_as_it_is():
    metadata = {"hyperedge_attention": {"h0": 0.4, "h1": 0.05}}
    traces = [trace_of("a", [True, False], **metadata), trace_of("b", [False, True], **metadata)]
    extractor = FeedbackExtractor(config={"method": "attention"})
    table = asyncio.run(extractor.explain_traces(traces))
    judged = judge(traces, table)
    assert judged.scores == pytest.approx([0.4, 0.05, 0.4, 0.05])
    assert judge(traces[1:], table[table.trace == "b"]).scores == pytest.approx([0.4, 0.05])


def test_a_score_of_the_embedding_in_place_of_the_method_is_unknown():
    with_scores = trace_of("a", [True, False], hyperedge_attention={"h0": 0.4, "h1": 0.05})
    traces = [with_scores, trace_of("b", [True, False])]
    extractor = FeedbackExtractor(lambda texts: [[1.0]] * len(texts), {"method": "attention"})
    judged = judge(traces, asyncio.run(extractor.explain_traces(traces)))
    assert judged.scores == pytest.approx([0.4, 0.05, np.nan, np.nan], nan_ok=True)
    assert codes(judged.notes) == ["fallback-scores"]


def test_labels_for_unknown_ids_are_told_by_name():
    traces = [trace_of("a", [None, None])]
    labels = {"a": {"h0": True, "h1": False, "h9": True}, "z": {"h0": True}}
    judged = judge(traces, {"a": [0.1, 0.2]}, labels=labels)
    (note,) = judged.notes
    assert note.code == "labels-for-unknown-ids"
    assert "h9 of trace a" in note.message
    assert "unknown trace z" in note.message
    assert judged.labels.tolist() == [True, False]


def test_missing_and_superfluous_scores_are_told():
    judged = judge([trace_of("a", [True, False])], {"a": {"h0": 0.1, "h7": 1.0}, "b": [1.0]})
    assert np.isnan(judged.scores).tolist() == [False, True]
    assert codes(judged.notes) == ["scores-missing", "scores-for-unknown-ids"]
    assert judged.unknown == 1


def test_no_labels_is_an_error_that_says_what_to_do():
    with pytest.raises(ValidationError, match=r"found in 1 trace, .*TraceSet\.label.*ablation"):
        judge([trace_of("a", [None])], {"a": [0.1]})


def test_labels_of_another_truth_must_be_given():
    with pytest.raises(InputError, match="Give them as `labels`"):
        judge([trace_of("a", [True])], {"a": [0.1]}, "agreement")
    judged = judge([trace_of("a", [None])], {"a": [0.1]}, "ablation", labels={"a": {"h0": True}})
    assert judged.truth == "ablation"


def test_wrong_numbers_of_scores_and_double_traces_are_refused():
    trace = trace_of("a", [True, False])
    with pytest.raises(ShapeError, match="has 2 hyperedges"):
        judge([trace], {"a": [0.1]})
    with pytest.raises(InputError, match="Two traces have the id"):
        judge([trace, trace], {"a": [0.1, 0.2]})
    with pytest.raises(ShapeError, match="lists of scores"):
        judge([trace], [[0.1, 0.2], [0.1, 0.2]])
    with pytest.raises(InputError, match="infinite"):
        judge([trace], {"a": [0.1, np.inf]})


@pytest.mark.parametrize(
    ("scores", "labels", "said"),
    [
        ([], [], "nothing can be measured"),
        ([np.nan, np.nan], [True, False], "has a score"),
        ([0.1, 0.2], [True, True], "All 2 labelled hyperedges with a score are labelled 'used'"),
        ([0.1, 0.2, np.nan], [False, False, True], "labelled 'not used'"),
    ],
)
def test_what_cannot_be_measured_is_refused(scores, labels, said):
    with pytest.raises(ValidationError, match=said):
        measurable(judged_of(scores, labels))


def test_what_must_be_said_beside_the_figures():
    judged = judged_of([0.1, 0.1, np.nan], [True, False, True])
    noted = codes(table_notes(judged.known(), judged))
    assert noted == ["unknown-scores", "one-trace", "all-scores-equal"]


def test_traces_without_a_known_score_take_no_part_in_resampling():
    judged = judged_of([0.1, np.nan, 0.3], [True, False, False], [0, 1, 2]).known()
    assert judged.traces == ("t0", "t2")
    assert judged.groups.tolist() == [0, 1]


def test_scores_of_a_head_are_those_of_the_extractor():
    traces = example_traces()[:6]
    heads = head_scores(traces, "mean", "lift")
    assert heads.scores.shape[:2] == (30, 9)
    config = {"method": "attention", "layer": 20, "head": 3, "normalisation": "lift"}
    table = asyncio.run(FeedbackExtractor(config=config).explain_traces(traces))
    assert heads.at(20, 3).scores == pytest.approx(judge(traces, table).scores, rel=1e-5)
    assert heads.at(20, 3).lengths.tolist() == judge(traces, table).lengths.tolist()
    assert heads.length_in == "tokens"
    with pytest.raises(InputError, match="no layer 30"):
        heads.at(30, 0)


def test_traces_whose_attention_is_unlike_the_others_are_told():
    even = [
        trace_of(f"t{n}", [True, False], unit_attention=np.full((2, 2, 2), 0.1), unit_tokens=[1, 2])
        for n in range(3)
    ]
    odd = trace_of("odd", [True, False], unit_attention=np.full((1, 2, 2), 0.1))
    broken = trace_of("broken", [True], unit_attention=np.full((2, 2, 5), 0.1))
    without = trace_of("without", [True])
    heads = head_scores([odd, *even, broken, without])
    assert heads.traces == ("t0", "t1", "t2")
    (note,) = heads.notes
    for name in ("odd", "broken", "without (no attention)"):
        assert name in note.message
    with pytest.raises(ValidationError, match="no attention"):
        head_scores([without])


def test_scoring_heads_tells_its_progress_and_can_be_stopped():
    seen = []
    head_scores(example_traces()[:3], control=RunControl(progress=seen.append))
    assert seen[0].stage == "explaining"
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        head_scores(example_traces()[:3], control=RunControl(cancel=stop))


def test_importing_the_package_loads_nothing_heavy():
    heavy = "{'torch', 'pandas', 'sklearn', 'scipy', 'transformers', 'plotly'}"
    modules = (
        "sys, explorer.validation._data.judgement, explorer.validation._thresholds.threshold_sweep"
    )
    code = f"import {modules}; print({heavy} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "set()"


def test_every_name_of_the_package_is_the_thing_and_not_a_module():
    import explorer.validation as package

    for name in package.__all__:
        assert not hasattr(getattr(package, name), "__path__")
        assert type(getattr(package, name)).__name__ != "module"


def test_a_label_that_is_no_number_is_no_label():
    trace = trace_of("a", [True, False, False])
    labels = {"a": {"h0": float("nan"), "h1": np.True_, "h2": 0}}
    found = judge([trace], {"a": [0.1, 0.2, 0.3]}, labels=labels)
    assert found.units == ("h1", "h2")
    assert found.labels.tolist() == [True, False]


@pytest.mark.parametrize("word", ["no", "yes", 2, -1, [], object()])
def test_a_label_that_is_neither_is_refused(word):
    with pytest.raises(InputError, match="hyperedge h0 of trace a must be True, False or None"):
        judge([trace_of("a", [None])], {"a": [0.1]}, labels={"a": {"h0": word}})


@pytest.mark.parametrize("labels", [[True], {"a": [True]}, {"a": "h0"}, {"a": None}])
def test_labels_of_another_form_are_refused(labels):
    with pytest.raises(InputError, match="`labels` maps the id of each trace"):
        judge([trace_of("a", [None])], {"a": [0.1]}, labels=labels)


@pytest.mark.parametrize("scores", [["x"], "x", {"h0": "x"}, [[1], [1, 2]], [10**400]])
def test_scores_that_are_no_numbers_are_refused(scores):
    with pytest.raises(InputError, match="scores of trace a"):
        judge([trace_of("a", [True])], {"a": scores})


def rows(**columns):
    return pd.DataFrame({"trace": ["a", "a"], "unit": ["h0", "h1"], "score": [0.1, 0.2]} | columns)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (rows(score="x"), "column score"),
        (rows(tokens="x"), "column tokens"),
        (pd.concat([rows(), rows()[["score"]]], axis=1), "repeats the column score"),
        (pd.concat([rows(), rows()[["trace"]]], axis=1), "repeats the column trace"),
        (rows(unit=["h0", "h0"]), "repeat the id of a hyperedge"),
        (rows(trace=["a", "b"]).iloc[[0, 1, 0]], "sort the table by trace"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused(table, said):
    with pytest.raises(InputError, match=said):
        judge([trace_of("a", [True, False])], table)


def test_an_empty_table_scores_nothing():
    found = judge([trace_of("a", [True, False])], rows()[:0])
    assert found.unknown == 2
    assert codes(found.notes) == ["scores-missing"]


def test_rows_in_another_order_find_their_hyperedges():
    found = judge([trace_of("a", [True, False])], rows(diagnostics=[None, None])[::-1])
    assert found.scores.tolist() == [0.1, 0.2]


@pytest.mark.parametrize("traces", [None, "traces.jsonl", [{"id": "a"}], {"a": 1}])
def test_what_are_no_traces_is_refused(traces):
    for make in (lambda: judge(traces, {}), lambda: head_scores(traces)):
        with pytest.raises(InputError, match="load_traces"):
            make()


@pytest.mark.packaged_model
def test_infinite_attention_is_unknown():
    mass = np.random.default_rng(0).random((2, 2, 3))
    mass[1, 0, 2] = np.inf
    trace = trace_of("a", [True, False, False], unit_attention=mass)
    assert head_scores([trace]).at(1, 0).unknown == 1
    extractor = FeedbackExtractor(config={"method": "attention", "layer": 1, "head": 0})
    table = asyncio.run(extractor.explain_traces([trace]))
    assert np.isfinite(table["score"]).all()  # the embedding stands in for it
    judged = judge([trace], table)
    assert judged.scores[:2].tolist() == pytest.approx(mass[1, 0, :2].tolist())
    assert judged.unknown == 1


def test_a_measure_of_something_else_says_what_it_takes():
    judged = judged_of([0.1, 0.9], [False, True])
    for metric_value in (
        lambda: confusion_at(None, 0.1),
        lambda: changed_units(rows(), 0.1, 0.2),
        lambda: bias(rows()),
        lambda: baseline_table([], None),
    ):
        with pytest.raises(InputError, match="judge\\(traces, scores\\) makes one"):
            metric_value()
    with pytest.raises(InputError, match="head_scores"):
        quality_map(judged)
    for threshold in (None, "0.1", np.nan, [0.1]):
        with pytest.raises(InputError, match="finite number"):
            confusion_at(judged, threshold)
