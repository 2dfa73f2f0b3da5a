"""How traces are split to choose and to test, as one object, and the splits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer._extras import require_extra
from explorer.errors import InputError, ValidationError
from explorer.validation._data.labelled_scores import LabelledScores
from explorer.validation._data.truth import TRUTH_WORDS
from explorer.validation._statistics.number_checks import check_count

MIN_TRACES = 20
MIN_POSITIVES = 10
"""Fewer labels than these are too few to choose a threshold."""

_ATTEMPTS = 100
"""Splits that are tried before none is found that leaves both classes."""


class MissingLabels(NamedTuple):
    """How many labels are missing to choose a threshold: traces, and units of each class."""

    traces: int
    used: int
    not_used: int


@dataclass(frozen=True, kw_only=True)
class CrossValidation:
    """How traces are split into folds, and how many labels are needed.

    Parameters
    ----------
    folds : int
        Number of folds, at least 2. All units of a trace are in one fold.
    repeats : int or None
        How often the traces are split anew. None for the default of the function: 10 to choose a
        threshold, 2 to calibrate.
    min_traces, min_positives : int
        The smallest numbers of labelled traces, and of units of each class.

    Raises
    ------
    InputError
        A value is not a whole number, or it is too small.

    Examples
    --------
    >>> CrossValidation(repeats=3)
    CrossValidation(folds=5, repeats=3, min_traces=20, min_positives=10)
    """

    folds: int = 5
    repeats: int | None = None
    min_traces: int = MIN_TRACES
    min_positives: int = MIN_POSITIVES

    def __post_init__(self) -> None:
        for name, least in (("folds", 2), ("repeats", 1), ("min_traces", 0), ("min_positives", 0)):
            value = getattr(self, name)
            if name != "repeats" or value is not None:
                object.__setattr__(self, name, check_count(name, value, least))

    @classmethod
    def of(cls, cross_validation: CrossValidation | None) -> CrossValidation:
        """Return the cross-validation, the default one for None.

        Raises
        ------
        InputError
            The value is neither None nor a `CrossValidation`.
        """
        if cross_validation is None:
            return cls()
        if not isinstance(cross_validation, cls):
            raise InputError(
                "`cross_validation` must be a CrossValidation, but it is a "
                f"{type(cross_validation).__name__}. CrossValidation(folds=5) makes one."
            )
        return cross_validation

    def missing(self, known: LabelledScores) -> MissingLabels:
        """Return how many labels are missing."""
        used, least = known.positives, max(self.min_traces, self.folds)
        return MissingLabels(
            max(0, least - known.n_traces),
            max(0, self.min_positives - used),
            max(0, self.min_positives - (len(known) - used)),
        )

    def check_enough(self, known: LabelledScores) -> None:
        """Raise ValidationError if there are too few labels; the message says how many."""
        words = TRUTH_WORDS[known.truth]
        least_traces = max(self.min_traces, self.folds)
        missing = []
        if known.n_traces < least_traces:
            missing.append(
                f"{least_traces} {words.labelled} traces, and there are {known.n_traces}"
            )
        for what, count in (("used", known.positives), ("not used", len(known) - known.positives)):
            if count < self.min_positives:
                labelled = words.labelled_as.format(what)
                missing.append(f"{self.min_positives} units {labelled}, and there are {count}")
        if missing:
            raise ValidationError(
                f"There are too few {words.known} to choose by: at least "
                f"{'; and '.join(missing)}. {words.more} more traces."
            )
        for what, mask in (("used", known.labels), ("not used", ~known.labels)):
            traces = len(np.unique(known.groups[mask]))
            if traces < self.folds:
                raise ValidationError(
                    f"The units {words.labelled_as.format(what)} come from too few traces for "
                    f"{self.folds} folds: {traces}. {words.more} more traces that have such units."
                )


def trace_folds(
    known: LabelledScores, folds: int, seed: int, *, least: int = 0
) -> list[NDArray[np.bool_]]:
    """Split the units into folds by trace; return a mask (units,) for each fold.

    Parameters
    ----------
    known
        The units.
    folds, seed
        Number of folds, and the seed of the split.
    least
        Number of traces from which the remaining units of each class must come when a fold is held
        out. Chance may put all of them into one fold; the traces are then split anew.

    Raises
    ------
    ValidationError
        No such split was found.
    """
    check_count("seed", seed, 0)
    for attempt in range(_ATTEMPTS):
        masks = _group_folds(known, folds, seed + attempt * _ATTEMPTS)
        if not least or all(
            len(np.unique(known.groups[~held & (known.labels == used)])) >= least
            for held in masks
            for used in (True, False)
        ):
            return masks
    words = TRUTH_WORDS[known.truth]
    raise ValidationError(
        f"Too few of the {words.labelled} traces have units {words.labelled_as.format('used')} and "
        f"units {words.labelled_as.format('not used')} to choose without some of them. "
        f"{words.more} more traces."
    )


def _group_folds(known: LabelledScores, folds: int, seed: int) -> list[NDArray[np.bool_]]:
    require_extra("validation", "Cross-validation")
    from sklearn.model_selection import GroupKFold

    splitter = GroupKFold(folds, shuffle=True, random_state=seed % 2**32)
    masks = []
    for _, held in splitter.split(known.scores, groups=known.groups):
        mask = np.zeros(len(known), dtype=bool)
        mask[held] = True
        masks.append(mask)
    return masks
