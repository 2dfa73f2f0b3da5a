"""The fast PNG heatmap has the colours of the scale at the places of the weights."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest
from PIL import Image

from explorer.errors import InputError, MissingExtraError, ShapeError
from explorer.figures._attention.pixel_heatmap import heatmap_pixels
from explorer.figures.colours import lookup_table, scaled

TOKENS = ["def", "f", "<b>", "é🦙"]


def drawn(weights, *, queries=None, keys=None, **settings) -> np.ndarray:
    rows, columns = np.shape(weights)
    queries = [f"q{place}" for place in range(rows)] if queries is None else queries
    keys = [f"k{place}" for place in range(columns)] if keys is None else keys
    png = heatmap_pixels(weights, queries, keys, **settings)
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)])


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("scaling", ["linear", "sqrt", "log"])
@pytest.mark.parametrize("scale", ["violet", "viridis"])
def test_each_cell_has_the_colour_of_its_weight(theme, scaling, scale) -> None:
    weights = np.array([[0.0, 0.1, 0.4, 1.0], [0.02, 0.25, 0.7, 0.9]])
    picture = drawn(
        weights, labels=False, width=416, height=216, theme=theme, scaling=scaling, colorscale=scale
    )
    table = lookup_table(scale, theme)
    # Without labels the cells are 8 pixels from every edge: 400 x 200 pixels of 100 x 100.
    for row in range(2):
        for column in range(4):
            expected = rgb(table[round(float(scaled(weights[row, column], scaling)) * 255)])
            found = picture[8 + 100 * row + 50, 8 + 100 * column + 50]
            assert np.abs(found - expected).max() <= 3


def test_the_largest_weight_ends_the_scale_unless_zmax_does() -> None:
    size = {"labels": False, "width": 216, "height": 216}
    weights = np.array([[0.1, 0.2], [0.0, 0.05]])
    end = rgb(lookup_table()[255])
    assert np.abs(drawn(weights, **size)[50, 150] - end).max() <= 3
    assert np.abs(drawn(weights, zmax=0.1, **size)[50, 50] - end).max() <= 3
    assert np.abs(drawn(weights, zmax=1.0, **size)[50, 150] - end).max() > 30


def test_one_large_weight_of_many_is_not_lost() -> None:
    weights = np.zeros((1500, 1500))
    weights[777, 1234] = 1.0
    picture = drawn(weights, labels=False, width=316, height=316)
    strong = np.abs(picture - rgb(lookup_table()[255])).max(axis=-1) <= 3
    rows, columns = np.nonzero(strong)
    assert rows.mean() == pytest.approx(8 + 300 * 777 / 1500, abs=2)
    assert columns.mean() == pytest.approx(8 + 300 * 1234 / 1500, abs=2)


def test_labels_are_written_left_of_their_row_and_below_their_column() -> None:
    weights = np.zeros((2, 2))
    empty = drawn(weights, queries=["", ""], keys=["", ""], width=400, height=300)
    row = drawn(weights, queries=["", "word"], keys=["", ""], width=400, height=300)
    changed = np.nonzero((row != empty).any(axis=-1))
    assert changed[1].max() < 120
    assert changed[0].min() > 300 * 0.3
    column = drawn(weights, queries=["", ""], keys=["word", ""], width=400, height=300)
    changed = np.nonzero((column != empty).any(axis=-1))
    assert changed[0].min() > 180
    assert 120 < changed[1].mean() < 260


def test_a_title_of_odd_tokens_and_numbers_that_are_not_finite() -> None:
    weights = np.array([[np.nan, 1.0], [np.inf, -1.0]])
    picture = drawn(weights, queries=TOKENS[:2], keys=TOKENS[2:], title="$x$ <i> \n\0 \u202e")
    assert picture.shape == (572, 990, 3)


@pytest.mark.parametrize(("width", "height"), [(119, 500), (500, 119), (4097, 500), (500, 5000)])
def test_sizes_are_bounded(width, height) -> None:
    with pytest.raises(InputError, match="120 to 4096 pixels"):
        drawn(np.eye(2), width=width, height=height)


def test_what_is_not_a_matrix_or_has_other_labels_is_refused() -> None:
    with pytest.raises(ShapeError):
        heatmap_pixels(np.zeros(3), [], [])
    with pytest.raises(ShapeError, match="2 query rows, but there are 1 labels"):
        heatmap_pixels(np.eye(2), ["a"], ["a", "b"])


def test_the_smallest_and_largest_pictures() -> None:
    assert drawn(np.eye(3), width=120, height=120, title="t").shape == (120, 120, 3)
    assert drawn(np.eye(3), width=4096, height=120).shape == (120, 4096, 3)


def test_it_names_its_extra(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"\[images\]"):
        drawn(np.eye(2))
