"""Every text of the RAG traces tab, in the order in which it stands on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer._number_format import three_digits

if TYPE_CHECKING:
    from explorer.examples import HeldOutFigures

# --- jobs, as the status line shows them ---------------------------------------------------------

RECORDING_TRACE = "recording the trace"
COMPARING = "comparing texts"
SCORING = "scoring all traces"
MOVING_WEIGHTS = "updating the weights"
COUNTING = "counting labels and answers"


def loading_file(name: str) -> str:
    """Say which file is being loaded."""
    return f"reading {name}"


def recording_traces(count: int) -> str:
    """Say how many traces a model is reading."""
    return f"recording {count:,} traces"


def encoder_cannot_answer(model: str, causal: str) -> str:
    """Say why an encoder cannot read a trace without an answer."""
    return (
        f"{model} is an encoder and cannot write an answer. Choose a causal model such as "
        f"{causal}, or give the trace an answer."
    )


# --- the file of the traces ----------------------------------------------------------------------

EXAMPLE_TRACES = "packaged examples"
GIVEN_TRACES = "traces of the notebook"
NO_FILE = "no traces"


def file_counts(
    traces: int, counted: int, hyperedges: int, answers: int, attention: int, scores: int
) -> list[str]:
    """Say what a file brings: traces, hyperedges, answers, attention, scores.

    Parameters
    ----------
    traces, counted
        Number of traces, and of those that were looked at.
    hyperedges
        Number of hyperedges of the latter.
    answers, attention, scores
        How many of them have an answer, attention, and one score for each hyperedge.
    """
    said = [_many(traces, "trace")]
    if counted < traces:
        said.append(f"of the first {counted:,}")
    said.append(_many(hyperedges, "hyperedge"))
    said.append(f"answers: {_how_many(answers, counted)}")
    if scores:
        said.append(f"one score per hyperedge: {_how_many(scores, counted)}")
    if attention or not scores:
        said.append(f"attention: {_how_many(attention, counted)}")
    return said


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _how_many(count: int, of: int) -> str:
    return "all" if count == of else f"{count:,}" if count else "none"


def labels_given(labelled: int, hyperedges: int) -> str:
    """Say how many hyperedges are labelled."""
    return f"{labelled:,} of {hyperedges:,} labelled"


def not_loaded(name: str) -> str:
    """Say which file was not loaded."""
    return f"{name} was not loaded."


def unknown_format(found: str) -> str:
    """Say that the format of a file is not known, beside the menu of formats."""
    return f"No known format has these records: {found} Choose its format if it has one."


def still_shown(name: str) -> str:
    """Say which traces are in view after a file could not be loaded."""
    return f"Below is still what was open before: {name}."


# --- where heads and threshold come from ---------------------------------------------------------

PACKAGED = ("packaged recommendation", "Heads and a threshold that were chosen on other traces")
REFERENCE = (
    "reference settings (mean, 0.1)",
    "What a FeedbackExtractor does by default: means over all; attention hardly reaches 0.1 then",
)
AUTO = ("auto threshold", "Found in the scores of each trace: the middle of their largest gap")
BY_LABELS = ("choose by labels", "The Thresholds tab compares thresholds by the labels")


def settings_of(name: str) -> tuple[str, str]:
    """Return text and title of the button that takes over the settings of another file."""
    return (f"settings of {name}", "Take over layer, head and thresholds of the file before")


def settings_origin(origin: str, figures: HeldOutFigures | None) -> tuple[str, str]:
    """Say where heads and threshold come from: a name and a sentence."""
    if origin == "packaged" and figures is not None:
        return "Packaged recommendation", _held_out(figures)
    return {
        "packaged heads": (
            "Packaged heads",
            "chosen without the trace in view; the threshold was changed here.",
        ),
        "auto": (
            "Auto threshold",
            "found in the scores of each trace of this file; no label was asked.",
        ),
        "reference": ("Reference settings", _REFERENCE_MEANING),
        "chosen": ("Chosen here", "layer, head and threshold as set for this file."),
    }[origin]


_REFERENCE_MEANING = (
    "means over layers, heads and tokens, and the threshold 0.1: the defaults of a "
    "FeedbackExtractor. They were not chosen for this model or file."
)


def _held_out(figures: HeldOutFigures) -> str:
    right, unused = figures.right / figures.facts, 1 - figures.used / figures.facts
    return (
        "heads and threshold were chosen without the trace in view. On all packaged traces, "
        f"each judged in this way, {figures.right} of {figures.facts} calls are right "
        f"({right:.0%}; calling nothing used: {unused:.0%}), F1 {three_digits(figures.f1)} "
        f"({three_digits(figures.f1_low)} to {three_digits(figures.f1_high)})."
    )


def method_threshold(*, moves: bool, default: bool) -> str:
    """Say where the threshold of a method other than attention comes from."""
    if not moves:
        return "combines the other methods; its threshold follows from theirs."
    if default:
        return "at its default threshold, which no label of this file has chosen."
    return "at the threshold set for this file."


# --- evidence, problems and notes ----------------------------------------------------------------

GIVEN_EVIDENCE = {
    "direct": "one score per hyperedge, given by the trace",
    "token-weights": "token weights and their mapping to hyperedges, given by the trace",
}
"""Kind of evidence -> where the scores come from, where the trace has no attention."""


def attention_source(kind: str, reader: object, layers: int, heads: int, *, recorded: bool) -> str:
    """Say whose attention the scores come from.

    Parameters
    ----------
    kind
        Kind of evidence.
    reader
        Name of the model, if it is known.
    layers, heads
        Their numbers.
    recorded
        Whether the model was run in this session.
    """
    size = f"{layers} layers of {heads} heads"
    if kind == "matrix":
        return f"attention matrix given by the trace, {size}"
    source = f"attention of {reader}" if isinstance(reader, str) else "recorded attention"
    return f"{source}, {size}, " + (
        "recorded in this session" if recorded else "stored in the trace"
    )


def problems_title(left_out: int, changed: int, notes: int) -> str:
    """Say how many lines of a file have problems."""
    counted = ((left_out, "line", " not read"), (changed, "line", " changed"), (notes, "note", ""))
    return ", ".join(
        f"{count} {noun}{'' if count == 1 else 's'}{state}"
        for count, noun, state in counted
        if count
    )


def more_problems(count: int) -> str:
    """Say where the problems are that the page does not list."""
    return f"and {count:,} more: see app.traces.problems" if count > 0 else ""


def more_cards(shown: int, more: int) -> str:
    """Say that not every hyperedge has a card."""
    return f"The first {shown} hyperedges are shown; app.feedback also has the other {more:,}."


# --- offers: what is missing in a trace, and buttons that help -----------------------------------

NO_HYPEREDGES = "This trace has no hyperedges to score."
NO_ATTENTION = (
    "This trace has no attention. A local model can read it as a stand-in for the model that "
    "answered."
)
NO_ANSWER = (
    "This trace has neither an answer nor attention. The chosen model can answer it from the "
    "hyperedges."
)
CANCEL = ("cancel", "Stop the model")
RECORD = ("record attention", "The chosen model reads this trace")
ANSWER = ("answer and record", "The chosen model answers this trace")
BY_TEXT = ("compare texts", "Feedback by embedding, which needs no attention")
_ALL_SIGNALS = (
    "The chosen model reads this trace again, with attention from the question and with a "
    "content-free question"
)
RECORD_AGAIN = ("record again", _ALL_SIGNALS)
LEAVE_HEADS = ("use layer and head", "Remove the head set")


def record_all(count: int) -> tuple[str, str]:
    """Return text and title of the button that records all traces."""
    title = "The chosen model reads every trace that has an answer and no attention"
    return f"all {count:,} traces", title


def out_of_reach(threshold: float, largest: float, tokens: int | None) -> str:
    """Say that no score reaches the threshold, and why.

    Parameters
    ----------
    threshold, largest
        The threshold, and the largest score of the trace.
    tokens
        Number of tokens of a typical hyperedge whose attention is averaged; None where the score
        is no mean over tokens.
    """
    said = (
        f"No hyperedge reaches the threshold of {three_digits(threshold)}: the largest score is "
        f"{three_digits(largest)}."
    )
    if tokens is None:
        return said
    return (
        f"{said} The score is a mean over tokens: over {tokens} tokens, a hyperedge of typical "
        f"length here, it is at most 1/{tokens}, even if it gets all attention."
    )


# --- feedback and weights ------------------------------------------------------------------------

PLOTS = {
    "heatmap": "Attention of answer rows to context columns",
    "bars": "Feedback bars, one per hyperedge",
    "methods": "Feedback by every method, side by side",
    "entities": "Entities of the hyperedges",
}
"""Plot -> its name for a screen reader."""

METHODS = {
    "attention": "Attention of the answer to each hyperedge",
    "embedding": "Similarity of each hyperedge to the answer",
    "citation": "How much of each hyperedge the answer repeats",
    "lexical": "Words that each hyperedge shares with question and answer; needs no model",
    "hybrid": "Citation where it is clear, otherwise embedding",
    "logprobs": "Log-probabilities of the answer's words (an approximation)",
    "ensemble": "Attention, embedding and citation combined",
}
"""Method -> what its button says on hover."""


def weights_of(
    method: str, threshold: float, first: int, traces: int, updates: int, unknown: int
) -> str:
    """Say which traces the weights are computed from, and with which feedback.

    Parameters
    ----------
    method, threshold
        How feedback is computed.
    first, traces
        Number of traces that are shown, and of all.
    updates, unknown
        Number of scores, and of those that are unknown.
    """
    which = f"the first {first:,} of {traces:,}" if first < traces else f"{first:,}"
    sentence = f"Weights over {which} traces, feedback by {method} at {three_digits(threshold)}."
    if unknown:
        sentence += f" {unknown:,} of {updates:,} scores are unknown and change no weight."
    return sentence


# --- texts that do not change, which the page places itself --------------------------------------

PAGE_TEXTS = {
    "trace_file": {
        "load": "load…",
        "load_title": "Load a trace file (or drop one anywhere in this tab)",
        "file": "Trace file",
        "path": "Path of a trace file",
        "path_placeholder": "or a path ⏎",
        "examples": "examples",
        "examples_title": "Load the packaged traces",
        "uploading": "reading {name}, {percent} %",
        "opening": "reading {name} …",
        "format": "format",
        "format_title": "Read this file again as another format",
        "try_format": "read it as",
        "try_format_title": "Read the file that failed as this format",
        "choose_format": "choose a format",
        "dismiss": "dismiss",
        "problem_line": "line {line}: {message}",
    },
    "trace_settings": {"label": "Where heads and threshold come from"},
    "trace_cards": {
        "previous": "Previous trace (PgUp)",
        "trace": "trace",
        "number": "Number of the trace",
        "of": " of {count}",
        "next": "Next trace (PgDn)",
        "view": "How the hyperedges are shown",
        "cards": "cards",
        "cards_title": "One card per hyperedge, with the reasons",
        "text": "text",
        "text_title": "The text that the model read, each hyperedge coloured by its feedback",
        "trace_label": "Trace",
        "empty": "Load a trace file, drop one here, or try the packaged examples.",
        "question": "question",
        "no_question": "(no question)",
        "answer": "answer",
        "no_answer": "(no answer)",
        "evidence": "evidence",
        "label": "Label of {id}",
        "label_as": "Label {id} as {label}",
        "labelled": "labelled {label}",
        "labelled_title": "Labelled {label}: click to remove the label",
        "used": "used",
        "not_used": "not used",
        "fact_title": "{id}: score {score}, {verdict}",
        "no_text": "(no text)",
    },
    "methods": {
        "title": "feedback by",
        "label": "Method",
        "compare": "compare",
        "compare_title": "Show the methods side by side",
    },
    "weights": {
        "view": "Plot under the bars",
        "entities": "entities",
        "entities_title": "The hyperedges of this trace with their entities, sized by weight",
        "weights": "weights",
        "weights_title": "How the weights change over all traces at this threshold",
        "update": "update",
        "strategy": "Update strategy",
        "strategy_title": "How feedback changes the weights",
        "cancel": "cancel",
    },
}
"""Part of the page -> its texts by their keys in `frontend/src/protocol/texts.ts`."""
