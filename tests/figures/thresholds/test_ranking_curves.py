from __future__ import annotations

import numpy as np
import pytest

from explorer.errors import ShapeError
from explorer.figures import OperatingPoint, RankCurve, rank_curves, rank_curves_spec
from explorer.widgets._plot.incremental_plot import _changed_arrays

# Labels 1, 0, 1, 0 by falling score.
ROC = RankCurve.of([0, 0, 0.5, 0.5, 1], [0, 0.5, 0.5, 1, 1], 0.75, (0.5, 1.0))
PR = RankCurve.of([0, 0.5, 1, 1], [1, 1, 2 / 3, 0.5], 5 / 6)
AT = OperatingPoint(0.25, 0.5, 1.0, 2 / 3)


def trace(spec, name):
    (found,) = [trace for trace in spec["data"] if trace["name"] == name]
    return found


def test_curves_chance_and_prevalence():
    spec = rank_curves_spec(ROC, PR, 0.5)
    assert trace(spec, "roc")["x"].tolist() == [0, 0, 0.5, 0.5, 1]
    assert trace(spec, "roc")["y"].tolist() == [0, 0.5, 0.5, 1, 1]
    assert trace(spec, "pr")["y"].tolist() == [1, 1, 2 / 3, 0.5]
    assert trace(spec, "roc chance")["y"].tolist() == [0, 1]
    assert trace(spec, "pr chance")["y"].tolist() == [0.5, 0.5]
    assert trace(spec, "pr")["xaxis"] == "x2"
    words = [note["text"] for note in spec["layout"]["annotations"]]
    assert words == ["ROC-AUC 0.750 (0.500 to 1.00)", "average precision 0.833", "judged by labels"]


def test_the_threshold_is_a_point_on_both_and_words():
    spec = rank_curves_spec(ROC, PR, 0.5, AT)
    assert [trace(spec, "roc point")[axis].tolist() for axis in "xy"] == [[0.5], [1.0]]
    assert [trace(spec, "pr point")[axis].tolist() for axis in "xy"] == [[1.0], [2 / 3]]
    assert trace(spec, "here")["text"] == ["at 0.250: recall 100%, false alarms 50%, precision 67%"]
    none = rank_curves_spec(ROC, PR, 0.5, OperatingPoint(1.0, 0.0, 0.0, np.nan))
    assert trace(none, "here")["text"][0].endswith("nothing is called used")


@pytest.mark.parametrize(("width", "starts"), [(455, "recall 100%"), (520, "at 0.250: recall")])
def test_the_words_leave_room_for_the_caption_on_their_line(width, starts):
    (text,) = trace(rank_curves_spec(ROC, PR, 0.5, AT, width=width), "here")["text"]
    assert text.startswith(starts)


def test_a_drag_moves_the_points_and_words_alone():
    changes = _changed_arrays(
        rank_curves_spec(ROC, PR, 0.5, AT),
        rank_curves_spec(ROC, PR, 0.5, OperatingPoint(0.9, 0.0, 0.5, 1.0)),
    )
    assert changes is not None
    assert {name for arrays in changes.values() for name in arrays} == {"x", "y", "text"}
    assert _changed_arrays(rank_curves_spec(ROC, PR, 0.5), rank_curves_spec(ROC, PR, 0.5, AT))


def test_bands_are_drawn_where_known():
    curve = RankCurve.of([0, 0.5, 1], [0, 0.7, 1], low=[0, np.nan, 1], high=[0.1, 0.9, 1])
    band = trace(rank_curves_spec(curve, PR, 0.5), "roc band")
    assert band["x"].tolist() == [0, 1, 1, 0]
    assert band["y"].tolist() == [0.1, 1, 1, 0]
    assert not trace(rank_curves_spec(ROC, PR, 0.5), "roc band")["x"].size


def test_baselines_are_named_and_their_names_are_no_html():
    name = "<b>length</b>"
    low = RankCurve.of([0, 0.9, 1], [0, 0.1, 1], name=name)
    spec = rank_curves_spec(ROC, PR, 0.5, baselines=[(low, RankCurve.of([0, 1], [0.1, 0.1]))])
    assert trace(spec, "roc baseline 0")["y"].tolist() == [0, 0.1, 1]
    assert trace(spec, "roc names")["text"] == ["&lt;b&gt;length&lt;/b&gt;", "chance"]
    assert not np.isnan(trace(spec, "roc names")["x"][0])
    assert spec["layout"]["meta"]["baselines"] == [name]


def test_long_curves_are_thinned_and_keep_their_corners():
    rate = np.linspace(0, 1, 100_000)
    curve = RankCurve.of(rate, np.sqrt(rate), 0.5, low=rate, high=rate)
    assert len(curve.x) == len(curve.y) == len(curve.low) <= 201
    assert (curve.x[0], curve.x[-1]) == (0, 1)
    np.testing.assert_allclose(curve.y, np.sqrt(curve.x))
    steps = np.hypot(np.diff(curve.x), np.diff(curve.y))
    assert steps.max() < 0.02
    with pytest.raises(ShapeError, match="one length"):
        RankCurve.of([0, 1], [0])


def test_nothing_to_rank_is_said():
    nothing = RankCurve.of([], [])
    spec = rank_curves_spec(nothing, nothing, float("nan"), AT)
    assert spec["layout"]["annotations"][0]["text"].startswith("Nothing to rank")
    assert np.isnan(trace(spec, "roc point")["x"]).all()
    assert trace(spec, "here")["text"] == [" "]
    assert not trace(spec, "roc chance")["x"].size


def test_a_figure_of_it():
    figure = rank_curves(ROC, PR, 0.5, width=480)
    assert figure.layout.height == 8 + 44 + 40 + 200
    assert figure.layout.xaxis.domain[1] < figure.layout.xaxis2.domain[0]
