"""Plan of forward passes over sequences that share prefixes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from explorer.models._text.prompt_encoding import EncodedPrompt


@dataclass(frozen=True)
class Pass:
    """Neighbouring sequences that one forward pass reads, from a common position on.

    Attributes
    ----------
    first, stop
        Numbers of the sequences, half open.
    start
        First token that is read; the tokens before it are in the cache.
    """

    first: int
    stop: int
    start: int


def plan_passes(
    sequences: Sequence[EncodedPrompt],
    call: int,
    batch_tokens: int,
    *,
    most: int = 1 << 62,
    held_tokens: int = 1 << 62,
) -> list[Pass]:
    """Return the passes that read all sequences; each continues from the prefix before it.

    Neighbours share a pass if padding, and reading again a prefix that only some of them share,
    cost less than another call of the model.

    Parameters
    ----------
    sequences
        In an order in which neighbours share prefixes.
    call
        Fixed cost of a forward pass, in tokens.
    batch_tokens
        Most tokens of a pass over several texts.
    most
        Most texts of a pass.
    held_tokens
        Most tokens of a pass over several texts, cached tokens included.
    """
    starts = [0]
    for before, one in pairwise(sequences):
        starts.append(min(shared_prefix(before.ids, one.ids), int(one.rows.min())))
    passes: list[Pass] = []
    first = 0
    while first < len(sequences):
        stop, start, longest = first + 1, starts[first], len(sequences[first].ids)
        cost = call + longest - start
        while stop < len(sequences) and stop - first < most:
            one = sequences[stop]
            from_here, longest_yet = min(start, starts[stop]), max(longest, len(one.ids))
            together = (stop + 1 - first) * (longest_yet - from_here)
            held = (stop + 1 - first) * longest_yet
            apart = cost + call + len(one.ids) - starts[stop]
            if together > batch_tokens or held > held_tokens:
                break
            if call + together > apart:
                break
            stop, start, longest, cost = stop + 1, from_here, longest_yet, call + together
        passes.append(Pass(first, stop, start))
        first = stop
    return passes


def shared_prefix(one: NDArray[np.int64], other: NDArray[np.int64]) -> int:
    """Return the number of tokens with which both texts begin."""
    length = min(len(one), len(other))
    differ = np.flatnonzero(one[:length] != other[:length])
    return int(differ[0]) if differ.size else length
