"""The feedback table: scores, feedback, verdicts and diagnostics of every unit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer.errors import InputError
from explorer.feedback._auto_threshold import auto_threshold
from explorer.feedback._diagnostics import (
    attention_notes,
    out_of_reach,
    policy_notes,
    unit_diagnostics,
)
from explorer.feedback._normalisations import Normalisation
from explorer.feedback._policy import FeedbackPolicy
from explorer.feedback._reductions import Attention, Reduction
from explorer.feedback._score_settings import ScoreSettings, score_settings
from explorer.feedback._scores import reachable_scores, unit_scores
from explorer.feedback._units import Diagnostic, Unit

if TYPE_CHECKING:
    import pandas as pd


class Constant(tuple[Any, ...]):
    """A tuple of constants among the attributes of a table.

    pandas copies the attributes deeply whenever a column is taken from the table; a tuple of
    numbers would be walked through each time.
    """

    __slots__ = ()

    def __deepcopy__(self, memo: object) -> Constant:
        """Return the tuple itself: nothing in it can change."""
        return self


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
    """Return the scores and the feedback of every unit, with diagnostics.

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
        largest possible score of each unit (tuple of float), ``"threshold"`` (float),
        ``"threshold_mode"`` (``"fixed"``, or ``"auto"`` when `auto_threshold` found it in these
        scores; a note then says how) and ``"notes"`` (tuple of Diagnostic about the whole table).

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
    return scored_units(attention, units, chosen).table(policy, diagnostics)


@dataclass(frozen=True, eq=False)
class ScoredUnits:
    """Units with their scores, before any threshold.

    Scores do not depend on the threshold: score once, and convert whenever the threshold moves.

    Attributes
    ----------
    units : sequence of Unit
    scores : ndarray of float64, shape (units,)
        NaN where unknown.
    reachable : ndarray of float64, shape (units,)
        The largest score that each unit can get.
    notes : tuple of Diagnostic
        Notes about all units together.
    normalisation : {"raw", "share", "lift"}
        How the scores were normalised.
    """

    units: Sequence[Unit]
    scores: NDArray[np.float64]
    reachable: NDArray[np.float64]
    notes: tuple[Diagnostic, ...] = ()
    normalisation: Normalisation = "raw"
    _columns: dict[str, Any] = field(default_factory=dict, init=False, repr=False)
    _filled: NDArray[np.bool_] = field(init=False, repr=False)
    _reasons: list[tuple[tuple[Diagnostic, ...], tuple[Diagnostic, ...]]] = field(
        init=False, repr=False
    )

    def __post_init__(self) -> None:
        filled = np.array([unit.filled for unit in self.units], dtype=bool)
        reasons = [
            unit_diagnostics(unit, score)
            for unit, score in zip(self.units, self.scores.tolist(), strict=True)
        ]
        object.__setattr__(self, "_filled", filled)
        object.__setattr__(self, "_reasons", reasons)

    def diagnostics(self, policy: FeedbackPolicy) -> list[tuple[Diagnostic, ...]]:
        """Return the diagnostics of each unit at the threshold of a policy."""
        threshold = policy.for_scores(self.scores, self.normalisation).number
        beyond = self._filled & (self.reachable < threshold)
        if not beyond.any():
            return [(*before, *after) for before, after in self._reasons]
        known: dict[tuple[int, float], tuple[Diagnostic]] = {}
        found = []
        for (before, after), out, unit, limit in zip(
            self._reasons, beyond.tolist(), self.units, self.reachable.tolist(), strict=True
        ):
            if not out:
                found.append((*before, *after))
                continue
            # Units of the same length have the same limit, and share the diagnostic.
            place = (unit.tokens, limit)
            if place not in known:
                known[place] = (out_of_reach(unit.tokens, limit, threshold),)
            found.append((*before, *known[place], *after))
        return found

    def table(
        self,
        policy: FeedbackPolicy,
        diagnostics: Iterable[Diagnostic] = (),
        *,
        scores: NDArray[np.float64] | None = None,
    ) -> pd.DataFrame:
        """Return the feedback table at the threshold of a policy, as `feedback_table` does.

        Parameters
        ----------
        policy : FeedbackPolicy
        diagnostics : iterable of Diagnostic
            Notes that come first among those about the whole table.
        scores : ndarray of float64, shape (units,), optional
            The scores to convert; those of attention, as `reached` has them, when left out.
        """
        import pandas as pd  # takes longer to import than all of the core

        given = self.scores if scores is None else scores
        found = self.auto_notes(policy, given)
        mode = "auto" if policy.is_auto else "fixed"
        policy = policy.for_scores(given, self.normalisation)
        shown = reached(given, policy) if scores is None else given
        # Arrays, not series: pandas aligns series by their index, and copies them.
        if not self._columns:
            self._columns.update(
                unit=text_column([unit.name for unit in self.units]).array,
                text=text_column([unit.text for unit in self.units]).array,
                tokens=np.array([unit.tokens for unit in self.units], dtype=np.int64),
            )
        table = pd.DataFrame(
            {
                **self._columns,
                "score": shown,
                "feedback": policy.convert(shown),
                "verdict": text_column(policy.verdicts(shown).tolist()).array,
                "diagnostics": _object_column(self.diagnostics(policy)),
            }
        )
        # Tuples, not arrays: pandas compares attrs when it joins tables, which an array breaks.
        table.attrs["reachable"] = Constant(self.reachable.tolist())
        table.attrs["threshold"] = policy.threshold
        table.attrs["threshold_mode"] = mode
        table.attrs["notes"] = Constant((*diagnostics, *found, *self.notes, *policy_notes(policy)))
        return table

    def auto_notes(
        self, policy: FeedbackPolicy, scores: NDArray[np.float64] | None = None
    ) -> tuple[Diagnostic, ...]:
        """Return the note on a threshold that the scores gave; none for a fixed one."""
        if not policy.is_auto:
            return ()
        given = self.scores if scores is None else scores
        return (auto_threshold(given, self.normalisation).diagnostic,)


def scored_units(
    attention: Attention, units: Sequence[Unit], settings: ScoreSettings
) -> ScoredUnits:
    """Return the units with their scores, which `ScoredUnits.table` converts to feedback.

    For callers whose threshold changes while all else stays; errors as for `feedback_table`.
    """
    scores = unit_scores(attention, units, settings)
    reachable = reachable_scores(units, settings.reduction, settings.normalisation, settings.k)
    notes = attention_notes(scores, units, settings.normalisation)
    return ScoredUnits(units, scores, reachable, tuple(notes), settings.normalisation)


class Measured(NamedTuple):
    """The columns of a feedback table, as arrays.

    `scores` and `reachable` are float64 (units,), `reasons` the diagnostics of every unit, `notes`
    those about all of them; `policy` has a number as threshold, also where it was ``"auto"``.
    """

    scores: NDArray[np.float64]
    reachable: NDArray[np.float64]
    reasons: list[tuple[Diagnostic, ...]]
    notes: tuple[Diagnostic, ...]
    policy: FeedbackPolicy


def measure(
    attention: Attention, units: Sequence[Unit], policy: FeedbackPolicy, settings: ScoreSettings
) -> Measured:
    """Return the scores and reasons of every unit, as `feedback_table` shows them.

    For callers that convert many thousand maps and need no table of each; errors as there.
    """
    scored = scored_units(attention, units, settings)
    notes = (*scored.auto_notes(policy), *scored.notes)
    policy = policy.for_scores(scored.scores, settings.normalisation)
    scores = reached(scored.scores, policy)
    return Measured(scores, scored.reachable, scored.diagnostics(policy), notes, policy)


def scores_table(
    scores: NDArray[np.float64],
    units: Sequence[Unit],
    policy: FeedbackPolicy | None = None,
    *,
    reachable: NDArray[np.float64] | None = None,
    diagnostics: Iterable[Diagnostic] = (),
) -> pd.DataFrame:
    """Return the feedback table of known scores, one per unit.

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
    return ScoredUnits(units, scores, limits).table(policy, diagnostics, scores=scores)


def _object_column(values: Sequence[object]) -> NDArray[np.object_]:
    """Return an object column; an array of tuples of one length would have two dimensions."""
    return np.fromiter(values, dtype=object, count=len(values))


def text_column(values: Sequence[str]) -> pd.Series[str]:
    """Return a text column held by Python: Arrow's, the default, refuses a lone surrogate."""
    import pandas as pd

    return pd.Series(values, dtype=pd.StringDtype("python", na_value=np.nan))


def _policy(policy: object) -> FeedbackPolicy:
    """Return the policy, the default one for None."""
    if policy is None:
        return FeedbackPolicy()
    if not isinstance(policy, FeedbackPolicy):
        raise InputError(
            f"The policy must be a FeedbackPolicy, but it is {str(policy)[:40]!r}. "
            "FeedbackPolicy(threshold=0.1) makes one of a threshold."
        )
    return policy


def reached(scores: NDArray[np.float64], policy: FeedbackPolicy) -> NDArray[np.float64]:
    """Return the scores; one that equals the threshold in float32 becomes the threshold.

    Attention is float32: a direct score of 0.7 comes out of an attention map as 0.69999999.
    """
    same = scores.astype(np.float32) == np.float32(policy.number)
    return np.where(same, policy.number, scores)
