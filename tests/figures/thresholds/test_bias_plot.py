from __future__ import annotations

import numpy as np
import pandas as pd

from explorer.figures import BiasBins, score_bias, score_bias_spec

NAN = float("nan")


def bins(scores, units=None, used=None, middle=None, spearman=(NAN, NAN, NAN), counted=""):
    count = len(scores)
    scores = np.asarray(scores, dtype=float)
    return BiasBins(
        pd.DataFrame(
            {
                "low": np.arange(count) / count,
                "high": np.arange(1, count + 1) / count,
                "middle": np.arange(count) / count if middle is None else middle,
                "units": [10] * count if units is None else units,
                "score": scores,
                "score_low": scores - 0.01,
                "score_high": scores + 0.01,
                "used": [0.5] * count if used is None else used,
            }
        ),
        spearman,
        counted,
    )


def trace(spec, name):
    (found,) = [trace for trace in spec["data"] if trace["name"] == name]
    return found


def words(spec):
    return [note["text"] for note in spec["layout"]["annotations"]]


def test_scores_are_multiples_of_the_mean_over_units():
    spec = score_bias_spec(bins([0.1, 0.4], units=[20, 10], used=[0.2, 0.8]), None)
    np.testing.assert_allclose(trace(spec, "position")["y"], [0.5, 2.0])
    np.testing.assert_allclose(trace(spec, "position used")["y"], [0.5, 2.0])
    np.testing.assert_allclose(trace(spec, "position intervals")["y"][:2], [0.45, 0.55])
    assert np.isnan(trace(spec, "position intervals")["y"][2])
    assert trace(spec, "position flat")["y"].tolist() == [1, 1]
    assert (
        "mean score <b>0.100</b> (0.0900 to 0.110)<br>20 units, 20% used"
        in (trace(spec, "position")["customdata"][0])
    )


def test_the_lean_is_said_when_the_interval_leaves_zero():
    def lean(spearman, position=True):
        one = bins([0.1, 0.2], spearman=spearman)
        return words(score_bias_spec(*((one, None) if position else (None, one)), width=900))

    assert "earlier units score higher" in lean((-0.3, -0.4, -0.2))
    assert "later units score higher" in lean((0.3, 0.2, 0.4))
    assert "longer units score higher" in lean((0.3, 0.2, 0.4), position=False)
    assert "no clear bias" in lean((0.1, -0.1, 0.3))
    assert "no clear bias" in lean((0.1, NAN, NAN))
    assert "rank correlation −0.30 (−0.40 to −0.20)" in lean((-0.3, -0.4, -0.2))
    assert any(text.startswith("no rank correlation") for text in lean((NAN, NAN, NAN)))


def test_lengths_far_apart_stand_on_a_log_axis():
    far = score_bias_spec(None, bins([0.1, 0.2], middle=[5.0, 100.0], counted="<b>tokens"))
    assert far["layout"]["xaxis2"]["type"] == "log"
    assert far["layout"]["xaxis2"]["ticktext"] == ["5", "10", "20", "50", "100"]
    assert far["layout"]["xaxis2"]["title"]["text"] == "length in &lt;b&gt;tokens"
    near = score_bias_spec(None, bins([0.1, 0.2], middle=[5.0, 10.0]))
    assert "type" not in near["layout"]["xaxis2"]


def test_nothing_known_one_bin_and_scores_of_zero():
    spec = score_bias_spec(None, bins([]))
    assert words(spec)[:2] == ["The position is not known.", "The length is not known."]
    assert spec["layout"]["meta"]["bins"] == [0, 0]
    one = score_bias_spec(bins([0.3]), None)
    assert trace(one, "position")["y"].tolist() == [1.0]
    zero = score_bias_spec(bins([0.0, 0.0], used=[0, 0]), None)
    assert np.isnan(trace(zero, "position")["y"]).all()
    assert [t["name"] for t in zero["data"]] == [t["name"] for t in spec["data"]]
    assert score_bias(bins([0.1, 0.2]), bins([0.1, 0.2])).layout.height == 240
