"""Scores of labelled units, with what is known of them: what every measure of this floor takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray

from explorer.errors import InputError, ShapeError, ValidationError
from explorer.feedback import Diagnostic

Truth = Literal["labels", "ablation", "agreement"]
"""What a label rests on: somebody said so, a model needs it, another method says the same."""

FEW = 5
"""So many names stand in a message."""

_LABELLED: dict[Truth, str] = {
    "labels": "labelled",
    "ablation": "ablated",
    "agreement": "compared",
}


@dataclass(frozen=True, eq=False)
class LabelledUnits:
    """Labelled units and where they come from; `LabelledScores` and `HeadScores` add scores.

    Attributes
    ----------
    labels : ndarray of bool, shape (units,)
        The truth.
    groups : ndarray of intp, shape (units,)
        Which trace each unit belongs to, as an index into `traces`.
    traces : tuple of str
        Ids of the traces; traces are what is drawn anew for intervals.
    units : tuple of str
        Ids of the hyperedges.
    lengths : ndarray of float64, shape (units,)
        Length of each unit, NaN when unknown.
    positions : ndarray of float64, shape (units,)
        Place in the trace, from 0 for the first hyperedge to 1 for the last; NaN when unknown.
    truth : {"labels", "ablation", "agreement"}
        What `labels` are. Figures of different truths are never put together.
    length_in : str
        What lengths are counted in: ``"tokens"`` or ``"words"``.
    notes : tuple of Diagnostic
        What the user should know of how these came to be.

    Raises
    ------
    ShapeError
        When the arrays differ in length.
    InputError
        When a group is no trace, or the truth none of the three.
    """

    labels: NDArray[np.bool_]
    groups: NDArray[np.intp]
    traces: tuple[str, ...]
    units: tuple[str, ...]
    lengths: NDArray[np.float64]
    positions: NDArray[np.float64]
    truth: Truth
    length_in: str = "tokens"
    notes: tuple[Diagnostic, ...] = ()

    def __post_init__(self) -> None:
        for name, dtype in (
            ("groups", np.intp),
            ("lengths", np.float64),
            ("positions", np.float64),
        ):
            object.__setattr__(self, name, number_array(name, getattr(self, name), dtype))
        labels = np.asarray(self.labels)
        if labels.dtype != bool:
            if labels.dtype.kind not in "iuf" or not bool(np.isin(labels, (0, 1)).all()):
                raise InputError("Each label must be True or False; leave out what has none.")
            labels = labels.astype(bool)
        object.__setattr__(self, "labels", labels)
        object.__setattr__(self, "traces", tuple(self.traces))
        object.__setattr__(self, "units", tuple(self.units))
        n = len(self.units)
        for name in ("labels", "groups", "lengths", "positions"):
            if getattr(self, name).shape != (n,):
                raise ShapeError(
                    f"There are {n} units, but `{name}` has shape {getattr(self, name).shape}."
                )
        if n and not 0 <= int(self.groups.min()) <= int(self.groups.max()) < len(self.traces):
            raise InputError(
                f"`groups` must be places among the {len(self.traces)} traces, from 0."
            )
        if self.truth not in get_args(Truth):
            known = ", ".join(repr(name) for name in get_args(Truth))
            raise InputError(f"There is no truth {self.truth!r}. It is one of {known}.")

    def __len__(self) -> int:
        return len(self.units)

    @property
    def n_traces(self) -> int:
        """How many traces there are."""
        return len(self.traces)

    @property
    def positives(self) -> int:
        """How many units are labelled as used."""
        return int(self.labels.sum())

    @property
    def prevalence(self) -> float:
        """Share of units that are labelled as used; NaN without units."""
        return float(self.labels.mean()) if len(self) else np.nan


@dataclass(frozen=True, eq=False, kw_only=True)
class LabelledScores(LabelledUnits):
    """One score for each labelled unit.

    Attributes
    ----------
    scores : ndarray of float64, shape (units,)
        NaN where the score is unknown; measures leave those out and count them.

    Raises
    ------
    InputError
        As `LabelledUnits`, or when a score is infinite.
    """

    scores: NDArray[np.float64]

    def __post_init__(self) -> None:
        super().__post_init__()
        scores = number_array("scores", self.scores, np.float64)
        object.__setattr__(self, "scores", scores)
        if scores.shape != (len(self),):
            raise ShapeError(f"There are {len(self)} units, but scores of shape {scores.shape}.")
        if np.isinf(scores).any():
            raise InputError("A score is infinite. Where nothing is known it is NaN.")

    @property
    def unknown(self) -> int:
        """How many scores are NaN."""
        return int(np.isnan(self.scores).sum())

    def of(self, places: NDArray[Any]) -> Self:
        """Return some of the units, by places or a mask; all the traces stay."""
        places = np.arange(len(self))[places]
        return replace(
            self,
            scores=self.scores[places],
            labels=self.labels[places],
            groups=self.groups[places],
            units=tuple(self.units[place] for place in places),
            lengths=self.lengths[places],
            positions=self.positions[places],
        )

    def with_scores(self, scores: Any, *notes: Diagnostic) -> LabelledScores:
        """Return the same units with other scores."""
        return replace(self, scores=scores, notes=(*self.notes, *notes))

    def known(self) -> LabelledScores:
        """Return the units whose score is known, and the traces that have any, renumbered."""
        mask = ~np.isnan(self.scores)
        found = self if mask.all() else self.of(mask)
        present = np.bincount(found.groups, minlength=self.n_traces) > 0
        if present.all():
            return found
        number = np.cumsum(present) - 1
        return replace(
            found,
            groups=number[found.groups],
            traces=tuple(name for name, there in zip(self.traces, present, strict=True) if there),
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class HeadScores(LabelledUnits):
    """The scores of labelled units in every head.

    Attributes
    ----------
    scores : ndarray of float32, shape (layers, heads, units)
        NaN where the score is unknown.

    Raises
    ------
    ShapeError
        As `LabelledUnits`, or when the scores have another shape.
    """

    scores: NDArray[np.float32]

    def __post_init__(self) -> None:
        super().__post_init__()
        scores = number_array("scores", self.scores, np.float32)
        object.__setattr__(self, "scores", scores)
        if scores.ndim != 3 or scores.shape[2] != len(self) or 0 in scores.shape[:2]:
            raise ShapeError(
                f"Scores of every head must be (layers, heads, {len(self)}); got {scores.shape}."
            )

    def at(self, layer: int, head: int) -> LabelledScores:
        """Return the scores of one head.

        Raises
        ------
        InputError
            There is no such layer or head.
        """
        from explorer.feedback._score_settings import check_index

        for what, index, count in (
            ("layer", layer, self.scores.shape[0]),
            ("head", head, self.scores.shape[1]),
        ):
            if check_index(what, index, count) is None:
                raise InputError(f"Choose one {what}; the mean over all is another judging.")
        kept = {one.name: getattr(self, one.name) for one in fields(LabelledUnits)}
        return LabelledScores(scores=self.scores[layer, head], **kept)


def first_few(names: Sequence[str]) -> str:
    """Name a few, and say how many there are beyond."""
    shown = ", ".join(str(name)[:80] for name in names[:FEW])
    return shown + (f" and {len(names) - FEW:,} more" if len(names) > FEW else "")


def check_scores(judged: object) -> LabelledScores:
    """Return what measures take; InputError, saying what makes one, when it is something else."""
    if not isinstance(judged, LabelledScores):
        raise InputError(
            f"Measures take a Judged, and not a {type(judged).__name__}. judge(traces, scores) "
            "makes one."
        )
    return judged


def number_array(name: str, values: Any, dtype: Any = np.float64) -> NDArray[Any]:
    """Return an array of numbers; InputError when they are none."""
    try:
        return np.asarray(values, dtype=dtype)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"`{name}` must be numbers, one for each unit.") from None


def no_labels_message(truth: Truth, n_traces: int, notes: Sequence[Diagnostic] = ()) -> str:
    """Say that nothing is labelled, and what to do."""
    many = f"{n_traces} trace{'' if n_traces == 1 else 's'}"
    why = "".join(f" {note.message}" for note in notes)
    if truth == "labels":
        return (
            f"No labelled hyperedge that could be judged was found in {many}, so nothing can be "
            "measured. Label some (TraceSet.label, the fields `label` of a file, or a click in the "
            f"app), or let a model find causal use by ablation.{why}"
        )
    if truth == "ablation":
        return (
            f"No hyperedge whose causal use is known was found in {many}, so nothing can be "
            "measured. Let a model read the answers with and without each hyperedge, "
            f"ablate(traces), and judge the traces that it returns.{why}"
        )
    return f"Nothing is known of any hyperedge of the {many}, so nothing can be measured.{why}"


def one_class_message(truth: Truth, n_units: int, used: bool, units: str = "hyperedges") -> str:
    """Say that all are used, or none, and what to do."""
    which, other = ("used", "not used") if used else ("not used", "used")
    if truth == "ablation":
        less = (
            "the answer needs each of them: take a larger `least_drop`"
            if used
            else "the answer is about as likely without any one of them: the model may know it by "
            "heart, or two hyperedges say the same. Take a smaller `least_drop`"
        )
        return (
            f"All {n_units} {units} are {which!r} by ablation, and a threshold tells the two kinds "
            f"apart; {less}, or ablate more traces."
        )
    return (
        f"All {n_units} {units} are labelled {which!r}. A threshold tells the two kinds apart, so "
        f"label some that are {other} too."
    )


def measurable(judged: LabelledScores) -> LabelledScores:
    """Return the units with known scores, of both kinds.

    Raises
    ------
    ValidationError
        There are none, or of one kind only; it says what is missing and what to do.
    """
    if not len(check_scores(judged)):
        raise ValidationError(no_labels_message(judged.truth, judged.n_traces, judged.notes))
    known = judged.known()
    if not len(known):
        raise ValidationError(
            f"None of the {len(judged)} {_LABELLED[judged.truth]} hyperedges has a score by "
            "this method, so nothing can be measured. Choose another method; attention can be "
            "recorded (score_traces)."
        )
    if known.positives in (0, len(known)):
        units = f"{_LABELLED[judged.truth]} hyperedges with a score"
        raise ValidationError(
            one_class_message(judged.truth, len(known), known.positives > 0, units)
        )
    return known


def table_notes(known: LabelledScores, judged: LabelledScores) -> tuple[Diagnostic, ...]:
    """What a table about `known` units of `judged` should say beside its figures."""
    notes = list(judged.notes)
    if len(known) < len(judged):
        message = (
            f"{len(judged) - len(known)} of {len(judged)} {_LABELLED[judged.truth]} units have no "
            "score: they are left out."
        )
        notes.append(Diagnostic("unknown-scores", message))
    if known.n_traces < 2:
        message = (
            "All units come from one trace. Intervals are drawn over traces, so there are none: "
            "these figures may be chance."
        )
        notes.append(Diagnostic("one-trace", message))
    if len(known) and known.scores.min() == known.scores.max():
        message = (
            f"Every unit has the score {known.scores[0]:.4g}, so no threshold tells any apart."
        )
        notes.append(Diagnostic("all-scores-equal", message))
    return tuple(notes)
