"""A threshold found in the scores of one view."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from explorer.attention import DenseAttention
from explorer.errors import InputError
from explorer.feedback import FeedbackPolicy, Unit, auto_threshold, feedback_table
from explorer.rag import FeedbackExtractor
from explorer.rag._extraction.rethresholding import rethreshold
from explorer.reporting._analysis.score_names import single_threshold_config


def test_the_largest_gap_is_divided_in_its_middle() -> None:
    # gaps 0.1, 0.4, 0.1, between 0.2 and 0.6
    found = auto_threshold([0.7, 0.1, 0.6, 0.2])
    assert found.value == pytest.approx(0.4)
    assert (found.rule, found.below, found.above) == ("gap", 0.2, 0.6)


@pytest.mark.parametrize(
    ("scores", "value"),
    [
        ([0.1, 0.3], 0.2),  # two units: between them
        ([0.1, 0.1, 0.5, 0.5], 0.3),  # ties
        ([0.1, 0.2, 0.3, 0.4], 0.35),  # equal gaps: the highest, so that fewer are used
        (np.array([0.1, 0.2, 0.3], dtype=np.float32), 0.25),
        ([0.1, None, 0.3, np.nan], 0.2),  # unknown ones do not count
        ([-1.0, 0.2, 3.0], 0.6),  # as they are compared: clipped to [0, 1]
        ([[0.0, 0.1], [0.9, 0.8]], 0.45),
    ],
)
def test_thresholds_between_scores(scores: Any, value: float) -> None:
    found = auto_threshold(scores)
    assert found.rule == "gap"
    assert found.value == pytest.approx(value)


@pytest.mark.parametrize(
    "scores", [[], [0.4], [0.3, 0.3, 0.3], [np.nan, None], [np.nan, 0.2], [0.0, 0.0]]
)
def test_without_a_gap_it_is_the_default_and_says_so(scores: list[Any]) -> None:
    found = auto_threshold(scores)
    assert (found.rule, found.value) == ("none", FeedbackPolicy().threshold)
    assert "the default, as the scores here do not differ" in found.diagnostic.message


def test_rounding_is_no_gap() -> None:
    assert auto_threshold([0.3, 0.3 + 1e-9]).rule == "none"


def test_a_lift_of_one_half_is_what_length_predicts() -> None:
    found = auto_threshold([0.1, 0.2, 0.9], "lift")
    assert (found.value, found.rule) == (0.5, "length")
    assert auto_threshold([], "lift").value == 0.5


def test_what_is_no_score_is_refused() -> None:
    with pytest.raises(InputError, match="numbers"):
        auto_threshold(["high"])
    with pytest.raises(InputError, match="no normalisation 'z'"):
        auto_threshold([0.1], "z")  # type: ignore[arg-type]


def _table(policy: FeedbackPolicy, normalisation: Any = "raw") -> Any:
    attention = DenseAttention(np.array([[0.1, 0.15, 0.75], [0.1, 0.15, 0.75], [0.1, 0.15, 0.75]]))
    units = [Unit.from_spans(name, name, [(at, at + 1)]) for at, name in enumerate("abc")]
    return feedback_table(attention, units, policy, normalisation=normalisation)


def test_a_table_says_that_its_threshold_was_found() -> None:
    table = _table(FeedbackPolicy("auto"))
    assert table["verdict"].tolist() == ["not used", "not used", "used"]
    assert table.attrs["threshold"] == pytest.approx(0.45)
    assert table.attrs["threshold_mode"] == "auto"
    (note,) = [one for one in table.attrs["notes"] if one.code == "auto-threshold"]
    assert note.message == (
        "Threshold 0.450, found by auto: the middle of the largest gap between the scores here "
        "(0.150 to 0.750). No label was asked."
    )
    fixed = _table(FeedbackPolicy(table.attrs["threshold"]))
    assert fixed["feedback"].tolist() == table["feedback"].tolist()
    assert fixed.attrs["threshold_mode"] == "fixed"
    assert not [one for one in fixed.attrs["notes"] if one.code == "auto-threshold"]


def test_lifts_are_compared_with_one_half() -> None:
    table = _table(FeedbackPolicy("auto"), "lift")
    assert table.attrs["threshold"] == 0.5
    # lifts r / (1 + r) with r = 0.3, 0.45, 2.25
    assert table["verdict"].tolist() == ["not used", "near", "used"]


def test_a_policy_takes_no_other_word() -> None:
    assert FeedbackPolicy().threshold == 0.1
    for value in ("automatic", "0.1", ""):
        with pytest.raises(InputError, match='from 0 to 1 or "auto"'):
            FeedbackPolicy(value)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="Positive must be a number from 0 to 1, but"):
        FeedbackPolicy(positive="auto")  # type: ignore[arg-type]


def _explained(scores: dict[str, float], **config: Any) -> Any:
    extractor = FeedbackExtractor(
        config={"method": "attention", "attention_threshold": "auto", **config}
    )
    edges = [{"id": name, "hyperedge": f"text {name}"} for name in scores]
    return asyncio.run(extractor.explain("the Nile", edges, {"hyperedge_attention": scores}))


def test_an_extractor_finds_the_threshold_of_each_trace() -> None:
    table = _explained({"a": 0.02, "b": 0.5, "c": 0.04})
    assert table["threshold"].tolist() == pytest.approx([0.27] * 3)
    assert table["verdict"].tolist() == ["not used", "used", "not used"]
    assert table.attrs["threshold_mode"] == "auto"
    assert table.attrs["threshold"] == pytest.approx(0.27)
    assert "auto-threshold" in [note.code for note in table.attrs["notes"]]
    other = _explained({"a": 0.002, "b": 0.004, "c": 0.05})
    assert other["threshold"].tolist() == pytest.approx([0.027] * 3)


def test_similarities_have_no_auto() -> None:
    with pytest.raises(InputError, match="`similarity_threshold` must be a number from 0 to 1, "):
        FeedbackExtractor(config={"similarity_threshold": "auto"})
    with pytest.raises(InputError, match=r'`attention_threshold` must be .* or "auto"'):
        FeedbackExtractor(config={"attention_threshold": "automatic"})


def test_known_scores_are_converted_trace_by_trace() -> None:
    config = FeedbackExtractor(config={"method": "attention", "attention_threshold": "auto"}).config
    scores = np.array([0.1, 0.9, 0.001, 0.09])
    traces = np.array(["x", "x", "y", "y"], dtype=object)
    together = rethreshold(scores, "attention", config, traces)
    assert together[[1, 3]].tolist() == [1.0, 1.0]
    assert (together[[0, 2]] < 0.5).all()


def test_a_report_judges_one_number() -> None:
    with pytest.raises(Exception, match="finds another one for each trace"):
        single_threshold_config({"method": "attention", "attention_threshold": "auto"})
