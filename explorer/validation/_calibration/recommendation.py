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
from explorer.validation._metrics.confusion import METRICS, Objective
from explorer.validation._statistics.bootstrap import Interval

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
        The metric that the threshold maximises, and the threshold.
    held_out
        The metric of calls on held-out traces, which had no part in choosing heads or threshold,
        with a 95 % bootstrap interval over traces: what to expect on new traces.
    in_sample
        The best value of the metric on the labels that chose; optimistic, for comparison.
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
        The held-out score of every labelled unit, from the first repeat. The choices of the folds
        differ in scale, so these are probabilities: logistic functions of the scores, fitted on
        the traces that chose.
    scores_threshold
        The threshold as such a probability.
    """

    choice: str
    config: dict[str, Any]
    metric: Objective
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
        found = self.held_out
        bounds = "" if isnan(found.low) else f" ({found.low:.2f} to {found.high:.2f})"
        return (
            f"{METRICS[self.metric].name} {found.value:.2f}{bounds} on held-out traces "
            f"({self.traces} in all), {self.in_sample:.2f} in sample"
        )

    def _check(self) -> None:
        if self.refusal:
            raise ValidationError(f"Nothing is recommended. {self.refusal}")
