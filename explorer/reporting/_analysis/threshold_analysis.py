"""What the labels say of one way to score: pure functions of traces and scores."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.errors import ValidationError
from explorer.figures import BiasBins, OperatingPoint, RankCurve, ScoreGroups
from explorer.figures._style.label_text import shortened
from explorer.run_control import ProgressCallback
from explorer.traces import Trace
from explorer.validation._statistics.bootstrap import SAMPLES

if TYPE_CHECKING:
    import pandas as pd

    from explorer.validation import LabelledScores, Ranking, Sweep
    from explorer.validation._comparison.baselines import Baseline
    from explorer.validation._thresholds.threshold_selection import ChosenThreshold

TEXT_BASELINES: tuple[Baseline, ...] = (
    "lexical-overlap",
    "word-overlap",
    "length",
    "position",
    "random",
)
"""Baselines that need no model."""
EMBEDDING_BASELINES: tuple[Baseline, ...] = ("embedding", "answer-embedding")
"""Baselines that need the embedding model, and are worked out when somebody asks."""
FIGURES = ("precision", "recall", "f1", "mcc", "youden")
MOST_TEXT = 160
"""Letters of a text that are shown."""


@dataclass(frozen=True, eq=False)
class ThresholdAnalysis:
    """One way to score, judged by the labels.

    Attributes
    ----------
    judged
        Score and label of every labelled hyperedge.
    sweep, ranking
        Its measures at every threshold, and without any.
    scores
        The scores apart by label.
    roc, pr
        The curves of the ranking.
    texts
        What each hyperedge says, shortened, in the order of `judged`.
    """

    judged: LabelledScores
    sweep: Sweep
    ranking: Ranking
    scores: ScoreGroups
    roc: RankCurve
    pr: RankCurve
    texts: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class BaselineComparison:
    """What stands beside the threshold: biases, baselines, and what to expect of new traces.

    Attributes
    ----------
    of
        The scores that this is about.
    position, length
        Mean scores in bins; None where nothing is known.
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
    traces: Iterable[Trace], judged: LabelledScores, *, samples: int = SAMPLES, seed: int = 0
) -> ThresholdAnalysis:
    """Judge scores that were put together with their labels.

    Raises
    ------
    ValidationError
        There are no labels, no scores, or labels of one kind only.
    """
    from explorer.validation import precision_recall, rank, roc, sweep

    swept = sweep(judged, samples=samples, seed=seed)
    ranking = rank(judged, samples=samples, seed=seed)
    auc, precision = ranking.auc, ranking.average_precision
    alarms, hits = roc(judged), precision_recall(judged)
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
            alarms["false_positive_rate"],
            alarms["true_positive_rate"],
            auc.value,
            (auc.low, auc.high),
        ),
        RankCurve.of(
            hits["recall"], hits["precision"], precision.value, (precision.low, precision.high)
        ),
        tuple(
            texts.get((judged.traces[group], unit), "")
            for group, unit in zip(judged.groups, judged.units, strict=True)
        ),
    )


def compare_with_baselines(
    traces: Iterable[Trace],
    judged: LabelledScores,
    method: str,
    names: Sequence[Baseline],
    *,
    samples: int = SAMPLES,
    seed: int = 0,
    progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
) -> BaselineComparison:
    """Hold the scores against position, length, baselines, and traces that did not choose."""
    from explorer.validation import baseline_table, cross_validated_threshold

    table = baseline_table(
        traces,
        judged,
        method=method,
        names=names,
        samples=samples,
        seed=seed,
        progress=progress,
        cancel=cancel,
    )
    chosen, too_few = None, ""
    try:
        chosen = cross_validated_threshold(judged, samples=samples, seed=seed)
    except ValidationError as error:
        too_few = str(error)
    leaning = {against: _bins(judged, against, samples, seed) for against in ("position", "length")}
    return BaselineComparison(
        judged, leaning["position"], leaning["length"], table, chosen, too_few
    )


def _bins(judged: LabelledScores, against: Any, samples: int, seed: int) -> BiasBins | None:
    from explorer.validation import bias

    try:
        found = bias(judged, against, samples=samples, seed=seed)
    except ValidationError:
        return None
    return BiasBins(
        found.table,
        (found.spearman.value, found.spearman.low, found.spearman.high),
        found.counted_in,
    )


@dataclass(frozen=True)
class ThresholdOutcome:
    """What the labels say of one threshold: counts, and figures with their intervals."""

    threshold: float
    tp: int
    fp: int
    fn: int
    tn: int
    figures: dict[str, tuple[float, float, float]]

    @property
    def point(self) -> OperatingPoint:
        """Where the threshold stands on the curves of the ranking."""
        alarms = self.fp / (self.fp + self.tn) if self.fp + self.tn else float("nan")
        return OperatingPoint(
            self.threshold, alarms, self.figures["recall"][0], self.figures["precision"][0]
        )


def outcome_at(analysis: ThresholdAnalysis, threshold: float) -> ThresholdOutcome:
    """Judge one threshold, at once.

    The figures are exact; the intervals are those of the next threshold that the sweep looked at,
    which calls the same units or nearly so.
    """
    from explorer.validation import confusion_at
    from explorer.validation._metrics.confusion import metric_value

    counts = confusion_at(analysis.judged, threshold)
    table = analysis.sweep.table
    row = int(np.searchsorted(table["threshold"].to_numpy().astype("f4"), np.float32(threshold)))
    figures = {}
    for name in FIGURES:
        value = float(metric_value(name, counts))  # type: ignore[arg-type]
        low = high = float("nan")
        if row < len(table):
            low, high = (float(table[f"{name}_{end}"].iloc[row]) for end in ("low", "high"))
        figures[name] = (value, low, high)
    return ThresholdOutcome(threshold, *counts, figures)


def flips_between(analysis: ThresholdAnalysis, reference: float, threshold: float) -> pd.DataFrame:
    """Name the units that change sides from the reference to the threshold, with their texts."""
    from explorer.feedback._feedback_table import text_column
    from explorer.validation import flipped

    table = flipped(analysis.judged, reference, threshold)
    table["text"] = text_column([analysis.texts[place] for place in table["place"]])
    return table


def lead_over_words(comparison: BaselineComparison) -> str:
    """Say whether scores are ahead of the words that texts share; empty where nothing is known."""
    table = comparison.baselines
    row = table[table["scores"] == "lexical-overlap"]
    if not len(row):
        return ""
    low, high = float(row["auc_ahead_low"].iloc[0]), float(row["auc_ahead_high"].iloc[0])
    words = "the words that hyperedge, question and answer share"
    if math.isnan(low):
        return ""
    if low > 0:
        return f"These scores rank better than {words}."
    if high < 0:
        return f"These scores rank worse than {words}, which cost nothing."
    return f"How these scores rank cannot be told from {words}."
