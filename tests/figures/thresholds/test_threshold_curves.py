from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from explorer.errors import InputError
from explorer.figures import threshold_curves, threshold_curves_spec
from explorer.figures._style.line_labels import line_label_positions
from explorer.widgets._plot.incremental_plot import _changed_arrays

SWEEP = pd.DataFrame(
    {
        "threshold": [0.0, 0.01, 0.1, 0.5],
        "f1": [0.4, 0.6, 0.5, 0.0],
        "f1_low": [0.3, 0.5, 0.4, np.nan],
        "f1_high": [0.5, 0.7, 0.6, np.nan],
        "mcc": [np.nan, 0.3, 0.2, np.nan],
    }
)


def trace(spec, name):
    (found,) = [trace for trace in spec["data"] if trace["name"] == name]
    return found


def drawn(threshold=None, **settings):
    return threshold_curves_spec(SWEEP, threshold, metrics=("f1", "mcc"), **settings)


def test_curves_and_bands_are_those_of_the_sweep():
    spec = drawn(scale="linear")
    assert trace(spec, "f1")["y"].tolist() == [0.4, 0.6, 0.5, 0.0]
    assert trace(spec, "f1")["x"].tolist() == [0, 0.01, 0.1, 0.5]
    band = trace(spec, "f1 band")
    assert band["x"].tolist() == [0, 0.01, 0.1, 0.1, 0.01, 0]
    assert band["y"].tolist() == [0.5, 0.7, 0.6, 0.4, 0.5, 0.3]
    assert not trace(spec, "mcc band")["x"].size
    np.testing.assert_array_equal(trace(spec, "mcc")["y"], [np.nan, 0.3, 0.2, np.nan])
    assert (
        trace(spec, "f1")["customdata"][1] == "F1 <b>0.600</b> (0.500 to 0.700)<br>threshold 0.0100"
    )
    # on the log axis 0 stands at the edge
    assert trace(drawn(), "f1")["x"].tolist() == [1e-4, 0.01, 0.1, 0.5]


def test_every_measure_has_its_own_dash_and_its_name():
    spec = drawn()
    assert trace(spec, "f1")["line"]["dash"] != trace(spec, "mcc")["line"]["dash"]
    assert trace(spec, "measures")["text"] == ["F1", "MCC"]
    assert trace(spec, "names")["text"] == ["F1", "MCC"]
    assert trace(spec, "f1")["line"]["width"] > trace(spec, "mcc")["line"]["width"]
    assert trace(drawn(chosen="mcc"), "mcc")["line"]["width"] == trace(spec, "f1")["line"]["width"]


def test_the_best_point_and_the_plateau_are_marked_and_told():
    spec = drawn(plateau=(0.005, 0.1), tolerance=0.1, width=900)
    assert trace(spec, "best")["x"].tolist() == [0.01]
    assert trace(spec, "best")["text"] == ["0.600"]
    assert trace(spec, "plateau")["x"].tolist() == [0.005, 0.1]
    words = spec["layout"]["annotations"][0]["text"]
    assert words == "Best F1 0.600 at 0.0100; almost as good from 0.00500 to 0.100 (within 0.1)"
    assert trace(drawn(best=(0.1, 0.5)), "best")["y"].tolist() == [0.5]
    assert not trace(drawn(), "plateau")["x"].size


def test_values_at_the_threshold_are_read_from_the_sweep_or_given():
    assert trace(drawn(0.09), "readings")["text"] == ["0.500", "0.200"]
    assert trace(drawn(0.09), "here")["text"] == ["at 0.0900"]
    assert trace(drawn(0.09, reading={"mcc": -0.25}), "readings")["text"] == ["0.500", "−0.250"]
    assert trace(drawn(0.5), "readings")["text"] == ["0.000", "\u2013"]


def test_a_drag_changes_texts_alone():
    changes = _changed_arrays(drawn(0.02), drawn(0.4))
    assert changes is not None
    assert {name for arrays in changes.values() for name in arrays} == {"text"}
    # texts without tags change in place
    for number, arrays in changes.items():
        assert all("<" not in text for text in arrays["text"]), number


def test_a_click_names_its_threshold():
    meta = drawn()["layout"]["meta"]
    assert meta["thresholds"].tolist() == [0, 0.01, 0.1, 0.5]
    many = pd.DataFrame({"threshold": np.linspace(0, 1, 5000), "f1": np.linspace(0, 1, 5000)})
    spec = threshold_curves_spec(many, 0.77777, metrics=("f1",))
    kept = spec["layout"]["meta"]["thresholds"]
    assert len(kept) == len(trace(spec, "f1")["x"]) <= 320
    assert (kept[0], kept[-1]) == (0, 1)
    # what is read at the threshold comes from all rows
    assert trace(spec, "readings")["text"] == ["0.778"]


@pytest.mark.parametrize("sweep", [SWEEP.iloc[:0], SWEEP.assign(f1=np.nan, mcc=np.nan)])
def test_nothing_to_measure_is_said(sweep):
    spec = threshold_curves_spec(sweep, 0.1, metrics=("f1", "mcc"))
    assert spec["layout"]["annotations"][0]["text"].startswith("Nothing to measure")
    assert not trace(spec, "best")["x"].size


def test_measures_are_known_and_in_the_sweep():
    with pytest.raises(InputError, match="no 'recall'"):
        threshold_curves_spec(SWEEP, metrics=("recall",))
    with pytest.raises(InputError, match="no 'changed_calls'"):
        threshold_curves_spec(SWEEP.assign(changed_calls=1), metrics=("changed_calls",))


def test_the_figure_draws_the_threshold():
    (line,) = threshold_curves(SWEEP, 0.2, metrics=("f1",)).layout.shapes
    assert line.x0 == 0.2


def test_a_word_stands_by_its_own_line():
    x = np.array([0.0, 300.0])
    high, low = (x, np.array([150.0, 150.0])), (x, np.array([40.0, 40.0]))
    places = line_label_positions([high, low], ["one", "other"], (300, 200))
    assert [abs(y - level) < 15 for (_, y), level in zip(places, (150, 40), strict=True)] == [
        True
    ] * 2
    # two lines in one place have no place that is one's alone, unless the other ends
    assert np.isnan(line_label_positions([high, high], ["one", "other"], (300, 200))).all()
    ends = (np.array([0.0, 150.0]), np.array([150.0, 150.0]))
    ((x, _), (other, _)) = line_label_positions([high, ends], ["one", "other"], (300, 200))
    assert x > 150
    assert np.isnan(other)
    # and no word lies on another, or on what is taken
    boxes = line_label_positions([high], ["one"], (300, 200), taken=[(0, 300, 150, 200)])
    assert boxes[0][1] < 150
    assert np.isnan(line_label_positions([(np.empty(0), np.empty(0))], ["one"], (300, 200))).all()
    for width in (5, 0, -20):
        assert np.isnan(line_label_positions([high], ["one"], (width, 200))).all()
