"""Which sequences share a forward pass, and from which token on they are read."""

from __future__ import annotations

import numpy as np

from explorer.models._running.pass_plan import Pass, plan_passes, shared_prefix
from explorer.models._text.prompt_encoding import EncodedPrompt


def text(ids: list[int], n_answer: int = 4) -> EncodedPrompt:
    """Token ids of which the last ones are the answer."""
    array = np.asarray(ids, dtype=np.int64)
    rows = np.arange(len(array) - n_answer - 1, len(array) - 1)
    names = tuple(map(str, array))
    return EncodedPrompt(array, None, names, (), rows, array[rows + 1], names[-n_answer:])


def test_passes_are_shared_where_that_costs_less():
    ends = [text([*range(20, 60), *end]) for end in ([2] * 9, [3] * 9, [4] * 9, [5] * 29)]
    # A call is worth 12 tokens: two ends of 9 go together. With the last they would be padded to
    # 29, which is 40 tokens more, and with the first they would be read from its beginning on.
    assert plan_passes(ends, 12, 1000) == [Pass(0, 1, 0), Pass(1, 3, 40), Pass(3, 4, 40)]
    # Where a call costs more than anything, all go together, from the first token on.
    assert plan_passes(ends, 10_000, 1000) == [Pass(0, 4, 0)]
    assert plan_passes(ends, 10_000, 1000, most=2) == [Pass(0, 2, 0), Pass(2, 4, 40)]
    assert plan_passes(ends, 10_000, 1000, held_tokens=98)[0] == Pass(0, 2, 0)
    assert plan_passes(ends, 10_000, 20)[1:] == [Pass(1, 3, 40), Pass(3, 4, 40)]


def test_what_two_texts_share():
    assert shared_prefix(np.array([1, 2, 3]), np.array([1, 2, 4, 5])) == 2
    assert shared_prefix(np.array([1, 2]), np.array([1, 2, 3])) == 2
    assert shared_prefix(np.array([7]), np.array([1])) == 0
