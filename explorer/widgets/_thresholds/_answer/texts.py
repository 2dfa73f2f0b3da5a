"""Every text of the answer at the top of the Thresholds tab, and of the questions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from explorer._number_format import three_digits
from explorer.reporting._analysis.number_text import digits, many

if TYPE_CHECKING:
    from explorer.reporting._analysis.by_question import ByQuestion

_FAR = 0.05
"""Difference of two ROC-AUC that a sentence points out."""

COMPUTING = "working out what to expect on new traces"
WORKING = "Working out what to expect on new traces ..."

OBJECTIVES = {
    "f1": ("F1", "The threshold with the best balance of precision and recall"),
    "precision": (
        "precision at a recall",
        "The most precise threshold among those that find enough of the used facts",
    ),
    "recall": (
        "recall at a precision",
        "The threshold that finds most, among those whose calls are right often enough",
    ),
    "cost": ("cost", "The threshold at which wrong facts kept and right facts lost cost least"),
}
"""Objective -> its button, and what it says on hover."""

NUMBERS = {
    "least_recall": (
        "recall at least",
        "Share of the used facts that must be called used: above 0, at most 1",
    ),
    "least_precision": (
        "precision at least",
        "Share of the calls that must be right: above 0, at most 1",
    ),
    "cost_ratio": (
        "a wrong fact kept costs as much as",
        "So many right facts lost; above 0",
    ),
}
"""Number of an objective -> its name, and what it says on hover."""

COST_UNIT = "right facts lost"
LABEL = ("label in RAG traces", "Each card there has a button for used and one for not used")


def set_threshold(threshold: float) -> tuple[str, str]:
    """Return text and title of the button that sets a threshold."""
    at = three_digits(threshold)
    return f"set the threshold to {at}", f"Every tab then calls used what scores {at} or more"


def use_words(threshold: float) -> tuple[str, str]:
    """Return text and title of the button that chooses the words."""
    at = three_digits(threshold)
    return (
        "score by the words",
        f"Every tab then uses the method lexical with the threshold {at}; Esc returns",
    )


PACKAGED_HEADS = "packaged heads"
"""Name of scores by the packaged recommendation."""
PACKAGED = (
    "Each trace is scored by heads that were chosen on other traces, and judged at a threshold "
    "that other traces chose: the whole choice is held out."
)
NOT_CHOSEN = "No labels chose this threshold."


def other_threshold(objective: str, threshold: float) -> str:
    """Say that labels would choose another threshold than the exported one."""
    return f"Threshold {three_digits(threshold)}; by labels another is best for {objective}."


def chosen_threshold(
    objective: str, threshold: float, traces: int, figure: tuple[str, str, str]
) -> str:
    """Say what the exported threshold is best for, and what to expect of it."""
    value, label, detail = figure
    return (
        f"Threshold {three_digits(threshold)}, best for {objective} by {many(traces, 'trace')}; "
        f"expect {label}: {value} ({detail})."
    )


def by_question(found: ByQuestion) -> str:
    """Say how the calls spread over the questions."""
    text = (
        f"At this threshold {found.nothing:,} of {many(found.questions, 'question')} end with "
        f"nothing called used, {found.everything:,} with everything; {found.right:,} are entirely "
        "right."
    )
    if not math.isnan(found.within):
        text += (
            f" ROC-AUC within a question {digits(found.within)}, over all {digits(found.pooled)}"
        )
        far = found.within - found.pooled > _FAR
        text += ": one threshold does not suit all questions; try share or lift." if far else "."
    return text


def errors(used: int, missed: int, wrong: int) -> str:
    """Say what is wrong with the calls of a question."""
    parts = []
    if missed:
        parts.append(f"missed {missed} of {used}")
    if wrong:
        parts.append(f"{wrong} wrong")
    return ", ".join(parts)


def back(name: str, threshold: float) -> str:
    """Return the text of the button that undoes it."""
    return f"back to {name} at {three_digits(threshold)} (Esc)"


ANSWER = {
    "label": "Answer",
    "objective": "best for",
    "objective_label": "What the threshold is for",
    "figures": "Threshold, what to expect, and the lead over the words",
    "undo_title": "Return to the settings from before (Esc)",
}
"""Texts that do not change, by their keys in `frontend/src/protocol/texts.ts`."""

QUESTIONS = {
    "title": "by question",
    "list": "Questions with most errors",
    "open_title": "Open this question in the RAG traces tab",
}
"""Texts that do not change, by their keys in `frontend/src/protocol/texts.ts`."""
