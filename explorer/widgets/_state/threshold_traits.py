"""The traits of the thresholds tab."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import traitlets as t

from explorer.validation import Objective
from explorer.validation._data.truth import LEAST_DROP, Truth

OBJECTIVE_NUMBERS: Final = {
    "precision": "least_recall",
    "recall": "least_precision",
    "cost": "cost_ratio",
}
"""Objectives with a number, and the trait that holds it."""


class Checked(t.Any):
    """A trait whose validator makes all checks, that of None included."""

    allow_none = False


class ThresholdTraits(t.HasTraits):
    """What the thresholds tab shows."""

    reference_threshold: Any = Checked(0.1, help="Threshold that the current one is compared with.")
    """Thresholds tab: the reference threshold; calls that differ from it are counted. Default
    0.1."""

    truth = t.Unicode("labels", help="Ground truth of the thresholds tab.")
    """Thresholds tab: the ground truth: the ``"labels"`` (default), or causal use by
    ``"ablation"``, measured by `explorer.validation.ablate` or in the tab. The two are never
    mixed."""

    least_drop: Any = Checked(LEAST_DROP, help="Drop from which a hyperedge counts as used.")
    """Thresholds tab with truth ``"ablation"``: the drop of the answer's log-probability without a
    hyperedge, in nats, from which that hyperedge counts as used. Default log 2, about 0.693: the
    answer becomes half as likely."""

    quality = t.Unicode("auc", help="Measure of the head map in the thresholds tab.")
    """Thresholds tab: the measure of every head in the map: ``"auc"`` (ROC-AUC, default),
    ``"average_precision"``, or ``"f1"`` at the threshold that is best for the head."""

    objective = t.Unicode("f1", help="What the best threshold is chosen for.")
    """Thresholds tab: what the best threshold is chosen for: ``"f1"`` (default), ``"precision"`` at
    `least_recall`, ``"recall"`` at `least_precision`, or ``"cost"`` with `cost_ratio`."""

    least_recall: Any = Checked(0.8, help="Recall to reach, for the objective precision.")
    """Thresholds tab with the objective ``"precision"``: the recall to reach, above 0 and at most
    1. Default 0.8."""

    least_precision: Any = Checked(0.8, help="Precision to reach, for the objective recall.")
    """Thresholds tab with the objective ``"recall"``: the precision to reach, above 0 and at most
    1. Default 0.8."""

    cost_ratio: Any = Checked(1.0, help="Cost of a wrong fact kept, in right facts lost.")
    """Thresholds tab with the objective ``"cost"``: the cost of a hyperedge that is called used and
    is not, where a used one that is missed costs 1; above 0. Default 1."""

    @property
    def objective_number(self) -> str:
        """Name of the trait with the number of the objective; empty if it needs none."""
        return OBJECTIVE_NUMBERS.get(str(self.objective), "")

    @property
    def threshold_objective(self) -> Objective:
        """What the best threshold is chosen for, as `explorer.validation` takes it."""
        number = self.objective_number
        more = {number: getattr(self, number)} if number else {}
        return Objective(self.objective, **more)  # type: ignore[arg-type]  # one of CHOICES

    @t.validate("least_drop")
    def _check_drop(self, proposal: Mapping[str, Any]) -> float:
        return float(Truth(kind="ablation", least_drop=proposal["value"]).least_drop)

    @t.validate(*OBJECTIVE_NUMBERS.values())
    def _check_number(self, proposal: Mapping[str, Any]) -> float:
        name, value = proposal["trait"].name, proposal["value"]
        kind = next(kind for kind, number in OBJECTIVE_NUMBERS.items() if number == name)
        return float(getattr(Objective(kind, **{name: value}), name))  # type: ignore[arg-type]
