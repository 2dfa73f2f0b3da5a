"""What to expect of a threshold on new traces, and what the scores add to the words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from explorer.errors import ValidationError
from explorer.traces import Trace

if TYPE_CHECKING:
    from explorer.validation import (
        HeadScores,
        Interval,
        LabelledScores,
        NestedHead,
        Objective,
        Resampling,
    )
    from explorer.validation._thresholds.cross_validation import MissingLabels
    from explorer.validation._thresholds.threshold_selection import ChosenThreshold

HALVED = 3
"""Labelled traces to add, for each there is, to halve an interval: its width falls with the square
root of their number, so four times as many are needed."""


@dataclass(frozen=True, eq=False)
class Expectation:
    """Cross-validated thresholds of scores and of the words, for one objective.

    Attributes
    ----------
    of
        The scores.
    objective
        What the thresholds are chosen for.
    own, words
        The threshold of the scores, and that of the words that a hyperedge shares with question
        and answer (`explorer.validation.lexical_overlap`); None where there is none.
    lead
        Held-out figure of the scores minus that of the words; paired, on the same traces.
    missing
        How many labels are missing to choose a threshold.
    problem
        Why there is no threshold of the scores; empty if there is one.
    nested
        What the best single head is worth where the other traces choose it too; None if unknown.
    """

    of: LabelledScores
    objective: Objective
    own: ChosenThreshold | None
    words: ChosenThreshold | None
    lead: Interval | None
    missing: MissingLabels
    problem: str
    nested: NestedHead | None

    @property
    def too_few(self) -> bool:
        """Whether there are too few labels to choose a threshold."""
        return any(self.missing)

    @property
    def words_are_better(self) -> bool:
        """Whether the words are surely better: the whole interval of the lead says so."""
        if self.lead is None:
            return False
        # Of a cost the smaller is better.
        return self.lead.low > 0 if self.objective.kind == "cost" else self.lead.high < 0

    @property
    def is_surely_ahead(self) -> bool:
        """Whether the scores are surely better than the words."""
        if self.lead is None:
            return False
        return self.lead.high < 0 if self.objective.kind == "cost" else self.lead.low > 0


def expected(
    traces: Iterable[Trace],
    judged: LabelledScores,
    objective: Objective,
    *,
    heads: HeadScores | None = None,
    resampling: Resampling | None = None,
) -> Expectation:
    """Cross-validate a threshold of the scores and of the words.

    Parameters
    ----------
    traces
        The traces of the scores; their texts are enough.
    judged
        The scores.
    objective
        What thresholds are chosen for.
    heads
        Scores of every head, to judge the choice of the best one as well; None to leave that out.
    resampling
        How bootstrap samples of traces are drawn; the same for all, so the lead is paired.
    """
    from explorer.validation import CrossValidation, baseline_scores, nested_head
    from explorer.validation._data.score_checks import measurable
    from explorer.validation._statistics.bootstrap import interval

    missing = CrossValidation().missing(measurable(judged))
    own, problem = _chosen(judged, objective, resampling)
    words, lead, nested = None, None, None
    if own is not None:
        overlap = baseline_scores(traces, judged, ("lexical-overlap",))["lexical-overlap"]
        # Paired: the same units of the same traces.
        same = np.where(np.isnan(judged.scores), np.nan, overlap.scores)
        words, _ = _chosen(overlap.with_scores(same), objective, resampling)
    if own is not None and words is not None and words.units == own.units:
        lead = interval(own.held_out.value - words.held_out.value, own.samples - words.samples)
    if own is not None and heads is not None:
        try:
            nested = nested_head(heads, objective, resampling=resampling)
        except ValidationError:  # fewer units have attention than have these scores
            nested = None
    return Expectation(judged, objective, own, words, lead, missing, problem, nested)


def _chosen(
    judged: LabelledScores, objective: Objective, resampling: Resampling | None
) -> tuple[ChosenThreshold | None, str]:
    from explorer.validation import cross_validated_threshold

    try:
        return cross_validated_threshold(judged, objective, resampling=resampling), ""
    except ValidationError as error:
        return None, str(error)
