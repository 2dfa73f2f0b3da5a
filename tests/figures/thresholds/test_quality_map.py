from __future__ import annotations

import numpy as np
import pytest

from explorer.errors import InputError, ShapeError
from explorer.figures import colours, quality_map_figure, quality_map_spec
from explorer.widgets._plot.incremental_plot import _changed_arrays

AUC = np.array([[0.5, 0.4], [0.72, np.nan], [0.6, 0.55]])


def trace(spec, name):
    (found,) = [trace for trace in spec["data"] if trace["name"] == name]
    return found


def rgba(spec, value):
    """The colour of a value, as plotly interpolates between stops."""
    cells = trace(spec, "quality")
    place = (value - cells["zmin"]) / (cells["zmax"] - cells["zmin"])
    places = [stop for stop, _ in cells["colorscale"]]
    channels = [[float(c) for c in css[5:-1].split(",")] for _, css in cells["colorscale"]]
    return [np.interp(place, places, one) for one in zip(*channels, strict=True)]


def test_cells_are_layers_by_heads():
    spec = quality_map_spec(AUC)
    np.testing.assert_array_equal(trace(spec, "quality")["z"], AUC)
    assert spec["layout"]["meta"] == {
        "rows": "layers", "columns": "heads", "layers": 3, "heads": 2, "best": (1, 0)
    }  # fmt: skip
    assert spec["layout"]["yaxis"]["range"] == [2.5, -0.5]


def test_chance_has_no_ink_and_the_sides_are_teal_and_brown():
    spec = quality_map_spec(AUC)
    assert (trace(spec, "quality")["zmin"], trace(spec, "quality")["zmax"]) == (0.25, 0.75)
    assert rgba(spec, 0.5)[3] == 0
    for end, verdict in ((0.75, "used"), (0.25, "not used")):
        colour = colours.verdict_colour(verdict)
        channels = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
        assert rgba(spec, end) == [*channels, 1]
    precision = quality_map_spec([[0.2, 0.3, 0.6]], "average_precision", chance=0.3)
    assert rgba(precision, 0.3)[3] == 0
    assert rgba(precision, 0.6)[3] == 1
    assert "0.300 chance" in [note["text"] for note in precision["layout"]["annotations"]]


def test_the_best_is_ringed_and_named():
    spec = quality_map_spec(AUC)
    assert (trace(spec, "best")["x"][0], trace(spec, "best")["y"][0]) == (0, 1)
    words = [note["text"] for note in spec["layout"]["annotations"]]
    assert "○ best: layer 1, head 0, ROC-AUC 0.720" in words


@pytest.mark.parametrize(
    ("chosen", "x", "y", "words"),
    [
        ((2, 1), (0.5, 1.5), (1.5, 2.5), "layer 2, head 1, 0.550"),
        ((-1, -1), (0.5, 1.5), (1.5, 2.5), "layer 2, head 1, 0.550"),
        ((2, None), (-0.5, 1.5), (1.5, 2.5), "layer 2, mean over heads"),
        ((None, 0), (-0.5, 0.5), (-0.5, 2.5), "mean over layers, head 0"),
        ((None, None), (-0.5, 1.5), (-0.5, 2.5), "mean over layers and heads"),
    ],
)
def test_the_chosen_one_is_framed(chosen, x, y, words):
    spec = quality_map_spec(AUC, chosen=chosen)
    frame = trace(spec, "chosen")
    assert (frame["x"].min(), frame["x"].max()) == x
    assert (frame["y"].min(), frame["y"].max()) == y
    assert any(note["text"].endswith(words) for note in spec["layout"]["annotations"])


def test_hovers_have_the_number_and_its_interval():
    told = trace(quality_map_spec(AUC, intervals=(AUC - 0.1, AUC + 0.1)), "quality")["customdata"]
    assert told[1, 0] == "ROC-AUC <b>0.720</b> (0.620 to 0.820)"
    assert told[1, 1] == "ROC-AUC <b>{0}</b> ({0} to {0})".format("\N{EN DASH}")
    assert trace(quality_map_spec(AUC), "quality")["customdata"][0, 0] == "ROC-AUC <b>0.500</b>"


def test_other_values_on_a_given_scale_change_arrays_alone():
    settings = {"metric": "f1", "highest": 0.8, "chance": 0.3}
    changes = _changed_arrays(
        quality_map_spec([[0.4, 0.5]], **settings), quality_map_spec([[0.35, 0.5]], **settings)
    )
    assert changes is not None
    assert {name for arrays in changes.values() for name in arrays} == {"z", "customdata"}


def test_all_unknown_or_all_equal():
    spec = quality_map_spec(np.full((2, 2), np.nan))
    assert spec["layout"]["meta"]["best"] is None
    assert "No head can be judged" in spec["layout"]["annotations"][-1]["text"]
    assert not trace(spec, "best")["x"].size
    equal = trace(quality_map_spec(np.full((2, 2), 0.5)), "quality")
    assert equal["zmin"] < 0.5 < equal["zmax"]
    level = trace(quality_map_spec(np.full((2, 2), 0.4), "f1"), "quality")
    assert level["zmin"] < level["zmax"]


def test_what_does_not_fit_is_refused():
    with pytest.raises(ShapeError, match="layers, heads"):
        quality_map_spec([0.5, 0.6])
    with pytest.raises(ShapeError, match="intervals"):
        quality_map_spec(AUC, intervals=(AUC[:1], AUC))
    with pytest.raises(InputError, match="'auc', 'average_precision', 'f1'"):
        quality_map_spec(AUC, "accuracy")


def test_a_figure_of_it():
    assert quality_map_figure(AUC).layout.height > 100
