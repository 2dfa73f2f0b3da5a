"""The result of a method for one hyperedge, and plans that need embeddings to finish."""

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
        The method that gave the number.
    evidence
        Kind of evidence: ``"direct"``, ``"matrix"``, ``"cosine"``, ``"substring"`` ...
    tokens
        Number of tokens whose attention was read; 0 where no attention is used.
    score, threshold, feedback
        The score in [0, 1], NaN when unknown; the threshold that it is compared with; the signal,
        NaN where the method has none.
    verdict
        ``"used"``, ``"near"``, ``"not used"`` or ``"unknown"``.
    matched_to
        The text that the hyperedge was matched to, in words.
    diagnostics
        Reasons to doubt the number.
    parts
        For a combination of methods: the feedback of each of them.
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
        """True when the method has a score, and feedback from it."""
        return not isnan(self.feedback) and self.verdict != "unknown"

    def noting(self, *more: Diagnostic) -> MethodResult:
        """Return a copy with further diagnostics in front, each kept once."""
        together = dict.fromkeys((*more, *self.diagnostics))
        return self._replace(diagnostics=tuple(together))


def unknown(
    method: str, evidence: str, threshold: float, diagnostics: Iterable[Diagnostic]
) -> MethodResult:
    """Return the result of a method that knows nothing about a hyperedge."""
    return MethodResult(
        method, evidence, 0, nan, threshold, nan, "unknown", "nothing", tuple(diagnostics)
    )


class EmbeddingPlan(NamedTuple):
    """The work of a method on one trace, interrupted where it needs embeddings.

    All traces are planned first, then all texts are embedded together, then all are finished.

    Attributes
    ----------
    needs
        Indices of the hyperedges whose similarity to the answer is needed.
    finish
        Function from the embedding results of those hyperedges, by index, to one result for each
        hyperedge.
    notes
        Diagnostics of the whole trace.
    """

    needs: Sequence[int]
    finish: Callable[[Mapping[int, MethodResult]], list[MethodResult]]
    notes: tuple[Diagnostic, ...] = ()


def quoted(text: str, longest: int = 60) -> str:
    """Return a text in quotes, shortened where it is long, for `matched_to`."""
    words = " ".join(text.split())
    return f"'{words if len(words) <= longest else words[: longest - 1].rstrip() + '…'}'"
