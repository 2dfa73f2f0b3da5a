"""A sparse linear model of what leaving hyperedges out does to an answer's probability."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer._extras import require_extra
from explorer.errors import InputError, ShapeError
from explorer.validation._statistics.causal_measures import spearman

ALPHA = 0.01
"""Strength of the penalty in Cohen-Wang et al. 2024."""

_FOLDS = 5
# Fewer masks than this are not split into folds.
_FEWEST = 2 * _FOLDS
# The largest log-probability below that of certainty: float32 knows none between.
_ALMOST_SURE = -(2.0**-24)


@dataclass(frozen=True)
class Surrogate:
    """Weights of hyperedges, of which many are 0.

    Attributes
    ----------
    weights
        float64 (hyperedges,): what keeping a hyperedge adds to the logit of the answer's
        probability, whatever else is kept.
    intercept
        The logit where none is kept.
    alpha
        Strength of the penalty.
    held_out
        Spearman's correlation of measured logits with those predicted for masks that took no part
        in the fit (5 folds); NaN for fewer than 10 masks.
    """

    weights: NDArray[np.float64]
    intercept: float
    alpha: float
    held_out: float


def logit(logprobs: Any) -> NDArray[np.float64]:
    """Return log(p / (1 - p)) for log p; certainty counts as the largest p below 1 in float32.

    The logit, unlike the log-probability, has no upper end at which effects vanish.
    """
    below = np.minimum(np.asarray(logprobs, dtype=np.float64), _ALMOST_SURE)
    return below - np.log(-np.expm1(below))


def fit_surrogate(
    masks: Any, logprobs: Any, answer_tokens: int, *, alpha: float | None = ALPHA
) -> Surrogate:
    """Fit a linear model from masks to the logit of the answer's probability, with few weights.

    Masks are standardised, logits are divided by the number of the answer's tokens, and the Lasso
    is fitted; then both are undone. (ContextCite: Cohen-Wang et al. 2024, section 3.)

    Parameters
    ----------
    masks
        bool (masks, hyperedges): True where a hyperedge was kept.
    logprobs
        float (masks,): the answer's log-probability then.
    answer_tokens
        How many tokens the answer has.
    alpha
        Strength of the penalty, on the scale of logits per token; None to choose it by 5-fold
        cross-validation.

    Raises
    ------
    ShapeError
        The masks and the log-probabilities differ in number.
    InputError
        There are no masks, too few to choose `alpha`, or something is no number.
    """
    kept = np.asarray(masks, dtype=np.float64)
    measured = np.asarray(logprobs, dtype=np.float64)
    if kept.ndim != 2 or measured.shape != kept.shape[:1]:
        raise ShapeError(
            f"Masks of shape {kept.shape} and {measured.shape} log-probabilities do not fit: there "
            "must be one log-probability for each row of the masks."
        )
    if not len(kept) or not np.isfinite(measured).all():
        raise InputError("A surrogate needs masks whose log-probabilities are all known.")
    if alpha is None and len(kept) < _FEWEST:
        raise InputError(
            f"alpha=None chooses the penalty by cross-validation, which takes at least {_FEWEST} "
            f"masks; there are {len(kept)}. Take more masks, or give alpha."
        )
    target = logit(measured) / answer_tokens
    weights, intercept, used = _fitted(kept, target, alpha)
    return Surrogate(
        weights * answer_tokens, intercept * answer_tokens, used, _held_out(kept, target, used)
    )


def _fitted(
    kept: NDArray[np.float64], target: NDArray[np.float64], alpha: float | None
) -> tuple[NDArray[np.float64], float, float]:
    """Return weights and intercept on the masks as they are, and the penalty."""
    require_extra("validation", "A surrogate")
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import Lasso, LassoCV
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(kept)
    lasso = (
        LassoCV(cv=_FOLDS, max_iter=10_000)
        if alpha is None
        else Lasso(alpha=alpha, max_iter=10_000)
    )
    with warnings.catch_warnings():
        # A column that is always kept, or a target that is always the same, has weight 0 anyway.
        warnings.simplefilter("ignore", ConvergenceWarning)
        lasso.fit(scaler.transform(kept), target)
    weights = np.asarray(lasso.coef_, dtype=np.float64) / scaler.scale_
    intercept = float(lasso.intercept_ - weights @ scaler.mean_)
    return weights, intercept, float(lasso.alpha_ if alpha is None else alpha)


def _held_out(kept: NDArray[np.float64], target: NDArray[np.float64], alpha: float) -> float:
    if len(kept) < _FEWEST:
        return float("nan")
    predicted = np.empty(len(kept))
    # The masks are in random order, or count down: every fifth is in one fold.
    folds = np.arange(len(kept)) % _FOLDS
    for fold in range(_FOLDS):
        weights, intercept, _ = _fitted(kept[folds != fold], target[folds != fold], alpha)
        predicted[folds == fold] = kept[folds == fold] @ weights + intercept
    return spearman(predicted, target)
