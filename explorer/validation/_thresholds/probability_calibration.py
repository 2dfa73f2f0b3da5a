"""Probabilities from scores, and how well they match the labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from explorer._deprecation import old_parameters
from explorer._extras import require_extra
from explorer.errors import InputError, ValidationError
from explorer.feedback import Diagnostic
from explorer.validation._data.labelled_scores import LabelledScores, number_array
from explorer.validation._data.score_checks import measurable, table_notes
from explorer.validation._data.truth import TruthKind
from explorer.validation._statistics.bootstrap import (
    Floats,
    bins_by_trace,
    drawn_traces,
    percentiles,
)
from explorer.validation._statistics.number_checks import check_count
from explorer.validation._statistics.resampling import Resampling
from explorer.validation._thresholds.cross_validation import CrossValidation, trace_folds

if TYPE_CHECKING:
    import pandas as pd

CalibrationMethod = Literal["platt", "isotonic"]


@dataclass(frozen=True, eq=False)
class Calibrator:
    """Converts scores to probabilities that the unit is used.

    Attributes
    ----------
    method : {"platt", "isotonic"}
    held_out : ndarray of float64, shape (units,)
        The probability of each unit by a calibrator that was fitted without its trace.
    judged : LabelledScores
        The units with a known score on which it was fitted.
    notes : tuple of Diagnostic
    """

    method: CalibrationMethod
    held_out: Floats
    judged: LabelledScores
    notes: tuple[Diagnostic, ...]
    _fitted: Any

    def predict(self, scores: Any) -> Floats:
        """Return probabilities in [0, 1], by the calibrator fitted on all units; NaN stays NaN.

        Raises
        ------
        InputError
            A score is not numeric, or infinite.
        """
        array = number_array("scores", scores)
        if np.isinf(array).any():
            raise InputError("A score is infinite. Unknown scores must be NaN.")
        return _predicted(self._fitted, array)


@dataclass(frozen=True, eq=False)
class Reliability:
    """How well predicted probabilities match the observed share of used units.

    Attributes
    ----------
    table : pandas.DataFrame
        One row for each bin with units: bounds ``low`` and ``high``, ``predicted`` (mean
        probability), ``observed`` (share of used units) with a 95 % bootstrap interval over traces
        in ``observed_low`` and ``observed_high``, ``units`` (int64). ``attrs["truth"]``.
    expected_calibration_error : float
        Mean over the units of |predicted - observed| of their bin (Naeini et al. 2015).
    brier : float
        Mean squared difference of probability and label (Brier 1950).
    truth : str
    """

    table: pd.DataFrame
    expected_calibration_error: float
    brier: float
    truth: TruthKind


@old_parameters(cross_validation=(CrossValidation, ("folds", "min_traces", "min_positives")))
def fit_calibrator(
    judged: LabelledScores,
    method: CalibrationMethod = "platt",
    *,
    cross_validation: CrossValidation | None = None,
    seed: int = 0,
) -> Calibrator:
    """Fit a calibrator on all traces, and one for each fold without the traces of that fold.

    Parameters
    ----------
    judged
        Scores and labels; units without a score are left out.
    method
        ``"platt"``: a logistic curve with the targets of Platt 1999, by scikit-learn's
        `LogisticRegression`. ``"isotonic"``: a non-decreasing step function, by
        `IsotonicRegression`; it needs more labels.
    cross_validation
        Folds, and the smallest number of labels; there are no repeats.
    seed
        Seed of the split into folds.

    Raises
    ------
    ValidationError
        There are too few labels.
    InputError
        There is no such method, or an argument is not valid.
    """
    if method not in ("platt", "isotonic"):
        raise InputError(f"There is no calibrator {method!r}. Choose 'platt' or 'isotonic'.")
    seed = check_count("seed", seed, 0)
    splitting = CrossValidation.of(cross_validation)
    known = measurable(judged)
    splitting.check_enough(known)
    held_out = np.empty(len(known))
    for held in trace_folds(known, splitting.folds, seed):
        fitted = _fitted(method, known.scores[~held], known.labels[~held])
        held_out[held] = _predicted(fitted, known.scores[held])
    fitted = _fitted(method, known.scores, known.labels)
    return Calibrator(method, held_out, known, table_notes(known, judged), fitted)


@old_parameters(resampling=(Resampling, ("samples", "seed")))
def reliability(
    calibrator: Calibrator,
    bins: int = 10,
    *,
    strategy: Literal["quantiles", "equal"] = "quantiles",
    resampling: Resampling | None = None,
) -> Reliability:
    """Compare predicted probabilities with labels, on traces that each calibrator had not seen.

    Parameters
    ----------
    calibrator
        From `fit_calibrator`.
    bins, strategy
        Number of bins, with as many units each, or of equal width.
    resampling
        How bootstrap samples of traces are drawn.

    Raises
    ------
    ValidationError
        The value is not a calibrator: a raw score is not a probability.
    InputError
        An argument is not valid.
    """
    import pandas as pd

    if not isinstance(calibrator, Calibrator):
        raise ValidationError(
            "A raw attention score is no probability: 0.3 does not say that 3 of 10 are used, so "
            "it can be neither reliable nor unreliable. Make probabilities of the scores with "
            "fit_calibrator(judged), and give the calibrator."
        )
    bins = check_count("bins", bins, 1)
    if strategy not in ("quantiles", "equal"):
        raise InputError(f"`strategy` is quantiles or equal, not {strategy!r}.")
    drawing = Resampling.of(resampling)
    known, predicted = calibrator.judged, calibrator.held_out
    shares = np.linspace(0, 1, bins + 1)
    edges = np.unique(np.quantile(predicted, shares)) if strategy == "quantiles" else shares
    if len(edges) < 2:
        edges = np.array([edges[0], edges[0]])
    bin_of = np.searchsorted(edges[1:-1], predicted, side="right")
    n_bins = len(edges) - 1
    units = np.bincount(bin_of, minlength=n_bins)
    used = np.bincount(bin_of, known.labels, minlength=n_bins)
    total = np.bincount(bin_of, predicted, minlength=n_bins)
    filled = units > 0
    both = bins_by_trace(bin_of + known.labels * n_bins, known.groups, 2 * n_bins, known.n_traces)
    drawn = []
    for draws in drawn_traces(known.n_traces, drawing):
        negative, positive = (both @ draws).reshape(2, n_bins, -1).astype(np.float64)
        share = np.full(positive.shape, np.nan)
        np.divide(positive, negative + positive, out=share, where=negative + positive > 0)
        drawn.append(share)
    low, high = percentiles(np.concatenate(drawn, axis=1) if drawn else np.empty((n_bins, 0)))
    table = pd.DataFrame(
        {
            "low": edges[:-1][filled],
            "high": edges[1:][filled],
            "predicted": total[filled] / units[filled],
            "observed": used[filled] / units[filled],
            "observed_low": low[filled],
            "observed_high": high[filled],
            "units": units[filled].astype(np.int64),
        }
    )
    table.attrs["truth"] = known.truth
    gaps = (table["predicted"] - table["observed"]).abs().to_numpy()
    return Reliability(
        table,
        float(gaps @ units[filled] / len(known)),
        float(((predicted - known.labels) ** 2).mean()),
        known.truth,
    )


class _Platt:
    """A logistic curve over standardised scores."""

    def __init__(self, scores: Floats, labels: Any) -> None:
        require_extra("validation", "A calibrator")
        from sklearn.linear_model import LogisticRegression

        self._mean = float(scores.mean())
        self._scale = float(scores.std()) or 1.0
        used, others = int(labels.sum()), int((~labels).sum())
        # Each unit appears in both classes, weighted by Platt's target and by its complement.
        target = np.where(labels, (used + 1) / (used + 2), 1 / (others + 2))
        inputs = ((scores - self._mean) / self._scale)[:, None]
        # C is finite: for separable classes an unpenalised fit would leave the range of floats.
        self._model = LogisticRegression(C=1e6, max_iter=1000)
        self._model.fit(
            np.concatenate([inputs, inputs]),
            np.repeat([1, 0], len(scores)),
            sample_weight=np.concatenate([target, 1 - target]),
        )

    def predict(self, scores: Floats) -> Floats:
        inputs = ((scores - self._mean) / self._scale)[:, None]
        predicted: Floats = self._model.predict_proba(inputs)[:, 1]
        return predicted


class _Isotonic:
    """A non-decreasing step function of the score."""

    def __init__(self, scores: Floats, labels: Any) -> None:
        require_extra("validation", "A calibrator")
        from sklearn.isotonic import IsotonicRegression

        self._model = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
        self._model.fit(scores, labels.astype(np.float64))

    def predict(self, scores: Floats) -> Floats:
        predicted: Floats = self._model.predict(scores)
        return predicted


def _fitted(method: CalibrationMethod, scores: Floats, labels: Any) -> _Platt | _Isotonic:
    return (_Platt if method == "platt" else _Isotonic)(scores, labels)


def _predicted(fitted: _Platt | _Isotonic, scores: Floats) -> Floats:
    flat = scores.reshape(-1)
    predicted = np.full(len(flat), np.nan)
    known = ~np.isnan(flat)
    if known.any():
        predicted[known] = fitted.predict(flat[known])
    return predicted.reshape(scores.shape)
