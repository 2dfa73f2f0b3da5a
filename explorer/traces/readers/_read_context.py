"""What one reading of a file asks for, and what its readers could not understand."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from explorer.errors import TraceError
from explorer.traces._model.native_format import kind_of
from explorer.traces._model.trace import TraceProblem

# Words for a needed and for an unneeded fact, in the spelling of `_spelt`.
_NEEDED = frozenset({
    "1", "true", "yes", "t", "y", "relevant", "highly relevant", "partially relevant",
    "somewhat relevant", "positive", "pos", "supporting", "supported", "support", "supports",
    "supporting fact", "gold", "used", "needed", "required", "useful", "helpful", "correct",
    "good", "perfect", "excellent", "fair", "evidence", "entailment", "entailed", "hit", "match",
    "answer", "contains answer", "has answer", "sufficient", "grounded",
})  # fmt: skip
_UNNEEDED = frozenset({
    "0", "false", "no", "f", "n", "irrelevant", "not relevant", "non relevant", "nonrelevant",
    "negative", "neg", "hard negative", "non supporting", "not supporting", "unsupported",
    "not supported", "distractor", "noise", "unused", "not used", "unneeded", "not needed",
    "not required", "useless", "unhelpful", "not useful", "incorrect", "wrong", "bad", "neutral",
    "contradiction", "miss", "no match", "no answer", "insufficient", "ungrounded",
})  # fmt: skip
_SHOWN = 5


@dataclass
class _Unread:
    """Values of one kind that were not understood."""

    line: int
    examples: list[str] = field(default_factory=list)
    count: int = 0


class ReadContext:
    """The wishes of the caller for one file, and the values that its readers did not understand.

    Parameters
    ----------
    label_cut
        A number as label means that the answer needs the fact where it is above this; 0 by
        default, so that grades from 0 to 3 are needed from 1 on.
    retriever
        Name of the steps of a trace whose output are the facts; None to find them.

    Raises
    ------
    TraceError
        `label_cut` is not a finite number, or `retriever` not a text.
    """

    def __init__(self, label_cut: float = 0.0, retriever: str | None = None) -> None:
        number = isinstance(label_cut, int | float) and not isinstance(label_cut, bool)
        if not number or not math.isfinite(label_cut):
            raise TraceError(
                f"label_cut must be a finite number, but it is {label_cut!r}. A label above it "
                "means that the answer needs the fact."
            )
        if retriever is not None and (not isinstance(retriever, str) or not retriever.strip()):
            raise TraceError(f"retriever must be the name of a step, but it is {retriever!r}.")
        self.label_cut = float(label_cut)
        self.retriever = retriever
        self._unread: dict[str, _Unread] = {}
        self._distances: dict[str, int] = {}

    def label(self, value: Any, line: int, column: str = "label") -> bool | None:
        """Return a label: True if the answer needs the fact, None if unknown.

        A truth value, a number (compared with `label_cut`), a number in a text, or a word of the
        field, such as "relevant" and "not relevant". Any other value is counted, and becomes part
        of a problem of the file.
        """
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int | float):
            return None if math.isnan(value) else value > self.label_cut
        if isinstance(value, str):
            word = spelt_word(value)
            if not word or word in {"nan", "none", "null", "n/a", "na", "unknown", "unlabelled"}:
                return None
            try:
                return float(word) > self.label_cut
            except ValueError:
                pass
            if word in _NEEDED or word in _UNNEEDED:
                return word in _NEEDED
        self.unread(f"label in `{column}`", value, line)
        return None

    def unread(self, what: str, value: Any, line: int) -> None:
        """Count a value that was not understood; `what` says what it should have been."""
        found = self._unread.setdefault(what, _Unread(line))
        found.count += 1
        written = value if isinstance(value, str) else kind_of(value)
        shown = repr(written if len(written) <= 60 else f"{written[:57]}...")
        if shown not in found.examples and len(found.examples) < _SHOWN:
            found.examples.append(shown)

    def distance(self, column: str, line: int) -> None:
        """Remember that a column of distances was read, where lower is better."""
        self._distances.setdefault(column, line)

    def problems(self) -> Iterator[TraceProblem]:
        """Yield one problem for each kind of value that was not understood."""
        for what, found in self._unread.items():
            times = "once" if found.count == 1 else f"{found.count:,} times"
            yield TraceProblem(
                found.line,
                f"no {what} could be read from {', '.join(found.examples)} ({times} in this file, "
                "here first). The values are kept in `extra`.",
                loaded=True,
            )
        for column, line in self._distances.items():
            yield TraceProblem(
                line,
                f"`{column}` holds distances, of which the lowest is best: they are kept with a "
                "minus sign as `retrieval_score`, where the highest is best.",
                loaded=True,
            )


def spelt_word(text: str) -> str:
    """Return a word in lower case, with single spaces for dashes and underscores."""
    return re.sub(r"[\s_\-]+", " ", text).strip().lower()
