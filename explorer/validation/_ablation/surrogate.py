"""A sparse linear model of an answer's probability without some hyperedges."""

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
# The smallest number of masks that is split into folds.
_FEWEST = 2 * _FOLDS
# The largest log-probability below 0 that float32 distinguishes.
_ALMOST_SURE = -(2.0**-24)


@dataclass(frozen=True)
class Surrogate:
    """A linear model with sparse weights of hyperedges.

    Attributes
    ----------
    weights
        float64 (hyperedges,): how much keeping a hyperedge adds to the logit of the answer's
        probability.
    intercept
        The logit without any hyperedge.
    alpha
        Strength of the penalty.
    held_out
        Spearman's correlation of measured logits with those predicted for held-out masks
        (5 folds); NaN for fewer than 10 masks.
    """

    weights: NDArray[np.float64]
    intercept: float
    alpha: float
    held_out: float


def logit(logprobs: Any) -> NDArray[np.float64]:
    """Return log(p / (1 - p)) for log p; p = 1 counts as the largest float32 below 1.

    Unlike the log-probability, the logit has no upper bound near which effects vanish.
    """
    below = np.minimum(np.asarray(logprobs, dtype=np.float64), _ALMOST_SURE)
    return below - np.log(-np.expm1(below))


def fit_surrogate(
    masks: Any, logprobs: Any, answer_tokens: int, *, alpha: float | None = ALPHA
) -> Surrogate:
    """Fit a sparse linear model from masks to the logit of the answer's probability.

    The Lasso is fitted on standardised masks, with logits divided by the number of tokens of the
    answer; the weights are then rescaled. (ContextCite: Cohen-Wang et al. 2024, section 3.)

    Parameters
    ----------
    masks
        bool (masks, hyperedges): True where a hyperedge was kept.
    logprobs
        float (masks,): the answer's log-probability for each mask.
    answer_tokens
        Number of tokens of the answer.
    alpha
        Strength of the penalty, on the scale of logits per token; None to choose it by 5-fold
        cross-validation.

    Raises
    ------
    ShapeError
        The masks and the log-probabilities differ in number.
    InputError
        There are no masks, too few to choose `alpha`, or a value is not a number.
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
            f"alpha=None chooses the penalty by cross-validation, which needs at least {_FEWEST} "
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
        # Constant columns and constant targets get weight 0, despite the warning.
        warnings.simplefilter("ignore", ConvergenceWarning)
        lasso.fit(scaler.transform(kept), target)
    weights = np.asarray(lasso.coef_, dtype=np.float64) / scaler.scale_
    intercept = float(lasso.intercept_ - weights @ scaler.mean_)
    return weights, intercept, float(lasso.alpha_ if alpha is None else alpha)


def _held_out(kept: NDArray[np.float64], target: NDArray[np.float64], alpha: float) -> float:
    if len(kept) < _FEWEST:
        return float("nan")
    predicted = np.empty(len(kept))
    # Masks are in random order or enumerate all subsets, so every fifth makes a fair fold.
    folds = np.arange(len(kept)) % _FOLDS
    for fold in range(_FOLDS):
        weights, intercept, _ = _fitted(kept[folds != fold], target[folds != fold], alpha)
        predicted[folds == fold] = kept[folds == fold] @ weights + intercept
    return spearman(predicted, target)
