"""Checks of labelled scores, and what a table of measures should say about them."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.errors import InputError, ValidationError
from explorer.feedback import Diagnostic
from explorer.validation._data.labelled_scores import LabelledScores
from explorer.validation._data.truth import TRUTH_WORDS, TruthKind

NAMES_SHOWN = 5
"""Names that a message lists before it counts the rest."""


def first_few(names: Sequence[str]) -> str:
    """Return the first names, and the number of further ones."""
    shown = ", ".join(str(name)[:80] for name in names[:NAMES_SHOWN])
    more = len(names) - NAMES_SHOWN
    return shown + (f" and {more:,} more" if more > 0 else "")


def check_scores(judged: object) -> LabelledScores:
    """Return labelled scores.

    Raises
    ------
    InputError
        The value is something else.
    """
    if not isinstance(judged, LabelledScores):
        raise InputError(
            f"Measures take LabelledScores, not a {type(judged).__name__}. "
            "judge(traces, scores) makes one."
        )
    return judged


def measurable(judged: LabelledScores) -> LabelledScores:
    """Return the units with known scores, if they are of both classes.

    Raises
    ------
    ValidationError
        There are no such units, or only units of one class. The message says what is missing and
        what to do.
    """
    if not len(check_scores(judged)):
        raise ValidationError(no_labels_message(judged.truth, judged.n_traces, judged.notes))
    known = judged.known()
    labelled = TRUTH_WORDS[judged.truth].labelled
    if not len(known):
        raise ValidationError(
            f"None of the {len(judged)} {labelled} hyperedges has a score by this method, so "
            "nothing can be measured. Choose another method; attention can be recorded "
            "(score_traces)."
        )
    if known.positives in (0, len(known)):
        units = f"{labelled} hyperedges with a score"
        raise ValidationError(
            one_class_message(judged.truth, len(known), known.positives > 0, units)
        )
    return known


def no_labels_message(truth: TruthKind, n_traces: int, notes: Sequence[Diagnostic] = ()) -> str:
    """Return an error message: no unit is labelled, and what to do."""
    many = f"{n_traces} trace{'' if n_traces == 1 else 's'}"
    why = "".join(f" {note.message}" for note in notes)
    if truth == "labels":
        return (
            f"No labelled hyperedge that could be judged was found in {many}, so nothing can be "
            "measured. Label some (TraceSet.label, the fields `label` of a file, or a click in the "
            f"app), or let a model measure causal use by ablation.{why}"
        )
    if truth == "ablation":
        return (
            f"No hyperedge with known causal use was found in {many}, so nothing can be "
            "measured. Let a model read the answers with and without each hyperedge, "
            f"ablate(traces), and judge the traces that it returns.{why}"
        )
    return f"No call is known for any hyperedge of the {many}, so nothing can be measured.{why}"


def one_class_message(truth: TruthKind, n_units: int, used: bool, units: str = "hyperedges") -> str:
    """Return an error message: all units are of one class, and what to do."""
    which, other = ("used", "not used") if used else ("not used", "used")
    if truth == "ablation":
        remedy = (
            "the answer needs each of them: take a larger `least_drop`"
            if used
            else "the answer is about as likely without any one of them: the model may know it by "
            "heart, or two hyperedges may say the same. Take a smaller `least_drop`"
        )
        return (
            f"All {n_units} {units} are {which!r} by ablation, but a threshold needs both classes; "
            f"{remedy}, or ablate more traces."
        )
    return (
        f"All {n_units} {units} are labelled {which!r}, but a threshold needs both classes. "
        f"Label some that are {other} too."
    )


def table_notes(known: LabelledScores, judged: LabelledScores) -> tuple[Diagnostic, ...]:
    """Return what to say next to measures of the `known` units of `judged`."""
    notes = list(judged.notes)
    if len(known) < len(judged):
        message = (
            f"{len(judged) - len(known)} of {len(judged)} {TRUTH_WORDS[judged.truth].labelled} "
            "units have no score: they are left out."
        )
        notes.append(Diagnostic("unknown-scores", message))
    if known.n_traces < 2:
        message = (
            "All units come from one trace. Intervals need several traces, so there are none: the "
            "figures may be due to chance."
        )
        notes.append(Diagnostic("one-trace", message))
    if len(known) and known.scores.min() == known.scores.max():
        message = f"Every unit has the score {known.scores[0]:.4g}, so no threshold separates them."
        notes.append(Diagnostic("all-scores-equal", message))
    return tuple(notes)
