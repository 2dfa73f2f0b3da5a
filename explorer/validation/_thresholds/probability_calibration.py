"""From scores to probabilities, and how far those can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from explorer._extras import require_extra
from explorer.errors import InputError, ValidationError
from explorer.feedback import Diagnostic
from explorer.validation._data.labelled_scores import (
    LabelledScores,
    Truth,
    measurable,
    number_array,
    table_notes,
)
from explorer.validation._statistics.bootstrap import (
    SAMPLES,
    Floats,
    bins_by_trace,
    check_count,
    check_samples,
    check_seed,
    drawn_traces,
    percentiles,
)
from explorer.validation._thresholds.threshold_selection import (
    MIN_POSITIVES,
    MIN_TRACES,
    check_enough,
    trace_folds,
)

if TYPE_CHECKING:
    import pandas as pd

CalibrationMethod = Literal["platt", "isotonic"]


@dataclass(frozen=True, eq=False)
class Calibrator:
    """Turns scores into probabilities that the unit is used.

    Attributes
    ----------
    method : {"platt", "isotonic"}
    held_out : ndarray of float64, shape (units,)
        The probability of each judged unit by a calibrator that was fitted without its trace.
    judged : Judged
        The units with a known score that it was fitted on.
    notes : tuple of Diagnostic
    """

    method: CalibrationMethod
    held_out: Floats
    judged: LabelledScores
    notes: tuple[Diagnostic, ...]
    _fitted: Any

    def predict(self, scores: Any) -> Floats:
        """Probabilities in [0, 1] for scores, by the calibrator fitted on all; NaN stays NaN.

        Raises
        ------
        InputError
            A score is no number, or infinite.
        """
        array = number_array("scores", scores)
        if np.isinf(array).any():
            raise InputError("A score is infinite. Where nothing is known it is NaN.")
        return _predicted(self._fitted, array)


@dataclass(frozen=True, eq=False)
class Reliability:
    """Whether what is said to be likely happens as often as that.

    Attributes
    ----------
    table : pandas.DataFrame
        One row for each bin with units: ``low`` and ``high`` bound, ``predicted`` (mean
        probability), ``observed`` (share of used units) with ``observed_low`` and
        ``observed_high`` drawn by trace, ``units`` (int64). ``attrs["truth"]``.
    expected_calibration_error : float
        Mean over the units of |predicted - observed| of their bin (Naeini et al. 2015).
    brier : float
        Mean squared difference of probability and label (Brier 1950).
    truth : str
    """

    table: pd.DataFrame
    expected_calibration_error: float
    brier: float
    truth: Truth


def fit_calibrator(
    judged: LabelledScores,
    method: CalibrationMethod = "platt",
    *,
    folds: int = 5,
    seed: int = 0,
    min_traces: int = MIN_TRACES,
    min_positives: int = MIN_POSITIVES,
) -> Calibrator:
    """Fit a calibrator, and one for each fold of the traces without that fold.

    Parameters
    ----------
    judged
        Scores and labels; units without a score are left out.
    method
        ``"platt"``: a logistic curve, its targets drawn in as Platt 1999 does, by scikit-learn's
        `LogisticRegression`. ``"isotonic"``: steps that never go down, by `IsotonicRegression`;
        it needs more labels.
    folds, seed, min_traces, min_positives
        As in `cross_validated_threshold`.

    Raises
    ------
    ValidationError
        The labels are too few.
    InputError
        There is no such method.
    """
    if method not in ("platt", "isotonic"):
        raise InputError(f"There is no calibrator {method!r}. Choose 'platt' or 'isotonic'.")
    seed = check_seed(seed)
    known = measurable(judged)
    check_enough(known, folds=folds, min_traces=min_traces, min_positives=min_positives)
    held_out = np.empty(len(known))
    for held in trace_folds(known, folds, seed):
        fitted = _fitted(method, known.scores[~held], known.labels[~held])
        held_out[held] = _predicted(fitted, known.scores[held])
    fitted = _fitted(method, known.scores, known.labels)
    return Calibrator(method, held_out, known, table_notes(known, judged), fitted)


def reliability(
    calibrator: Calibrator,
    bins: int = 10,
    *,
    strategy: Literal["quantiles", "equal"] = "quantiles",
    samples: int = SAMPLES,
    seed: int = 0,
) -> Reliability:
    """Hold probabilities against what is so, on traces that the calibrator had not seen.

    Parameters
    ----------
    calibrator
        From `fit_calibrator`.
    bins, strategy
        How many bins, with as many units each, or equally wide.
    samples, seed
        Bootstrap samples of traces, and where they start.

    Raises
    ------
    ValidationError
        It is no calibrator: a raw score is no probability, so there is nothing to hold it against.
    InputError
        There are no bins.
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
    samples = check_samples(samples)
    known, predicted = calibrator.judged, calibrator.held_out
    shares = np.linspace(0, 1, bins + 1)
    edges = np.unique(np.quantile(predicted, shares)) if strategy == "quantiles" else shares
    if len(edges) < 2:
        edges = np.array([edges[0], edges[0]])
    inner = edges[1:-1]
    of = np.searchsorted(inner, predicted, side="right")
    n_bins = len(edges) - 1
    units = np.bincount(of, minlength=n_bins)
    used = np.bincount(of, known.labels, minlength=n_bins)
    total = np.bincount(of, predicted, minlength=n_bins)
    filled = units > 0
    both = bins_by_trace(of + known.labels * n_bins, known.groups, 2 * n_bins, known.n_traces)
    drawn = []
    for draws in drawn_traces(known.n_traces, samples, seed):
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

        self._middle = float(scores.mean())
        self._width = float(scores.std()) or 1.0
        used, others = int(labels.sum()), int((~labels).sum())
        # Each unit stands for both classes, with the weight of Platt's target and of the rest.
        target = np.where(labels, (used + 1) / (used + 2), 1 / (others + 2))
        inputs = ((scores - self._middle) / self._width)[:, None]
        # C is finite: scores that separate the classes have no unpenalised fit within float range.
        self._model = LogisticRegression(C=1e6, max_iter=1000)
        self._model.fit(
            np.concatenate([inputs, inputs]),
            np.repeat([1, 0], len(scores)),
            sample_weight=np.concatenate([target, 1 - target]),
        )

    def predict(self, scores: Floats) -> Floats:
        found: Floats = self._model.predict_proba(((scores - self._middle) / self._width)[:, None])[
            :, 1
        ]
        return found


class _Isotonic:
    def __init__(self, scores: Floats, labels: Any) -> None:
        require_extra("validation", "A calibrator")
        from sklearn.isotonic import IsotonicRegression

        self._model = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
        self._model.fit(scores, labels.astype(np.float64))

    def predict(self, scores: Floats) -> Floats:
        found: Floats = self._model.predict(scores)
        return found


def _fitted(method: CalibrationMethod, scores: Floats, labels: Any) -> _Platt | _Isotonic:
    return (_Platt if method == "platt" else _Isotonic)(scores, labels)


def _predicted(fitted: _Platt | _Isotonic, scores: Floats) -> Floats:
    flat = scores.reshape(-1)
    found = np.full(len(flat), np.nan)
    known = ~np.isnan(flat)
    if known.any():
        found[known] = fitted.predict(flat[known])
    return found.reshape(scores.shape)
