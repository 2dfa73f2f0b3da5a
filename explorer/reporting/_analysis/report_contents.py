"""Everything that a report says, worked out: numbers alone, no page."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from explorer.errors import ExplorerError, InputError
from explorer.feedback import Diagnostic
from explorer.rag import ExtractorConfig
from explorer.rag._extraction.rethresholding import rethreshold
from explorer.rag._weights.trajectory import Trajectory
from explorer.rag._weights.update_order import update_order
from explorer.rag._weights.weight_trajectory import follow_weights
from explorer.reporting._analysis.report_scores import ReportScores
from explorer.reporting._analysis.report_subject import ReportSubject, reasons_of, report_subject
from explorer.reporting._analysis.score_names import THRESHOLD_NAMES
from explorer.reporting._analysis.threshold_analysis import (
    BaselineComparison,
    ThresholdAnalysis,
    analyse_threshold,
    compare_with_baselines,
    flips_between,
)
from explorer.run_control import ProgressCallback, RunControl
from explorer.traces import Trace
from explorer.validation import head_scores, method_agreement, quality_map, sweep
from explorer.validation._comparison.agreement import verdicts_at
from explorer.validation._data.score_builder import own_scores

if TYPE_CHECKING:
    import pandas as pd

    from explorer.validation import Recommendation, Sweep
    from explorer.validation._comparison.baselines import Baseline
    from explorer.validation._metrics.head_quality import Quality

MAPS: tuple[Quality, ...] = ("auc", "average_precision", "f1")


@dataclass(frozen=True, eq=False)
class HeadMaps:
    """The quality of every head: each of `MAPS` by name, float64 (layers, heads).

    `prevalence` is the share of the units that are used.
    """

    maps: Mapping[Quality, NDArray[np.float64]]
    prevalence: float
    units: int
    traces: int
    notes: tuple[Diagnostic, ...]


@dataclass(frozen=True, eq=False)
class ReportContents:
    """Everything that a report says.

    Attributes
    ----------
    about
        What was judged, by what.
    scored
        The scores, and how they came to be.
    lab, beside
        As in the thresholds tab.
    threshold, reference
        The threshold in question, and the one that flips are told against.
    at
        A sweep over these two and the best F1 alone: their figures, with exact intervals.
    flips
        What changes sides between the two, with texts.
    heads
        The map of heads, or why there is none.
    agreement
        As `explorer.validation.method_agreement`; None where no other method was given.
    weights
        How an updater moves the hyperedges' weights at this threshold.
    recommendation
        What calibration said; None where it was not asked.
    refused
        Why calibration could say nothing.
    reasons
        Reasons to doubt single scores: code, how many hyperedges, the first of the messages.
    """

    about: ReportSubject
    report_scores: ReportScores
    analysis: ThresholdAnalysis
    comparison: BaselineComparison
    threshold: float
    reference: float
    at: Sweep
    flips: pd.DataFrame
    heads: HeadMaps | str
    agreement: pd.DataFrame | None
    weights: Trajectory
    recommendation: Recommendation | None
    refused: str
    reasons: tuple[tuple[str, int, str], ...]

    def row(self, threshold: float) -> Mapping[str, float]:
        """Return the figures of one of the thresholds that `at` looked at."""
        table = self.at.table
        place = int(np.flatnonzero(table["threshold"] == float(np.float32(threshold)))[0])
        return {str(name): float(value) for name, value in table.iloc[place].items()}


def find(
    traces: Sequence[Trace],
    report_scores: ReportScores,
    *,
    threshold: float | None,
    reference: float,
    least_drop: float,
    recommendation: Recommendation | None,
    refused: str,
    compared: Mapping[str, pd.DataFrame] | None,
    baselines: Sequence[Baseline],
    heads: bool,
    update: Any,
    samples: int,
    seed: int,
    progress: ProgressCallback | None,
    cancel: threading.Event | None,
) -> ReportContents:
    """Work everything out; the parameters are those of `threshold_report`.

    Raises
    ------
    ValidationError
        There are no labels, no scores, or labels of one kind only.
    InputError
        A threshold is no finite number, or the tables of other methods do not fit.
    Cancelled
        If `cancel` was set.
    """
    control = RunControl(progress, cancel)
    control.report("explaining", None, "Judging every threshold ...")
    judged = report_scores.judged
    analysis = analyse_threshold(traces, judged, samples=samples, seed=seed)
    best = analysis.sweep.best("f1").threshold
    if threshold is None:
        held = report_scores.threshold
        if report_scores.held_out and recommendation is not None:
            held = recommendation.scores_threshold
        threshold = best if held is None else held
    looked_at = [one for one in (threshold, reference, best) if not _undefined(one)]
    at = sweep(judged, looked_at, samples=samples, seed=seed)
    found = _heads(traces, report_scores, progress, cancel) if heads else "It was not asked for."
    control.report("explaining", None, "Comparing with baselines ...")
    comparison = compare_with_baselines(
        traces,
        judged,
        report_scores.called,
        baselines,
        samples=samples,
        seed=seed,
        progress=progress,
        cancel=cancel,
    )
    control.report("explaining", None, "Following the weights ...")
    return ReportContents(
        report_subject(traces, least_drop, samples, seed),
        report_scores,
        analysis,
        comparison,
        float(threshold),
        float(reference),
        at,
        flips_between(analysis, reference, threshold),
        found,
        None if not compared else _agreement(report_scores, threshold, compared, samples, seed),
        _weights(analysis, report_scores, threshold, update),
        recommendation,
        refused,
        reasons_of(report_scores.table),
    )


def _undefined(threshold: Any) -> bool:
    return isinstance(threshold, float) and bool(np.isnan(threshold))


def _heads(
    traces: Sequence[Trace],
    report_scores: ReportScores,
    progress: ProgressCallback | None,
    cancel: threading.Event | None,
) -> HeadMaps | str:
    config, judged = report_scores.config or ExtractorConfig(), report_scores.judged
    labels: dict[str, dict[str, bool]] = {}
    for group, unit, label in zip(judged.groups, judged.units, judged.labels, strict=True):
        labels.setdefault(judged.traces[group], {})[unit] = bool(label)
    try:
        scores = head_scores(
            traces,
            config.reduction,
            config.normalisation,
            config.top_k,
            truth=judged.truth,
            labels=labels,
            progress=progress,
            cancel=cancel,
        )
        maps = {name: quality_map(scores, name) for name in MAPS}
    except ExplorerError as error:
        if cancel is not None and cancel.is_set():
            raise
        return str(error)
    return HeadMaps(maps, scores.prevalence, len(scores), scores.n_traces, scores.notes)


def _agreement(
    report_scores: ReportScores,
    threshold: float,
    compared: Mapping[str, pd.DataFrame],
    samples: int,
    seed: int,
) -> pd.DataFrame:
    if report_scores.table is None:
        raise InputError(
            "To say how far other methods agree, the scores themselves must be a table of "
            "explain_traces, a FeedbackExtractor or its config: verdicts are compared, also those "
            "on hyperedges without a label."
        )
    own = report_scores.table.copy()
    own["verdict"] = verdicts_at(own_scores(own), threshold)
    name = (
        report_scores.called
        if report_scores.called not in compared
        else f"{report_scores.called}, judged here"
    )
    return method_agreement({name: own, **compared}, samples=samples, seed=seed)


def _weights(
    analysis: ThresholdAnalysis, report_scores: ReportScores, threshold: float, update: Any
) -> Trajectory:
    table, judged = report_scores.table, analysis.judged
    if table is None:
        traces = [judged.traces[group] for group in judged.groups]
        named = zip(traces, judged.units, judged.scores.tolist(), analysis.texts, strict=True)
    else:
        columns = [table["trace"].tolist(), table["unit"].tolist(), own_scores(table).tolist()]
        texts = table["text"].tolist() if "text" in table else [""] * len(table)
        named = zip(*columns, texts, strict=True)
    rows = [
        (_whole(trace), _whole(unit), score, _whole(text)) for trace, unit, score, text in named
    ]
    signals = _feedback(
        report_scores, np.array([row[2] for row in rows], dtype=np.float64), threshold
    )
    order, _ = update_order([(row[0], row[1], np.nan, row[3]) for row in rows])
    return follow_weights(order, signals, update)


def _whole(text: object) -> str:
    """Text without halves of surrogate pairs, which Arrow refuses and no file can hold."""
    return str(text).encode("utf-8", "replace").decode("utf-8")


def _feedback(
    report_scores: ReportScores, scores: NDArray[np.float64], threshold: float
) -> NDArray[np.float64]:
    """Feedback of scores at a threshold, as a `FeedbackExtractor` of this method gives it."""
    config = report_scores.config or ExtractorConfig()
    at: dict[str, Any] = {THRESHOLD_NAMES[config.method]: min(1.0, max(0.0, threshold))}
    return rethreshold(scores, config.method, replace(config, **at))
