from __future__ import annotations

import itertools

import numpy as np
import plotly.graph_objects as go
import pytest

from explorer.errors import InputError, ShapeError
from explorer.figures import head_grid, heatmap, importance
from explorer.figures._attention.heatmap import scale_ticks

HOSTILE = ["<script>alert(1)</script>", "<b>", "&amp;", "\n", " n", "n", "n", "$x$", "%{z}"]


def uniform(n):
    return np.tril(np.ones((n, n))) / np.arange(1, n + 1)[:, None]


def texts_of(figure):
    """Every text that a page would read tags in."""
    found = [figure.layout.title.text or ""]
    for axis in (figure.layout.xaxis, figure.layout.yaxis):
        found.extend(axis.ticktext or ())
    found.extend(annotation.text for annotation in figure.layout.annotations)
    for trace in figure.data:
        if trace.customdata is not None:
            found.extend(str(cell) for cell in np.asarray(trace.customdata, dtype=object).flat)
    return found


def test_queries_go_down_and_keys_across():
    figure = heatmap([[1.0, 0.0, 0.0], [0.25, 0.75, 0.0]], ["a", "b"], ["x", "y", "z"])
    (trace,) = figure.data
    np.testing.assert_array_equal(trace.z, np.float32([[1, 0, 0], [0.25, 0.75, 0]]))
    assert figure.layout.yaxis.range == (1.5, -0.5)  # row 0 on top
    assert figure.layout.xaxis.range == (-0.5, 2.5)
    assert figure.layout.xaxis.ticktext == ("x", "y", "z")
    assert trace.customdata[1, 1].tolist() == ["1  b", "1  y", "0.750"]


def test_hostile_tokens_are_shown_letter_by_letter():
    n = len(HOSTILE)
    figure = heatmap(
        uniform(n), HOSTILE, HOSTILE, title="<b>bold</b>", boundaries=[(0, n, "<i>he1</i>")]
    )
    for text in texts_of(figure):
        assert "<" not in text.replace("<br>", "")
        assert "$" not in text
    assert figure.layout.title.text == "&lt;b&gt;bold&lt;/b&gt;"
    # the widget, which writes text and no HTML, gets the tokens as they are
    assert figure.layout.meta["x_labels"][0] == "<script>alert(1)</script>"
    assert figure.layout.meta["y_labels"][3:5] == ["⏎", "·n"]


@pytest.mark.parametrize("n", [12, 60, 512])
def test_labels_are_thinned_to_what_fits(n):
    figure = heatmap(uniform(n), ["token"] * n, ["token"] * n, width=700, height=480)
    assert 8 <= len(figure.layout.xaxis.tickvals) <= 50
    assert 8 <= len(figure.layout.yaxis.tickvals) <= 35
    assert len(set(figure.layout.xaxis.tickvals)) == len(figure.layout.xaxis.tickvals)
    assert len(figure.layout.meta["x_labels"]) == n


def test_long_maps_are_pooled_and_stay_in_place():
    weights = np.zeros((1300, 2000))
    weights[1299, 1999] = 0.5
    figure = heatmap(weights, ["q"] * 1300, ["k"] * 2000)
    (trace,) = figure.data
    assert trace.z.shape == (434, 500)  # blocks of 3 and 4
    assert trace.z[-1, -1] == 0.5
    assert (trace.dx, trace.dy, trace.x0, trace.y0) == (4, 3, 1.5, 1.0)
    assert figure.layout.xaxis.range == (-0.5, 1999.5)


@pytest.mark.parametrize(
    ("scaling", "place"), [("linear", 0.25), ("sqrt", 0.5), ("log", 1 + np.log10(0.25) / 4)]
)
def test_scaling_moves_colours_and_tells_true_weights(scaling, place):
    figure = heatmap([[0.25, 0.0]], ["q"], ["a", "b"], scaling=scaling, zmax=1.0)
    (trace,) = figure.data
    assert trace.z[0, 0] == pytest.approx(place)
    assert (trace.zmin, trace.zmax) == (0.0, 1.0)
    assert trace.customdata[0, 0][2] == "0.250"


@pytest.mark.parametrize("scaling", ["linear", "sqrt", "log"])
@pytest.mark.parametrize("zmax", [1.0, 0.3, 0.02])
def test_legend_goes_from_nothing_to_the_largest_weight(scaling, zmax):
    ticks = scale_ticks(zmax, scaling)
    assert ticks[0][0] == pytest.approx(0.0, abs=1e-6)
    assert ticks[-1] == (1.0, f"{zmax:.2g}")
    assert all(a[0] < b[0] for a, b in itertools.pairwise(ticks))


def test_colour_range_is_the_largest_weight_unless_given():
    assert heatmap([[0.2, 0.4]], ["q"], ["a", "b"]).data[0].zmax == pytest.approx(0.4)
    assert heatmap([[0.0, 0.0]], ["q"], ["a", "b"]).data[0].zmax == 1.0
    assert heatmap([[np.nan, np.nan]], ["q"], ["a", "b"]).data[0].zmax == 1.0


def test_boundaries_are_drawn_between_columns_and_named():
    figure = heatmap(
        uniform(20), ["q"] * 20, ["k"] * 20, boundaries=[(0, 8, "he1"), (8, 20, "he2")]
    )
    edges = {shape.x0 for shape in figure.layout.shapes if shape.x0 == shape.x1}
    assert edges == {7.5}
    names = [note.text for note in figure.layout.annotations if note.xref == "x"]
    assert names == ["he1", "he2"]


def test_hovers_of_large_maps_are_left_out_unless_asked_for():
    labels = ["t"] * 300
    assert heatmap(uniform(300), labels, labels).data[0].customdata is None
    assert heatmap(uniform(300), labels, labels, hover_tokens=True).data[0].customdata is not None


def test_labels_must_fit_the_weights():
    with pytest.raises(ShapeError, match="2 query rows, but there are 1 labels"):
        heatmap(np.zeros((2, 2)), ["a"], ["a", "b"])
    with pytest.raises(ShapeError, match="at least one cell"):
        heatmap(np.zeros((0, 0)), [], [])
    with pytest.raises(InputError, match="colour scale"):
        heatmap([[1.0]], ["a"], ["b"], colorscale="jet")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_shows_through(theme):
    figure = heatmap(uniform(4), list("abcd"), list("abcd"), theme=theme)
    assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0,0,0,0)"
    assert len(figure.to_json()) < 12_000


def test_grid_of_heads():
    values = np.array([[0.1, 0.9, np.nan], [0.2, 0.3, 0.4]])
    figure = head_grid(values, measure="<entropy>", selected=(-1, 1))
    (trace,) = figure.data
    assert (trace.zmin, trace.zmax) == (pytest.approx(0.1), pytest.approx(0.9))
    (frame,) = figure.layout.shapes
    assert (frame.x0, frame.x1, frame.y0, frame.y1) == (0.5, 1.5, 0.5, 1.5)
    assert "&lt;entropy&gt;" in trace.hovertemplate
    with pytest.raises(ShapeError, match="layers, heads"):
        head_grid([1.0, 2.0])


def test_equal_values_and_nothing_but_nan_still_draw():
    assert head_grid(np.full((2, 2), 0.5)).data[0].zmax == 1.5
    assert isinstance(head_grid(np.full((2, 2), np.nan)), go.Figure)


def test_importance_keeps_repeated_tokens_apart():
    figure = importance(["n", "<b>", "n"], [0.1, np.nan, 0.3], selected=2)
    (trace,) = figure.data
    assert trace.x.tolist() == [0, 1, 2]
    assert trace.y.tolist() == [0.1, 0.0, 0.3]
    assert trace.customdata[1] == "1  &lt;b&gt;<br>receives <b>\N{EN DASH}</b>"
    with pytest.raises(ShapeError, match="2 tokens"):
        importance(["a", "b"], [1.0])
