"""What a method found out about one hyperedge, and how methods ask each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isnan, nan
from types import MappingProxyType
from typing import NamedTuple

from explorer.feedback import Diagnostic

_NO_PARTS: Mapping[str, float] = MappingProxyType({})


class MethodResult(NamedTuple):
    """One row of the explanation.

    Attributes
    ----------
    method
        Which method gave the number.
    evidence
        What it looked at: ``"direct"``, ``"matrix"``, ``"cosine"``, ``"substring"`` ...
    tokens
        How many tokens of attention the hyperedge has; 0 where no attention is looked at.
    score, threshold, feedback
        The score in [0, 1], NaN when unknown; what it is compared with; the signal. Methods leave
        the feedback NaN where they know nothing.
    verdict
        ``"used"``, ``"near"``, ``"not used"`` or ``"unknown"``.
    matched_to
        What the hyperedge was matched to, in words.
    diagnostics
        Why the number is less than it seems.
    parts
        For methods that are made of others: the feedback of each of them.
    """

    method: str
    evidence: str
    tokens: int
    score: float
    threshold: float
    feedback: float
    verdict: str
    matched_to: str
    diagnostics: tuple[Diagnostic, ...]
    parts: Mapping[str, float] = _NO_PARTS

    @property
    def known(self) -> bool:
        """Whether the method could say anything: a score, and feedback from it."""
        return not isnan(self.feedback) and self.verdict != "unknown"

    def noting(self, *more: Diagnostic) -> MethodResult:
        """The same with further diagnostics in front; none is said twice."""
        together = dict.fromkeys((*more, *self.diagnostics))
        return self._replace(diagnostics=tuple(together))


def unknown(
    method: str, evidence: str, threshold: float, diagnostics: Iterable[Diagnostic]
) -> MethodResult:
    """A row of which nothing is known."""
    return MethodResult(
        method, evidence, 0, nan, threshold, nan, "unknown", "nothing", tuple(diagnostics)
    )


class EmbeddingPlan(NamedTuple):
    """A method's work on one trace, cut where it needs embeddings.

    Every trace is planned first, then all texts are embedded at once, then every trace is finished.

    Attributes
    ----------
    needs
        Places of the hyperedges whose similarity to the answer is asked for.
    finish
        From those hyperedges' embedding results, by place, to one result for each hyperedge.
    notes
        What must be known about the trace as a whole.
    """

    needs: Sequence[int]
    finish: Callable[[Mapping[int, MethodResult]], list[MethodResult]]
    notes: tuple[Diagnostic, ...] = ()


def quoted(text: str, longest: int = 60) -> str:
    """A text in quotes, cut where it is long, for `matched_to`."""
    words = " ".join(text.split())
    return f"'{words if len(words) <= longest else words[: longest - 1].rstrip() + '…'}'"
