"""The scores that a report judges, and how they were made."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from explorer.errors import InputError
from explorer.rag import ExtractorConfig, FeedbackExtractor
from explorer.rag._extraction.extractor import extractor_alone
from explorer.reporting._analysis.score_names import (
    THRESHOLD_NAMES,
    are_given,
    score_name,
    single_threshold_config,
)
from explorer.run_control import RunControl
from explorer.traces import Trace
from explorer.validation import LabelledScores, Truth, judge

if TYPE_CHECKING:
    import pandas as pd

    from explorer.validation import Recommendation
    from explorer.validation._data.ground_truth import LabelsByTrace

_SETTINGS = frozenset(field.name for field in fields(ExtractorConfig))


@dataclass(frozen=True, eq=False)
class ReportScores:
    """Scores joined with their labels.

    Attributes
    ----------
    judged
        Score and label of every labelled hyperedge.
    table
        The table of `FeedbackExtractor.explain_traces`; None for scores from elsewhere.
    config
        How they were made, if known.
    held_out
        Whether each trace was scored by heads and weights that the other traces chose.
    """

    judged: LabelledScores
    table: pd.DataFrame | None
    config: ExtractorConfig | None
    held_out: bool = False

    @property
    def threshold(self) -> float | None:
        """The threshold of the config."""
        if self.config is None:
            return None
        return float(getattr(self.config, THRESHOLD_NAMES[self.config.method]))

    @property
    def name(self) -> str:
        """A short name of the scores, for tables."""
        if self.held_out:
            return "these scores, held out"
        return "these scores" if self.config is None else score_name(self.config, given=self.given)

    @property
    def given(self) -> bool:
        """Whether the traces give the scores, one for each hyperedge."""
        by_attention = self.config is not None and self.config.method == "attention"
        return by_attention and are_given(self.table)


def report_scores(
    traces: Sequence[Trace],
    scores: Any,
    config: ExtractorConfig | Mapping[str, Any] | None = None,
    recommendation: Recommendation | None = None,
    *,
    truth: Truth,
    labels: LabelsByTrace | None,
    control: RunControl,
) -> ReportScores:
    """Join scores of any form with the labels; see `threshold_report` for the forms.

    Raises
    ------
    ValidationError
        There are no labels, or the method has no single threshold.
    InputError, ShapeError
        The scores have an unknown form, or are those of other traces.
    Cancelled
        The cancel event was set.
    """
    if scores is None and recommendation is not None and config is None:
        judged = _of_traces(recommendation.scores, traces)
        return ReportScores(
            judged, None, single_threshold_config(recommendation.config), held_out=True
        )
    known = None if config is None else single_threshold_config(config)
    if isinstance(scores, LabelledScores):
        return ReportScores(_of_traces(scores, traces), None, known)
    extractor = _extractor(scores, config)
    if extractor is not None:
        single_threshold_config(extractor.config)

        def explain() -> pd.DataFrame:
            return asyncio.run(extractor.explain_traces(traces, control=control))

        # In a thread of its own: the main thread of a notebook already runs an event loop.
        with ThreadPoolExecutor(1) as thread:
            table = thread.submit(explain).result()
        return ReportScores(judge(traces, table, truth, labels=labels), table, extractor.config)
    judged = judge(traces, scores, truth, labels=labels)
    return ReportScores(judged, scores if hasattr(scores, "columns") else None, known)


def _extractor(scores: Any, config: Any) -> FeedbackExtractor | None:
    """Return the extractor of the scores; None if the scores themselves are given."""
    if isinstance(scores, FeedbackExtractor):
        return scores
    is_config = isinstance(scores, ExtractorConfig) or (
        isinstance(scores, Mapping) and bool(scores) and set(scores) <= _SETTINGS
    )
    if not is_config and scores is not None:
        return None
    if scores is None:
        scores = {"method": "attention"} if config is None else config
    return extractor_alone(single_threshold_config(scores))


def _of_traces(judged: LabelledScores, traces: Sequence[Trace]) -> LabelledScores:
    unknown = set(judged.traces) - {trace.id for trace in traces}
    if unknown:
        raise InputError(
            f"The scores are about traces that are not given, such as {min(unknown)!r:.80}. Give "
            "the traces that they were judged on."
        )
    return judged
