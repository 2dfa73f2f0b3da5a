"""Explanations of many traces: all are planned, their texts embedded together, then finished."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from explorer.errors import EmbeddingError, ExtractionWarning
from explorer.feedback import Diagnostic
from explorer.feedback._feedback_table import text_column
from explorer.rag._embeddings.embedding_functions import Embedder
from explorer.rag._methods.combined_feedback import PLANS
from explorer.rag._methods.embedding_feedback import Vectors, embedding_results
from explorer.rag._methods.extractor_config import ExtractorConfig
from explorer.rag._methods.method_result import EmbeddingPlan, MethodResult
from explorer.run_control import RunControl
from explorer.traces import Hyperedge, Trace

if TYPE_CHECKING:
    import pandas as pd

# Number of traces between progress reports, at which other tasks of the event loop run.
_TURN = 100

PARTS = ("attention", "embedding", "citation")
"""Columns that combined methods add, where they have values for them."""


class ExplanationTask(NamedTuple):
    """One trace to explain, with the config."""

    trace: Trace
    config: ExtractorConfig


class TraceExplanation(NamedTuple):
    """The explanation of a trace: one result for each hyperedge, and notes on the whole trace.

    The metadata are left out, so that the attention of many traces is not kept in memory.
    """

    name: str
    hyperedges: Sequence[Hyperedge]
    results: list[MethodResult]
    notes: tuple[Diagnostic, ...]


async def explain_all(
    jobs: Sequence[ExplanationTask],
    embedder: Embedder,
    control: RunControl | None = None,
    *,
    before: int = 0,
    total: int | None = None,
) -> list[TraceExplanation]:
    """Return the explanation of every task; all texts are embedded in one call.

    Parameters
    ----------
    jobs, embedder
        The tasks, and the embedder of their texts.
    control
        As for `FeedbackExtractor.explain_traces`.
    before, total
        Number of traces explained before these, and of all traces; for progress.

    Raises
    ------
    Cancelled
        The job was stopped.
    """
    control = control or RunControl()
    control.check()

    def tell(done: float) -> None:
        """Report progress: planning counts as half of a trace, finishing as the other half."""
        fraction = (before + done) / total if total else None
        known = f" of {total}" if total else ""
        message = f"Explaining traces: {before + int(done)}{known} ..."
        control.report("explaining", fraction, message)

    plans: list[EmbeddingPlan] = []
    for done, (trace, config) in enumerate(jobs):
        if done and done % _TURN == 0:
            tell(done / 2)
            await asyncio.sleep(0)
        plans.append(PLANS[config.method](trace, config))
    vectors = await _embedded(jobs, plans, embedder, control)
    explained = []
    for done, ((trace, config), plan) in enumerate(zip(jobs, plans, strict=True)):
        if done and done % _TURN == 0:
            tell((len(jobs) + done) / 2)
            await asyncio.sleep(0)
        embedded = embedding_results(trace, plan.needs, vectors, config) if plan.needs else {}
        results = plan.finish(embedded)
        explained.append(TraceExplanation(trace.id, trace.hyperedges, results, plan.notes))
    tell(len(jobs))
    return explained


class Failures(NamedTuple):
    """Number of hyperedges whose embedding failed, number of neutral ones, and the reason."""

    without: int
    neutral: int
    reason: str


def failures(explained: Iterable[TraceExplanation]) -> Failures:
    """Return the consequences of a failed embedding."""
    without, neutral, reason = 0, 0, ""
    for one in explained:
        for result in one.results:
            for note in result.diagnostics:
                if note.code == "embedding-failed":
                    without, reason = without + 1, note.message
                    neutral += result.verdict == "unknown"
                    break
    return Failures(without, neutral, reason)


def explanation_table(
    explained: Sequence[TraceExplanation], *, traces: bool = False
) -> pd.DataFrame:
    """Return the table of explanations: one row for each hyperedge, in order.

    Parameters
    ----------
    explained
        From `explain_all`.
    traces
        Add the id of the trace as the first column.

    Returns
    -------
    pandas.DataFrame
        As `FeedbackExtractor.explain` describes, without ``attrs``.
    """
    import pandas as pd

    results = [result for one in explained for result in one.results]
    edges = [edge for one in explained for edge in one.hyperedges]

    columns: dict[str, object] = {}
    if traces:
        columns["trace"] = text_column([one.name for one in explained for _ in one.results])
    columns["unit"] = text_column([edge.id for edge in edges])
    columns["text"] = text_column([edge.hyperedge for edge in edges])
    columns["method"] = text_column([result.method for result in results])
    columns["evidence"] = text_column([result.evidence for result in results])
    columns["tokens"] = np.array([result.tokens for result in results], dtype=np.int64)
    for name in ("score", "threshold", "feedback"):
        values = [getattr(result, name) for result in results]
        columns[name] = np.array(values, dtype=np.float64)
    columns["verdict"] = text_column([result.verdict for result in results])
    columns["matched_to"] = text_column([result.matched_to for result in results])
    columns["diagnostics"] = pd.Series([one.diagnostics for one in results], dtype="object")
    for part in PARTS:
        if any(part in result.parts for result in results):
            values = [result.parts.get(part, np.nan) for result in results]
            columns[part] = np.array(values, dtype=np.float64)
    return pd.DataFrame(columns)


def feedback_by_id(explained: TraceExplanation) -> dict[str, float]:
    """Return feedback by id, the larger where an id comes twice."""
    feedback: dict[str, float] = {}
    for edge, result in zip(explained.hyperedges, explained.results, strict=True):
        feedback[edge.id] = max(result.feedback, feedback.get(edge.id, 0.0))
    return feedback


def warn_of_failures(explained: Sequence[TraceExplanation]) -> None:
    """Warn the caller of `FeedbackExtractor` when embeddings failed."""
    without, neutral, reason = failures(explained)
    if without:
        warnings.warn(
            f"The feedback of {without} hyperedges goes without an embedding; that of {neutral} is "
            f"neutral, since nothing else is known. {reason}",
            ExtractionWarning,
            stacklevel=3,
        )


async def _embedded(
    jobs: Sequence[ExplanationTask],
    plans: Sequence[EmbeddingPlan],
    embedder: Embedder,
    control: RunControl,
) -> Vectors:
    """Embed the answers and hyperedges that the plans need, each text once."""
    texts: dict[str, None] = {}
    for (trace, _), plan in zip(jobs, plans, strict=True):
        if plan.needs and trace.answer.strip():
            texts[trace.answer] = None
            for place in plan.needs:
                text = trace.hyperedges[place].hyperedge
                if text.strip():
                    texts[text] = None
    if not texts:
        return Vectors.failed("There was nothing to embed.")
    listed = list(texts)
    try:
        array, cut = await embedder(listed, control)
    except EmbeddingError as error:
        return Vectors.failed(str(error))
    return Vectors.of(listed, array, cut)
