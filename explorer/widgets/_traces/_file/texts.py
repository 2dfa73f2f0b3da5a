"""Texts about the file of the traces, and about the settings that belong to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer._number_format import three_digits

if TYPE_CHECKING:
    from explorer.examples import HeldOutFigures

COUNTING = "counting labels and answers"


def loading_file(name: str) -> str:
    """Say which file is being loaded."""
    return f"reading {name}"


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


LABELS_STAY_IN_MEMORY = "Labels given here stay in memory until they are saved."


def labels_in(name: str) -> str:
    """Say in which file labels are kept."""
    return f"Labels are kept in {name}."


def labels_in_memory(count: int) -> str:
    """Say that labels are lost with the kernel."""
    which = "1 label given here is" if count == 1 else f"{count:,} labels given here are"
    return f"{which} in memory only, and lost when the kernel stops."


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


# --- texts that do not change --------------------------------------------------------------------

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
        "save_labels": "download labels",
        "save_labels_title": (
            "A file of the labels. Beside the trace file it is read with it; it can be dropped here"
        ),
        "write_labels": "Path for the traces with their labels",
        "write_labels_placeholder": "or write traces with labels to a path ⏎",
        "problem_line": "line {line}: {message}",
    },
    "trace_settings": {"label": "Where heads and threshold come from"},
}
