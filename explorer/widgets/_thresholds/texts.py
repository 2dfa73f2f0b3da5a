"""Every text of the Thresholds tab, in the order in which it stands on the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from explorer._number_format import three_digits
from explorer.reporting._analysis.number_text import interval, many
from explorer.widgets._thresholds._answer.texts import ANSWER, QUESTIONS

# --- jobs, as the status line shows them ---------------------------------------------------------

COMPARING_BASELINES = "comparing with baselines"
COMPARING_METHODS = "comparing with other methods"
EVALUATING_HEADS = "evaluating every head"
MEASURING = "measuring causal use"
RECOMMENDING = "choosing heads and a threshold"
WRITING_REPORT = "writing the report"


def evaluating(truth: str) -> str:
    """Say what scores are evaluated by."""
    return f"evaluating the scores by {TRUTHS[truth].judges}"


# --- what scores are judged by -------------------------------------------------------------------


class TruthTexts(NamedTuple):
    """Button title, column heads, and parts of sentences for one kind of truth."""

    title: str
    judges: str
    units: str
    used: str
    not_used: str
    say: str
    which: str
    sample: str


TRUTHS = {
    "labels": TruthTexts(
        title="A hyperedge is used if it is labelled used",
        judges="the labels",
        units="labelled hyperedges",
        used="labelled used",
        not_used="labelled not used",
        say="according to the labels",
        which="those labelled used",
        sample="labels",
    ),
    "ablation": TruthTexts(
        title="Causal use: a hyperedge is used if leaving it out lowers the log-probability of the "
        "answer by at least the given drop",
        judges="causal use",
        units="ablated hyperedges",
        used="used by ablation",
        not_used="not used by ablation",
        say="by ablation",
        which="those used by ablation",
        sample="effects",
    ),
}
"""Kind of truth -> its texts."""

# --- choices: button, and what it says on hover --------------------------------------------------

METHODS = {
    "attention": "Attention to each hyperedge, of the chosen layer and head",
    "embedding": "Similarity of hyperedge and answer; loads the embedding model",
    "citation": "How much of the hyperedge the answer repeats",
    "lexical": "Words that the hyperedge shares with question and answer; needs no model",
    "logprobs": "Log-probabilities of the answer's words",
}
QUALITIES = {
    "auc": (
        "ROC-AUC",
        "Probability that a used hyperedge scores above an unused one; 0.5 is chance",
    ),
    "average_precision": ("avg. precision", "Mean precision over all levels of recall"),
    "f1": ("best F1", "F1 at the best threshold of each head, on the same hyperedges"),
}
STRATEGIES = {
    "ema": "The weight moves part of the way to the feedback",
    "additive": "Feedback minus 0.5, times a step, is added to the weight",
    "multiplicative": "The weight is multiplied by a factor that grows with feedback minus 0.5",
}

PLOTS = {
    "histogram": "Scores of used and not used hyperedges",
    "curves": "Precision, recall and F1 at every threshold",
    "ranks": "ROC and precision-recall curves",
    "changes": "Calls that change between the two thresholds",
    "heads": "Quality of every layer and head",
    "weights": "Weights of hyperedges over the traces",
    "bias": "Score against position and length",
    "dots": "Quality compared with baselines",
}
"""Plot -> its name for a screen reader."""

# --- nothing to show -----------------------------------------------------------------------------

LOAD_TRACES = "Load a trace file, or try the packaged examples."
NO_TRACES = "No traces are loaded. Load some in the RAG traces tab."
NOTHING_TO_EVALUATE = "Nothing to evaluate yet."
SCORES_UNDER_WAY = "The scores are still being computed. Wait for them, then write the report."
NOTHING_TO_REPORT = "There is nothing to report. {reason}"
LOAD_LABELLED_TRACES = "Load traces with labels first."
NO_HEAD_MAP = "No map of heads: {reason}"

# --- the scores in view --------------------------------------------------------------------------


def evaluated(
    name: str, truth: str, units: int, used: int, unknown: int, traces: int,
    auc: tuple[float, float, float] | None,
) -> str:  # fmt: skip
    """Say which scores are evaluated, on how many hyperedges, and how well they rank, if known."""
    left_out = f", {unknown:,} more without a score" if unknown else ""
    judged = f"{name}. {units:,} {TRUTHS[truth].units} of {many(traces, 'trace')}, {used:,} used"
    ranks = "" if auc is None else f" ROC-AUC {interval(*auc)}; 0.5 is chance."
    return f"{judged}{left_out}.{ranks}"


def status(
    name: str, truth: str, threshold: float, called: int, units: int, used: int, found: int
) -> str:
    """Return the sentence of the status line."""
    words = TRUTHS[truth]
    at = three_digits(threshold)
    return (
        f"{name}: {called:,} of {units:,} {words.units} count as used at {at}; "
        f"{used:,} are used {words.say}, and {found:,} of them are found"
    )


# --- recommendation ------------------------------------------------------------------------------

RECOMMENDED = "Recommended: {choice}, threshold {threshold}; {quality}."
NO_RECOMMENDATION = "Nothing is recommended. {reason}"


def first_of(first: int, traces: int) -> str:
    """Say that the weights are those of the first traces only; empty if they are of all."""
    return f"Of the first {first:,} of {traces:,} traces. " if first < traces else ""


def words_instead(threshold: float) -> str:
    """Say what can be used where attention is refused."""
    return (
        f" Or score by the words: the method lexical above, threshold {three_digits(threshold)}, "
        "can be exported like any other."
    )


OUTDATED_NOW = "{reason} since: search again."
FOUND_FOR_OTHER = (
    "The search is done, for labels or an objective that are no longer chosen. Choose them again "
    "to see what it found."
)
OUTDATED = (
    "{reason} while heads and a threshold were being chosen, so the result is out of date. "
    "Search again."
)
LABELS_CHANGED = "Labels changed"
TRACES_CHANGED = "Traces changed"
_SIGNALS = {
    "question": "attention from the question",
    "content_free": "a content-free baseline",
}


def more_signals(names: Sequence[str]) -> str:
    """Say which signals a model could still record for `recommend` to choose from."""
    signals = ", and ".join(_SIGNALS[name] for name in names)
    count = "Two more signals" if len(names) > 1 else "One more signal"
    return f"{count} could be recorded for the search to choose from: {signals}."


# --- causal use ----------------------------------------------------------------------------------

MEASURE = "measure causal use"
MEASURE_REST = "measure the rest"
CANCEL = "cancel"


def unscored(method: str, truth: str) -> str:
    """Say that no hyperedge has a score, so that there is nothing to judge."""
    if method == "attention":
        return "No hyperedge has a score by attention, so there is nothing to judge."
    than = " The same holds by ablation." if truth == "ablation" else ""
    return f"No hyperedge has a score by the method {method}. Choose another method.{than}"


def record_all(traces: int) -> str:
    """Return the text of the button that records attention."""
    return f"record attention on all {many(traces, 'trace')}"


def record_offer(model: str, seconds: float) -> str:
    """Say which model can record attention, and about how long it takes."""
    minutes = max(1, round(seconds / 60))
    time = f"about {max(1, round(seconds)):,} s" if seconds < 90 else f"about {minutes:,} min"
    return (
        f"{model} can read the answers as a stand-in for your model: {time} on two idle processor "
        "cores, longer with a larger model. Traces that are read are kept if you stop."
    )


def unmeasured(
    model: str, prompts: int, traces: int, failed: int, unmeasurable: int, *, rest: bool
) -> str:
    """Say what it takes to measure causal use, of all traces or of the rest."""
    all_traces = many(traces, "trace")
    where = f" for {all_traces}" if rest else ""
    text = (
        f"Not measured yet{where}: does the answer become less likely when a hyperedge is left "
        f"out? {model} (a stand-in for your model) would read {prompts:,} prompts"
        f"{'' if rest else f' of {all_traces}'}."
    )
    if failed:
        text += f" {failed:,} failed earlier."
    if unmeasurable:
        text += f" {many(unmeasurable, 'trace')} without an answer will be skipped."
    return text


# --- agreement -----------------------------------------------------------------------------------

KAPPA_UNDEFINED = "not defined"


def other_calls(used: int, units: int, share: float) -> str:
    """Say what another method calls, and how many calls are equal."""
    text = f"{used:,} called used"
    return f"{text}; {share:.0%} of {units:,} calls are equal" if units else text


# --- texts that do not change, which the page places itself --------------------------------------

_DROP = (
    "A hyperedge counts as used when leaving it out lowers the log-probability of the answer by at "
    "least this; 0.693 makes the answer half as likely"
)
_ALL_SIGNALS = (
    "The chosen model reads the traces again, with attention from the question and a content-free "
    "question; attention that came with the traces is kept"
)
_KAPPA = (
    "Cohen's kappa between the calls at this threshold and those of other methods: 1 is full "
    "agreement, 0 is chance. Two methods may agree and both be wrong."
)
PAGE_TEXTS = {
    "answer": ANSWER,
    "questions": QUESTIONS,
    "figures": {
        "methods": "scores by",
        "methods_label": "Scores to evaluate",
        "truth": "judged by",
        "truth_label": "Ground truth",
        "least_drop": "used if log-probability drops by at least",
        "least_drop_label": "Least drop of log-probability",
        "least_drop_title": _DROP,
        "label_in_traces": "label in RAG traces",
        "label_in_traces_title": "Each card there has a button for used and one for not used",
        "counts": "Confusion matrix",
        "called_used": "called used",
        "called_not_used": "called not used",
        "figures": "Measures at this threshold",
        "interval": "{low} to {high}",
        "recommend": "search all settings",
        "recommend_title": "Try every head, set of heads and setting, and judge the best on "
        "held-out traces (nested cross-validation)",
        "cancel": "cancel",
        "cancel_recommend_title": "Stop; finished folds are kept for the next run",
        "export": "export",
        "json": "JSON",
        "json_title": "Save the config of a FeedbackExtractor with the settings shown here",
        "python": "Python",
        "python_title": "Save Python code for a FeedbackExtractor with the settings shown here",
        "report": "report",
        "report_title": "Save every figure and number of this tab as one HTML page",
        "take": "use it in every tab",
        "take_title": "Set the recommended scores and threshold; Esc returns to those of now",
        "go_back": "back to the settings before (Esc)",
        "go_back_title": "Return to the settings from before the recommendation",
        "export_recommended": "export the recommendation",
        "recommended_json_title": "Save the config and the measures of the recommendation",
        "recommended_python_title": "Save Python code for the recommended extractor",
        "read_again": "read all traces again and record them",
        "read_again_title": _ALL_SIGNALS,
        "stop_reading_title": "Stop reading; traces that were read are kept",
    },
    "call_changes": {
        "between": "calls that change between",
        "and": "and",
        "reference": "Reference threshold",
        "reference_title": "The threshold that the current one is compared with",
        "here": "use as reference",
        "here_title": "Use the current threshold as the reference",
    },
    "baselines": {
        "title": "compared with baselines that need no attention",
        "embed": "add embedding",
        "embed_title": "Add the similarity of embeddings; loads the embedding model",
    },
    "agreement": {
        "title": "agreement with other methods (not ground truth)",
        "label": "Agreement with other methods",
        "embed": "add embedding",
        "embed_title": "Compare with the embedding as well; loads the embedding model",
        "explanation": _KAPPA,
    },
    "head_quality": {"title": "every head by", "label": "Quality of a head"},
    "weight_moves": {"title": "weights at this threshold", "label": "Update strategy"},
}
"""Part of the page -> its texts by their keys in `frontend/src/protocol/texts.ts`."""
