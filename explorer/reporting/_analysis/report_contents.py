"""All numbers of a report, without the page."""

from __future__ import annotations

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
from explorer.reporting._analysis.report_options import ReportOptions
from explorer.reporting._analysis.report_scores import ReportScores
from explorer.reporting._analysis.report_subject import ReportSubject, report_subject, score_doubts
from explorer.reporting._analysis.score_names import THRESHOLD_NAMES
from explorer.reporting._analysis.threshold_analysis import (
    BaselineComparison,
    ThresholdAnalysis,
    analyse_threshold,
    call_changes,
    compare_with_baselines,
)
from explorer.run_control import RunControl
from explorer.traces import Trace
from explorer.validation import (
    Objective,
    Resampling,
    head_scores,
    method_agreement,
    quality_map,
    sweep,
)
from explorer.validation._comparison.agreement import verdicts_at
from explorer.validation._data.score_builder import own_scores

if TYPE_CHECKING:
    import pandas as pd

    from explorer.validation import Recommendation, Sweep
    from explorer.validation._metrics.head_quality import Quality

MAPS: tuple[Quality, ...] = ("auc", "average_precision", "f1")


@dataclass(frozen=True, eq=False)
class HeadMaps:
    """The quality of every head: each of `MAPS` by name, float64 (layers, heads).

    `prevalence` is the share of used units.
    """

    maps: Mapping[Quality, NDArray[np.float64]]
    prevalence: float
    units: int
    traces: int
    notes: tuple[Diagnostic, ...]


@dataclass(frozen=True, eq=False)
class ReportContents:
    """All numbers of a report.

    Attributes
    ----------
    subject
        What was judged, and by which truth.
    scores
        The scores, and how they were made.
    objective
        What the best threshold is chosen for.
    analysis, comparison
        As in the Thresholds tab.
    threshold, reference
        The judged threshold, and the one that it is compared with.
    at
        A sweep over these two and the best one: their figures, with exact intervals.
    changed_calls
        The calls that change between the two, with texts.
    heads
        The maps of heads, or why there are none.
    agreement
        As `explorer.validation.method_agreement`; None without other methods.
    weights
        How an updater moves the weights of the hyperedges at this threshold.
    recommendation
        The result of calibration; None without one.
    refused
        The error of calibration; empty without one.
    doubts
        Doubts about single scores: code, number of hyperedges, first message.
    """

    subject: ReportSubject
    scores: ReportScores
    objective: Objective
    analysis: ThresholdAnalysis
    comparison: BaselineComparison
    threshold: float
    reference: float
    at: Sweep
    changed_calls: pd.DataFrame
    heads: HeadMaps | str
    agreement: pd.DataFrame | None
    weights: Trajectory
    recommendation: Recommendation | None
    refused: str
    doubts: tuple[tuple[str, int, str], ...]

    def row(self, threshold: float) -> Mapping[str, float]:
        """Return the figures at one of the thresholds of `at`."""
        table = self.at.table
        place = int(np.flatnonzero(table["threshold"] == float(np.float32(threshold)))[0])
        return {str(name): float(value) for name, value in table.iloc[place].items()}


def build_contents(
    traces: Sequence[Trace],
    scores: ReportScores,
    *,
    threshold: float | None,
    recommendation: Recommendation | None,
    refused: str,
    options: ReportOptions,
    least_drop: float,
    resampling: Resampling,
    control: RunControl,
) -> ReportContents:
    """Compute everything; the parameters are those of `threshold_report`.

    Raises
    ------
    ValidationError
        There are no labels, no scores, or only labels of one class. Or no threshold reaches the
        floor of the objective.
    InputError
        A threshold is not a finite number, or the tables of other methods do not match.
    Cancelled
        The cancel event was set.
    """
    control.report("explaining", None, "Judging every threshold ...")
    judged = scores.judged
    analysis = analyse_threshold(traces, judged, resampling=resampling)
    objective = Objective.of(options.objective)
    best = analysis.best(objective)[0].threshold
    if threshold is None:
        known = scores.threshold
        if scores.held_out and recommendation is not None:
            known = recommendation.scores_threshold
        threshold = best if known is None else known
    thresholds = [one for one in (threshold, options.reference, best) if not _undefined(one)]
    at = sweep(judged, thresholds, resampling=resampling)
    heads = _head_maps(traces, scores, control) if options.heads else "It was not requested."
    control.report("explaining", None, "Comparing with baselines ...")
    comparison = compare_with_baselines(
        traces,
        judged,
        scores.name,
        options.baselines,
        objective=objective,
        resampling=resampling,
        control=control,
    )
    control.report("explaining", None, "Following the weights ...")
    agreement = None
    if options.compared:
        agreement = _agreement(scores, threshold, options.compared, resampling)
    return ReportContents(
        subject=report_subject(traces, least_drop, resampling),
        scores=scores,
        objective=objective,
        analysis=analysis,
        comparison=comparison,
        threshold=float(threshold),
        reference=float(options.reference),
        at=at,
        changed_calls=call_changes(analysis, options.reference, threshold),
        heads=heads,
        agreement=agreement,
        weights=_weights(analysis, scores, threshold, options.update),
        recommendation=recommendation,
        refused=refused,
        doubts=score_doubts(scores.table),
    )


def _undefined(threshold: Any) -> bool:
    return isinstance(threshold, float) and bool(np.isnan(threshold))


def _head_maps(
    traces: Sequence[Trace], scores: ReportScores, control: RunControl
) -> HeadMaps | str:
    if scores.given:
        return "The traces give one score for each hyperedge, so there is no layer or head."
    config, judged = scores.config or ExtractorConfig(), scores.judged
    labels: dict[str, dict[str, bool]] = {}
    for group, unit, label in zip(judged.groups, judged.units, judged.labels, strict=True):
        labels.setdefault(judged.traces[group], {})[unit] = bool(label)
    try:
        heads = head_scores(
            traces,
            config.reduction,
            config.normalisation,
            config.top_k,
            truth=judged.truth,
            labels=labels,
            control=control,
        )
        maps = {name: quality_map(heads, name) for name in MAPS}
    except ExplorerError as error:
        if control.cancel is not None and control.cancel.is_set():
            raise
        return str(error)
    return HeadMaps(maps, heads.prevalence, len(heads), heads.n_traces, heads.notes)


def _agreement(
    scores: ReportScores,
    threshold: float,
    compared: Mapping[str, pd.DataFrame],
    resampling: Resampling,
) -> pd.DataFrame:
    if scores.table is None:
        raise InputError(
            "To measure agreement with other methods, the scores must be a table of "
            "explain_traces, a FeedbackExtractor or its config: verdicts are compared, also those "
            "on hyperedges without a label."
        )
    own = scores.table.copy()
    own["verdict"] = verdicts_at(own_scores(own), threshold)
    name = scores.name if scores.name not in compared else f"{scores.name}, judged here"
    return method_agreement({name: own, **compared}, resampling=resampling)


def _weights(
    analysis: ThresholdAnalysis, scores: ReportScores, threshold: float, update: Any
) -> Trajectory:
    table, judged = scores.table, analysis.judged
    if table is None:
        traces = [judged.traces[group] for group in judged.groups]
        listed = zip(traces, judged.units, judged.scores.tolist(), analysis.texts, strict=True)
    else:
        columns = [table["trace"].tolist(), table["unit"].tolist(), own_scores(table).tolist()]
        texts = table["text"].tolist() if "text" in table else [""] * len(table)
        listed = zip(*columns, texts, strict=True)
    rows = [
        (_storable(trace), _storable(unit), score, _storable(text))
        for trace, unit, score, text in listed
    ]
    signals = _feedback(scores, np.array([row[2] for row in rows], dtype=np.float64), threshold)
    order, _ = update_order([(row[0], row[1], np.nan, row[3]) for row in rows])
    return follow_weights(order, signals, update)


def _storable(text: object) -> str:
    """Return a text without lone surrogates, which neither Arrow nor a file can hold."""
    return str(text).encode("utf-8", "replace").decode("utf-8")


def _feedback(
    scores: ReportScores, values: NDArray[np.float64], threshold: float
) -> NDArray[np.float64]:
    """Return the feedback of a `FeedbackExtractor` of this method at a threshold."""
    config = scores.config or ExtractorConfig()
    at: dict[str, Any] = {THRESHOLD_NAMES[config.method]: min(1.0, max(0.0, threshold))}
    return rethreshold(values, config.method, replace(config, **at))
