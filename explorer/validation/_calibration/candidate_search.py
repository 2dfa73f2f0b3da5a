"""Search for the best candidate and its threshold on some of the units."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer.validation._calibration.head_candidates import (
    REGULARISATION,
    Candidate,
    CandidateFeatures,
    Family,
    FittedCandidate,
    fit,
)
from explorer.validation._calibration.outer_folds import Fold
from explorer.validation._data.labelled_scores import LabelledScores
from explorer.validation._metrics.confusion import reaches
from explorer.validation._metrics.objective import Objective
from explorer.validation._thresholds.cross_validation import trace_folds
from explorer.validation._thresholds.threshold_selection import nearest_threshold

_INNER_FOLDS = 5


class BestCandidates(NamedTuple):
    """The best candidate of each family: its quality, the fitted candidate and its threshold."""

    families: dict[Family, tuple[float, FittedCandidate, float]]

    @property
    def best(self) -> tuple[FittedCandidate, float]:
        """The best of all and its threshold; a tie goes to a single head, not to a head set."""
        _, fitted, threshold = max(self.families.values(), key=lambda one: one[0])
        return fitted, threshold


class CandidateSearch:
    """Chooses a candidate and a threshold.

    Parameters
    ----------
    judged
        The labelled units.
    features
        The attention of every head to these units.
    objective
        What the threshold is chosen for.
    check
        Called before every fit; may raise `Cancelled`.

    Attributes
    ----------
    report
        Called with the fraction of candidates that were tried.
    """

    def __init__(
        self,
        judged: LabelledScores,
        features: CandidateFeatures,
        objective: Objective,
        check: Callable[[], None],
    ) -> None:
        self.judged = judged
        self.features = features
        self.objective = objective
        self.check = check
        self.report: Callable[[float], None] = lambda _: None

    def fold(self, repeat: int, number: int, held: NDArray[np.bool_], seed: int) -> Fold:
        """Choose on the other traces, and score the held-out ones."""
        chosen = self.choose(~held, seed)
        fitted, threshold = chosen.best
        places = np.flatnonzero(held)
        by_family = {
            family: one.held_out(self.features, places)
            for family, (_, one, _) in chosen.families.items()
        }
        return Fold(
            repeat,
            number,
            fitted.candidate,
            fitted.head_name(self.features),
            threshold,
            fitted.held_out(self.features, places),
            reaches(fitted.scores(self.features, places), threshold),
            places,
            by_family,
        )

    def choose(self, train: NDArray[np.bool_], seed: int) -> BestCandidates:
        """Return the best candidate of each family, fitted to these units, with its threshold.

        Head sets are compared at one strength of the penalty; the best is then tried at the other
        strengths.
        """
        part = self.judged.subset(train)
        traces = len(np.unique(part.groups))
        cuts = trace_folds(part, min(_INNER_FOLDS, traces), seed, least=1)
        first, *others = REGULARISATION
        singles, weighted = self.features.single_heads, self.features.head_sets(first)
        steps = len(singles) + len(weighted) + len(others) * bool(weighted)
        done = count()

        def tried(candidate: Candidate) -> tuple[float, Candidate, NDArray[np.float64]]:
            self.report(next(done) / steps)
            return self._cross_validated(candidate, train, part, cuts)

        single_results = [tried(one) for one in singles]
        set_results = [tried(one) for one in weighted]
        if set_results:
            source = max(set_results, key=lambda one: one[0])[1].source
            set_results += [tried(Candidate(source, strength)) for strength in others]
        families: dict[Family, tuple[float, FittedCandidate, float]] = {}
        for results in (single_results, set_results):
            if results:
                quality, candidate, scores = max(results, key=lambda one: one[0])
                threshold = nearest_threshold(scores, part.labels, self.objective).threshold
                fitted = fit(candidate, self.features, self.judged.labels, train)
                families[candidate.family] = quality, fitted, threshold
        return BestCandidates(families)

    def _cross_validated(
        self,
        candidate: Candidate,
        train: NDArray[np.bool_],
        part: LabelledScores,
        cuts: list[NDArray[np.bool_]],
    ) -> tuple[float, Candidate, NDArray[np.float64]]:
        """Return the average precision of a candidate in the inner folds, and its scores there."""
        from sklearn.metrics import average_precision_score

        places = np.flatnonzero(train)
        scores = np.zeros(len(places))
        for held in cuts:
            self.check()
            inner = np.zeros(len(self.judged), dtype=bool)
            inner[places[~held]] = True
            fitted = fit(candidate, self.features, self.judged.labels, inner)
            scores[held] = fitted.scores(self.features, places[held])
        return float(average_precision_score(part.labels, scores)), candidate, scores
