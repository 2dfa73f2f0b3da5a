"""Calibration finds what was planted, and says no where nothing was."""

from __future__ import annotations

import asyncio
import json
import threading

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from explorer.errors import Cancelled, InputError, ValidationError
from explorer.rag import FeedbackExtractor
from explorer.run_control import RunControl
from explorer.traces import Hyperedge, Trace, head_readings
from explorer.validation import (
    CalibrationCancelled,
    CrossValidation,
    Objective,
    Resampling,
    calibrate,
    judge,
)
from explorer.validation._calibration.candidate_features import features_of
from explorer.validation._calibration.head_candidates import PlainScores

pytestmark = pytest.mark.slow

LAYERS, HEADS, UNITS = 3, 2, 6
UNLIKE = ("Whales swim.", "Iron rusts.", "Bach", "42 km", "Quito", "Zoe plays drums")


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
    found = calibrate(
        planted(), cross_validation=CrossValidation(repeats=1), resampling=Resampling(samples=100)
    )
    assert found.accepted
    assert "rows of the question, mass standardised, content-free subtracted" in found.choice
    terms = found.config["heads"]["terms"]
    strongest = max(terms, key=lambda term: abs(term[3]))
    assert strongest[:3] == ["question", 1, 0]
    assert found.held_out.value > 0.9
    # The config is all that is needed: on traces that it has never seen the extractor separates.
    fresh = planted(seed=1)
    extractor = FeedbackExtractor(config=json.loads(found.to_json())["config"])
    table = asyncio.run(extractor.explain_traces(fresh))
    judged = judge(fresh, table)
    assert roc_auc_score(judged.labels, judged.scores) > 0.95
    assert (table["evidence"] == "heads").all()
    calls = (table["verdict"] == "used").to_numpy()
    assert (calls == judged.labels).mean() > 0.9


def test_held_out_figures_are_those_of_scikit_learn():
    found = calibrate(
        planted(), cross_validation=CrossValidation(repeats=1), resampling=Resampling(samples=50)
    )
    own = found.table.iloc[0]
    assert own["auc"] == pytest.approx(roc_auc_score(found.scores.labels, found.scores.scores))
    assert own["average_precision"] == pytest.approx(
        average_precision_score(found.scores.labels, found.scores.scores)
    )
    assert found.folds["fold"].tolist() == [0, 1, 2, 3, 4]


def test_noise_is_refused_with_the_reason():
    found = calibrate(
        planted(strength=0.0),
        cross_validation=CrossValidation(repeats=1),
        resampling=Resampling(samples=50),
    )
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
    refused = calibrate(
        worse, cross_validation=CrossValidation(repeats=1), resampling=Resampling(samples=50)
    )
    assert not refused.accepted
    assert "no better than the words" in refused.refusal
    # All readings are there, so the advice is not to record them again.
    assert refused.refusal.endswith("Use another model.")
    for take_away in (refused.to_json, refused.to_python, refused.extractor):
        with pytest.raises(ValidationError, match="Nothing is recommended"):
            take_away()


def test_the_result_does_not_depend_on_how_often_it_was_stopped():
    traces = planted()
    whole = calibrate(
        traces, cross_validation=CrossValidation(repeats=1), resampling=Resampling(samples=50)
    )
    cancel = threading.Event()
    steps = []

    def stop_in_the_third_fold(progress):
        steps.append(progress.fraction)
        if "2 of 5" in progress.message:
            cancel.set()

    with pytest.raises(CalibrationCancelled) as stopped:
        calibrate(
            traces,
            cross_validation=CrossValidation(repeats=1),
            resampling=Resampling(samples=50),
            control=RunControl(progress=stop_in_the_third_fold, cancel=cancel),
        )
    assert len(stopped.value.partial.folds) == 2
    assert steps == sorted(steps)
    again = []
    resumed = calibrate(
        traces,
        cross_validation=CrossValidation(repeats=1),
        resampling=Resampling(samples=50),
        resume=stopped.value.partial,
        control=RunControl(progress=again.append),
    )
    # Three folds that were left, and all traces.
    told = list(dict.fromkeys(step.message.rpartition(": ")[2] for step in again))
    assert told == ["2 of 5", "3 of 5", "4 of 5", "Choosing on all traces"]
    assert again[-1].fraction < 1
    assert resumed.config == whole.config
    assert resumed.held_out == whole.held_out
    # Attention that was recorded anew has nothing to do with those folds.
    begun, other = [], planted(seed=2)
    for trace, new in zip(traces, other, strict=True):
        trace.metadata = new.metadata
    calibrate(
        traces,
        cross_validation=CrossValidation(repeats=1),
        resampling=Resampling(samples=50),
        resume=stopped.value.partial,
        control=RunControl(progress=begun.append),
    )
    assert begun[0].message.endswith("0 of 5")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda traces: traces[:10], "20 labelled traces"),
        (lambda traces: [_relabelled(trace, None) for trace in traces], "labelled hyperedge"),
        (lambda traces: [_relabelled(trace, False) for trace in traces], "labelled used"),
        (lambda traces: [*traces[:-1], _without(traces[-1])], "has no attention"),
        (lambda traces: [*traces[:-1], _cut(traces[-1])], "different shapes"),
    ],
)
def test_what_cannot_be_calibrated_says_why(change, words):
    with pytest.raises(ValidationError, match=words):
        calibrate(
            change(planted(25)),
            cross_validation=CrossValidation(repeats=1),
            resampling=Resampling(samples=20),
        )


@pytest.mark.parametrize(
    "arguments",
    [
        {"folds": 1},
        {"repeats": 0},
        {"metric": "beauty"},
        {"most_units": 0},
        {"truth": "hope"},
        {"least_drop": -1},
    ],
)
def test_arguments_are_checked(arguments):
    with pytest.raises(InputError):
        calibrate(planted(25), **arguments)


def test_with_the_answers_rows_alone_the_question_is_not_tried():
    found = calibrate(
        planted(readings=("answer",)),
        cross_validation=CrossValidation(repeats=1),
        resampling=Resampling(samples=20),
    )
    assert not found.folds["choice"].str.contains("question").any()


def test_a_head_that_needs_no_weights_is_recommended_as_a_plain_setting():
    traces = planted(readings=("answer",))
    for trace in traces:  # per token, and whatever the others get: mean of tokens, as it is
        rng = np.random.default_rng(int(trace.id[1:]))
        tokens = rng.integers(5, 60, UNITS)
        used = np.array([edge.label for edge in trace.hyperedges])
        mass = rng.random((LAYERS, HEADS, UNITS)) * 0.02 * tokens / 60
        mass[2, 1] = tokens * np.where(used, 0.004, 0.001) * rng.uniform(0.9, 1.1, UNITS)
        trace.metadata = {"unit_attention": mass, "unit_tokens": tokens.tolist()}
    found = calibrate(
        traces, cross_validation=CrossValidation(repeats=1), resampling=Resampling(samples=50)
    )
    assert found.accepted
    assert found.choice == "layer 2, head 1: mean, raw"
    assert found.config["layer"] == 2
    assert found.config["head"] == 1
    assert found.config["reduction"] == "mean"
    assert found.config["normalisation"] == "raw"
    assert 0.0011 < found.threshold < 0.0036
    # The held-out scores are probabilities; the threshold among them calls the same.
    calls = found.scores.scores >= found.scores_threshold
    assert (calls == found.scores.labels).all()
    assert found.held_out.value == 1.0
    # The extractor calls what is labelled, on the scores that the calibration saw.
    judged = judge(traces, asyncio.run(found.extractor().explain_traces(traces)))
    assert ((judged.scores >= found.threshold) == judged.labels).all()


@pytest.mark.parametrize("reduction", ["mean", "mass", "top-k"])
@pytest.mark.parametrize("normalisation", ["raw", "share", "lift"])
def test_plain_candidates_score_as_the_extractor_does(reduction, normalisation):
    rng = np.random.default_rng(3)
    edges = [Hyperedge(f"h{i}", f"fact {i}", label=bool(i % 2)) for i in range(UNITS)]
    mass = rng.random((LAYERS, HEADS, UNITS)) / UNITS
    metadata = {"unit_attention": mass, "unit_topk": mass / 4, "unit_tokens": [3, 9, 4, 0, 8, 2]}
    trace = Trace("t", "what?", edges, "that", metadata)
    features = features_of([trace], [range(UNITS)])
    columns = features.plain.get(PlainScores(reduction, normalisation))
    if columns is None:  # lift counts tokens itself: that of mean and of mass are one
        assert (reduction, normalisation) == ("mass", "lift")
        columns = features.plain[PlainScores("mean", "lift")]
    for column in range(columns.shape[1]):
        layer, head = features.place(column)
        config = {
            "method": "attention",
            "layer": layer,
            "head": head,
            "reduction": reduction,
            "normalisation": normalisation,
        }
        extractor = FeedbackExtractor(lambda texts: np.zeros((len(texts), 1)), config)
        scores = asyncio.run(extractor.explain(trace))["score"].to_numpy()
        known = [0, 1, 2, 4, 5]  # the fourth was cut from the prompt
        np.testing.assert_allclose(columns[known, column], scores[known], rtol=1e-5)
        assert columns[3, column] == 0.0


def test_scores_that_were_given_get_a_threshold():
    traces = planted()
    for trace in traces:
        rng = np.random.default_rng(int(trace.id[1:]))
        used = np.array([edge.label for edge in trace.hyperedges])
        trace.metadata = {
            "hyperedge_attention": (0.1 + 0.3 * used + 0.05 * rng.random(UNITS)).tolist()
        }
    found = calibrate(
        traces, cross_validation=CrossValidation(repeats=1), resampling=Resampling(samples=50)
    )
    assert found.accepted
    assert found.config["layer"] is None
    assert found.config["head"] is None
    assert "heads" not in found.config
    assert 0.15 < found.threshold < 0.4
    assert found.held_out.value == 1.0
    assert "best set of heads" not in set(found.table["scores"])


def test_a_matrix_of_the_traces_own_has_sets_of_heads_too():
    traces = planted(n=25)
    for number, trace in enumerate(traces):
        rng = np.random.default_rng(number)
        used = np.array([edge.label for edge in trace.hyperedges])
        matrix = rng.random((LAYERS, HEADS, 3, UNITS)).astype("f4")
        matrix[1, 0] += used
        matrix /= matrix.sum(axis=-1, keepdims=True)
        trace.metadata = {"attention_matrix": matrix}
        for edge, text in zip(trace.hyperedges, UNLIKE, strict=True):
            edge.hyperedge = text
    readings = head_readings(traces[0])
    np.testing.assert_allclose(
        readings["answer"], traces[0].metadata["attention_matrix"].mean(axis=2), rtol=1e-6
    )
    found = calibrate(
        traces, cross_validation=CrossValidation(repeats=1), resampling=Resampling(samples=50)
    )
    assert found.accepted
    assert {"best one head", "best set of heads"} <= set(found.table["scores"])


def test_of_very_many_hyperedges_whole_traces_are_drawn():
    found = calibrate(
        planted(60),
        cross_validation=CrossValidation(repeats=1),
        resampling=Resampling(samples=50),
        most_units=200,
    )
    assert found.units == 198
    assert found.traces == 33
    assert next(note.code for note in found.notes) == "drawn-traces"
    again = calibrate(
        planted(60),
        cross_validation=CrossValidation(repeats=1),
        resampling=Resampling(samples=50),
        most_units=200,
    )
    assert again.config == found.config


def test_causal_use_can_be_what_it_is_chosen_by():
    traces = planted()
    labels = {
        trace.id: {edge.id: bool(edge.label) for edge in trace.hyperedges} for trace in traces
    }
    for trace in traces:
        for edge in trace.hyperedges:
            edge.label = None
    with pytest.raises(ValidationError, match="ablate"):
        calibrate(traces, truth="ablation")
    found = calibrate(
        traces,
        truth="ablation",
        labels=labels,
        cross_validation=CrossValidation(repeats=1),
        resampling=Resampling(samples=50),
    )
    assert found.truth == "ablation"
    assert found.table.attrs["truth"] == "ablation"
    assert found.accepted


def test_a_calibration_that_is_stopped_while_it_reads_has_no_folds():
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        calibrate(planted(25), control=RunControl(cancel=cancel))


def _relabelled(trace, label):
    for edge in trace.hyperedges:
        edge.label = label
    return trace


def _without(trace):
    trace.metadata = {}
    return trace


def _cut(trace):
    trace.metadata = {name: mass[:2] for name, mass in trace.metadata.items()}
    return trace


def test_a_class_that_few_traces_have_is_never_missing_where_something_is_fitted():
    traces = [
        Trace(
            one.id,
            one.query,
            [
                Hyperedge(edge.id, edge.hyperedge, label=number < 5 and place < 2)
                for place, edge in enumerate(one.hyperedges)
            ],
            one.answer,
            one.metadata,
        )
        for number, one in enumerate(planted(24, readings=("answer",)))
    ]
    for seed in range(4):
        found = calibrate(
            traces,
            cross_validation=CrossValidation(folds=2, repeats=1),
            resampling=Resampling(samples=0, seed=seed),
        )
        assert found.positives == 10
    with pytest.raises(ValidationError, match="Too few of the labelled traces"):
        calibrate(
            traces[2:],
            cross_validation=CrossValidation(folds=2, repeats=1, min_positives=1),
            resampling=Resampling(samples=0),
        )


def test_few_traces_are_cut_into_fewer_folds():
    found = calibrate(
        planted(6),
        cross_validation=CrossValidation(folds=2, repeats=1, min_traces=4, min_positives=4),
        resampling=Resampling(samples=0),
    )
    assert found.traces == 6


def test_without_samples_there_are_no_intervals():
    found = calibrate(
        planted(), cross_validation=CrossValidation(repeats=1), resampling=Resampling(samples=0)
    )
    assert np.isnan(found.held_out.low)
    assert "nan" not in str(found)
    figures = json.loads(found.to_json(), parse_constant=pytest.fail)["judged"]["held_out"]
    assert figures[1:] == [None, None]


@pytest.mark.parametrize("shift", [-3.0, 3.0])
def test_scores_beyond_0_and_1_give_a_threshold_that_an_extractor_takes(shift):
    traces = planted(readings=("answer",))
    for trace in traces:
        mass = trace.metadata["unit_attention"]
        mass[1, 0] += np.array([edge.label for edge in trace.hyperedges]) * 2
        mass += shift
    found = calibrate(
        traces, cross_validation=CrossValidation(repeats=1), resampling=Resampling(samples=0)
    )
    assert 0 <= found.config["attention_threshold"] <= 1
    table = asyncio.run(FeedbackExtractor(config=found.config).explain_traces(traces))
    calls = (table["verdict"] == "used").to_numpy()
    assert (calls == judge(traces, table).labels).mean() > 0.8


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"samples": -1}, "samples"),
        ({"seed": -1}, "seed"),
        ({"seed": None}, "seed"),
        ({"seed": "5"}, "seed"),
        ({"folds": "5"}, "folds"),
        ({"min_traces": "x"}, "min_traces"),
        ({"min_positives": None}, "min_positives"),
        ({"resume": CalibrationCancelled}, "partial"),
    ],
)
def test_a_wrong_argument_is_refused_before_anything_is_read(wrong, said):
    def none():
        raise AssertionError("traces were read")
        yield

    traces = none() if "min" not in said else planted()
    with pytest.raises(InputError, match=said):
        calibrate(traces, **wrong)


@pytest.mark.parametrize("traces", [None, "traces.jsonl", [{"id": "a"}]])
def test_what_are_no_traces_is_refused(traces):
    with pytest.raises(InputError, match="load_traces"):
        calibrate(traces)


def test_one_trace_is_told_to_be_too_few():
    with pytest.raises(ValidationError, match="20 labelled traces"):
        calibrate(planted(1)[0])


def test_stopped_while_traces_are_read_it_keeps_what_was_finished_before():
    stop = threading.Event()
    stop.set()
    with pytest.raises(CalibrationCancelled) as first:
        calibrate(planted(), control=RunControl(cancel=stop))
    assert not first.value.partial.folds

    later = threading.Event()

    def watch(progress):
        if "1 of" in progress.message:
            later.set()

    with pytest.raises(CalibrationCancelled) as second:
        calibrate(
            planted(),
            cross_validation=CrossValidation(repeats=1),
            control=RunControl(progress=watch, cancel=later),
        )
    begun = second.value.partial
    assert begun.folds
    with pytest.raises(CalibrationCancelled) as third:
        calibrate(
            planted(),
            cross_validation=CrossValidation(repeats=1),
            control=RunControl(cancel=stop),
            resume=begun,
        )
    assert third.value.partial is begun


def test_what_is_no_better_than_chance_is_not_recommended_beside_words_that_are_worse():
    rng = np.random.default_rng(0)
    traces = planted(strength=0.0, readings=("answer",))
    for trace in traces:
        trace.metadata["unit_attention"][:] = rng.random()  # all alike: nothing can be ranked
    # The words of the answer stand where nothing was used, so overlap ranks the wrong way.
    traces = [
        Trace(
            one.id,
            one.query,
            [
                Hyperedge(
                    edge.id, edge.hyperedge if edge.label else "zebra quagga", label=edge.label
                )
                for edge in one.hyperedges
            ],
            "zebra quagga",
            one.metadata,
        )
        for one in traces
    ]
    found = calibrate(
        traces, cross_validation=CrossValidation(repeats=1), resampling=Resampling(samples=50)
    )
    table = found.table.set_index("scores")["auc"]
    assert table["lexical-overlap"] < table["recommended"] <= 0.5
    assert not found.accepted
    assert "no better than chance" in found.refusal


def test_folds_that_choose_one_head_have_no_strength():
    mass = planted(readings=("answer",))
    for trace in mass:
        trace.metadata["unit_attention"][1, 0] += [edge.label for edge in trace.hyperedges]
    folds = calibrate(
        mass, cross_validation=CrossValidation(repeats=1), resampling=Resampling(samples=0)
    ).folds
    assert folds["strength"].dtype == np.float64
    assert folds["strength"].isna().any()


def given_scores(n=40, seed=0):
    """Traces with one given score for each hyperedge: a threshold is all there is to choose."""
    rng = np.random.default_rng(seed)
    traces = []
    for number in range(n):
        labels = rng.random(UNITS) < 0.3
        scores = np.clip(rng.normal(0.1 + 0.08 * labels, 0.05), 0.001, 1).round(4)
        edges = [Hyperedge(f"h{i}", UNLIKE[i], label=bool(label)) for i, label in enumerate(labels)]
        metadata = {"hyperedge_attention": {f"h{i}": float(one) for i, one in enumerate(scores)}}
        traces.append(Trace(f"t{number}", "what?", edges, "that", metadata))
    return traces


def test_a_recommendation_is_not_behind_itself():
    """Scores of folds that were linked differently lost ROC-AUC against the same scores."""
    found = calibrate(
        given_scores(), cross_validation=CrossValidation(repeats=1),
        resampling=Resampling(samples=100),
    )  # fmt: skip
    table = found.table.set_index("scores")
    labels, scores = found.scores.labels, found.scores.scores
    assert table.auc["recommended"] == pytest.approx(roc_auc_score(labels, scores))
    same = [name for name in table.index if name == "mean over heads"]
    assert same
    assert table.auc["mean over heads"] == table.auc["recommended"]
    assert table.auc_ahead["mean over heads"] == 0.0
    assert (table.auc_ahead_low["mean over heads"], table.auc_ahead_high["mean over heads"]) == (
        0.0,
        0.0,
    )
    # So the threshold is one of these scores too, not of a logistic function.
    assert found.scores_threshold == found.threshold
    given = [one for t in given_scores() for one in t.metadata["hyperedge_attention"].values()]
    assert min(given) < found.threshold < max(given)


def test_an_objective_moves_the_recommended_threshold_and_is_exported():
    precise = calibrate(
        given_scores(), metric=Objective("recall", least_precision=0.7),
        cross_validation=CrossValidation(repeats=1), resampling=Resampling(samples=100),
    )  # fmt: skip
    plain = calibrate(
        given_scores(), cross_validation=CrossValidation(repeats=1),
        resampling=Resampling(samples=100),
    )  # fmt: skip
    assert precise.threshold > plain.threshold
    judged = json.loads(precise.to_json())["judged"]
    assert judged["objective"] == "recall at a precision of 0.700"
    assert judged["metric"] == "recall"
    assert "recall 0." in str(precise)
    assert "at a precision of 0." in str(precise)
    assert precise.held_out_floor.value == pytest.approx(precise.held_out_floor.value, abs=1)
    impossible = calibrate(
        given_scores(), metric=Objective("recall", least_precision=1.0),
        cross_validation=CrossValidation(repeats=1), resampling=Resampling(samples=100),
    )  # fmt: skip
    if not impossible.accepted:
        assert "No threshold reaches a precision of 1.00" in impossible.refusal


def test_a_refusal_leaves_the_words_to_ship():
    """'Use the words' was no way out: no method was the words."""
    traces = []
    random = np.random.default_rng(4)
    for number in range(30):
        labels = random.random(UNITS) < 0.4
        edges = [
            Hyperedge(f"h{i}", UNLIKE[i] if used else "Nothing of it.", label=bool(used))
            for i, used in enumerate(labels)
        ]
        scores = {f"h{i}": float(one) for i, one in enumerate(random.random(UNITS))}
        metadata = {"hyperedge_attention": scores}
        traces.append(Trace(f"t{number}", "what?", edges, " ".join(UNLIKE), metadata))
    found = calibrate(
        traces, cross_validation=CrossValidation(repeats=1), resampling=Resampling(samples=50)
    )
    assert not found.accepted
    with pytest.raises(ValidationError, match=r"recommendation\.words"):
        found.extractor()
    assert found.words["method"] == "lexical"
    table = asyncio.run(FeedbackExtractor(config=found.words).explain_traces(traces))
    judged = judge(traces, table)
    assert ((table["verdict"] == "used").to_numpy() == judged.labels).mean() > 0.95
