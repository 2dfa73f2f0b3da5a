"""Every text of the RAG traces tab, in the order in which it stands on the page."""

from __future__ import annotations

from explorer._number_format import three_digits
from explorer.widgets._traces._file import texts as file_texts

# --- jobs, as the status line shows them ---------------------------------------------------------

RECORDING_TRACE = "recording the trace"
COMPARING = "comparing texts"
SCORING = "scoring all traces"
MOVING_WEIGHTS = "updating the weights"


def recording_traces(count: int) -> str:
    """Say how many traces a model is reading."""
    return f"recording {count:,} traces"


def encoder_cannot_answer(model: str, causal: str) -> str:
    """Say why an encoder cannot read a trace without an answer."""
    return (
        f"{model} is an encoder and cannot write an answer. Choose a causal model such as "
        f"{causal}, or give the trace an answer."
    )


# --- evidence, problems and notes ----------------------------------------------------------------

GIVEN_EVIDENCE = {
    "direct": "one score per hyperedge, given by the trace",
    "token-weights": "token weights and their mapping to hyperedges, given by the trace",
}
"""Kind of evidence -> where the scores come from, where the trace has no attention."""


def attention_source(
    kind: str, reader: object, layers: int, heads: int, *, recorded: bool, stand_in: bool
) -> str:
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
    stand_in
        Whether another model than the one that answered has read the trace.
    """
    size = f"{layers} layers of {heads} heads"
    if kind == "matrix":
        return f"attention matrix given by the trace, {size}"
    source = f"attention of {reader}" if isinstance(reader, str) else "recorded attention"
    if stand_in:
        source += ", a stand-in for the model that answered"
    return f"{source}; {size}, " + (
        "recorded in this session" if recorded else "stored in the trace"
    )


def shared_note(messages: int, first: str) -> str:
    """Say a note that all hyperedges have; their words may differ in numbers."""
    return first if messages == 1 else f"{first} (And the others in the same way: see the bars.)"


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


COMPARED_METHODS = (
    "Right by label: called used or not as labelled; near counts as not used. Agreement is with "
    "attention, which is not ground truth. κ needs both calls to occur. hybrid has no column: it "
    "is citation where that is clear, otherwise embedding."
)


def bars_shown(shown: int, of: int) -> str:
    """Say that not every hyperedge has a bar."""
    return f"The {shown} of {of:,} hyperedges with the highest scores are shown."


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


GUESSED_ENTITIES = (
    "Where the file names no entities, those shown are guessed: names and numbers in the texts."
)


_NO_RISE = (
    "With these settings no weight rises above its start, whatever the threshold: a weight starts "
    "at its upper bound."
)
_EMA_FALLS = " With ema every update also ends with a factor of 0.99, so every weight falls."
_ROOM = "Without decay and with room above the start"
_EMA_ROOM = (
    f"{_ROOM}. The ema moves a weight towards the feedback, which is at most 1; additive and "
    "multiplicative rise with every feedback above 0.5."
)
_OTHER_ROOM = (
    f"{_ROOM}: feedback above 0.5 raises a weight, up to 4 x its quality score, and feedback below "
    "0.5 lowers it."
)


def weights_rise(*, can_rise: bool, strategy: str) -> tuple[str, str, str]:
    """Say whether a weight can rise; return the text, and text and title of the button."""
    if not can_rise:
        text = _NO_RISE + (_EMA_FALLS if strategy == "ema" else "")
        title = "additive, without decay, at most 4 x the quality score"
        return text, "let weights rise", title
    text = _EMA_ROOM if strategy == "ema" else _OTHER_ROOM
    return text, "reference settings", "ema, decay 0.99, at most 2 x the quality score"


# --- texts that do not change, which the page places itself --------------------------------------

PAGE_TEXTS = {
    **file_texts.PAGE_TEXTS,
    "trace_cards": {
        "previous": "Previous trace (PgUp)",
        "trace": "trace",
        "number": "Number or id of the trace",
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
        "shared": "All hyperedges:",
        "filter": "Which hyperedges are shown",
        "all": "all",
        "all_title": "All hyperedges of this trace",
        "unlabelled": "unlabelled {count}",
        "unlabelled_title": "Those without a label",
        "doubtful": "doubtful {count}",
        "doubtful_title": "Label and verdict disagree, or the score is near the threshold",
        "search": "Search in the hyperedges",
        "search_placeholder": "search",
        "none": "No hyperedge of this trace is like that.",
        "range": "{first} to {last} of {count}",
        "earlier": "earlier",
        "later": "later",
        "next_unlabelled": "next unlabelled",
        "next_unlabelled_title": "Open the next trace with a hyperedge without a label (u)",
        "keys": "Keys on a card: y used, n not used, 0 no label, ↓ ↑ next card, u next unlabelled",
        "more": "more",
        "less": "less",
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
