from __future__ import annotations

import numpy as np
import pytest

from explorer.errors import InputError, ShapeError
from explorer.figures import (
    ScoreGroups,
    feedback_bars_spec,
    score_histogram,
    score_histogram_spec,
    threshold_curves_spec,
)
from explorer.figures._style.score_axis import score_ticks
from explorer.figures.colours import verdict_colour
from explorer.widgets._plot.incremental_plot import _changed_arrays

SCORES = ScoreGroups.of([0.5, 0.05, np.nan, 0.3, 0.002, 0.3], [1, 0, 1, 1, 0, 0])


def trace(spec, name):
    (found,) = [trace for trace in spec["data"] if trace["name"] == name]
    return found


def texts(spec):
    return [note["text"] for note in spec["layout"]["annotations"]]


def test_bars_are_the_counts_of_both_halves():
    spec = score_histogram_spec(SCORES, scale="linear", counted="linear", bins=10)
    assert trace(spec, "used")["y"].tolist() == [0, 0, 0, 1, 0, 1, 0, 0, 0, 0]
    assert trace(spec, "not used")["y"].tolist() == [-2, 0, 0, -1, 0, 0, 0, 0, 0, 0]
    np.testing.assert_allclose(spec["layout"]["meta"]["edges"], np.linspace(0, 1, 11))
    assert (trace(spec, "used")["y"] >= 0).all()
    roots = trace(score_histogram_spec(SCORES, scale="linear", bins=10), "not used")["y"]
    np.testing.assert_allclose(roots[[0, 3]], [-(2**0.5), -1])


def test_no_score_is_lost_beyond_the_ends_of_the_axis():
    scores = ScoreGroups.of([0.0, 1e-7, 1e-5, 0.9, 1.0], [1, 1, 0, 0, 1])
    spec = score_histogram_spec(scores, counted="linear", span=(1e-4, 0.5))
    assert trace(spec, "used")["y"].sum() == 3
    assert trace(spec, "used")["y"][0] == 2
    assert -trace(spec, "not used")["y"].sum() == 2
    assert trace(spec, "bins")["customdata"][0].startswith("score below 0.000")
    assert trace(spec, "bins")["customdata"][-1].endswith(
        "up<br>1 labelled used<br>1 labelled not used"
    )


def test_bars_touch_their_edges_on_the_log_axis():
    spec = score_histogram_spec(SCORES, bins=4)
    bars = trace(spec, "bins")
    np.testing.assert_allclose(bars["x"] - bars["width"] / 2, [1e-4, 1e-3, 1e-2, 1e-1])
    np.testing.assert_allclose(bars["x"] + bars["width"] / 2, [1e-3, 1e-2, 1e-1, 1])


def test_what_is_called_used_is_counted_and_strong():
    spec = score_histogram_spec(SCORES, 0.3, scale="linear", bins=10, width=900)
    # 0.3 itself counts, in the precision of attention: float32.
    assert SCORES.called(0.3) == (2, 1)
    assert trace(spec, "called")["text"] == ["2 called used, 100%", "1 called used, 33%"]
    assert trace(spec, "totals")["text"] == ["2 units", "3 units"]
    strong = [colour == verdict_colour("used") for colour in trace(spec, "used")["marker"]["color"]]
    assert strong == [False] * 3 + [True] * 7
    assert set(trace(score_histogram_spec(SCORES), "used")["marker"]["color"]) == {
        verdict_colour("used")
    }


def test_unknown_scores_and_the_kind_of_truth_are_told():
    spec = score_histogram_spec(SCORES, truth="agreement", width=900)
    assert "scores of 5 units, 1 unknown left out, heights as square roots" in texts(spec)
    assert "agreement, not ground truth" in texts(spec)
    assert trace(spec, "halves")["text"] == ["used by the other", "not used by the other"]
    with pytest.raises(InputError, match="truth must be"):
        score_histogram_spec(SCORES, truth="guess")


def test_few_scores_are_drawn_one_by_one():
    rug = trace(score_histogram_spec(SCORES), "rug")
    np.testing.assert_allclose(rug["x"], [0.3, 0.5, 0.002, 0.05, 0.3], rtol=1e-6)
    assert (np.sign(rug["y"]) == [1, 1, -1, -1, -1]).all()
    many = ScoreGroups.of(np.linspace(0, 1, 60), np.arange(60) % 2)
    assert not trace(score_histogram_spec(many), "rug")["x"].size


@pytest.mark.parametrize(
    ("scores", "labels"),
    [([], []), ([np.nan, np.nan], [1, 0]), ([0.2, 0.4], [1, 1]), ([0.3, 0.3], [0, 1])],
)
def test_a_drag_changes_arrays_alone(scores, labels):
    found = ScoreGroups.of(scores, labels)
    before, after = (score_histogram_spec(found, threshold) for threshold in (0.1, 0.35))
    changes = _changed_arrays(before, after)
    assert changes is not None
    assert {name for arrays in changes.values() for name in arrays} <= {"marker_color", "text"}


def test_no_scores_say_what_to_do():
    assert "label some" in texts(score_histogram_spec(ScoreGroups.of([], [])))[0]
    nothing = score_histogram_spec(ScoreGroups.of([np.nan], [True]), 0.1)
    assert texts(nothing) == ["None of the 1 labelled units has a score."]
    assert trace(nothing, "called")["text"] == ["", ""]


def test_the_axis_is_that_of_the_bars_and_of_the_curves():
    import pandas as pd

    curves = threshold_curves_spec(pd.DataFrame({"threshold": [0.1], "f1": [0.5]}), metrics=["f1"])
    histogram = score_histogram_spec(SCORES)["layout"]
    for name in ("range", "tickvals", "ticktext", "domain"):
        assert curves["layout"]["xaxis"][name] == histogram["xaxis"][name]
    assert curves["layout"]["margin"]["l"] == histogram["margin"]["l"]
    table = pd.DataFrame(
        {
            "unit": ["h"], "text": ["t"], "tokens": [1], "score": [0.1], "feedback": [1.0],
            "verdict": ["used"], "diagnostics": [()],
        }
    )  # fmt: skip
    bars = feedback_bars_spec(table)["layout"]["xaxis"]
    assert bars["ticktext"] == histogram["xaxis"]["ticktext"] == ["", ".001", ".01", ".1", "1"]


def test_ticks_of_a_narrow_span_are_round():
    assert score_ticks("linear", (0.0, 0.05))["ticktext"] == [
        "0", ".01", ".02", ".03", ".04", ".05"
    ]  # fmt: skip
    assert score_ticks("log", (1e-3, 0.1))["ticktext"] == [".001", ".01", ".1"]
    with pytest.raises(InputError, match="low < high"):
        score_ticks("log", (0.5, 0.1))
    with pytest.raises(InputError, match="'linear' or 'log'"):
        score_ticks("cubic")


def test_the_reachable_range_is_shaded_and_the_threshold_drawn_when_asked():
    figure = score_histogram(SCORES, 0.2, reachable=0.25, scale="linear")
    (shade,) = [trace for trace in figure.data if trace.name == "reachable"]
    assert max(shade.x) == 0.25
    (line,) = [shape for shape in figure.layout.shapes if shape.name == "threshold"]
    assert (line.x0, line.x1) == (0.2, 0.2)
    assert [one["name"] for one in score_histogram_spec(SCORES, 0.2)["layout"]["shapes"]] == [
        "base"
    ]


def test_scores_and_labels_fit():
    with pytest.raises(ShapeError, match="2 scores, but 1 labels"):
        ScoreGroups.of([0.1, 0.2], [True])
    with pytest.raises(InputError, match="'sqrt' or 'linear'"):
        score_histogram_spec(SCORES, counted="log")


def test_the_reference_is_named_where_the_threshold_is_not():
    def marked(threshold, reference, **settings):
        layout = score_histogram_spec(SCORES, threshold, reference=reference, **settings)["layout"]
        lines = [one for one in layout["shapes"] if one["name"] == "reference"]
        words = [one for one in layout["annotations"] if one["text"].startswith("reference")]
        return lines, words

    (line,), (word,) = marked(0.3, 0.1)
    assert (line["x0"], line["x1"]) == (0.1, 0.1)
    # A note on the log axis stands at the power of ten.
    assert (word["x"], word["xanchor"], word["text"]) == (-1.0, "right", "reference 0.100")
    (line,), (word,) = marked(0.01, 0.1, scale="linear")
    assert (line["x0"], word["x"], word["xanchor"]) == (0.1, 0.1, "left")
    # Where the axis does not reach it nothing stands for it.
    assert marked(0.3, 0.1, span=(0.2, 1.0)) == ([], [])
    assert marked(0.3, None) == ([], [])


def test_a_count_of_many_units_keeps_its_share():
    """ "24,722 called used, 98%" was cut at the edge of the figure."""
    many = ScoreGroups.of(np.linspace(0, 1, 50_000), np.arange(50_000) % 2 == 0)
    spec = score_histogram_spec(many, 0.02, width=700)
    assert trace(spec, "called")["text"] == ["24,500 called, 98%", "24,500 called, 98%"]
    assert all(len(text) <= 22 for text in trace(spec, "called")["text"])
