"""The feedback table: scores, feedback, verdicts and reasons of every unit. Both tabs call this."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer.errors import InputError
from explorer.feedback._normalisations import Normalisation
from explorer.feedback._policy import FeedbackPolicy
from explorer.feedback._reductions import Attention, Reduction
from explorer.feedback._score_settings import ScoreSettings, score_settings
from explorer.feedback._scores import reachable_scores, unit_scores
from explorer.feedback._units import Diagnostic, Unit, overlapping_pair

if TYPE_CHECKING:
    import pandas as pd

# Float32 and bfloat16 rows may sum to a little over 1; that is no news to anybody.
_ROUNDING = 4e-3


def feedback_table(
    attention: Attention,
    units: Sequence[Unit],
    policy: FeedbackPolicy | None = None,
    *,
    rows: Any = None,
    layer: int | None = None,
    head: int | None = None,
    reduction: Reduction = "mean",
    normalisation: Normalisation = "raw",
    k: int = 3,
    settings: ScoreSettings | None = None,
    diagnostics: Iterable[Diagnostic] = (),
) -> pd.DataFrame:
    """Scores and feedback of every unit, with the reasons.

    Parameters
    ----------
    attention : AttentionMap
    units : sequence of Unit
    policy : FeedbackPolicy, optional
        The defaults of `FeedbackPolicy` when left out.
    rows, layer, head, reduction, normalisation, k, settings
        As in `score_units`.
    diagnostics : iterable of Diagnostic
        Notes about the whole table; they come first among its notes.

    Returns
    -------
    pandas.DataFrame
        One row per unit in the order given, with the columns ``unit`` and ``text`` (str),
        ``tokens`` (int64), ``score`` and ``feedback`` (float64, NaN when unknown), ``verdict``
        (str) and ``diagnostics`` (tuple of Diagnostic). Its ``attrs`` hold ``"reachable"``, the
        largest possible score of each unit (tuple of float), ``"threshold"`` (float) and
        ``"notes"`` (tuple of Diagnostic about the whole table).

    Raises
    ------
    InputError
        As in `score_units`.
    """
    policy = _policy(policy)
    chosen = score_settings(
        settings,
        layer=layer,
        head=head,
        rows=rows,
        reduction=reduction,
        normalisation=normalisation,
        k=k,
    )
    measured = measure(attention, units, policy, chosen)
    return _frame(measured, units, policy, (*diagnostics, *measured.notes))


class Measured(NamedTuple):
    """What `feedback_table` knows of its units before it becomes a table.

    `scores` and `reachable` are float64 (units,), `reasons` the diagnostics of every unit, `notes`
    those about all of them.
    """

    scores: NDArray[np.float64]
    reachable: NDArray[np.float64]
    reasons: list[tuple[Diagnostic, ...]]
    notes: tuple[Diagnostic, ...]


def measure(
    attention: Attention, units: Sequence[Unit], policy: FeedbackPolicy, settings: ScoreSettings
) -> Measured:
    """Return the scores and reasons of every unit, as `feedback_table` shows them.

    For callers that convert many thousand maps and need no table of each; errors as there.
    """
    scores = reached(unit_scores(attention, units, settings), policy)
    reachable = reachable_scores(units, settings.reduction, settings.normalisation, settings.k)
    return Measured(
        scores,
        reachable,
        _reasons(scores, units, reachable, policy),
        tuple(_attention_notes(scores, units, settings.normalisation)),
    )


def scores_table(
    scores: NDArray[np.float64],
    units: Sequence[Unit],
    policy: FeedbackPolicy | None = None,
    *,
    reachable: NDArray[np.float64] | None = None,
    diagnostics: Iterable[Diagnostic] = (),
) -> pd.DataFrame:
    """The feedback table for scores that are already there, one per unit.

    Parameters
    ----------
    scores : ndarray of float64, shape (units,)
    units : sequence of Unit
    policy : FeedbackPolicy, optional
    reachable : ndarray of float64, shape (units,), optional
        The largest possible scores; 1 when left out.
    diagnostics : iterable of Diagnostic
        Notes about the whole table.

    Returns
    -------
    pandas.DataFrame
        As `feedback_table`.
    """
    policy = _policy(policy)
    scores = np.asarray(scores, dtype=np.float64)
    limits = np.ones(len(units)) if reachable is None else reachable
    measured = Measured(scores, limits, _reasons(scores, units, limits, policy), ())
    return _frame(measured, units, policy, diagnostics)


def _frame(
    measured: Measured,
    units: Sequence[Unit],
    policy: FeedbackPolicy,
    diagnostics: Iterable[Diagnostic],
) -> pd.DataFrame:
    import pandas as pd  # takes longer to import than all of the core

    table = pd.DataFrame(
        {
            "unit": text_column([unit.name for unit in units]),
            "text": text_column([unit.text for unit in units]),
            "tokens": np.array([unit.tokens for unit in units], dtype=np.int64),
            "score": measured.scores,
            "feedback": policy.convert(measured.scores),
            "verdict": text_column(policy.verdicts(measured.scores).tolist()),
            "diagnostics": pd.Series(measured.reasons, dtype="object"),
        }
    )
    # Tuples, not arrays: pandas compares attrs when it joins tables, which an array breaks.
    table.attrs["reachable"] = tuple(float(limit) for limit in measured.reachable)
    table.attrs["threshold"] = policy.threshold
    table.attrs["notes"] = (*diagnostics, *_policy_notes(policy))
    return table


def _reasons(
    scores: NDArray[np.float64],
    units: Sequence[Unit],
    reachable: NDArray[np.float64],
    policy: FeedbackPolicy,
) -> list[tuple[Diagnostic, ...]]:
    return [
        (*unit.diagnostics, *_unit_diagnostics(unit, float(score), float(limit), policy))
        for unit, score, limit in zip(units, scores, reachable, strict=True)
    ]


def text_column(values: Sequence[str]) -> pd.Series[str]:
    """A text column held by Python: Arrow's, the default, refuses half of a surrogate pair."""
    import pandas as pd

    return pd.Series(values, dtype=pd.StringDtype("python", na_value=np.nan))


def _policy(policy: object) -> FeedbackPolicy:
    """Return the policy, the default one for None."""
    if policy is None:
        return FeedbackPolicy()
    if not isinstance(policy, FeedbackPolicy):
        raise InputError(
            f"The policy must be a FeedbackPolicy, but it is {str(policy)[:40]!r}. "
            "A threshold alone is FeedbackPolicy(threshold=0.1)."
        )
    return policy


def reached(scores: NDArray[np.float64], policy: FeedbackPolicy) -> NDArray[np.float64]:
    """Let a score that is the threshold in float32, the precision of attention, be the threshold.

    A direct score of 0.7 comes out of an attention map as 0.69999999; it has reached 0.7.
    """
    same = scores.astype(np.float32) == np.float32(policy.threshold)
    return np.where(same, policy.threshold, scores)


def _unit_diagnostics(
    unit: Unit, score: float, reachable: float, policy: FeedbackPolicy
) -> list[Diagnostic]:
    found = []
    if unit.unknown and not unit.filled:
        if unit.diagnostics:  # they say why
            return []
        unknown = "Nothing in the input is known to be this unit: it has no score and no feedback."
        return [Diagnostic("no-score", unknown)]
    if not unit.filled:
        found.append(
            Diagnostic(
                "empty-unit",
                "No token of the input belongs to this unit, so its score is 0.",
            )
        )
    elif reachable < policy.threshold:
        found.append(
            Diagnostic(
                "threshold-out-of-reach",
                f"With {unit.tokens} tokens this unit can score at most {reachable:.3g}, which is "
                f"below the threshold of {policy.threshold:.3g}. Lower the threshold, or score by "
                "mass, share or lift.",
            )
        )
    if np.isnan(score):
        found.append(
            Diagnostic(
                "nan-score",
                "The attention of this unit is not a number, so it has no score and no feedback.",
            )
        )
    elif score < 0.0:
        found.append(
            Diagnostic("score-clipped", f"The score {score:.3g} is negative and was raised to 0.")
        )
    elif score > 1.0 + _ROUNDING:
        found.append(
            Diagnostic("score-clipped", f"The score {score:.4g} is above 1 and was cut to 1.")
        )
    return found


def _attention_notes(
    scores: NDArray[np.float64], units: Sequence[Unit], normalisation: Normalisation
) -> list[Diagnostic]:
    notes = []
    pair = overlapping_pair(units)
    if pair is not None:
        notes.append(
            Diagnostic(
                "units-overlap",
                f"Some units share tokens, first {pair[0].name!r} and {pair[1].name!r}. "
                "What such a token receives counts for each of them.",
            )
        )
    filled = np.array([unit.filled for unit in units], dtype=bool)
    if normalisation != "raw" and filled.any() and bool(np.isnan(scores[filled]).all()):
        notes.append(
            Diagnostic(
                "no-attention",
                f"All units together receive no attention here, so a {normalisation} cannot be "
                "worked out. Choose another head, or raw scores.",
            )
        )
    return notes


def _policy_notes(policy: FeedbackPolicy) -> list[Diagnostic]:
    if policy.positive < 1.0:
        return []
    return [
        Diagnostic(
            "flat-upper-branch",
            "Positive feedback is 1.0, so every score at or above the threshold gives the same "
            "feedback. Lower it to tell strong attention from just enough.",
        )
    ]
