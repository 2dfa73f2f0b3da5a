"""What the curves over the threshold mark: the best threshold for an objective."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from explorer.errors import ValidationError
from explorer.figures import three_digits
from explorer.reporting._analysis.threshold_analysis import ThresholdAnalysis

if TYPE_CHECKING:
    from explorer.validation import Objective


class BestPoint(NamedTuple):
    """The curve that is drawn strong, and what is marked on it.

    Attributes
    ----------
    curve
        The metric of the objective; of a cost, which has no curve, F1.
    point
        Threshold and value on that curve; None if the objective cannot be reached.
    plateau
        Thresholds that are about as good; None if there are none.
    tolerance
        The loss that counts as none.
    caption
        What is said of it; None for the best F1, which the figure says itself.
    """

    curve: str
    point: tuple[float, float] | None
    plateau: tuple[float, float] | None
    tolerance: float | None
    caption: str | None


def best_point(analysis: ThresholdAnalysis, objective: Objective) -> BestPoint:
    """Return what the curves mark."""
    from explorer.validation import confusion_at
    from explorer.validation._metrics.confusion import metric_value

    curve = objective.kind if objective.kind in ("precision", "recall") else "f1"
    try:
        best, plateau = analysis.best(objective)
    except ValidationError as error:
        return BestPoint(curve, None, None, None, str(error).split(":")[0] + ".")
    calls = confusion_at(analysis.judged, best.threshold)
    caption = None
    if objective.kind != "f1":
        at = three_digits(best.threshold)
        first = "Least" if objective.kind == "cost" else "Best"
        caption = f"{first} {objective.name} {three_digits(best.value)} at {at}"
        if objective.floor is not None:
            name = objective.floor[0]
            reached = three_digits(float(metric_value(name, calls)))
            caption += f" with {name} {reached}"
    return BestPoint(
        curve,
        (best.threshold, float(metric_value(curve, calls))),
        (plateau.low, plateau.high),
        plateau.tolerance,
        caption,
    )
