"""What the parts of the thresholds tab show, as the page takes it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from explorer.errors import ValidationError
from explorer.figures import three_digits
from explorer.rag import ExtractorConfig
from explorer.reporting._analysis.number_text import bounds, digits
from explorer.reporting._analysis.score_names import THRESHOLD_NAMES
from explorer.reporting._analysis.sentences import selection_warning, weight_summary
from explorer.reporting._analysis.threshold_analysis import (
    FIGURES,
    BaselineComparison,
    ThresholdAnalysis,
    lead_over_words,
)
from explorer.validation import METRICS
from explorer.widgets._jobs.progress_text import under_way
from explorer.widgets._session import Session
from explorer.widgets._shell.config_exchange import is_shown
from explorer.widgets._state import METHOD_THRESHOLDS
from explorer.widgets._thresholds import texts
from explorer.widgets._thresholds._answer.ways_out import way_out
from explorer.widgets._thresholds.ablation_cost import AblationCost
from explorer.widgets._traces._feedback.weights_controller import MOST_TRACES

if TYPE_CHECKING:
    from explorer.reporting._analysis.final_weights import FinalWeights
    from explorer.validation._metrics.confusion import Metric

Content = dict[str, Any]


def figures_content(session: Session) -> Content:
    """Return what the main part shows, whatever the threshold."""
    state, thresholds = session.state, session.thresholds
    reports = session.jobs.reports
    analysis: ThresholdAnalysis | None = thresholds.analysis
    # While another truth is under way the old numbers stay, with their own texts.
    truth = texts.TRUTHS[state.truth if analysis is None else analysis.judged.truth]
    offer = way_out(session)
    cost: AblationCost | None = thresholds.cost
    measuring = offer is not None and offer["kind"] in ("measure", "stop")
    whole_offer = measuring and cost is not None and not cost.measured
    unscored = analysis is None and not thresholds.scored
    refused = texts.unscored(state.method, state.truth) if unscored else thresholds.refused
    content = {
        "method": state.method,
        "methods": [[name, name, texts.METHODS[name]] for name in THRESHOLD_NAMES],
        # The offer says what is missing.
        "refused": "" if whole_offer or not thresholds.refused else refused,
        "can_label": state.method in THRESHOLD_NAMES and state.truth == "labels" and not unscored,
        "old": thresholds.is_old,
        "few": analysis is not None and analysis.too_few,
        "truth": state.truth,
        "truths": [[name, name, each.title] for name, each in texts.TRUTHS.items()],
        "least_drop": state.least_drop,
        "columns": [truth.used, truth.not_used],
        "offer": offer,
        "message": _job_progress(session),
        "reporting": session.report.JOB in reports,
        "there": analysis is not None,
        "judged": "",
        "notes": [],
        "recommending": session.recommendation.JOB in reports,
        "more": None if analysis is None else _more_signals(session),
    }
    if analysis is not None:
        sweep = analysis.sweep
        content |= {
            "judged": texts.evaluated(
                thresholds.name_in_view,
                analysis.judged.truth,
                sweep.units,
                sweep.positives,
                sweep.unknown,
                sweep.traces,
                None if analysis.too_few else analysis.ranking.auc,
            ),
            "notes": [[note.code.replace("-", " "), note.message] for note in sweep.notes],
        }
    return content


def outcome_content(session: Session) -> Content:
    """Return what the main part shows at the threshold, in addition to `figures_content`."""
    outcome, analysis = session.thresholds.outcome, session.thresholds.analysis
    content: Content = {
        "counts": [], "rows": [], "recommended": _recommended(session)
    }  # fmt: skip
    if outcome is not None and analysis is not None:
        content |= {
            "counts": [outcome.tp, outcome.fp, outcome.fn, outcome.tn],
            "rows": [_row(name, *outcome.figures[name]) for name in FIGURES],
        }
    return content


def changes_content(session: Session) -> Content:
    """Return the two thresholds between which calls change."""
    outcome = session.thresholds.outcome
    return {
        "hidden": outcome is None,
        "reference": session.state.reference_threshold,
        "threshold": None if outcome is None else outcome.threshold,
    }


def baselines_content(session: Session) -> Content:
    """Return the head of the comparison with baselines."""
    baselines = session.baselines
    comparison: BaselineComparison | None = baselines.comparison
    # The words are compared with what is no words, and not with themselves.
    lexical = session.state.method == "lexical"
    silent = comparison is None or lexical or _selection_warning(session)
    return {
        "hidden": comparison is None,
        "embedded": baselines.embedded,
        "busy": baselines.JOB in session.jobs.reports,
        "message": "" if silent or comparison is None else lead_over_words(comparison),
    }


def head_map_content(session: Session) -> Content:
    """Return the choice of a measure above the map of heads, or why there is no map."""
    heads, analysis = session.head_map, session.thresholds.analysis
    there = heads.map is not None and heads.map.values.size > 1
    refused = not there and heads.refused
    return {
        "hidden": not there and not (analysis is not None and refused),
        "measure": session.state.quality,
        "measures": [[name, *each] for name, each in texts.QUALITIES.items()],
        "there": there,
        "heads": texts.NO_HEAD_MAP.format(reason=heads.refused) if refused else "",
    }


def agreement_content(session: Session) -> Content:
    """Return the agreement of other methods, each at a threshold of its own."""
    state, analysis = session.state, session.thresholds.analysis
    rows = []
    for name, one in session.agreement.agreements().items():
        at = three_digits(float(getattr(state, METHOD_THRESHOLDS[name])))
        undefined = math.isnan(one.kappa.value)
        rows.append(
            [
                f"{name} at {at}",
                texts.KAPPA_UNDEFINED if undefined else digits(one.kappa.value),
                bounds(one.kappa.low, one.kappa.high),
                texts.other_calls(one.used[1], one.units, one.share),
            ]
        )
    return {
        "hidden": analysis is None or not rows,
        "rows": rows,
        "embed": not session.baselines.embedded and state.method != "embedding",
        "busy": session.agreement.JOB in session.jobs.reports,
    }


def weights_content(session: Session, ends: FinalWeights | None) -> Content:
    """Return the choice of an update strategy above the weights, and where they end."""
    analysis = session.thresholds.analysis
    truth = "labels" if analysis is None else analysis.judged.truth
    total = len(session.traces.loaded or ())
    part = texts.first_of(min(total, MOST_TRACES), total)
    return {
        "hidden": ends is None,
        "strategy": session.state.update_strategy,
        "strategies": [[name, name, title] for name, title in texts.STRATEGIES.items()],
        "message": "" if ends is None else part + weight_summary(ends, texts.TRUTHS[truth].which),
    }


def status_sentence(session: Session) -> str:
    """Return what the status line says while the thresholds tab is in front."""
    thresholds = session.thresholds
    analysis, outcome = thresholds.analysis, thresholds.outcome
    if analysis is None or outcome is None or thresholds.of_other_traces:
        if thresholds.traces.loaded is None:
            return texts.LOAD_TRACES
        if thresholds.refused and analysis is None:
            return texts.NOTHING_TO_EVALUATE
        message = texts.evaluating(session.state.truth)
        return under_way(message[0].upper() + message[1:])
    return texts.status(
        thresholds.name_in_view,
        analysis.judged.truth,
        outcome.threshold,
        outcome.tp + outcome.fp,
        analysis.sweep.units,
        analysis.sweep.positives,
        outcome.tp,
    )


def _row(name: Metric, value: float, low: float, high: float) -> list[str]:
    """Return a measure as the page shows it: name, meaning, value, and bounds if they are known."""
    metric = METRICS[name]
    known = not math.isnan(low)
    ends = [digits(low), digits(high)] if known else ["", ""]
    return [metric.name, f"{metric.meaning[0].upper()}{metric.meaning[1:]}", digits(value), *ends]


def _selection_warning(session: Session) -> str:
    """Return the warning that the heads in view were chosen by these labels; empty if not."""
    config = ExtractorConfig.of(session.methods.config())
    if session.state.packaged is not None:  # each trace has heads that other traces chose
        return ""
    return selection_warning(config, session.recommendation.current)


def _recommended(session: Session) -> Content | None:
    found = session.recommendation.recommendation
    if found is None:
        return None
    since = session.recommendation.outdated
    outdated = texts.OUTDATED_NOW.format(reason=since) if since else ""
    if isinstance(found, ValidationError):
        return _nothing_recommended(found, [], outdated)
    notes = [[note.code.replace("-", " "), note.message] for note in found.notes]
    if not found.accepted:
        words = "" if found.words is None else texts.words_instead(found.words["lexical_threshold"])
        return _nothing_recommended(found.refusal + words, notes, outdated)
    message = texts.RECOMMENDED.format(
        choice=found.choice, threshold=three_digits(found.threshold), quality=found
    )
    shown = is_shown(session.state, found.config)
    return {
        "message": message,
        "accepted": not outdated,
        "notes": notes,
        "shown": shown,
        "outdated": outdated,
    }


def _nothing_recommended(reason: object, notes: list[list[str]], outdated: str) -> Content:
    message = texts.NO_RECOMMENDATION.format(reason=reason)
    return {
        "message": message,
        "accepted": False,
        "shown": False,
        "notes": notes,
        "outdated": outdated,
    }


def _more_signals(session: Session) -> Content | None:
    """Return the offer to record more signals, or how far that is; None if there are no more."""
    stand_in = session.stand_in
    report = session.jobs.reports.get(stand_in.JOB)
    if report is not None:
        return {"message": under_way(report.message, report.fraction), "busy": True}
    missing = stand_in.missing_signals()
    return {"message": texts.more_signals(missing), "busy": False} if missing else None


def _job_progress(session: Session) -> str:
    """Say how far the job of this tab is; empty when none is under way."""
    reports = session.jobs.reports
    for controller in (session.thresholds, session.scores, session.recommendation):
        report = reports.get(controller.JOB)
        if report is not None:
            return under_way(report.message, report.fraction)
    return ""
