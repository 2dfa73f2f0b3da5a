from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from explorer.errors import InputError, ShapeError
from explorer.feedback import FeedbackPolicy, Unit, scores_table
from explorer.figures import colours, feedback_bars
from explorer.figures._feedback.bars_figure import BarsFigure
from explorer.figures._feedback.feedback_bars import feedback_bars_spec


def table_of(scores, policy=None, texts=None, reachable=None):
    units = [
        Unit.from_spans(f"he{i + 1}", texts[i] if texts else f"fact {i}", [(i, i + 1)])
        for i in range(len(scores))
    ]
    return scores_table(np.array(scores, dtype=float), units, policy, reachable=reachable)


def trace(figure, name):
    (found,) = [trace for trace in figure.data if trace.name == name]
    return found


def ends(figure, name="score"):
    bars = trace(figure, name)
    return np.asarray(bars.base) + np.asarray(bars.x)


def test_bars_end_at_the_scores():
    figure = feedback_bars(table_of([0.5, 0.02, 0.0]), axis="linear")
    np.testing.assert_allclose(ends(figure), [0.5, 0.02, 0.0])
    assert trace(figure, "digits").text == ("0.500", "0.0200", "0")
    assert trace(figure, "feedback").text == ("1.000", "0.340", "0.300")
    verdicts = [text.split("</span> ")[1] for text in trace(figure, "verdict").text]
    assert verdicts == ["used", "not used", "not used"]


def test_on_the_log_axis_zero_has_no_bar():
    figure = feedback_bars(table_of([0.5, 0.0, 1e-6, np.nan]))
    np.testing.assert_allclose(ends(figure), [0.5, 1e-4, 1e-4, 1e-4])
    assert np.asarray(trace(figure, "score").x)[1:].tolist() == [0, 0, 0]
    assert figure.layout.xaxis.type == "log"
    assert figure.layout.xaxis.range == (-4, 0)


def test_rows_stand_in_order_or_by_score_with_unknown_last():
    table = table_of([0.1, np.nan, 0.3, 0.1])
    assert feedback_bars(table).layout.meta["units"] == ["he1", "he2", "he3", "he4"]
    figure = feedback_bars(table, sort="score")
    assert figure.layout.meta["units"] == ["he3", "he1", "he4", "he2"]
    # every trace has one point per unit, so that a click on any of them names its unit
    assert {len(trace.y) for trace in figure.data} == {4}
    assert figure.layout.yaxis.range == (3.5, -0.5)


def test_labels_by_name_or_in_the_order_of_the_table_follow_the_sorting():
    table = table_of([0.1, 0.3, 0.2])
    for labels in ({"he1": True, "he2": False}, [True, False, None]):
        figure = feedback_bars(table, labels=labels, sort="score")
        assert trace(figure, "label").text == ("✗", "", "✓")
    with pytest.raises(ShapeError, match="3 units, but 1 labels"):
        feedback_bars(table, labels=[True])


def test_colours_are_those_of_the_feedback():
    policy = FeedbackPolicy(0.2)
    figure = feedback_bars(table_of([0.9, 0.0], policy), policy)
    assert trace(figure, "score").marker.color == (
        colours.verdict_colour("used"),
        colours.verdict_colour("not used"),
    )


@pytest.mark.parametrize(
    ("threshold", "axis", "at"), [(0.2, "log", 0.2), (0.0, "log", 1e-4), (0.0, "linear", 0.0)]
)
def test_the_threshold_is_a_line(threshold, axis, at):
    policy = FeedbackPolicy(threshold)
    figure = feedback_bars(table_of([0.5], policy), axis=axis)  # the table knows its threshold
    (line,) = figure.layout.shapes
    assert (line.name, line.x0, line.x1) == ("threshold", at, at)
    assert not feedback_bars(table_of([0.5]), threshold_line=False).layout.shapes


def test_the_reachable_range_is_drawn():
    figure = feedback_bars(table_of([0.01, 0.2], reachable=np.array([0.05, 1.0])))
    np.testing.assert_allclose(ends(figure, "reachable"), [0.05, 1.0])


def test_diagnostics_are_a_sign_with_the_reason_on_hover():
    figure = feedback_bars(table_of([0.5, np.nan]))
    signs = trace(figure, "diagnostics")
    assert [text.strip() for text in signs.text] == ["", "i"]
    assert signs.marker.size == (0, 13)
    assert "is not a number" in signs.customdata[1]


def test_texts_are_cut_in_the_row_and_whole_on_hover_and_never_html():
    text = "<script>alert(1)</script> & " + "a long hyperedge " * 6
    figure = feedback_bars(table_of([0.5], texts=[text]))
    (shown,) = trace(figure, "text").text
    assert shown.startswith("&lt;script&gt;")
    assert shown.endswith("…")
    (hover,) = trace(figure, "row").hovertext
    assert hover.count("hyperedge") == 6
    assert "<script>" not in hover


def test_identifiers_are_not_written_twice():
    units = [Unit.from_spans(name, name, [(i, i + 1)]) for i, name in enumerate(["n", "fibonacci"])]
    figure = feedback_bars(scores_table(np.array([0.1, 0.2]), units))
    assert trace(figure, "unit").text == ("n", "fibonacci")
    assert trace(figure, "text").text == ("", "")


def test_the_figure_grows_with_the_units():
    heights = [feedback_bars(table_of([0.1] * n)).layout.height for n in (0, 1, 8, 12, 40, 60)]
    assert heights == sorted(heights)
    assert heights[2] < 300
    assert heights[4] < 800


def test_no_units_are_said_in_words():
    figure = feedback_bars(table_of([]))
    assert [note.text for note in figure.layout.annotations] == ["No units to show."]


def test_wrong_names_are_refused():
    with pytest.raises(InputError, match="'order' or 'score'"):
        feedback_bars(table_of([0.1]), sort="name")
    with pytest.raises(InputError, match="'linear' or 'log'"):
        feedback_bars(table_of([0.1]), axis="sqrt")


def test_the_spec_is_a_valid_figure():
    figure = go.Figure(feedback_bars_spec(table_of([0.1, 0.4])))
    assert figure == feedback_bars(table_of([0.1, 0.4]))


def test_a_filtered_table_still_draws():
    table = table_of([0.1, 0.4, 0.2], reachable=np.array([0.1, 0.5, 0.9]))
    figure = feedback_bars(table[table["score"] > 0.15])
    assert figure.layout.meta["units"] == ["he2", "he3"]


@pytest.mark.parametrize("labelled", [False, True])
def test_columns_are_as_wide_as_all_units_need_whichever_are_shown(labelled):
    texts = [f"he{i + 1}" for i in range(4)] + ["a fact that is long", "a much longer fact " * 2]
    labels = [None] * 5 + [True] if labelled else None
    drawn = [
        BarsFigure(table_of(scores, texts=texts), labels, width=1400, most=3)
        for scores in ([0.9, 0.8, 0.7, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.7, 0.8, 0.9])
    ]
    assert [bars.rows.names for bars in drawn] == [["he1", "he2", "he3"], ["he4", "he5", "he6"]]
    first, second = (bars.spec(FeedbackPolicy(), None) for bars in drawn)
    assert drawn[0].key == drawn[1].key
    assert first["layout"].pop("meta") != second["layout"].pop("meta")
    assert first["layout"] == second["layout"]
    # the texts of the first three repeat their names, but those of all units do not
    assert first["data"][4]["text"] == ["he1", "he2", "he3"]
    assert second["data"][4]["text"][2].startswith("a much longer fact")
