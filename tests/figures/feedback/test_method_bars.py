from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from explorer.errors import InputError, ShapeError
from explorer.feedback import FeedbackPolicy
from explorer.figures import colours, method_bars
from explorer.figures._feedback.method_bars import methods_spec
from explorer.rag import agreement

NAN = math.nan


def table_of(texts=None, names=None, **feedback):
    """Feedback per method; the verdicts are those of the default policy's scores."""
    count = len(next(iter(feedback.values())))
    columns = {
        "unit": names or [f"he{i + 1}" for i in range(count)],
        "text": texts or [f"fact {i + 1}" for i in range(count)],
    }
    for method, values in feedback.items():
        columns[method] = np.array(values, dtype=float)
        words = ["unknown" if math.isnan(f) else "used" if f >= 0.5 else "not used" for f in values]
        columns[f"{method}_verdict"] = words
    table = pd.DataFrame(columns)
    table.attrs["methods"] = tuple(feedback)
    return table


TABLE = table_of(attention=[1.0, 0.3, 0.4], citation=[0.3, NAN, 0.9], logprobs=[NAN, NAN, NAN])


def agreement_of(**pairs):
    """How far methods agree with attention: equal calls, of how many, kappa."""
    rows = [
        ("attention", method, of, equal / of if of else NAN, kappa)
        for method, (equal, of, kappa) in pairs.items()
    ]
    rows.append(("citation", "logprobs", 9, 1.0, 1.0))  # not with the first: not shown
    return pd.DataFrame(rows, columns=["first", "second", "units", "agreement", "kappa"])


def traces(figure, name):
    return [trace for trace in figure.data if trace.name == name]


def trace(figure, name):
    (found,) = traces(figure, name)
    return found


def texts(figure):
    return [text for part in figure.data for text in np.atleast_1d(part.text) if text]


def test_bars_go_left_and_right_of_neutral():
    figure = method_bars(TABLE)
    np.testing.assert_allclose(trace(figure, "attention").x, [0.5, -0.2, -0.1])
    assert trace(figure, "attention").base == 0.5
    np.testing.assert_allclose(trace(figure, "citation").x, [-0.2, 0.0, 0.4])
    policy = FeedbackPolicy(neutral=0.6, negative=0.2)
    figure = method_bars(TABLE, policy=policy)
    np.testing.assert_allclose(trace(figure, "attention").x, [0.4, -0.3, -0.2])
    assert trace(figure, "attention").marker.color == tuple(
        colours.feedback_colour(value, policy) for value in (1.0, 0.3, 0.4)
    )


def test_a_number_and_a_mark_stand_behind_each_bar():
    def shown(width):
        marks = trace(method_bars(TABLE, width=width), "citation verdict").text
        return [mark.replace("</span>", "").split(">")[1] for mark in marks]

    assert shown(900) == ["○ 0.300", "?", "● 0.900"]
    assert shown(360) == ["○ 0.30", "?", "● 0.90"]


def test_headings_say_how_far_methods_agree():
    told = agreement_of(citation=(1, 2, -0.5), logprobs=(0, 0, NAN))
    said = "\n".join(texts(method_bars(TABLE, told, width=1100)))
    assert "the reference" in said
    assert "agrees 1/2, κ \u22120.50" in said
    assert "nothing to compare" not in said, "the column says so itself"
    narrow = "\n".join(texts(method_bars(TABLE, told, width=420)))
    assert "agrees 1/2</span><br>" in narrow
    assert "agrees" not in "\n".join(texts(method_bars(TABLE)))
    table = table_of(attention=[1.0, NAN], citation=[NAN, 0.3])
    nothing = agreement_of(citation=(0, 0, NAN))
    assert "nothing to compare" in "\n".join(texts(method_bars(table, nothing)))
    same = "\n".join(texts(method_bars(table, agreement_of(citation=(2, 2, NAN)))))
    assert "agrees 2/2" in same
    assert "no κ: all alike" in same


def test_a_method_that_knows_nothing_says_so_in_place():
    figure = method_bars(TABLE, width=1100)
    assert "no log-probabilities in this trace" in " ".join(texts(figure)).replace("<br>", " ")
    assert set(trace(figure, "logprobs verdict").text) == {""}
    assert len(figure.layout.shapes) == 2, "no neutral line where there are no bars"
    figure = method_bars(TABLE, absent={"logprobs": "<i>none</i>"}, width=1100)
    assert "&lt;i&gt;none&lt;/i&gt;" in "\n".join(texts(figure))


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("order", ["he1", "he2", "he3"]),
        ("score", ["he1", "he3", "he2"]),
        ("attention", ["he1", "he3", "he2"]),
        ("citation", ["he3", "he1", "he2"]),  # unknown last
        ("disagreement", ["he1", "he3", "he2"]),  # 0.7, 0.5, and one method alone
    ],
)
def test_sorting(sort, order):
    figure = method_bars(TABLE, sort=sort, labels={"he1": True, "he3": False})
    assert figure.layout.meta["units"] == order
    marks = {"he1": "✓", "he2": "", "he3": "✗"}
    assert trace(figure, "label").text == tuple(marks[name] for name in order)
    assert figure.layout.meta["methods"] == ["attention", "citation", "logprobs"]


def test_what_can_be_pointed_at_has_one_point_per_unit():
    figure = method_bars(TABLE)
    for part in figure.data:
        if part.hoverinfo != "skip":
            assert len(part.y) == 3
            assert part.y.tolist() == [0, 1, 2]


def test_the_selected_unit_is_marked_across_all_columns():
    figure = method_bars(TABLE, selected="he2")
    rows = [part for part in figure.data if part.name and part.name.endswith("row")]
    assert len(rows) == 4
    for part in rows:
        assert [colour != "rgba(0,0,0,0)" for colour in part.marker.color] == [False, True, False]


def test_hovers_tell_the_whole_text_and_every_method():
    text = "<script>alert(1)</script> $x$ %{y} " + "a long hyperedge " * 6
    table = table_of(texts=[text], attention=[1.0], citation=[0.3])
    figure = method_bars(table, labels=[False])
    assert "<script>" not in figure.to_json().replace("\\u003c", "<")
    row = trace(figure, "row")
    assert row.hovertext[0].count("hyperedge") == 6
    assert row.hovertext[0].endswith("labelled not used")
    assert row.customdata[0] == (
        "attention: feedback 1.000, used<br>citation: feedback 0.300, not used"
    )
    assert "%{y}" not in row.hovertemplate
    assert trace(figure, "text").text[0].endswith("…")


def test_the_structure_stays_while_the_threshold_moves():
    def spec(values, told):
        table = table_of(attention=values, citation=[0.3, 0.4, 1.0], logprobs=[NAN] * 3)
        return methods_spec(table, told, selected="he2")

    first = spec([1.0, 0.3, 0.4], agreement_of(citation=(1, 3, -0.5)))
    second = spec([0.31, 0.3, 1.0], agreement_of(citation=(3, 3, 1.0)))
    assert first["layout"] == second["layout"]
    assert [part.keys() for part in first["data"]] == [part.keys() for part in second["data"]]


def test_the_agreement_of_methods_can_be_handed_over_as_it_is():
    called = agreement(TABLE)
    said = "\n".join(texts(method_bars(TABLE, called, width=1100)))
    # attention calls he1 used and he3 not, citation the other way round
    assert "agrees 0/2, κ \u22121.00" in said


def test_without_attrs_the_methods_are_those_with_a_verdict():
    table = TABLE.copy()
    table.attrs = {}
    assert method_bars(table) == method_bars(TABLE)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [200, 420, 700, 1600])
@pytest.mark.parametrize("count", [1, 40])
def test_the_spec_is_a_valid_figure_at_any_width(theme, width, count):
    feedback = np.linspace(0.3, 1, count)
    table = table_of(
        attention=feedback, embedding=feedback, citation=feedback, logprobs=feedback,
        ensemble=feedback, texts=["a fact that is rather long to read " * 3] * count,
    )  # fmt: skip
    figure = go.Figure(methods_spec(table, theme=theme, width=width))
    ends = [axis.domain for axis in figure.select_xaxes()]
    assert all(0 <= low < high <= 1 for low, high in ends)
    assert all(one[1] == pytest.approx(two[0]) for one, two in pairwise(ends))


def test_no_units():
    figure = method_bars(table_of(attention=[], citation=[]))
    assert [note.text for note in figure.layout.annotations] == ["No units to show."]


def test_what_cannot_be_drawn():
    with pytest.raises(InputError, match="got 'name'"):
        method_bars(TABLE, sort="name")
    with pytest.raises(ShapeError, match="3 units, but 1 labels"):
        method_bars(TABLE, labels=[True])
    with pytest.raises(InputError, match=r"compare\(\) returns"):
        method_bars(pd.DataFrame({"unit": ["he1"], "text": ["x"]}))
    broken = TABLE.copy()
    broken.attrs["methods"] = ("attention", "hybrid")
    with pytest.raises(InputError, match="no columns hybrid and hybrid_verdict"):
        method_bars(broken)
    with pytest.raises(InputError, match=r"explorer\.rag\.agreement makes it"):
        method_bars(TABLE, TABLE)


def test_each_method_says_how_many_calls_are_right_by_label():
    # attention: used, not used, not used; citation: not used, unknown, used.
    labels = {"he1": True, "he2": False, "he3": True}
    said = "\n".join(texts(method_bars(TABLE, labels=labels)))
    assert "right by label 2/3" in said
    assert "right by label 1/2" in said
    assert "right by label" not in "\n".join(texts(method_bars(TABLE)))
