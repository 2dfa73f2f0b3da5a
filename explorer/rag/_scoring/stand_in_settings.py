"""Settings of a stand-in: what it reads, and which attention of it is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec
import numpy as np

from explorer.errors import InputError
from explorer.rag._scoring.trace_task import digest
from explorer.traces import Trace

QUESTION = "question"
"""The reading of the question's rows, in `StandInSettings.rows` and in the metadata of a trace."""


@dataclass(frozen=True, kw_only=True)
class StandInSettings:
    """What a stand-in reads, and which attention is kept.

    Parameters
    ----------
    generate, max_new_tokens
        Let the model answer where a trace has no answer, in at most so many tokens.
    keep_topk
        Keep the mean of each hyperedge's three largest token attentions, which the reduction
        ``"top-k"`` needs.
    keep_rows
        Keep the attention of each answer token: (layers, heads, rows, hyperedges). The result is
        larger by a factor of the number of answer tokens.
    rows
        Query rows whose attention is kept. ``"answer"`` is always among them; ``"question"`` adds
        the positions of the question's own tokens, which come after the hyperedges. Both come from
        one pass.
    content_free
        Read each trace a second time, with the question "N/A" and no answer, and keep the
        attention of that question's rows. It shows what a hyperedge receives by its position and
        length alone, so that it can be subtracted (contextual calibration: Zhao et al. 2021; of
        attention: Chen et al. 2024, in-context re-ranking).

    Raises
    ------
    InputError
        `rows` holds another name or lacks ``"answer"``, or `max_new_tokens` is not a whole number
        of at least 1.

    Examples
    --------
    >>> StandInSettings(rows=("answer", "question"), content_free=True).question
    True
    """

    generate: bool = False
    max_new_tokens: int = 48
    keep_topk: bool = True
    keep_rows: bool = False
    rows: Sequence[Literal["answer", "question"]] = ("answer",)
    content_free: bool = False

    def __post_init__(self) -> None:
        for name in ("generate", "keep_topk", "keep_rows", "content_free"):
            object.__setattr__(self, name, bool(getattr(self, name)))
        object.__setattr__(self, "rows", _checked_rows(self.rows))
        tokens: object = self.max_new_tokens
        if isinstance(tokens, bool) or not isinstance(tokens, int | np.integer) or tokens < 1:
            raise InputError(
                f"max_new_tokens must be a whole number of at least 1, but it is {tokens!r}."
            )
        object.__setattr__(self, "max_new_tokens", int(tokens))

    @property
    def question(self) -> bool:
        """Whether the attention of the question's rows is kept."""
        return QUESTION in self.rows

    def digest_for(self, trace: Trace) -> str:
        """Return a digest of the trace and of the settings that change what is kept of it."""
        given = isinstance(trace.answer, str) and bool(trace.answer.strip())
        asked = [trace.query, trace.answer, trace.hyperedges]
        wanted = _DigestedSettings(
            self.keep_topk,
            self.keep_rows,
            None if given else self.max_new_tokens,
            self.question,
            self.content_free,
        )
        return digest([asked, wanted])


class _DigestedSettings(msgspec.Struct, omit_defaults=True):
    """The settings that change what is kept of one trace.

    Fields with a default were added later and are left out of a digest, so that scoring still
    continues files that were written before.
    """

    keep_topk: bool
    keep_rows: bool
    max_new_tokens: int | None
    question: bool = False
    content_free: bool = False


def _checked_rows(rows: object) -> tuple[str, ...]:
    """Return the names of the rows; raise InputError for another name or without the answer."""
    named = (rows,) if isinstance(rows, str) else rows
    listed = tuple(named) if isinstance(named, Sequence) else ()
    if "answer" not in listed or not set(listed) <= {"answer", QUESTION}:
        raise InputError(
            f'rows is ("answer",) or ("answer", "question"); got {rows!r}. The answer\'s rows are '
            "always kept."
        )
    return listed
