"""What the Code tab begins with: a name that is used again, and a head that looks at its uses."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from explorer.feedback import Unit, score_all_heads
from explorer.widgets._code.scene import CodeScene

_MOST_TOKENS = 1024
"""Of longer code no head is chosen: one row of every head would keep the reader waiting."""


class FirstLook(NamedTuple):
    """A token to pin, and the head that looks most from it at the earlier uses of its name."""

    token: int
    layer: int
    head: int


def first_look(scene: CodeScene) -> FirstLook | None:
    """Return what to show first of a scene; None where no name is used twice.

    It is the last use of the first name that is used more than once, or what the package has chosen
    for its own example. Of all heads, it takes the one that puts the most attention on the earlier
    uses.
    """
    if scene.model is None or not 1 < scene.n_tokens <= _MOST_TOKENS:
        return None
    chosen = _of_example(scene)
    if chosen is not None:
        return chosen
    uses = _uses(scene)
    if uses is None:
        return None
    token = uses[-1][0]
    earlier = Unit("earlier uses", "", tuple(uses[:-1]), sum(b - a for a, b in uses[:-1]))
    mass = score_all_heads(scene.attention, [earlier], [token], reduction="mass")[..., 0]
    if not np.isfinite(mass).any():
        return None
    layer, head = np.unravel_index(int(np.nanargmax(mass)), mass.shape)
    return FirstLook(token, int(layer), int(head))


def _uses(scene: CodeScene) -> list[tuple[int, int]] | None:
    """Return the spans of the first name with several uses, the first token of the text left out.

    That one attracts attention whatever it is.
    """
    for unit in scene.units("identifier"):
        spans = [span for span in unit.spans if span[0] > 0]
        if len(spans) > 1:
            return spans
    return None


def _of_example(scene: CodeScene) -> FirstLook | None:
    from explorer.examples import example_programs

    if scene.text != example_programs()[0].code or scene.attention.n_layers != 30:
        return None
    uses = [place for place, text in enumerate(scene.tokens) if text == " seen"]
    return FirstLook(uses[4], 5, 6) if len(uses) > 4 else None
