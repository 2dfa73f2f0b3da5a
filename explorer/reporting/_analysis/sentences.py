"""Sentences about the figures of a report and of the Thresholds tab."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from explorer.errors import ValidationError
from explorer.figures import three_digits
from explorer.rag import ExtractorConfig
from explorer.reporting._analysis.number_text import count, digits, interval, many, score, share
from explorer.reporting._analysis.report_contents import ReportContents
from explorer.reporting._analysis.threshold_advice import NEEDED
from explorer.reporting._analysis.threshold_analysis import BaselineComparison

if TYPE_CHECKING:
    from explorer.reporting._analysis.final_weights import FinalWeights
    from explorer.validation import Recommendation

_CHOSEN = ("heads", "layer", "head", "reduction", "normalisation")

TRUTHS = {
    "labels": ("labels", "a hyperedge counts as used if it is labelled used"),
    "ablation": (
        "ablation",
        (
            "a hyperedge counts as used if the answer's log-probability drops by {drop:.2f} or "
            "more without it"
        ),
    ),
    "agreement": (
        "agreement",
        "a hyperedge counts as used if another method calls it used; this is not ground truth",
    ),
}
"""The kinds of truth: name, and what counts as used."""


def result(found: ReportContents) -> str:
    """Return the result at the threshold in a sentence."""
    row = found.row(found.threshold)
    units, used = found.analysis.sweep.units, found.analysis.sweep.positives
    calls = int(row["tp"] + row["fp"])
    f1 = interval(row["f1"], row["f1_low"], row["f1_high"], 2)
    return (
        f"At {score(found.threshold)}, F1 {f1}: {count(calls)} of {many(units, 'hyperedge')} "
        f"{'is' if calls == 1 else 'are'} called used, among them {count(row['tp'])} of the "
        f"{count(used)} that are used."
    )


def ranking(found: ReportContents) -> str:
    """Return the figures of the ranking in a sentence."""
    one = found.analysis.ranking
    return (
        f"Ranking, independent of any threshold: ROC-AUC {interval(*one.auc, 2)}, where 0.5 is "
        f"chance, and average precision {interval(*one.average_precision, 2)}, where chance is the "
        f"{share(one.prevalence)} of hyperedges that are used."
    )


def selection_warning(
    config: ExtractorConfig | None, recommendation: Recommendation | ValidationError | None
) -> str:
    """Return a warning if the labels that judge these heads also chose them; else empty.

    Parameters
    ----------
    config
        How the scores are made.
    recommendation
        The choice of calibration by these labels.
    """
    if config is None or config.method != "attention":
        return ""
    if recommendation is not None and not isinstance(recommendation, ValidationError):
        recommended = ExtractorConfig.of(recommendation.config)
        if all(getattr(config, name) == getattr(recommended, name) for name in _CHOSEN):
            return (
                "This setting was chosen on these same labels, so the figures here are optimistic. "
                f"On traces not used for the choice: {recommendation.expected}; expect about that."
            )
    if config.heads is None:
        return ""
    return "If the heads and weights were chosen on these labels, the figures here are optimistic."


def few(found: ReportContents) -> str:
    """Return a warning that there are too few labels for a threshold, or for intervals."""
    sweep = found.analysis.sweep
    return (
        f"Too few labels: {many(sweep.units, 'hyperedge')} of {many(sweep.traces, 'trace')}, "
        f"{count(sweep.positives)} used. A threshold needs {NEEDED}. Thresholds and intervals of "
        "so few say little about other traces."
    )


def report_warning(found: ReportContents) -> str:
    """Return the `selection_warning` of a report; empty for held-out scores."""
    if found.scores.held_out:
        return ""
    return selection_warning(found.scores.config, found.recommendation)


def held_out(comparison: BaselineComparison) -> str:
    """Return what to expect of a threshold on new traces, if labels did not choose the heads."""
    if comparison.chosen is None:
        return f"No estimate for new traces yet. {comparison.too_few}"
    chosen = comparison.chosen
    floor = ""
    if chosen.objective.floor is not None and chosen.held_out_floor is not None:
        floor = f" at a {chosen.objective.floor[0]} of {interval(*chosen.held_out_floor, 2)}"
    return (
        f"Best {chosen.objective} on these labels: {digits(chosen.in_sample, 2)}. Cross-validated, "
        f"with the threshold chosen on other traces: {interval(*chosen.held_out, 2)}{floor}."
    )


def advice(found: ReportContents) -> str:
    """Return the result of calibration in a sentence; empty without one."""
    one = found.recommendation
    if found.refused:
        return f"Calibration recommends nothing. {found.refused}"
    if one is None:
        return ""
    if not one.accepted:
        return f"Calibration recommends nothing. {one.refusal}"
    return (
        f"Recommended: {one.choice}, threshold {score(one.threshold)}: {one.expected} on held-out "
        "traces."
    )


def weight_summary(ends: FinalWeights, which_used: str) -> str:
    """Return where the weights end, and the difference between used hyperedges and the others.

    Parameters
    ----------
    ends
        The final weights.
    which_used
        How to name the used ones: "those labelled used".
    """
    total = ends.above + ends.below + ends.level
    moved = f"Of {total:,} hyperedges {ends.above:,} end above their start, {ends.below:,} below."
    if ends.capped:
        fallen = "all" if ends.below == total else f"{ends.below:,} of"
        moved = f"Weights start at their upper bound, so they can only fall: {fallen} {total:,} do."
    if math.isnan(ends.lead):
        return moved
    used, other = three_digits(ends.used), three_digits(ends.not_used)
    means = f"At this threshold {which_used} end at {used} on average and the others at {other}"
    if used == other:
        return f"{moved} {means}: the weights do not separate them."
    direction = "higher" if ends.lead > 0 else "lower"
    return f"{moved} {means}: used hyperedges end {three_digits(abs(ends.lead))} {direction}."
