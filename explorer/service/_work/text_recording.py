"""Recorded texts with their last hidden states, from one forward pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from explorer.run_control import RunControl

if TYPE_CHECKING:
    from explorer.attention import AttentionMap
    from explorer.models import Model, TokenizedText


@dataclass(frozen=True)
class RecordedText:
    """The attention and the last hidden states of a text.

    Attributes
    ----------
    tokenized
        The tokens.
    attention
        Attention between them.
    hidden
        float32 (tokens, width): the last hidden states of the same pass.
    """

    tokenized: TokenizedText
    attention: AttentionMap
    hidden: NDArray[np.float32]

    def embedding(self) -> NDArray[np.float32]:
        """Return the mean over the tokens that are not special: float32 (width,)."""
        mean: NDArray[np.float32] = self.hidden[~self.tokenized.special].mean(axis=0)
        return mean


def record_texts(
    model: Model, texts: Sequence[TokenizedText], control: RunControl
) -> list[RecordedText]:
    """Return the attention and hidden states of each text."""
    found = []
    for text in texts:
        kept: list[Any] = []
        handle = model.torch_model.base_model.register_forward_hook(
            lambda module, args, output, kept=kept: kept.append(output[0])
        )
        try:
            attention = model.record(text, cancel=control.cancel)
        finally:
            handle.remove()
        found.append(RecordedText(text, attention, kept[0][0].float().cpu().numpy()))
    return found
