"""The recommendation of a calibration, with the figures that support it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Any

from explorer.errors import ValidationError
from explorer.feedback import Diagnostic, FeedbackPolicy
from explorer.validation._data.labelled_scores import LabelledScores
from explorer.validation._data.truth import TruthKind
from explorer.validation._metrics.objective import Objective, ObjectiveKind
from explorer.validation._statistics.bootstrap import Interval

_F1 = Objective("f1")
_INSTEAD = " FeedbackExtractor(config=recommendation.words) scores by the words instead."

if TYPE_CHECKING:
    import pandas as pd

    from explorer.rag import FeedbackExtractor


@dataclass(frozen=True, eq=False)
class Recommendation:
    """A choice of heads and threshold.

    Attributes
    ----------
    choice
        The choice in words.
    config
        Settings for a `FeedbackExtractor`.
    metric, threshold
        The metric that the threshold maximises, or ``"cost"``; and the threshold.
    held_out
        The figure of the objective for calls on held-out traces, which had no part in choosing
        heads or threshold, with a 95 % bootstrap interval over traces: what to expect on new
        traces.
    in_sample
        The best value of the figure on the labels that chose; optimistic, for comparison.
    table
        Held-out scores and baselines, as `compare_scores`; F1 is at the best threshold of each row
        on these labels.
    folds
        The choice of every outer fold: ``repeat``, ``fold``, ``choice``, ``head`` (its name, or
        the number of weights), ``strength``, ``threshold``.
    traces, units, positives, truth
        The labels it was judged by: numbers of traces, units and used units, and kind of truth.
    refusal
        Why it is not recommended; empty if it is.
    notes
        Limits of the recommendation: an unstable choice, an interval that includes no difference.
    scores
        The held-out score of every labelled unit, from the first repeat. Where all folds chose the
        same head and setting these are its scores. Else the choices differ in scale, and these are
        probabilities: logistic functions of the scores, fitted on the traces that chose.
    scores_threshold
        The threshold for `scores`.
    objective
        What the threshold is chosen for, with its number where it needs one.
    held_out_floor
        As `held_out`, for the metric with a floor; None if the objective has none.
    words
        Settings of a `FeedbackExtractor` that scores by the words instead, with the best threshold
        on these labels: what to use where attention is refused. None if no threshold suits.
    """

    choice: str
    config: dict[str, Any]
    metric: ObjectiveKind
    threshold: float
    held_out: Interval
    in_sample: float
    table: pd.DataFrame
    folds: pd.DataFrame
    traces: int
    units: int
    positives: int
    truth: TruthKind
    refusal: str
    notes: tuple[Diagnostic, ...]
    scores: LabelledScores
    scores_threshold: float
    objective: Objective = _F1
    held_out_floor: Interval | None = None
    words: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.objective.kind != self.metric:
            object.__setattr__(self, "objective", Objective.of(self.metric))

    @property
    def accepted(self) -> bool:
        """True if it is recommended."""
        return not self.refusal

    @property
    def policy(self) -> FeedbackPolicy:
        """The policy with the chosen threshold."""
        return FeedbackPolicy(threshold=self.config["attention_threshold"])

    def extractor(self) -> FeedbackExtractor:
        """Return the recommended `FeedbackExtractor`.

        Raises
        ------
        ValidationError
            It is not recommended.
        """
        from explorer.rag import FeedbackExtractor

        self._check()
        return FeedbackExtractor(config=self.config)

    def to_json(self) -> str:
        """Return config, held-out figures and warnings as JSON.

        Raises
        ------
        ValidationError
            It is not recommended.
        """
        self._check()
        figures = {
            "metric": self.metric,
            "objective": str(self.objective),
            "held_out": [None if isnan(one) else one for one in self.held_out],
            "in_sample": self.in_sample,
            "traces": self.traces,
            "units": self.units,
            "positives": self.positives,
            "truth": self.truth,
        }
        notes = [note.message for note in self.notes]
        return json.dumps(
            {"choice": self.choice, "config": self.config, "judged": figures, "notes": notes},
            indent=1,
        )

    def to_python(self) -> str:
        """Return Python code of the recommended extractor.

        Raises
        ------
        ValidationError
            It is not recommended.
        """
        self._check()
        from explorer.rag._methods.extractor_config import as_python

        return as_python(self.config, f"{self.choice}; {self}")

    def __str__(self) -> str:
        """Return a summary in one line."""
        return (
            f"{self.expected} on held-out traces ({self.traces} in all), "
            f"{self.in_sample:.2f} in sample"
        )

    @property
    def expected(self) -> str:
        """The held-out figures: "precision 0.71 (0.64 to 0.78) at a recall of 0.79"."""
        text = f"{self.objective.name} {_with_bounds(self.held_out)}"
        if self.objective.floor is not None and self.held_out_floor is not None:
            text += f" at a {self.objective.floor[0]} of {_with_bounds(self.held_out_floor)}"
        return text

    def _check(self) -> None:
        if self.refusal:
            instead = "" if self.words is None else _INSTEAD
            raise ValidationError(f"Nothing is recommended. {self.refusal}{instead}")


def _with_bounds(found: Interval) -> str:
    bounds = "" if isnan(found.low) else f" ({found.low:.2f} to {found.high:.2f})"
    return f"{found.value:.2f}{bounds}"
