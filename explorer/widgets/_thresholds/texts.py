"""What the thresholds tab says in words and numbers, ready for its regions on the page."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from explorer.errors import ValidationError
from explorer.figures import three_digits
from explorer.rag import ExtractorConfig
from explorer.reporting._analysis.number_text import bounds, digits, interval
from explorer.reporting._analysis.score_names import THRESHOLD_NAMES
from explorer.reporting._analysis.sentences import MEASURES, selection_warning, weight_summary
from explorer.reporting._analysis.threshold_analysis import (
    FIGURES,
    ThresholdAnalysis,
    ThresholdOutcome,
    lead_over_words,
)
from explorer.widgets._shell.config_exchange import is_shown
from explorer.widgets._state import (
    METHOD_THRESHOLDS,
    QUALITIES,
    TRUTHS,
    UPDATE_STRATEGIES,
    ExplorerState,
)
from explorer.widgets._thresholds.agreement_controller import LANE as AGREEMENT_LANE
from explorer.widgets._thresholds.controller import (
    BASELINES_JOB,
    LANE,
    RECOMMEND_LANE,
    ThresholdsController,
)
from explorer.widgets._thresholds.report_controller import LANE as REPORT_LANE
from explorer.widgets._thresholds.scores_controller import LANE as SCORES_LANE
from explorer.widgets._thresholds.truth_texts import WORDS
from explorer.widgets._traces.controller import ABLATING, SCORING

if TYPE_CHECKING:
    from explorer.reporting._analysis.final_weights import FinalWeights
    from explorer.reporting._analysis.threshold_analysis import BaselineComparison
    from explorer.validation import Agreement
    from explorer.widgets._jobs.job_runner import JobReport
    from explorer.widgets._thresholds.ablation_controller import AblationController, Cost

_METHODS = {
    "attention": "Scores of attention, of the chosen layer and head",
    "embedding": "Similarity of hyperedge and answer; loads the embedding model",
    "citation": "How much of the hyperedge the answer repeats",
    "logprobs": "Log-probabilities of the answer's words",
}
_MEASURES = {
    "auc": ("ROC-AUC", "How often a used one scores above another; 0.5 is chance"),
    "average_precision": ("avg. precision", "Precision, averaged over recall"),
    "f1": ("best F1", "F1 at the threshold that is best for the head on the same hyperedges"),
}
_STRATEGIES = {
    "ema": "The weight goes a part of the way to the feedback",
    "additive": "What feedback has beyond 0.5 is added to the weight",
    "multiplicative": "What feedback has beyond 0.5 makes the weight grow",
}
_READINGS = {
    "question": "where the question looks",
    "content_free": "what a question without content attracts",
}


def content_of(
    state: ExplorerState, controller: ThresholdsController, reading: ThresholdOutcome | None
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """What the three regions show: figures, the two thresholds of the flips, baselines."""
    lab: ThresholdAnalysis | None = controller.analysis
    beside: BaselineComparison | None = controller.comparison
    there = lab is not None and reading is not None
    flattery = selection_warning(
        ExtractorConfig.of(controller.methods.config()), controller.recommendation
    )
    # While another truth is under way the old figures stay, in their own words.
    words = WORDS[state.truth if lab is None else lab.judged.truth]
    figures = {
        "part": "figures",
        "method": state.method,
        "methods": [[name, name, _METHODS[name]] for name in THRESHOLD_NAMES],
        "refused": controller.refused,
        "can_label": state.method in THRESHOLD_NAMES and state.truth == "labels",
        "truth": state.truth,
        "truths": [[name, name, WORDS[name].title] for name in TRUTHS],
        "least_drop": state.least_drop,
        "columns": [words.used, words.not_used],
        "offer": None,
        "said": _under_way(controller),
        "reporting": REPORT_LANE in controller.jobs.reports,
        "there": there,
        "counts": [],
        "rows": [],
        "best": None,
        "judged": "",
        "warning": "",
        "notes": [],
        "recommending": RECOMMEND_LANE in controller.jobs.reports,
        "recommended": _recommended(controller),
        "more": _more(controller) if there else None,
    }
    if lab is not None and reading is not None:
        best = lab.sweep.best("f1")
        figures |= {
            "counts": [reading.tp, reading.fp, reading.fn, reading.tn],
            "rows": [_row(name, *reading.figures[name]) for name in FIGURES],
            "best": None if math.isnan(best.threshold) else best.threshold,
            "at_best": reading.threshold == best.threshold,
            "judged": _judged(lab, controller.name_in_view),
            "warning": flattery or _warning(lab, beside),
            "notes": [[n.code.replace("-", " "), n.message] for n in lab.sweep.notes],
        }
    between = {
        "part": "between",
        "hidden": not there,
        "reference": state.reference_threshold,
        "threshold": None if reading is None else reading.threshold,
    }
    free = {
        "part": "free",
        "hidden": beside is None,
        "embedded": controller.embedded,
        "busy": BASELINES_JOB in controller.jobs.reports,
        "said": "" if beside is None or flattery else lead_over_words(beside),
    }
    return figures, between, free


def thresholds_sentence(controller: ThresholdsController) -> str:
    """Say in words what the thresholds tab shows."""
    reading = controller.outcome
    if controller.analysis is None or reading is None:
        if controller.traces.loaded is None:
            return "Load a trace file, or try the packaged examples."
        by = WORDS[controller.state.truth].judges
        return "Nothing is judged." if controller.refused else f"Judging the scores by {by} …"
    words = WORDS[controller.analysis.judged.truth]
    units, used = controller.analysis.sweep.units, controller.analysis.sweep.positives
    called = reading.tp + reading.fp
    return (
        f"{controller.name_in_view}: {called:,} of {units:,} {words.units} count as used at "
        f"{reading.threshold:.3g}; {words.say} {used:,}, of which {reading.tp:,} are found"
    )


def measure_content(state: ExplorerState, controller: ThresholdsController) -> dict[str, Any]:
    """What stands above the map of the heads: by what they are judged, or why there is no map."""
    heads = controller.heads
    return {
        "part": "measure",
        "hidden": heads.map is None and not (controller.analysis is not None and heads.refused),
        "measure": state.quality,
        "measures": [[name, *_MEASURES[name]] for name in QUALITIES],
        "there": heads.map is not None,
        "heads": heads.refused if heads.map is None else "",
    }


def offer_content(causal: AblationController, cost: Cost | None) -> dict[str, Any] | None:
    """What can be done where causal use is not known: what it takes, or how far it is."""
    report = causal.jobs.reports.get(ABLATING)
    if report is not None:
        return {"text": _told(report), "kind": "stop", "action": "cancel"}
    if cost is None or causal.state.truth != "ablation" or not cost.traces:
        return None
    whole = not cost.measured
    many = f"{cost.traces:,} trace{'' if cost.traces == 1 else 's'}"
    mute = f" {cost.mute:,} without an answer are passed over." if cost.mute else ""
    failed = f" {cost.failed:,} of them were tried before, in vain." if cost.failed else ""
    return {
        "text": f"Causal use (is the answer less likely without a hyperedge?) is "
        f"{'not known yet' if whole else f'not known of {many}'}. "
        f"{causal.model_name} can read {f'the answers of {many}' if whole else 'them'} with all "
        f"hyperedges, with none, and without each: {cost.prompts:,} prompts; what they "
        f"share is read once.{failed}{mute}",
        "kind": "measure",
        "action": "measure causal use" if whole else "measure the rest",
    }


def agreement_content(
    state: ExplorerState, controller: ThresholdsController, found: dict[str, Agreement]
) -> dict[str, Any]:
    """How far other methods make the same calls at their own thresholds."""
    rows = []
    for name, one in found.items():
        at = three_digits(float(getattr(state, METHOD_THRESHOLDS[name])))
        kappa = "not defined" if math.isnan(one.kappa.value) else digits(one.kappa.value)
        same = f"calls {one.used[1]:,} used"
        if one.units:
            same += f"; {one.share:.0%} of {one.units:,} calls are the same"
        rows.append([f"{name} at {at}", kappa, bounds(one.kappa.low, one.kappa.high), same])
    return {
        "part": "agree",
        "hidden": controller.analysis is None or not rows,
        "rows": rows,
        "embed": not controller.embedded and state.method != "embedding",
        "busy": AGREEMENT_LANE in controller.jobs.reports,
    }


def moves_content(state: ExplorerState, ends: FinalWeights | None, truth: str) -> dict[str, Any]:
    """What stands above the weights: how feedback moves them, and what that leads to."""
    return {
        "part": "moves",
        "hidden": ends is None,
        "strategy": state.update_strategy,
        "strategies": [[name, name, _STRATEGIES[name]] for name in UPDATE_STRATEGIES],
        "said": "" if ends is None else weight_summary(ends, WORDS[truth].which),
    }


def _row(name: str, value: float, low: float, high: float) -> list[str]:
    """A measure as the page shows it: name, what it is, value and bounds, empty where unknown."""
    word, meaning = MEASURES[name]
    known = not math.isnan(low)
    ends = [digits(low), digits(high)] if known else ["", ""]
    return [word, f"{meaning[0].upper()}{meaning[1:]}", digits(value), *ends]


def _judged(lab: ThresholdAnalysis, named: str) -> str:
    sweep, ranking = lab.sweep, lab.ranking
    left_out = f", {sweep.unknown:,} more without a score" if sweep.unknown else ""
    traces = f"{sweep.traces:,} trace{'' if sweep.traces == 1 else 's'}"
    units = WORDS[lab.judged.truth].units
    return (
        f"{named}. {sweep.units:,} {units} of {traces}, {sweep.positives:,} used{left_out}."
        f" ROC-AUC {interval(*ranking.auc)}; 0.5 is chance."
    )


def _warning(lab: ThresholdAnalysis, beside: BaselineComparison | None) -> str:
    words = WORDS[lab.judged.truth]
    if beside is None or beside.of is not lab.judged:
        return (
            f"In sample: {words.choosers} that choose a threshold also judge it. Expect less "
            "elsewhere."
        )
    if beside.chosen is None:
        return f"In sample, and not to be trusted yet. {beside.too_few}"
    chosen = beside.chosen
    return (
        f"In sample. The best F1 on {words.these} is {chosen.in_sample:.3f}; a threshold chosen in "
        f"the same way reaches {interval(*chosen.held_out)} on traces that had no part in choosing."
    )


def _recommended(controller: ThresholdsController) -> dict[str, Any] | None:
    found = controller.recommendation
    if found is None:
        return None
    if isinstance(found, ValidationError):
        return {"said": f"Nothing is recommended. {found}", "accepted": False, "notes": []}
    notes = [[note.code.replace("-", " "), note.message] for note in found.notes]
    if not found.accepted:
        return {
            "said": f"Nothing is recommended. {found.refusal}", "accepted": False, "notes": notes
        }  # fmt: skip
    said = f"Recommended: {found.choice}, threshold {three_digits(found.threshold)}; {found}."
    shown = is_shown(controller.state, found.config)
    return {"said": said, "accepted": True, "notes": notes, "shown": shown}


def _more(controller: ThresholdsController) -> dict[str, Any] | None:
    """The offer to read the traces again with more to choose from, or how far that is."""
    report = controller.jobs.reports.get(SCORING)
    if report is not None:
        return {"said": _told(report), "busy": True}
    lacks = controller.traces.more_readings()
    if not lacks:
        return None
    what = " and ".join(_READINGS[name] for name in lacks)
    return {
        "said": f"“recommend” can only choose from what was read. Not read yet: {what}.",
        "busy": False,
    }


def _under_way(controller: ThresholdsController) -> str:
    reports = controller.jobs.reports
    report = reports.get(LANE) or reports.get(SCORES_LANE) or reports.get(RECOMMEND_LANE)
    return "" if report is None else _told(report)


def _told(report: JobReport) -> str:
    done = "" if report.fraction is None else f" ({report.fraction:.0%})"
    return f"{report.message.rstrip(' .…')}{done} …"
