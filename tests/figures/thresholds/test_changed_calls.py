from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd

from explorer.figures import changed_calls, changed_calls_spec
from explorer.widgets._plot.incremental_plot import _changed_arrays


def table_of(scores, labels, one, other, **columns):
    scores = np.asarray(scores, dtype=float)
    return pd.DataFrame(
        {
            "trace": [f"q{i}" for i in range(len(scores))],
            "unit": [f"h{i}" for i in range(len(scores))],
            "score": scores,
            "label": np.asarray(labels, dtype=bool),
            "at_one": scores >= one,
            "at_other": scores >= other,
        }
        | columns
    )


CHANGED = table_of([0.12, 0.19, 0.15], [False, True, False], 0.1, 0.2)


def trace(spec, name):
    (found,) = [trace for trace in spec["data"] if trace["name"] == name]
    return found


def test_rows_stand_by_how_near_they_are_to_the_new_threshold():
    spec = changed_calls_spec(CHANGED, 0.1, 0.2)
    assert spec["layout"]["meta"] == {"traces": ["q1", "q2", "q0"], "units": ["h1", "h2", "h0"]}
    assert trace(spec, "score")["text"] == ["0.190", "0.150", "0.120"]
    assert trace(spec, "label")["text"] == ["✓", "✗", "✗"]
    assert len(trace(spec, "row")["x"]) == 3


def test_calls_are_marks_and_the_outcome_a_word():
    spec = changed_calls_spec(CHANGED, 0.1, 0.2)
    assert trace(spec, "before used")["text"] == ["●"] * 3
    assert trace(spec, "after not used")["text"] == ["○"] * 3
    assert {text.strip() for text in trace(spec, "after used")["text"]} == {""}
    assert trace(spec, "outcome")["text"] == ["now wrong", "now right", "now right"]
    assert trace(spec, "summary")["text"] == [
        "3 calls change from 0.100 to 0.200: 2 now right, 1 now wrong"
    ]
    assert trace(spec, "row")["customdata"][0].endswith(
        "score 0.190: used at 0.100, not used at 0.200; labelled used"
    )


def test_agreement_is_not_called_right():
    CHANGED.attrs["truth"] = "agreement"
    try:
        spec = changed_calls_spec(CHANGED, 0.1, 0.2)
    finally:
        CHANGED.attrs.clear()
    assert trace(spec, "outcome")["text"] == ["now differs", "now agrees", "now agrees"]
    assert "label" not in [note["text"] for note in spec["layout"]["annotations"]]


def test_at_most_thirty_rows_and_all_are_counted():
    scores = np.linspace(0.1, 0.2, 1000, endpoint=False)
    spec = changed_calls_spec(table_of(scores, [False] * 1000, 0.1, 0.2), 0.1, 0.2)
    assert spec["layout"]["meta"]["units"] == [f"h{999 - i}" for i in range(30)]
    assert trace(spec, "summary")["text"][0].startswith("1,000 calls change")
    assert trace(spec, "summary")["text"][0].endswith("the 30 nearest shown")
    equal = changed_calls_spec(table_of([0.15] * 50, [True] * 50, 0.1, 0.2), 0.1, 0.2)
    assert equal["layout"]["meta"]["units"] == [f"h{i}" for i in range(30)]


def test_with_slots_a_drag_changes_arrays_alone():
    scores = [0.12, 0.19, 0.15, 0.11]
    specs = [
        changed_calls_spec(
            table_of(scores[:count], [True] * count, 0.1, other, text=["a fact"] * count),
            0.1,
            other,
            slots=5,
        )
        for count, other in ((4, 0.2), (1, 0.15), (0, 0.1))
    ]
    assert [len(trace(spec, "unit")["text"]) for spec in specs] == [5, 5, 5]
    assert [np.count_nonzero(trace(spec, "row")["x"]) for spec in specs] == [4, 1, 0]
    for before, after in pairwise(specs):
        changes = _changed_arrays(before, after)
        assert changes is not None
        names = {name for arrays in changes.values() for name in arrays}
        assert names <= {"x", "text", "customdata"}
        # the bars get shorter, and no text moves
        assert [i for i, arrays in changes.items() if "x" in arrays] in ([], [0])
    assert len(specs[0]["layout"]["meta"]["units"]) == 4


def test_texts_are_cut_and_never_html():
    spec = changed_calls_spec(
        table_of([0.15], [True], 0.1, 0.2, text=["<script>alert(1)</script> " + "fact " * 60],
                 unit=["<b>h</b>"], trace=["<i>q</i>" * 9]),
        0.1, 0.2, width=900,
    )  # fmt: skip
    assert trace(spec, "text")["text"][0].startswith("&lt;script&gt;")
    assert trace(spec, "text")["text"][0].endswith("…")
    for one in spec["data"]:
        for text in [*one.get("text", ()), *one.get("customdata", ())]:
            for tag in ("<script", "<i>"):
                assert tag not in text
    assert spec["layout"]["meta"]["units"] == ["<b>h</b>"]


def test_nothing_changes():
    spec = changed_calls_spec(table_of([], [], 0.1, 0.2), 0.1, 0.2)
    assert trace(spec, "summary")["text"] == ["No call changes from 0.100 to 0.200."]
    assert not trace(spec, "row")["x"].any()
    assert (
        changed_calls(CHANGED, 0.1, 0.2).layout.height
        > changed_calls(CHANGED.iloc[:1], 0.1, 0.2).layout.height
    )
