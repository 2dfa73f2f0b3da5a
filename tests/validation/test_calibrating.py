"""Calibration finds what was planted, and says no where nothing was."""

from __future__ import annotations

import json
import threading

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from explorer.errors import InputError, ValidationError
from explorer.rag import FeedbackExtractor
from explorer.traces import Hyperedge, Trace
from explorer.validation import CalibrationCancelled, calibrate, judge

LAYERS, HEADS, UNITS = 3, 2, 6


def planted(n=30, strength=6.0, seed=0, *, readings=("answer", "question", "content_free")):
    """Traces in which the question's rows in layer 1, head 0 look at what is labelled used.

    A place in the prompt attracts far more than a label does, whatever is asked.
    """
    rng = np.random.default_rng(seed)
    traces = []
    for number in range(n):
        labels = np.zeros(UNITS, dtype=bool)
        labels[rng.choice(UNITS, 2, replace=False)] = True
        place = rng.random((LAYERS, HEADS, UNITS)) * 20
        noise = {name: rng.random((LAYERS, HEADS, UNITS)) for name in readings}
        masses = {name: (place + noise[name]) / 200 for name in readings}
        if "question" in masses:
            masses["question"][1, 0] += strength * labels / 200
        fields = {"answer": "unit_attention"}
        metadata = {fields.get(name, f"{name}_attention"): mass for name, mass in masses.items()}
        edges = [
            Hyperedge(f"h{i}", f"fact {number} {i}", label=bool(label))
            for i, label in enumerate(labels)
        ]
        traces.append(Trace(f"t{number}", "what?", edges, "that", metadata))
    return traces


def test_a_planted_head_is_found_and_holds_on_other_traces():
    found = calibrate(planted(), repeats=1, samples=100)
    assert found.accepted
    assert "question, content-free subtracted" in found.choice
    terms = found.config["heads"]["terms"]
    strongest = max(terms, key=lambda term: abs(term[3]))
    assert strongest[:3] == ["question", 1, 0]
    assert found.held_out.value > 0.9
    # The config is all that is needed: on traces that it has never seen the extractor separates.
    fresh = planted(seed=1)
    extractor = FeedbackExtractor(config=json.loads(found.to_json())["config"])
    table = __import__("asyncio").run(extractor.explain_traces(fresh))
    judged = judge(fresh, table)
    assert roc_auc_score(judged.labels, judged.scores) > 0.95
    assert (table["evidence"] == "heads").all()
    calls = (table["verdict"] == "used").to_numpy()
    assert (calls == judged.labels).mean() > 0.9


def test_held_out_figures_are_those_of_scikit_learn():
    found = calibrate(planted(), repeats=1, samples=50)
    own = found.table.iloc[0]
    assert own["auc"] == pytest.approx(roc_auc_score(found.scores.labels, found.scores.scores))
    assert own["average_precision"] == pytest.approx(
        average_precision_score(found.scores.labels, found.scores.scores)
    )
    assert found.folds["fold"].tolist() == [0, 1, 2, 3, 4]


def test_noise_is_refused_with_the_reason():
    found = calibrate(planted(strength=0.0), repeats=1, samples=50)
    # The words say nothing either: neither may be far from a coin.
    assert 0.3 < found.table.iloc[0]["auc"] < 0.7
    if not found.accepted:
        assert "no better than the words" in found.refusal
        with pytest.raises(ValidationError, match="Nothing is recommended"):
            found.to_python()
    worse = planted(strength=0.0)
    for trace in worse:  # words that give the label away: attention cannot beat them
        trace.query = "zebra"
        for edge in trace.hyperedges:
            edge.hyperedge += " zebra" if edge.label else ""
    refused = calibrate(worse, repeats=1, samples=50)
    assert not refused.accepted
    assert "no better than the words" in refused.refusal
    for take_away in (refused.to_json, refused.to_python, refused.extractor):
        with pytest.raises(ValidationError, match="Nothing is recommended"):
            take_away()


def test_the_result_does_not_depend_on_how_often_it_was_stopped():
    traces = planted()
    whole = calibrate(traces, repeats=1, samples=50)
    cancel = threading.Event()
    steps = []

    def stop_in_the_third_fold(progress):
        steps.append(progress.fraction)
        if len(steps) == 3:
            cancel.set()

    with pytest.raises(CalibrationCancelled) as stopped:
        calibrate(traces, repeats=1, samples=50, progress=stop_in_the_third_fold, cancel=cancel)
    assert len(stopped.value.begun.folds) == 2
    again = []
    resumed = calibrate(
        traces, repeats=1, samples=50, resume=stopped.value.begun, progress=again.append
    )
    assert len(again) == 4  # three folds that were left, and all traces
    assert resumed.config == whole.config
    assert resumed.held_out == whole.held_out


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda traces: traces[:10], "20 labelled traces"),
        (lambda traces: [_relabelled(trace, None) for trace in traces], "labelled hyperedge"),
        (lambda traces: [_relabelled(trace, False) for trace in traces], "labelled used"),
        (lambda traces: [_without(trace) for trace in traces], "head by head"),
        (lambda traces: [*traces[:-1], _cut(traces[-1])], "different shapes"),
    ],
)
def test_what_cannot_be_calibrated_says_why(change, words):
    with pytest.raises(ValidationError, match=words):
        calibrate(change(planted(25)), repeats=1, samples=20)


@pytest.mark.parametrize("arguments", [{"folds": 1}, {"repeats": 0}, {"metric": "beauty"}])
def test_arguments_are_checked(arguments):
    with pytest.raises(InputError):
        calibrate(planted(25), **arguments)


def test_with_the_answers_rows_alone_the_question_is_not_tried():
    found = calibrate(planted(readings=("answer",)), repeats=1, samples=20)
    assert found.folds["choice"].str.contains("rows of the answer").all()


def _relabelled(trace, label):
    for edge in trace.hyperedges:
        edge.label = label
    return trace


def _without(trace):
    trace.metadata = {"hyperedge_attention": [0.1] * UNITS}
    return trace


def _cut(trace):
    trace.metadata = {name: mass[:2] for name, mass in trace.metadata.items()}
    return trace
