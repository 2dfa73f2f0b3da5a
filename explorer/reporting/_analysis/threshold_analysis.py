"""What labels say about one way to score: pure functions of traces and scores."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from explorer.errors import ValidationError
from explorer.figures import BiasBins, OperatingPoint, RankCurve, ScoreGroups
from explorer.figures._style.label_text import shortened
from explorer.run_control import RunControl
from explorer.traces import Trace

if TYPE_CHECKING:
    import pandas as pd

    from explorer.validation import LabelledScores, Objective, Ranking, Resampling, Sweep
    from explorer.validation._comparison.baselines import Baseline
    from explorer.validation._metrics.confusion import Metric
    from explorer.validation._metrics.score_bias import Against
    from explorer.validation._thresholds.threshold_selection import BestThreshold, ChosenThreshold
    from explorer.validation._thresholds.threshold_sweep import Plateau

TEXT_BASELINES: tuple[Baseline, ...] = (
    "lexical-overlap",
    "word-overlap",
    "length",
    "position",
    "random",
)
"""Baselines that need no model."""

EMBEDDING_BASELINES: tuple[Baseline, ...] = ("embedding", "answer-embedding")
"""Baselines that need the embedding model; computed on request."""

FIGURES: tuple[Metric, ...] = ("precision", "recall", "f1", "mcc", "youden")

MOST_TEXT = 160
"""Number of characters of a text that are shown."""


@dataclass(frozen=True, eq=False)
class ThresholdAnalysis:
    """Measures of one way to score.

    Attributes
    ----------
    judged
        Score and label of every labelled hyperedge.
    sweep, ranking
        Measures at every threshold, and independent of it.
    scores
        The scores of used and of other units.
    roc, pr
        ROC and precision-recall curves.
    texts
        Shortened text of each hyperedge, in the order of `judged`.
    given
        Whether the traces give the scores, one for each hyperedge.
    """

    judged: LabelledScores
    sweep: Sweep
    ranking: Ranking
    scores: ScoreGroups
    roc: RankCurve
    pr: RankCurve
    texts: tuple[str, ...]
    given: bool = False
    _best: dict[Objective, tuple[BestThreshold, Plateau]] = field(default_factory=dict, repr=False)

    @property
    def too_few(self) -> bool:
        """Whether there are too few labels to choose a threshold."""
        from explorer.validation._thresholds.cross_validation import MIN_POSITIVES, MIN_TRACES

        sweep = self.sweep
        fewest = min(sweep.positives, sweep.units - sweep.positives)
        return sweep.traces < MIN_TRACES or fewest < MIN_POSITIVES

    def best(self, objective: Objective) -> tuple[BestThreshold, Plateau]:
        """Return the best threshold for an objective, and those about as good; computed once.

        Raises
        ------
        ValidationError
            No threshold reaches the floor of the objective.
        """
        if objective not in self._best:
            from explorer.validation import best_threshold
            from explorer.validation._thresholds.objective_plateau import objective_plateau

            best = best_threshold(self.judged.scores, self.judged.labels, objective)
            self._best[objective] = best, objective_plateau(self.sweep, objective, best)
        return self._best[objective]


@dataclass(frozen=True, eq=False)
class BaselineComparison:
    """Biases, baselines, and the cross-validated threshold of the same scores.

    Attributes
    ----------
    of
        The scores.
    position, length
        Mean scores in bins; None if nothing is known.
    baselines
        As `explorer.validation.baseline_table`.
    chosen
        The cross-validated threshold, or None; `too_few` then says why.
    """

    of: LabelledScores
    position: BiasBins | None
    length: BiasBins | None
    baselines: pd.DataFrame
    chosen: ChosenThreshold | None
    too_few: str


def analyse_threshold(
    traces: Iterable[Trace],
    judged: LabelledScores,
    *,
    given: bool = False,
    resampling: Resampling | None = None,
) -> ThresholdAnalysis:
    """Measure labelled scores; `given` if the traces give them, one for each hyperedge.

    Raises
    ------
    ValidationError
        There are no labels, no scores, or only labels of one class.
    """
    from explorer.validation import precision_recall, rank, roc, sweep

    swept = sweep(judged, resampling=resampling)
    ranking = rank(judged, resampling=resampling)
    auc, precision = ranking.auc, ranking.average_precision
    roc_table, pr_table = roc(judged), precision_recall(judged)
    wanted = set(zip((judged.traces[g] for g in judged.groups), judged.units, strict=True))
    texts = {
        (trace.id, edge.id): shortened(edge.hyperedge, MOST_TEXT)
        for trace in traces
        for edge in trace.hyperedges
        if (trace.id, edge.id) in wanted
    }
    return ThresholdAnalysis(
        judged,
        swept,
        ranking,
        ScoreGroups.of(judged.scores, judged.labels),
        RankCurve.of(
            roc_table["false_positive_rate"],
            roc_table["true_positive_rate"],
            auc.value,
            (auc.low, auc.high),
        ),
        RankCurve.of(
            pr_table["recall"],
            pr_table["precision"],
            precision.value,
            (precision.low, precision.high),
        ),
        tuple(
            texts.get((judged.traces[group], unit), "")
            for group, unit in zip(judged.groups, judged.units, strict=True)
        ),
        given,
    )


def compare_with_baselines(
    traces: Iterable[Trace],
    judged: LabelledScores,
    method: str,
    names: Sequence[Baseline],
    *,
    objective: Objective | None = None,
    resampling: Resampling | None = None,
    control: RunControl | None = None,
) -> BaselineComparison:
    """Compare scores with baselines, position and length, and cross-validate their threshold."""
    from explorer.validation import baseline_table, cross_validated_threshold

    table = baseline_table(
        traces, judged, method=method, names=names, resampling=resampling, control=control
    )
    chosen, too_few = None, ""
    try:
        chosen = cross_validated_threshold(judged, objective or "f1", resampling=resampling)
    except ValidationError as error:
        too_few = str(error)
    position = _bias_bins(judged, "position", resampling)
    length = _bias_bins(judged, "length", resampling)
    return BaselineComparison(judged, position, length, table, chosen, too_few)


def _bias_bins(
    judged: LabelledScores, against: Against, resampling: Resampling | None
) -> BiasBins | None:
    from explorer.validation import bias

    try:
        found = bias(judged, against, resampling=resampling)
    except ValidationError:
        return None
    return BiasBins(
        found.table,
        (found.spearman.value, found.spearman.low, found.spearman.high),
        found.counted_in,
    )


@dataclass(frozen=True)
class ThresholdOutcome:
    """Counts at one threshold, and figures with their intervals."""

    threshold: float
    tp: int
    fp: int
    fn: int
    tn: int
    figures: dict[str, tuple[float, float, float]]

    @property
    def point(self) -> OperatingPoint:
        """The point of the threshold on the ROC and precision-recall curves."""
        alarms = self.fp / (self.fp + self.tn) if self.fp + self.tn else float("nan")
        return OperatingPoint(
            self.threshold, alarms, self.figures["recall"][0], self.figures["precision"][0]
        )


def outcome_at(analysis: ThresholdAnalysis, threshold: float) -> ThresholdOutcome:
    """Return the outcome at one threshold, without bootstrap samples.

    The figures are exact. The intervals are those of the next threshold of the sweep, with the
    same or nearly the same calls.
    """
    from explorer.validation import confusion_at
    from explorer.validation._metrics.confusion import metric_value

    counts = confusion_at(analysis.judged, threshold)
    table = analysis.sweep.table
    row = int(np.searchsorted(table["threshold"].to_numpy().astype("f4"), np.float32(threshold)))
    figures: dict[str, tuple[float, float, float]] = {}
    for name in FIGURES:
        value = float(metric_value(name, counts))
        low = high = float("nan")
        if row < len(table):
            low, high = (float(table[f"{name}_{end}"].iloc[row]) for end in ("low", "high"))
        figures[name] = (value, low, high)
    return ThresholdOutcome(threshold, *counts, figures)


def call_changes(analysis: ThresholdAnalysis, reference: float, threshold: float) -> pd.DataFrame:
    """List the units whose call changes from the reference to the threshold, with their texts."""
    from explorer.feedback._feedback_table import text_column
    from explorer.validation import changed_units

    table = changed_units(analysis.judged, reference, threshold)
    table["text"] = text_column([analysis.texts[place] for place in table["place"]])
    return table


def lead_over_words(comparison: BaselineComparison) -> str:
    """Return a sentence: do the scores rank better than word overlap? Empty if unknown."""
    table = comparison.baselines
    row = table.iloc[1:][table["scores"].iloc[1:] == "lexical-overlap"]
    if not len(row):
        return ""
    low, high = float(row["auc_ahead_low"].iloc[0]), float(row["auc_ahead_high"].iloc[0])
    words = "the words that a hyperedge shares with question and answer (lexical-overlap)"
    if math.isnan(low):
        return ""
    if low > 0:
        return f"These scores rank better than {words}."
    if high < 0:
        return f"These scores rank worse than {words}."
    return f"There is no clear difference between the ranking of these scores and of {words}."
