from __future__ import annotations

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from explorer.errors import ShapeError
from explorer.feedback import Unit, scores_table
from explorer.figures import colours
from explorer.figures._attention.static_images import heatmap_png, overview_png


def picture(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def share_of(pixels, colour):
    rgb = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return (np.abs(pixels.astype(int) - rgb).max(axis=2) <= 2).mean()


def table_of(scores):
    units = [Unit.from_spans(f"he{i}", "$x$ <b>", [(i, i + 1)]) for i in range(len(scores))]
    return scores_table(np.array(scores), units)


def test_a_heatmap_has_the_colours_of_its_weights():
    labels = ["a", "$\\frac$", "<b>", "🎉"]
    full = picture(heatmap_png(np.ones((4, 4)), labels, labels, "title $"))
    none = picture(heatmap_png(np.zeros((4, 4)), labels, labels))
    strongest = colours.lookup_table()[255]
    assert share_of(full, strongest) > 0.4
    assert share_of(none, strongest) < 0.01


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_is_that_of_the_theme(theme):
    pixels = picture(heatmap_png(np.zeros((2, 2)), ["a", "b"], ["a", "b"], theme=theme))
    assert share_of(pixels, colours.THEMES[theme]["paper"]) > 0.6


def test_an_overview_has_the_heatmap_and_a_bar_per_unit():
    table = table_of([0.9, 0.01])
    labels = ["a", "b", "c"]
    both = picture(overview_png(np.eye(3), labels, labels, table, title="trace 1"))
    bars = picture(overview_png(None, [], [], table))
    assert both.shape[0] > bars.shape[0]
    # 0.01 of 0.1 is a tenth of the way from 0.3 to 0.5
    used, not_used = (share_of(bars, colours.feedback_colour(f)) for f in (1.0, 0.32))
    assert used > not_used > 0


@pytest.mark.slow
def test_many_units_are_cut_to_the_highest_scores():
    thirty = picture(overview_png(None, [], [], table_of(np.linspace(0, 1, 30))))
    many = picture(overview_png(None, [], [], table_of(np.linspace(0, 1, 200))))
    note = many.shape[0] - thirty.shape[0]  # the line that says so
    assert 15 < note < 40


def test_nothing_to_draw_is_still_a_picture():
    assert picture(overview_png(None, [], [], table_of([]))).size


def test_long_maps_and_missing_weights():
    weights = np.full((700, 1100), np.nan)
    weights[0, 0] = 1.0
    assert picture(heatmap_png(weights, ["q"] * 700, ["k"] * 1100)).size


def test_labels_must_fit():
    with pytest.raises(ShapeError, match="query rows"):
        heatmap_png(np.eye(2), ["a"], ["a", "b"])


@pytest.mark.slow
def test_no_window_system_and_no_global_state():
    program = (
        "import sys; from explorer.figures._attention.static_images import heatmap_png; "
        "heatmap_png([[1.0]], ['a'], ['b']); assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
