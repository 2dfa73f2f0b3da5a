"""What a calibration recommends, with all that is needed to believe it or not."""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Any

from explorer.errors import ValidationError
from explorer.feedback import Diagnostic, FeedbackPolicy
from explorer.validation._data.labelled_scores import LabelledScores, Truth
from explorer.validation._statistics.bootstrap import Interval

if TYPE_CHECKING:
    import pandas as pd

    from explorer.rag import FeedbackExtractor

_NAMES = {"f1": "F1", "mcc": "MCC", "youden": "Youden J", "kappa": "kappa"}


@dataclass(frozen=True, eq=False)
class Recommendation:
    """A choice of heads and threshold.

    Attributes
    ----------
    choice
        What was chosen, in words.
    config
        Settings for a `FeedbackExtractor`.
    metric, threshold
        What the threshold makes large, and the threshold.
    held_out
        The metric of calls on traces that had no part in choosing heads or threshold, with a 95 %
        interval drawn by trace: what to expect.
    in_sample
        The best value of the metric on the very labels that chose: optimistic, for comparison.
    table
        Held-out scores beside the baselines, as `compare_scores`; F1 there is at the best threshold
        of each row's own labels.
    folds
        What every outer fold chose: ``repeat``, ``fold``, ``choice``, ``head`` (which, or how many
        weights), ``strength``, ``threshold``.
    traces, units, positives, truth
        What it was judged by.
    refusal
        Why it is not recommended after all; empty where it is.
    notes
        What should be known of it: an unstable choice, an interval that includes no difference.
    scores
        The held-out score of every labelled unit, of the first cut into folds. What the folds
        chose may differ in scale: these are probabilities, each by a logistic function of its
        fold's score that was fitted where the fold chose.
    scores_threshold
        The threshold as such a probability.
    """

    choice: str
    config: dict[str, Any]
    metric: str
    threshold: float
    held_out: Interval
    in_sample: float
    table: pd.DataFrame
    folds: pd.DataFrame
    traces: int
    units: int
    positives: int
    truth: Truth
    refusal: str
    notes: tuple[Diagnostic, ...]
    scores: LabelledScores
    scores_threshold: float

    @property
    def accepted(self) -> bool:
        """Whether it is recommended."""
        return not self.refusal

    @property
    def policy(self) -> FeedbackPolicy:
        """The policy with the chosen threshold."""
        return FeedbackPolicy(threshold=self.config["attention_threshold"])

    def extractor(self) -> FeedbackExtractor:
        """Return a `FeedbackExtractor` that works as recommended.

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
        """Return Python that makes the recommended extractor.

        Raises
        ------
        ValidationError
            It is not recommended.
        """
        self._check()
        from explorer.rag._methods.extractor_config import as_python

        return as_python(self.config, f"{self.choice}; {self}")

    def __str__(self) -> str:
        """Say it in a line."""
        found = self.held_out
        bounds = "" if isnan(found.low) else f" ({found.low:.2f} to {found.high:.2f})"
        return (
            f"{_NAMES[self.metric]} {found.value:.2f}{bounds} on held-out traces "
            f"({self.traces} in all), {self.in_sample:.2f} in sample"
        )

    def _check(self) -> None:
        if self.refusal:
            raise ValidationError(f"Nothing is recommended. {self.refusal}")
