from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from explorer.errors import InputError
from explorer.figures import method_dots, method_dots_spec

NAN = float("nan")
TABLE = pd.DataFrame(
    {
        "scores": ["attention", "<b>length</b>", "always-no"],
        "auc": [0.7, 0.45, 0.5],
        "auc_low": [0.65, 0.4, NAN],
        "auc_high": [0.75, 0.5, NAN],
        "average_precision": [0.5, 0.2, NAN],
        "f1": [0.6, 0.3, 0.0],
        "note": ["", "longer is <more>", ""],
    }
)
TABLE.attrs |= {"prevalence": 0.25, "truth": "ablation"}


def trace(spec, name):
    found = [trace for trace in spec["data"] if trace["name"] == name]
    return found[0] if len(found) == 1 else found


def words(spec):
    return [note["text"] for note in spec["layout"]["annotations"]]


def test_dots_intervals_and_digits():
    spec = method_dots_spec(TABLE)
    assert trace(spec, "auc")["x"].tolist() == [0.7, 0.45, 0.5]
    assert trace(spec, "auc digits")["text"] == ["0.700", "0.450", "0.500"]
    assert trace(spec, "average_precision digits")["text"] == ["0.500", "0.200", "\N{EN DASH}"]
    quiet, strong = trace(spec, "auc intervals")
    assert strong["x"][:2].tolist() == [0.65, 0.75]
    assert strong["y"].tolist() == [0, 0, 0]
    np.testing.assert_array_equal(quiet["x"], [0.4, 0.5, NAN, NAN, NAN, NAN])
    assert spec["layout"]["meta"]["methods"] == ["attention", "<b>length</b>", "always-no"]
    assert len(trace(spec, "row")["y"]) == 3


def test_chance_follows_from_the_prevalence():
    spec = method_dots_spec(TABLE)
    assert trace(spec, "auc chance")["x"].tolist() == [0.5, 0.5]
    assert trace(spec, "average_precision chance")["x"].tolist() == [0.25, 0.25]
    # everything called used: precision 0.25, recall 1
    np.testing.assert_allclose(trace(spec, "f1 chance")["x"], 2 * 0.25 / 1.25)
    assert "chance 0.400" in words(spec)
    assert "judged by ablation" in words(spec)
    bare = TABLE.copy()
    bare.attrs = {}
    assert np.isnan(trace(method_dots_spec(bare), "f1 chance")["x"]).all()


def test_the_first_or_the_named_rows_are_brought_forward_by_shape_too():
    symbols = trace(method_dots_spec(TABLE), "auc")["marker"]["symbol"]
    assert symbols == ["circle", "circle-open", "circle-open"]
    spec = method_dots_spec(TABLE, strong=["always-no"])
    assert trace(spec, "names")["text"][2] == "<b>always-no</b>"
    assert trace(spec, "names")["text"][0] == "attention"


def test_names_and_notes_are_no_html():
    spec = method_dots_spec(TABLE, width=1100)
    assert trace(spec, "names")["text"][1].startswith("&lt;b&gt;")
    hover = trace(spec, "row")["customdata"][1]
    assert hover.startswith("<b>&lt;b&gt;length")
    assert hover.endswith("<br>longer is &lt;more&gt;")
    assert "ROC-AUC 0.450 (0.400 to 0.500)" in hover


def test_no_methods_all_unknown_and_unknown_metrics():
    assert "No methods to compare." in words(method_dots_spec(TABLE.iloc[:0]))
    nothing = TABLE.assign(auc=NAN, auc_low=NAN, auc_high=NAN)
    assert trace(method_dots_spec(nothing), "auc digits")["text"] == ["\N{EN DASH}"] * 3
    with pytest.raises(InputError, match="no 'mcc'"):
        method_dots_spec(TABLE, metrics=("mcc",))
    with pytest.raises(InputError, match="no 'f1'"):
        method_dots_spec(TABLE.drop(columns="f1"))


@pytest.mark.parametrize("width", [480, 700, 1100])
def test_panels_do_not_overlap(width):
    layout = method_dots(TABLE, width=width).layout
    domains = [layout[f"xaxis{place}"].domain for place in (2, 3, 4)]
    for (low, high), (following, _) in zip(domains, [*domains[1:], (1, 1)], strict=True):
        assert low < high < following
