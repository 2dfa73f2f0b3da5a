"""The weight of every token of the code, which its tint shows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from explorer.widgets._attention.head_view import Focus
from explorer.widgets._state import ExplorerState


def token_weights(
    state: ExplorerState, focus: Focus, hovered: int | None = None
) -> NDArray[np.float32]:
    """Return the weight by which each token is tinted, float32 (tokens,).

    The row of the hovered or pinned token (where it attends), or its column (which tokens attend
    to it); without one, the attention that each token receives on average from the others. A token
    that hardly any row sees has no tint then: its mean would say where it stands, not what it is.
    """
    chosen = state.selection
    index, direction = hovered, state.direction
    if index is None and chosen is not None:
        if chosen["kind"] == "token":
            index = chosen["index"]
        elif chosen["kind"] == "cell":
            index, direction = chosen["query"], "row"
    attention, layer, head = focus.attention, focus.layer, focus.head
    if index is None:
        received = focus.received
        weights = np.where(received.enough, received.weights, np.float32(0.0))
    elif direction == "row":
        weights = attention.weights(layer, head, rows=[index])[0]
    else:
        return attention.weights(layer, head, columns=[index])[:, 0]
    if state.hide_sink and weights.shape[0] > 1:
        weights = weights.copy()
        weights[0] = 0.0
    return weights
