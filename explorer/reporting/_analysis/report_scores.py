"""The scores that a report judges, in whatever form they were brought, and how they came to be."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from explorer.errors import InputError
from explorer.rag import ExtractorConfig, FeedbackExtractor
from explorer.rag._extraction.extractor import extractor_alone
from explorer.reporting._analysis.score_names import (
    THRESHOLD_NAMES,
    score_name,
    single_threshold_config,
)
from explorer.run_control import ProgressCallback, RunControl
from explorer.traces import Trace
from explorer.validation import LabelledScores, judge

if TYPE_CHECKING:
    import pandas as pd

    from explorer.validation import Recommendation

_SETTINGS = frozenset(one.name for one in fields(ExtractorConfig))


@dataclass(frozen=True, eq=False)
class ReportScores:
    """Scores put together with their labels.

    Attributes
    ----------
    judged
        Score and label of every labelled hyperedge.
    table
        What `FeedbackExtractor.explain_traces` gave; None for scores that came otherwise.
    config
        How they were made, where that is known.
    held_out
        Whether each trace was scored by heads and weights that the other traces chose.
    """

    judged: LabelledScores
    table: pd.DataFrame | None
    config: ExtractorConfig | None
    held_out: bool = False

    @property
    def threshold(self) -> float | None:
        """The threshold that the config holds these scores against."""
        if self.config is None:
            return None
        return float(getattr(self.config, THRESHOLD_NAMES[self.config.method]))

    @property
    def called(self) -> str:
        """A few words for the scores, to stand beside baselines."""
        if self.held_out:
            return "these scores, held out"
        return "these scores" if self.config is None else score_name(self.config)


def report_scores(
    traces: Sequence[Trace],
    scores: Any,
    config: ExtractorConfig | Mapping[str, Any] | None = None,
    recommendation: Recommendation | None = None,
    *,
    progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
    **truth: Any,
) -> ReportScores:
    """Put scores of any form together with the labels; see `threshold_report` for the forms.

    Raises
    ------
    ValidationError
        There are no labels, or the method has no one threshold.
    InputError, ShapeError
        The scores are of no known form, or about other traces.
    Cancelled
        If `cancel` was set.
    """
    if scores is None and recommendation is not None and config is None:
        judged = _of_these(recommendation.scores, traces)
        return ReportScores(
            judged, None, single_threshold_config(recommendation.config), held_out=True
        )
    if isinstance(scores, LabelledScores):
        return ReportScores(
            _of_these(scores, traces),
            None,
            None if config is None else single_threshold_config(config),
        )
    extractor = _extractor(scores, config)
    if extractor is not None:
        single_threshold_config(extractor.config)

        def explain() -> pd.DataFrame:
            return asyncio.run(
                extractor.explain_traces(traces, control=RunControl(progress, cancel))
            )

        # In a thread of its own: a notebook's own thread has a loop that runs already.
        with ThreadPoolExecutor(1) as thread:
            table = thread.submit(explain).result()
        return ReportScores(judge(traces, table, **truth), table, extractor.config)
    known = None if config is None else single_threshold_config(config)
    judged = judge(traces, scores, **truth)
    return ReportScores(judged, scores if hasattr(scores, "columns") else None, known)


def _extractor(scores: Any, config: Any) -> FeedbackExtractor | None:
    """Return what makes the scores, unless they are there."""
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


def _of_these(judged: LabelledScores, traces: Sequence[Trace]) -> LabelledScores:
    unknown = set(judged.traces) - {trace.id for trace in traces}
    if unknown:
        raise InputError(
            f"The scores are about traces that are not given, such as {min(unknown)!r:.80}. Give "
            "the traces that they were judged on."
        )
    return judged
