"""Candidates of a calibration: single heads, and weighted head sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer.attention._head_name import head_name
from explorer.feedback import HeadCombination, HeadTerm, Normalisation, Reduction
from explorer.feedback._head_combination import RowGroup
from explorer.validation._metrics.roc_auc import auc_by_row
from explorer.validation._statistics.bootstrap import Floats

REGULARISATION = (3e-3, 3e-4, 1e-3, 1e-2, 3e-2)
"""Inverse strengths C of the L2 penalty of head sets; sets are first compared at the first one."""

TOP_K = 3
"""Number of tokens that the top-k reduction averages."""

Family = Literal["one head", "set of heads"]


class HeldOutScores(NamedTuple):
    """Scores of held-out units, float64 (held-out units,).

    Attributes
    ----------
    scale
        What the candidate's own scores are: equal for the same head and setting, whichever traces
        chose it, so these can be pooled. None if the weights of the candidate are fitted.
    own, probabilities
        The candidate's own scores, and as probabilities, comparable between candidates.
    """

    scale: tuple[str, str] | None
    own: NDArray[np.float64]
    probabilities: NDArray[np.float64]


class PlainScores(NamedTuple):
    """A setting of a `FeedbackExtractor`: scores of the answer's rows."""

    reduction: Reduction
    normalisation: Normalisation

    def __str__(self) -> str:
        return f"{self.reduction}, {self.normalisation}"


class StandardisedAttention(NamedTuple):
    """Standardised attention of some rows, with or without the content-free one subtracted."""

    rows: RowGroup
    content_free: bool
    reduction: Reduction

    def __str__(self) -> str:
        free = ", content-free subtracted" if self.content_free else ""
        return f"{self.rows} rows, {self.reduction}{free}"


@dataclass(frozen=True)
class Candidate:
    """One way to score.

    Attributes
    ----------
    source
        Plain scores, of which the best layer and head is taken; or standardised attention of one or
        more kinds of rows.
    strength
        Inverse strength of the penalty of a weighted head set; None for the best single head.
    """

    source: PlainScores | tuple[StandardisedAttention, ...]
    strength: float | None = None

    @property
    def family(self) -> Family:
        """One head, or a head set."""
        return "one head" if self.strength is None else "set of heads"

    @property
    def name(self) -> str:
        """Name in tables."""
        if isinstance(self.source, PlainScores):
            return f"one head, {self.source}"
        first = self.source[0]
        rows = " and ".join(block.rows for block in self.source)
        free = ", content-free subtracted" if first.content_free else ""
        return f"{self.family}, rows of the {rows}, {first.reduction} standardised{free}"


@dataclass(frozen=True, eq=False)
class CandidateFeatures:
    """The attention of every head to the labelled units.

    Attributes
    ----------
    plain
        Setting -> float32 (units, columns): every head, then (except for top-k) the mean over the
        heads of each layer, then the mean over all.
    standardised
        Kind of attention -> float32 (units, layers x heads).
    plain_shape, shape
        Layers and heads of the plain scores, and of the standardised attention. They differ if a
        trace has given scores in addition to the reading of a model.
    """

    plain: dict[PlainScores, NDArray[np.float32]]
    standardised: dict[StandardisedAttention, NDArray[np.float32]]
    plain_shape: tuple[int, int]
    shape: tuple[int, int]
    _joined: dict[tuple[StandardisedAttention, ...], NDArray[np.float32]] = field(
        default_factory=dict, repr=False
    )

    def of(self, candidate: Candidate) -> NDArray[np.float32]:
        """Return the features of a candidate, float32 (units, columns)."""
        source = candidate.source
        if isinstance(source, PlainScores):
            return self.plain[source]
        if len(source) == 1:
            return self.standardised[source[0]]
        if source not in self._joined:
            self._joined[source] = np.concatenate(
                [self.standardised[block] for block in source], axis=1
            )
        return self._joined[source]

    @property
    def single_heads(self) -> list[Candidate]:
        """The candidates with one head, the simple ones first."""
        return [
            *(Candidate(plain) for plain in self.plain),
            *(Candidate((block,)) for block in self.standardised),
        ]

    def head_sets(self, strength: float) -> list[Candidate]:
        """Return the candidates that weight all heads, with this penalty."""
        found = [Candidate((block,), strength) for block in self.standardised]
        kinds = dict.fromkeys((block.content_free, block.reduction) for block in self.standardised)
        for kind in kinds:
            same = tuple(block for block in self.standardised if block[1:] == kind)
            if len(same) > 1:
                found.append(Candidate(same, strength))
        return found

    def place(self, column: int) -> tuple[int | None, int | None]:
        """Return layer and head of a column of `plain`; None is the mean."""
        layers, heads = self.plain_shape
        if layers * heads == 1:
            return None, None
        if column < layers * heads:
            return divmod(column, heads)
        layer = column - layers * heads
        return (layer, None) if layer < layers else (None, None)

    def sums(self) -> tuple[tuple[str, float], ...]:
        """Return a checksum of each kind of features, to recognise other attention."""
        every = [*self.plain.items(), *self.standardised.items()]
        return tuple((str(name), float(np.abs(values).sum(dtype="f8"))) for name, values in every)

    def mean_over_heads(self) -> Floats | None:
        """Return the mean over layers, heads and tokens, the simplest score; None without one."""
        settings = [one for one in self.plain if one.normalisation == "raw"]
        if not settings or settings[0].reduction == "top-k":
            return None
        means: Floats = self.plain[settings[0]][:, -1].astype(np.float64)
        return means


class FittedCandidate(NamedTuple):
    """A candidate with its weights, over the columns of its features.

    `link` converts a plain score to a probability: slope and intercept of a logistic function.
    """

    candidate: Candidate
    weights: Floats
    intercept: float
    link: tuple[float, float] | None = None

    @property
    def column(self) -> int:
        """The column with the largest weight."""
        return int(np.argmax(np.abs(self.weights)))

    def scores(self, features: CandidateFeatures, places: Any = slice(None)) -> Floats:
        """Return the scores of some units: plain ones, or a logistic function in [0, 1]."""
        columns = features.of(self.candidate)
        if isinstance(self.candidate.source, PlainScores):
            plain: Floats = columns[places, self.column].astype(np.float64)
            return plain
        from scipy.special import expit

        probability: Floats = expit(columns[places] @ self.weights + self.intercept)
        return probability

    def probabilities(self, features: CandidateFeatures, places: Any = slice(None)) -> Floats:
        """Return the scores as probabilities, comparable between candidates and folds."""
        return self.linked(self.scores(features, places))

    def held_out(self, features: CandidateFeatures, places: NDArray[np.intp]) -> HeldOutScores:
        """Return the scores of units that had no part in the fit."""
        own = self.scores(features, places)
        return HeldOutScores(self.scale(features), own, self.linked(own))

    def scale(self, features: CandidateFeatures) -> tuple[str, str] | None:
        """Return what the scores are, for `HeldOutScores`; None if weights are fitted."""
        if not isinstance(self.candidate.source, PlainScores):
            return None
        return self.candidate.name, self.head_name(features)

    def linked(self, scores: Floats) -> Floats:
        """Convert scores, or a threshold, to probabilities."""
        if self.link is None:
            return scores
        slope, intercept = self.link
        from scipy.special import expit

        probability: Floats = expit(slope * scores + intercept)
        return probability

    def head_name(self, features: CandidateFeatures) -> str:
        """Return the head in words, or the number of weights of a head set."""
        if self.candidate.strength is not None:
            return f"{np.count_nonzero(self.weights)} weights"
        layer: int | None
        head: int | None
        if isinstance(self.candidate.source, PlainScores):
            layer, head = features.place(self.column)
        else:
            layer, head = divmod(self.column, features.shape[1])
        if layer is None and features.plain_shape == (1, 1):
            return "the given scores"
        return head_name(layer, head)

    def config(self, features: CandidateFeatures, threshold: float) -> dict[str, Any]:
        """Return the settings of a `FeedbackExtractor` with these scores."""
        source = self.candidate.source
        settings: dict[str, Any]
        if isinstance(source, PlainScores):
            layer, head = features.place(self.column)
            settings = {"layer": layer, "head": head, **source._asdict()}
            if source.reduction == "top-k":
                settings["top_k"] = TOP_K
        else:
            settings = {"heads": self._combination(source, features.shape).to_dict()}
        return {"method": "attention", **settings, "attention_threshold": float(f"{threshold:.6g}")}

    def _combination(
        self, source: Sequence[StandardisedAttention], shape: tuple[int, int]
    ) -> HeadCombination:
        layers, heads = shape
        terms = []
        # If all units are equal in every head, every weight is 0; one term must stay.
        for column in np.flatnonzero(self.weights) if self.weights.any() else [0]:
            block, place = divmod(int(column), layers * heads)
            layer, head = divmod(place, heads)
            weight = float(f"{self.weights[column]:.6g}")
            terms.append(HeadTerm(source[block].rows, layer, head, weight))
        return HeadCombination(
            tuple(terms),
            float(f"{self.intercept:.6g}"),
            source[0].content_free,
            source[0].reduction,
            TOP_K,
        )


def fit(
    candidate: Candidate,
    features: CandidateFeatures,
    labels: NDArray[np.bool_],
    places: NDArray[np.bool_],
) -> FittedCandidate:
    """Fit a candidate to some of the units.

    A single head is the one with the highest ROC-AUC. Standardised attention of a head, and the
    weighted sum of a head set, become logistic functions (scikit-learn's `LogisticRegression`, L2
    penalty); plain scores stay as they are.
    """
    from sklearn.linear_model import LogisticRegression

    columns, truth = features.of(candidate)[places], labels[places]
    if candidate.strength is not None:
        model = LogisticRegression(C=candidate.strength, max_iter=200, tol=1e-3)
        model.fit(columns, truth)
        weights = np.asarray(model.coef_[0], dtype=np.float64)
        return FittedCandidate(candidate, weights, float(model.intercept_[0]))
    best = int(np.argmax(auc_by_row(np.ascontiguousarray(columns.T), truth)))
    weights = np.zeros(columns.shape[1])
    one = columns[:, [best]].astype(np.float64)
    # Plain scores are small, but the penalty suits numbers of about 1.
    plain = isinstance(candidate.source, PlainScores)
    middle, spread = (float(one.mean()), float(one.std()) or 1.0) if plain else (0.0, 1.0)
    model = LogisticRegression(C=1.0, max_iter=200).fit((one - middle) / spread, truth)
    slope = float(model.coef_[0, 0]) / spread
    intercept = float(model.intercept_[0]) - slope * middle
    weights[best] = 1.0 if plain else slope
    if plain:
        return FittedCandidate(candidate, weights, 0.0, (slope, intercept))
    return FittedCandidate(candidate, weights, intercept)
