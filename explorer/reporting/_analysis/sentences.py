"""What a judgement says in sentences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from explorer.errors import ValidationError
from explorer.figures import three_digits
from explorer.rag import ExtractorConfig
from explorer.reporting._analysis.number_text import count, digits, interval, many, score, share
from explorer.reporting._analysis.report_contents import ReportContents
from explorer.reporting._analysis.threshold_analysis import BaselineComparison

if TYPE_CHECKING:
    from explorer.reporting._analysis.final_weights import FinalWeights
    from explorer.validation import Recommendation

_CHOSEN = ("heads", "layer", "head", "reduction", "normalisation")

MEASURES = {
    "precision": ("precision", "of the hyperedges called used, the share that are"),
    "recall": ("recall", "of the used hyperedges, the share that are called so"),
    "f1": ("F1", "harmonic mean of precision and recall"),
    "mcc": ("MCC", "correlation of calls and truth, from -1 to 1; 0 is chance"),
    "youden": ("Youden J", "recall plus specificity minus 1; 0 is chance"),
    "kappa": ("kappa", "agreement of calls and truth beyond chance; 0 is chance"),
    "coverage": ("coverage", "share of all hyperedges that are called used"),
}
"""Measures of calls by the names of `explorer.validation.METRICS`: in words, and what they are."""

TRUTHS = {
    "labels": ("labels", "a hyperedge counts as used when somebody labelled it so"),
    "ablation": (
        "ablation",
        "used is what the answer's log-probability falls by {drop:.2f} or more without",
    ),
    "agreement": (
        "agreement",
        "a hyperedge counts as used when another method calls it so; this is agreement, not truth",
    ),
}
"""The kinds of truth: a name, and what used means."""


def result(found: ReportContents) -> str:
    """The result in a sentence, figures first."""
    row = found.row(found.threshold)
    units, used = found.analysis.sweep.units, found.analysis.sweep.positives
    calls = int(row["tp"] + row["fp"])
    f1 = interval(row["f1"], row["f1_low"], row["f1_high"], 2)
    return (
        f"At {score(found.threshold)}, F1 {f1}: {count(calls)} of {many(units, 'hyperedge')} "
        f"{'is' if calls == 1 else 'are'} called used, among them {count(row['tp'])} of the "
        f"{count(used)} that were."
    )


def ranking(found: ReportContents) -> str:
    """What the ranking is worth, whatever the threshold."""
    one = found.analysis.ranking
    return (
        f"Whatever the threshold: ROC-AUC {interval(*one.auc, 2)}, where 0.5 is chance, and "
        f"average precision {interval(*one.average_precision, 2)}, where chance is the "
        f"{share(one.prevalence)} of hyperedges that are used."
    )


def selection_warning(
    config: ExtractorConfig | None, recommendation: Recommendation | ValidationError | None
) -> str:
    """Say that the labels which judge these heads also chose them; empty where they did not.

    Parameters
    ----------
    config
        How the scores are made.
    recommendation
        What calibration chose by these labels.
    """
    if config is None or config.method != "attention":
        return ""
    if recommendation is not None and not isinstance(recommendation, ValidationError):
        theirs = ExtractorConfig.of(recommendation.config)
        if all(getattr(config, name) == getattr(theirs, name) for name in _CHOSEN):
            metric = MEASURES[recommendation.metric][0]
            return (
                "These very labels chose this way to score, so every figure here flatters it. On "
                f"traces that had no part in choosing, {metric} is "
                f"{interval(*recommendation.held_out, 2)}: expect that."
            )
    if config.heads is None:
        return ""
    return "If these labels chose the heads and their weights, every figure here flatters them."


def report_warning(found: ReportContents) -> str:
    """As `selection_warning`, of what a report judges; empty for held-out scores."""
    if found.report_scores.held_out:
        return ""
    return selection_warning(found.report_scores.config, found.recommendation)


def held_out(comparison: BaselineComparison) -> str:
    """What to expect of a threshold on new traces, where the heads were not chosen by labels."""
    if comparison.chosen is None:
        return f"What to expect of new traces cannot be said yet. {comparison.too_few}"
    chosen = comparison.chosen
    return (
        f"On traces that had no part in choosing the threshold, a threshold chosen for its F1 "
        f"reaches {interval(*chosen.held_out, 2)}; in sample the best is "
        f"{digits(chosen.in_sample, 2)}."
    )


def advice(found: ReportContents) -> str:
    """What calibration said; empty where it was not asked."""
    one = found.recommendation
    if found.refused:
        return f"Calibration recommends nothing. {found.refused}"
    if one is None:
        return ""
    if not one.accepted:
        return f"Calibration recommends nothing. {one.refusal}"
    return (
        f"Recommended: {one.choice}, threshold {score(one.threshold)}: {MEASURES[one.metric][0]} "
        f"{interval(*one.held_out, 2)} on traces held out."
    )


def weight_summary(ends: FinalWeights, which_used: str) -> str:
    """Say where feedback moves the weights, and whether the used hyperedges end above the others.

    Parameters
    ----------
    ends
        Where they end.
    which_used
        What the used ones are called: "those labelled used".
    """
    total = ends.above + ends.below + ends.level
    many = f"Of {total:,} hyperedges {ends.above:,} end above their start, {ends.below:,} below."
    if ends.capped:
        # Where weights start at the most that is allowed, they can only fall.
        fell = "All" if ends.below == total else f"{ends.below:,} of"
        many = f"{fell} {total:,} hyperedges end below their start, which is the upper bound."
    if math.isnan(ends.lead):
        return many
    used, other = three_digits(ends.used), three_digits(ends.not_used)
    ends_at = f"{which_used} end at {used} on average and the others at {other}"
    if used == other:
        return f"{many} At this threshold {ends_at}: it tells none apart."
    which = "right" if ends.lead > 0 else "wrong"
    ahead = three_digits(abs(ends.lead))
    return f"{many} At this threshold {ends_at}, so the {which} ones come out ahead by {ahead}."
