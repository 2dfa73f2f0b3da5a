"""The Code tab begins with a name, its uses, and a head that looks at them."""

from __future__ import annotations

import numpy as np
import pytest

from explorer import Explorer
from explorer.attention import DenseAttention
from explorer.widgets._code.first_look import first_look
from explorer.widgets._code.scene import CodeScene

from ...support.app_driver import AppDriver

CODE = "total = 1\nrest = total\nrest = total + 2"
NAMES = ("total", "=", "1", "\n", "rest", "=", "total", "\n", "rest", "=", "total", "+", "2")


def scene(weights: np.ndarray) -> CodeScene:
    """Return a scene of `CODE`, one token a word."""
    offsets, place = [], 0
    for name in NAMES:
        start = CODE.index(name, place)
        offsets.append((start, place := start + len(name)))
    return CodeScene(
        text=CODE,
        tokens=NAMES,
        offsets=np.array(offsets),
        special=np.zeros(len(NAMES), dtype=bool),
        attention=DenseAttention(weights),
        model="own",
        language="python",
        stop=len(NAMES),
        n_total=len(NAMES),
    )


def test_the_example_begins_with_a_variable_and_its_uses() -> None:
    app = Explorer()
    page = AppDriver(app)
    assert (app.layer, app.head) == (5, 6)
    assert app.attention is not None
    assert app.attention.tokens[app.selection["index"]] == " seen"
    assert page.sentence.startswith(
        "layer 5, head 6: “seen” (line 8) looks most at “seen” (line 4) 0.486, “seen” (line 3)"
    )
    assert page.code["bars_title"] == "what “seen” (line 8) looks at"
    verdicts = dict(zip(app.feedback["unit"], app.feedback["verdict"], strict=True))
    assert [name for name, verdict in verdicts.items() if verdict == "used"] == ["line 3", "line 4"]


@pytest.mark.parametrize("chosen", [{"layer": 3}, {"head": 2}, {"selection": None}])
def test_what_a_user_chooses_counts(chosen: dict[str, int | None]) -> None:
    app = Explorer(**chosen)
    assert app.selection is None
    assert app.layer == chosen.get("layer", 21)
    assert app.head == chosen.get("head")


@pytest.mark.packaged_model
@pytest.mark.parametrize("chosen", [(2, 1), None])
def test_of_own_code_a_choice_made_while_it_loads_counts(chosen: tuple[int, int] | None) -> None:
    app = Explorer(selection=None)
    app._session.look_first()  # noqa: SLF001 - as an app that begins
    if chosen is not None:
        app.layer, app.head = chosen
    app.source = CODE
    app.wait()
    assert app.attention is not None
    assert "".join(app.attention.tokens) == CODE
    if chosen is None:
        assert app.attention.tokens[app.selection["index"]].strip() == "total"
    else:
        assert (app.layer, app.head, app.selection) == (2, 1, None)


def test_of_own_code_the_head_that_looks_at_earlier_uses_is_shown() -> None:
    n = len(NAMES)
    weights = np.tril(np.ones((3, 2, n, n)))
    weights /= weights.sum(-1, keepdims=True)
    weights[1, 1, 10] = 0.0
    weights[1, 1, 10, 6] = 0.9  # the last “total” looks at the one before
    found = first_look(scene(weights))
    assert found == (10, 1, 1)


def test_the_traces_begin_with_their_own_layer() -> None:
    app = Explorer()
    app.tab = "traces"
    assert (app.layer, app.head) == (21, None)


def test_bars_turn_with_the_direction() -> None:
    app = Explorer(normalisation="raw", layer=5, head=6)
    page = AppDriver(app)
    assert app.attention is not None
    uses = [i for i, token in enumerate(app.attention.tokens) if token == " seen"]
    app.selection = {"kind": "token", "index": uses[1]}  # in line 3
    app.direction = "column"
    weights = app.attention.weights(5, 6, columns=[uses[1]])[:, 0]
    positions = {unit.name: unit.positions for unit in app.code_scene.units("line")}
    table = app.feedback.set_index("unit")
    for number in (4, 8):
        expected = weights[positions[f"line {number}"]].mean()
        assert table.loc[f"line {number}", "score"] == pytest.approx(expected, abs=1e-6)
    assert table.loc["line 1", "verdict"] == "unknown"  # it comes before, and cannot look there
    assert page.code["bars_title"] == "what looks at “seen” (line 3)"
    app.selection = None
    assert page.code["bars_title"] == "what all rows look at, on average"
