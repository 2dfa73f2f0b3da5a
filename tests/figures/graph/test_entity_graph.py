"""Hyperedges, their entities, and what is said about them in the picture."""

from __future__ import annotations

import html
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.errors import InputError, ShapeError
from explorer.examples import example_traces
from explorer.feedback import FeedbackPolicy
from explorer.figures import colours, entities_figure, entities_figure_spec
from explorer.figures._graph.entity_scene import MOST_ENTITIES, MOST_HYPEREDGES, build_scene
from explorer.traces import Hyperedge

RIVERS = [
    Hyperedge("h1", "The Nile flows through Egypt.", ["Nile", "Egypt"]),
    Hyperedge("h2", "The Nile is longer than the Rhine.", [" NILE", "Rhine"]),
    Hyperedge("h3", "Cologne lies on the Rhine.", ["Cologne", "rhine", "Rhine "]),
    Hyperedge("h4", "It rained.", []),
]


def trace(figure, name):
    (found,) = [trace for trace in figure.data if trace.name == name]
    return found


def test_every_hyperedge_is_a_square_and_every_entity_one_dot_whatever_its_case():
    figure = entities_figure(RIVERS, [0.9, 0.4, 0.3, None])
    assert figure.layout.meta == {
        "units": ["h1", "h2", "h3", "h4"],
        "entities": ["Nile", "Egypt", "Rhine", "Cologne"],
    }
    assert len(trace(figure, "hyperedge").x) == 4
    assert len(trace(figure, "entity").x) == 4
    # Lines: Nile twice, Egypt, Rhine twice, Cologne; each is two ends and a gap.
    lines = [found for found in figure.data if found.name.startswith("line")]
    assert sum(len(found.x) for found in lines) == 3 * 6
    assert [text.split("<br>")[1] for text in trace(figure, "entity").hovertext] == [
        "in h1, h2",
        "in h1",
        "in h2, h3",
        "in h3",
    ]


def test_lines_join_hyperedges_with_their_own_entities():
    scene = build_scene(RIVERS, None, 900, 500)
    names = [edge.id for edge in RIVERS] + scene.entities
    assert {(names[one], names[other]) for one, other in scene.lines} == {
        ("h1", "Nile"),
        ("h1", "Egypt"),
        ("h2", "Nile"),
        ("h2", "Rhine"),
        ("h3", "Cologne"),
        ("h3", "Rhine"),
    }


def test_hyperedges_without_entities_stand_in_a_row_below_and_keep_their_names():
    edges = [*RIVERS, Hyperedge("h5", "", ["", "  "]), Hyperedge("h6", "x")]
    figure = entities_figure(edges, [0.5] * 6)
    y = np.array(trace(figure, "hyperedge").y)
    assert y[3] == y[4] == y[5]
    assert y[3] > max(y[:3])
    texts = trace(figure, "label").text
    assert [name in text for name, text in zip(("h4", "h5", "h6"), texts[3:6], strict=True)] == [
        True,
        True,
        True,
    ]
    assert [found.text for found in figure.layout.annotations][1:] == ["without entities"]


def test_squares_grow_with_the_weight_and_entities_with_the_facts_that_share_them():
    figure = entities_figure(RIVERS, [0.5] * 4, [0.2, 0.8, 0.4, np.nan])
    first, second, third, unknown = trace(figure, "hyperedge").marker.size
    assert unknown < first < third < second == 34
    # A quarter of the largest weight has a quarter of the area above the smallest.
    assert first**2 - 14**2 == pytest.approx((34**2 - 14**2) / 4)
    nile, egypt, rhine, cologne = trace(figure, "entity").marker.size
    assert nile == rhine > egypt == cologne
    assert set(trace(entities_figure(RIVERS, [0.5] * 4), "hyperedge").marker.size) == {22}
    assert set(trace(entities_figure(RIVERS, [0.5] * 4, [0] * 4), "hyperedge").marker.size) == {14}


def test_places_do_not_depend_on_feedback_weights_or_selection():
    one = entities_figure(RIVERS, [0.5] * 4)
    other = entities_figure(RIVERS, [0.9, 0.3, None, 0.4], [3, 1, 2, 9], selected="h2")
    for name in ("hyperedge", "entity"):
        np.testing.assert_array_equal(trace(one, name).x, trace(other, name).x)
        np.testing.assert_array_equal(trace(one, name).y, trace(other, name).y)


def test_colours_and_marks_are_those_of_the_feedback():
    # score 0.2 -> 1; 0.06 -> 0.3 + 0.6 * 0.2 = 0.42; 0.01 -> 0.32; threshold 0.1
    figure = entities_figure(RIVERS, {"h1": 1.0, "h2": 0.42, "h3": 0.32})
    assert [text.split(">")[1][0] for text in trace(figure, "label").text[:4]] == list("●◐○?")
    fills = trace(figure, "hyperedge").marker.color
    assert fills[0] == colours.verdict_colour("used")
    assert fills[2] == colours.feedback_colour(0.32)
    assert [text.split(", ")[-1] for text in trace(figure, "hyperedge").hovertext] == [
        "used",
        "near",
        "not used",
        "unknown",
    ]


def test_verdicts_and_policy_can_be_given():
    figure = entities_figure(RIVERS, [0.5] * 4, verdicts={"h1": "used", "h2": "not used"})
    assert [text.split(">")[1][0] for text in trace(figure, "label").text[:4]] == list("●○??")
    policy = FeedbackPolicy(positive=0.8, neutral=0.6, negative=0.1)
    figure = entities_figure(RIVERS, [0.8, 0.6, 0.35, 0.34], policy=policy)
    assert [text.split(">")[1][0] for text in trace(figure, "label").text[:4]] == list("●◐◐○")


def test_the_selected_hyperedge_is_marked_with_its_lines():
    figure = entities_figure(RIVERS, [0.5] * 4, selected="h2")
    line = trace(figure, "hyperedge").marker.line
    assert line.width == (0, 2.5, 0, 0)
    assert line.color[1] == colours.ACCENT
    assert len(trace(figure, "line selected").x) == 3 * 2
    assert trace(figure, "line selected").line.color == colours.ACCENT


def test_nothing_of_a_file_is_html():
    evil = "<script>alert(1)</script> $x$ &amp;"
    figure = entities_figure(
        [Hyperedge(evil, evil, [evil, "<b>"])], [0.5], verdicts=["<i>used</i>"], selected=evil
    )
    written = [
        *trace(figure, "label").text,
        *trace(figure, "hyperedge").hovertext,
        *trace(figure, "entity").hovertext,
    ]
    for text in written:
        assert "<script" not in text
        assert "<i>" not in text
        assert "$" not in text
    assert "<script>alert(1)</script>" in html.unescape(trace(figure, "hyperedge").hovertext[0])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_spec_is_the_figure(theme):
    import plotly.graph_objects as go

    spec = entities_figure_spec(RIVERS, [0.5] * 4, theme=theme)
    assert go.Figure(spec) == entities_figure(RIVERS, [0.5] * 4, theme=theme)
    assert spec["layout"]["font"]["color"] == colours.THEMES[theme]["ink"]


def test_no_hyperedges():
    figure = entities_figure([], [])
    assert figure.layout.annotations[0].text == "No hyperedges to show."


@pytest.mark.slow
def test_of_too_many_the_heaviest_and_most_shared_are_drawn():
    count = MOST_HYPEREDGES + 30
    edges = [Hyperedge(str(i), "x", ["all", f"a{i}", f"b{i}"]) for i in range(count)]
    figure = entities_figure(edges, [0.5] * count, list(range(count)))
    assert figure.layout.meta["units"] == [str(i) for i in range(30, count)]
    assert len(figure.layout.meta["entities"]) == MOST_ENTITIES
    assert figure.layout.meta["entities"][0] == "all"
    assert "30 more hyperedges are not drawn" in figure.layout.annotations[0].text


def test_numbers_that_are_none():
    with pytest.raises(ShapeError, match="There are 2 numbers in `feedback` for 4 hyperedges"):
        entities_figure(RIVERS, [0.5, 0.5])
    with pytest.raises(ShapeError, match="in `weights`"):
        entities_figure(RIVERS, [0.5] * 4, [1])
    with pytest.raises(ShapeError, match="1 verdicts"):
        entities_figure(RIVERS, [0.5] * 4, verdicts=["used"])
    with pytest.raises(InputError, match="`weights` must hold numbers"):
        entities_figure(RIVERS, [0.5] * 4, {"h1": "heavy"})


def boxes(scene):
    """Rectangles of markers and of the labels that are written."""
    half = np.array([node.marker / 2 for node in scene.nodes])[:, None]
    markers = np.concatenate([scene.markers - half, scene.markers + half], axis=1)
    return markers, scene.labels.boxes[scene.labels.kept]


def overlaps(one, other):
    return (
        min(one[2], other[2]) - max(one[0], other[0]) > 0.5
        and min(one[3], other[3]) - max(one[1], other[1]) > 0.5
    )


@pytest.mark.slow
@pytest.mark.parametrize("width", [560, 900])
def test_no_label_of_the_packaged_traces_is_on_another_and_none_is_missing(width):
    for found in example_traces():
        scene = build_scene(found.hyperedges, None, width, 460)
        assert scene.labels.kept.all() or width < 900, found.id
        markers, labels = boxes(scene)
        rectangles = np.concatenate([markers, labels])
        for one, other in itertools.combinations(rectangles, 2):
            assert not overlaps(one, other), found.id
        assert (rectangles[:, :2] >= -1.01).all()
        assert (rectangles[:, 2:] <= np.array([width, 460]) + 1.01).all()


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.builds(
            Hyperedge,
            st.text(max_size=20),
            st.text(max_size=40),
            st.lists(st.sampled_from("abcdefgh") | st.text(max_size=40), max_size=6),
        ),
        max_size=12,
    ),
    st.integers(120, 900),
    st.integers(60, 600),
    st.data(),
)
def test_anything_can_be_drawn(edges, width, height, data):
    numbers = st.lists(st.none() | st.floats(), min_size=len(edges), max_size=len(edges))
    spec = entities_figure_spec(
        edges, data.draw(numbers), data.draw(numbers), width=width, height=height
    )
    for found in spec["data"]:
        if found["mode"] != "lines":
            assert np.isfinite(np.asarray(found["x"], dtype=float)).all()
            assert np.isfinite(np.asarray(found["y"], dtype=float)).all()
