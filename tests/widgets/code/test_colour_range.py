"""The colours of the heatmap end at 1, or at the largest weight in view."""

from __future__ import annotations

import numpy as np
import pytest

from explorer import Explorer
from explorer.errors import InputError

from ...support.app_driver import AppDriver, PlotDriver

N = 40


def _weights() -> np.ndarray:
    weights = np.tril(np.full((N, N), 0.001))
    weights[5, 2] = 0.6
    weights[35, 20] = 0.04
    weights[35, 21] = 0.01
    return weights


def _codes(plot: PlotDriver) -> np.ndarray:
    plot.settle()
    (trace,) = plot.channel.figure["data"]
    return np.frombuffer(trace["cells"]["codes"], np.uint8).reshape(N, N)


def _legend(plot: PlotDriver) -> list[str]:
    plot.settle()
    return [note["text"] for note in plot.channel.figure["layout"]["annotations"]]


@pytest.mark.parametrize("scaling", ["linear", "sqrt"])
def test_the_largest_weight_in_view_has_the_last_colour(scaling: str) -> None:
    app = Explorer.from_attention(_weights(), [f"t{i}" for i in range(N)], scaling=scaling)
    plot = AppDriver(app).plots["code_heatmap"]
    power = {"linear": 1.0, "sqrt": 0.5}[scaling]
    assert _codes(plot)[5, 2] == round(0.6**power * 254)
    app.colour_range = "window"
    assert _codes(plot)[5, 2] == 254
    assert _codes(plot)[35, 20] == round((0.04 / 0.6) ** power * 254)
    plot.plot.zoom = (15.5, 25.5, 30.5, 38.5)  # the small weights alone
    assert _codes(plot)[35, 20] == 254
    assert _codes(plot)[35, 21] == round(0.25**power * 254)
    app.colour_range = "fixed"
    assert _codes(plot)[35, 20] == round(0.04**power * 254)


def test_the_legend_says_where_the_colours_end() -> None:
    app = Explorer.from_attention(_weights(), [f"t{i}" for i in range(N)])
    plot = AppDriver(app).plots["code_heatmap"]
    assert "0.6" not in _legend(plot)
    app.colour_range = "window"
    assert "0.6" in _legend(plot)


def test_the_page_hears_of_the_choice() -> None:
    app = Explorer()
    page = AppDriver(app)
    assert page.toolbar["colour_range"] == "fixed"
    assert [name for name, _ in page.toolbar["choices"]["colour_range"]] == ["fixed", "window"]
    page.choose("colour_range", "window")
    assert app.colour_range == "window"
    with pytest.raises(InputError, match="colour_range must be one of"):
        app.colour_range = "auto"
