from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.figures import colours, weight_lines
from explorer.figures._graph.weight_lines import weight_lines_spec
from explorer.figures._style.label_text import spread_apart


def line(hyperedge, steps, weights, feedback, name=None, text="", lower=0.25, upper=1.0):
    count = len(steps)
    return pd.DataFrame(
        {
            "hyperedge": [hyperedge] * count,
            "name": [name or f"he{hyperedge}"] * count,
            "text": [text] * count,
            "step": steps,
            "trace": ["", *(f"q{step}" for step in steps[1:])],
            "feedback": [np.nan, *feedback],
            "weight": weights,
            "lower": [lower] * count,
            "upper": [upper] * count,
            "updates": [count - 1] * count,
        }
    )


def lines_of(*lines, steps=4):
    table = pd.concat(lines, ignore_index=True)
    table.attrs["steps"] = steps
    return table


UP = line(0, [0, 1, 3], [0.5, 0.6, 0.8], [1.0, 0.5])
DOWN = line(7, [0, 2], [0.9, 0.7], [0.3])
BAND = pd.DataFrame(
    {"step": [0, 4], 0.1: [0.3, 0.4], 0.25: [0.4, 0.5], 0.5: [0.5, 0.6], 0.75: [0.6, 0.7],
     0.9: [0.7, 0.8]}
)  # fmt: skip
BAND.attrs["hyperedges"] = 1234


def trace(figure, name):
    (found,) = [trace for trace in figure.data if trace.name == name]
    return found


def test_weights_stay_until_the_next_update_and_to_the_end():
    figure = weight_lines(lines_of(UP, DOWN))
    up = trace(figure, "line 0")
    assert up.line.shape == "hv"
    assert up.x.tolist() == [0, 1, 3, 4]
    assert up.y.tolist() == [0.5, 0.6, 0.8, 0.8]
    assert trace(figure, "line 1").x.tolist() == [0, 2, 4]
    assert figure.layout.meta["lines"] == [0, 7]
    assert figure.data[figure.layout.meta["first_line"]].name == "line 0"
    assert figure.layout.xaxis.range == (0, 4)


def test_lines_have_the_colour_of_their_mean_feedback_and_dots_that_of_their_own():
    figure = weight_lines(lines_of(UP, DOWN))
    assert trace(figure, "line 0").line.color == colours.feedback_colour(0.75)
    assert trace(figure, "line 1").line.color == colours.feedback_colour(0.3)
    dots = trace(figure, "line 0").marker
    assert dots.color[1:3] == (colours.feedback_colour(1.0), colours.feedback_colour(0.5))
    assert [size > 0 for size in dots.size] == [False, True, True, False]
    many = line(0, list(range(101)), [0.5] * 101, [0.5] * 100)
    assert not any(trace(weight_lines(lines_of(many, steps=100)), "line 0").marker.size)


def test_the_selected_line_is_strong():
    figure = weight_lines(lines_of(UP, DOWN), selected=7)
    assert trace(figure, "line 1").line.width > trace(figure, "line 0").line.width
    assert trace(figure, "line 1").opacity > trace(figure, "line 0").opacity
    assert trace(figure, "labels").text == ("0.800 he0", "<b>0.700 he7</b>")
    plain = weight_lines(lines_of(UP, DOWN))
    assert {part.opacity for part in plain.data if part.name.startswith("line")} == {1.0}


def test_bounds_are_those_of_the_selected_or_the_outermost():
    other = line(7, [0, 2], [0.9, 0.7], [0.3], lower=0.5, upper=2.0)

    def bounds(selected):
        figure = weight_lines(lines_of(UP, other), BAND, selected=selected)
        return [trace(figure, name).y[0] for name in ("lower bound", "upper bound")], trace(
            figure, "bounds"
        ).text

    assert bounds(None)[0] == [0.25, 2.0]
    assert bounds(None)[1] == ("", "lowest lower bound 0.250")  # 2 lies above what is drawn
    assert bounds(0) == ([0.25, 1.0], ("upper bound 1.00", "lower bound 0.250"))
    assert bounds(7) == ([0.5, 2.0], ("upper bound 2.00", "lower bound 0.500"))


def test_the_band_is_drawn_from_outside_in():
    figure = weight_lines(lines_of(UP), BAND)
    assert trace(figure, "band 0.1").y.tolist() == [0.7, 0.8, 0.4, 0.3]
    assert trace(figure, "band 0.1").x.tolist() == [0, 4, 4, 0]
    assert trace(figure, "band 0.25").y.tolist() == [0.6, 0.7, 0.5, 0.4]
    assert trace(figure, "median").y.tolist() == [0.5, 0.6]
    assert "grey: middle 80% of 1,234 hyperedges" in [n.text for n in figure.layout.annotations]
    once = BAND.copy()
    once.attrs = {"hyperedges": 3, "repeated": 0}
    notes = [note.text for note in weight_lines(lines_of(DOWN), once).layout.annotations]
    assert "3 hyperedges, each retrieved once" in notes


def test_labels_at_the_end_do_not_overlap():
    same = [line(at, [0, 1], [1.0, 0.9 + at / 1000], [0.4]) for at in range(12)]
    figure = weight_lines(lines_of(*same))
    labels = trace(figure, "labels")
    low, high = figure.layout.yaxis.range
    pixel = (high - low) / (figure.layout.height - 30 - 38)
    places = np.sort(np.asarray(labels.y)) / pixel
    assert np.diff(places).min() > 16.9
    assert low < labels.y.min() < labels.y.max() < high
    # in the order of the lines, and joined to their ends
    assert np.argsort(labels.y).tolist() == list(range(12))
    leaders = trace(figure, "leaders").y.reshape(12, 4)
    np.testing.assert_allclose(leaders[:, 0], [0.9 + at / 1000 for at in range(12)])
    np.testing.assert_allclose(leaders[:, 2], labels.y)


@given(
    places=st.lists(st.floats(0, 100), min_size=0, max_size=20),
    distance=st.floats(0.1, 30),
)
def test_places_are_spread_apart_in_order_and_within(places, distance):
    spread = spread_apart(np.array(places), distance, 0, 100)
    assert spread.shape == (len(places),)
    if not places:
        return
    gaps = np.diff(spread[np.argsort(places, kind="stable")])
    room = min(distance, 100 / max(1, len(places) - 1))
    assert (gaps >= room - 1e-6).all()
    assert spread.min() >= -1e-6
    assert spread.max() <= 100 + 1e-6
    far = np.diff(np.sort(places)) >= distance
    if far.all():
        np.testing.assert_allclose(spread, places, atol=1e-9)


def test_hovers_tell_the_moment_and_are_never_html():
    named = line(
        0, [0, 1], [0.5, 0.6], [1.0], name="<b>he</b>", text="<script> %{x} $y$ " + "word " * 30
    )
    figure = weight_lines(lines_of(named))
    one = trace(figure, "line 0")
    assert one.customdata[:2] == ("before the first trace", "trace 1 (q1), feedback 1.000")
    assert one.customdata[2] == "after the last trace"
    assert "&lt;script&gt;" in one.hovertext
    assert one.hovertext.count("word") == 30
    assert "1 update, bounds 0.250 to 1.00" in one.hovertext
    assert "<script>" not in figure.to_json().replace("\\u003c", "<")
    assert "&lt;b&gt;he&lt;/b&gt;" in trace(figure, "labels").text[0]
    assert "%{x}" not in one.hovertemplate


def test_the_layout_stays_while_the_weights_move():
    first = weight_lines_spec(lines_of(UP, DOWN), BAND)
    moved = [part.assign(weight=part["weight"] * 0.95) for part in (UP, DOWN)]
    second = weight_lines_spec(lines_of(*moved), BAND)
    assert first["layout"] == second["layout"]
    assert [part.keys() for part in first["data"]] == [part.keys() for part in second["data"]]
    # the bounds that all share are always in view
    low, high = first["layout"]["yaxis"]["range"]
    assert low < 0.25
    assert high > 1.0


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [300, 700, 1600])
def test_the_spec_is_a_valid_figure(theme, width):
    figure = go.Figure(weight_lines_spec(lines_of(UP, DOWN), BAND, theme=theme, width=width))
    assert figure == weight_lines(lines_of(UP, DOWN), BAND, theme=theme, width=width)
    assert 0.3 < figure.layout.xaxis.domain[1] < 1


def test_no_lines_are_said_in_words():
    figure = weight_lines(UP.iloc[:0])
    assert [note.text for note in figure.layout.annotations] == ["No hyperedge to follow."]
    still = line(3, [0], [1.0], [])
    assert trace(weight_lines(lines_of(still)), "line 0").y.tolist() == [1.0, 1.0]


def test_lines_that_end_at_one_weight_are_dashed_over_each_other_and_counted():
    same = [line(n, [0, n], [1.0, 0.921], [0.3]) for n in (1, 2, 3)]
    figure = weight_lines(lines_of(*same, UP, steps=6))
    dashes = [trace(figure, f"line {place}").line.dash for place in range(4)]
    assert dashes == [None, "4px,8px", "4px,16px", None]
    words = [note.text for note in figure.layout.annotations]
    assert any("3 lines end at 0.921 and lie on each other there" in text for text in words)
    alone = weight_lines(lines_of(UP, DOWN))
    assert not any("lie on each other" in note.text for note in alone.layout.annotations)
