"""Scores of labelled units: the input of every measure of this package."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from explorer.errors import InputError, ShapeError
from explorer.feedback import Diagnostic
from explorer.validation._data.truth import TruthKind, check_kind


@dataclass(frozen=True, eq=False)
class LabelledUnits:
    """Labelled units and their origin; `LabelledScores` and `HeadScores` add scores.

    Attributes
    ----------
    labels : ndarray of bool, shape (units,)
        True for used.
    groups : ndarray of intp, shape (units,)
        Trace of each unit, as an index into `traces`.
    traces : tuple of str
        Ids of the traces. Bootstrap samples draw whole traces.
    units : tuple of str
        Ids of the hyperedges.
    lengths : ndarray of float64, shape (units,)
        Length of each unit, NaN if unknown.
    positions : ndarray of float64, shape (units,)
        Position in the trace, from 0 for the first hyperedge to 1 for the last; NaN if unknown.
    truth : {"labels", "ablation", "agreement"}
        What `labels` rest on. Measures of different truths are never combined.
    length_in : str
        Unit of the lengths: ``"tokens"`` or ``"words"``.
    notes : tuple of Diagnostic
        What the user should know about these data.

    Raises
    ------
    ShapeError
        The arrays differ in length.
    InputError
        A group is not an index of a trace, or there is no such truth.
    """

    labels: NDArray[np.bool_]
    groups: NDArray[np.intp]
    traces: tuple[str, ...]
    units: tuple[str, ...]
    lengths: NDArray[np.float64]
    positions: NDArray[np.float64]
    truth: TruthKind
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
                raise InputError("Each label must be True or False; leave out unlabelled units.")
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
            raise InputError(f"`groups` must be indices of the {len(self.traces)} traces, from 0.")
        check_kind(self.truth)

    def __len__(self) -> int:
        return len(self.units)

    @property
    def n_traces(self) -> int:
        """Number of traces."""
        return len(self.traces)

    @property
    def positives(self) -> int:
        """Number of units labelled used."""
        return int(self.labels.sum())

    @property
    def prevalence(self) -> float:
        """Share of units labelled used; NaN without units."""
        return float(self.labels.mean()) if len(self) else np.nan


@dataclass(frozen=True, eq=False, kw_only=True)
class LabelledScores(LabelledUnits):
    """One score for each labelled unit.

    Attributes
    ----------
    scores : ndarray of float64, shape (units,)
        NaN if unknown; measures leave these units out and count them.

    Raises
    ------
    InputError
        As `LabelledUnits`, or a score is infinite.
    """

    scores: NDArray[np.float64]

    def __post_init__(self) -> None:
        super().__post_init__()
        scores = number_array("scores", self.scores, np.float64)
        object.__setattr__(self, "scores", scores)
        if scores.shape != (len(self),):
            raise ShapeError(f"There are {len(self)} units, but scores of shape {scores.shape}.")
        if np.isinf(scores).any():
            raise InputError("A score is infinite. Unknown scores must be NaN.")

    @property
    def unknown(self) -> int:
        """Number of scores that are NaN."""
        return int(np.isnan(self.scores).sum())

    def subset(self, places: NDArray[Any]) -> Self:
        """Return some of the units, by index or mask; all traces stay."""
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

    def of(self, places: NDArray[Any]) -> Self:
        """Return some of the units; the old name of `subset`."""
        _warn_renamed("of", "subset")
        return self.subset(places)

    def with_scores(self, scores: Any, *notes: Diagnostic) -> LabelledScores:
        """Return the same units with other scores, and with more notes."""
        return replace(self, scores=scores, notes=(*self.notes, *notes))

    def scored(self, scores: Any, *notes: Diagnostic) -> LabelledScores:
        """Return the same units with other scores; the old name of `with_scores`."""
        _warn_renamed("scored", "with_scores")
        return self.with_scores(scores, *notes)

    def known(self) -> LabelledScores:
        """Return the units with a known score and the traces that have any, renumbered."""
        mask = ~np.isnan(self.scores)
        kept = self if mask.all() else self.subset(mask)
        present = np.bincount(kept.groups, minlength=self.n_traces) > 0
        if present.all():
            return kept
        number = np.cumsum(present) - 1
        return replace(
            kept,
            groups=number[kept.groups],
            traces=tuple(name for name, there in zip(self.traces, present, strict=True) if there),
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class HeadScores(LabelledUnits):
    """The scores of labelled units in every head.

    Attributes
    ----------
    scores : ndarray of float32, shape (layers, heads, units)
        NaN if unknown.

    Raises
    ------
    ShapeError
        As `LabelledUnits`, or the scores have another shape.
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
                raise InputError(
                    f"Choose one {what}: head scores hold no means. judge(traces, table) takes "
                    "the scores of a mean."
                )
        kept = {one.name: getattr(self, one.name) for one in fields(LabelledUnits)}
        return LabelledScores(scores=self.scores[layer, head], **kept)


def number_array(name: str, values: Any, dtype: Any = np.float64) -> NDArray[Any]:
    """Convert to a numeric array; raise InputError if the values are not numeric."""
    try:
        return np.asarray(values, dtype=dtype)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"`{name}` must be numbers, one for each unit.") from None


def _warn_renamed(old: str, new: str) -> None:
    warnings.warn(
        f"LabelledScores.{old} is now LabelledScores.{new}; the old name will be removed in the "
        "next release.",
        DeprecationWarning,
        stacklevel=3,
    )
