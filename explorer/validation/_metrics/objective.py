"""What a threshold is chosen for: a metric, one metric at a floor of another, or a cost."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from explorer._number_format import three_digits
from explorer.errors import InputError
from explorer.validation._metrics.confusion import METRICS, Confusion, Metric, metric_value
from explorer.validation._statistics.bootstrap import Floats

ObjectiveKind = Literal["f1", "mcc", "youden", "kappa", "precision", "recall", "cost"]

# Recall 4/5 reaches a floor of 0.8, whatever the last bits of the two.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Objective:
    """What a threshold is chosen for.

    Parameters
    ----------
    kind : {"f1", "mcc", "youden", "kappa", "precision", "recall", "cost"}
        The metric to maximise; ``"cost"`` is minimised.
    least_recall : float, optional
        For ``"precision"``, and only there: the recall that calls must reach, above 0 and at most
        1. Without it the highest score alone would be called used.
    least_precision : float, optional
        For ``"recall"``, and only there: the precision that calls must reach, likewise.
    cost_ratio : float, optional
        For ``"cost"``, and only there: what a fact costs that is called used and is not (a wrong
        fact kept), where a used fact that is not called used (a right fact lost) costs 1; above 0.
        The cost of calls is ``(cost_ratio * fp + fn) / units``: a mean over the hyperedges.

    Raises
    ------
    InputError
        There is no such kind, or a number is missing, not valid, or belongs to another kind.

    Examples
    --------
    >>> print(Objective("precision", least_recall=0.8))
    precision at a recall of 0.800
    >>> print(Objective.of("f1"))
    F1
    """

    kind: ObjectiveKind = "f1"
    least_recall: float | None = None
    least_precision: float | None = None
    cost_ratio: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in get_args(ObjectiveKind):
            known = ", ".join(get_args(ObjectiveKind))
            raise InputError(f"There is no metric {self.kind!r} here. Choose one of {known}.")
        for kind, name, most in _NUMBERS:
            value = getattr(self, name)
            if kind != self.kind:
                if value is not None:
                    raise InputError(
                        f"`{name}` belongs to Objective({kind!r}), not to {self.kind!r}: leave it "
                        "out."
                    )
                continue
            is_number = isinstance(value, Real) and not isinstance(value, bool)
            # A NaN is not above 0.
            if not is_number or not 0 < float(value) <= most:
                what = "above 0" if most > 1 else "above 0 and at most 1"
                raise InputError(
                    f"Objective({kind!r}) needs `{name}`, a number {what}, not {value!r}."
                )
            object.__setattr__(self, name, float(value))

    @classmethod
    def of(cls, value: Objective | ObjectiveKind) -> Objective:
        """Return an objective; the name of a metric stands for its maximum.

        Raises
        ------
        InputError
            There is no such metric, or it needs a number.
        """
        if isinstance(value, cls):
            return value
        name = next((name for kind, name, _ in _NUMBERS if kind == value), None)
        if name is not None:
            raise InputError(f"{value!r} needs a number: Objective({value!r}, {name}=...).")
        return cls(value)  # type: ignore[arg-type]

    def __str__(self) -> str:
        """Return a name for sentences: "precision at a recall of 0.800"."""
        if self.floor is not None:
            other, least = self.floor
            return f"{self.name} at a {other} of {three_digits(least)}"
        if self.cost_ratio is not None:
            return f"cost, a wrong fact kept counted as {three_digits(self.cost_ratio)} right lost"
        return self.name

    @property
    def name(self) -> str:
        """Name of the figure: "F1", "precision", "cost"."""
        return "cost" if self.kind == "cost" else METRICS[self.kind].name

    @property
    def floor(self) -> tuple[Metric, float] | None:
        """The metric that must be reached, and its smallest value; None if there is none."""
        if self.least_recall is not None:
            return "recall", self.least_recall
        return None if self.least_precision is None else ("precision", self.least_precision)

    def value(self, confusion: Confusion) -> Floats:
        """Return the figure of calls, float64; NaN for 0/0. The cost is the only one to be small.

        The counts are numbers, or arrays of one shape.
        """
        if self.kind != "cost":
            return metric_value(self.kind, confusion)
        _, fp, fn, _ = confusion
        units = np.asarray(sum(confusion), dtype=np.float64)
        cost = np.full(units.shape, np.nan)
        np.divide(self._paid(fp, fn), units, out=cost, where=units > 0)
        return cost

    def merit(self, confusion: Confusion) -> Floats:
        """Return the figure as one to maximise; NaN where the floor is not reached."""
        value = self.value(confusion)
        merit = -value if self.kind == "cost" else value
        return np.where(self.is_met(confusion), merit, np.nan)

    def is_met(self, confusion: Confusion) -> NDArray[np.bool_]:
        """Return where the floor is reached; everywhere if there is none."""
        if self.floor is None:
            return np.ones(np.shape(confusion.tp), dtype=bool)
        other, least = self.floor
        reached: NDArray[np.bool_] = metric_value(other, confusion) >= least - _ROUNDING
        return reached

    def _paid(self, fp: Floats, fn: Floats) -> Floats:
        ratio = self.cost_ratio or 0.0
        return ratio * np.asarray(fp, dtype=np.float64) + np.asarray(fn, dtype=np.float64)


_NUMBERS: tuple[tuple[ObjectiveKind, str, float], ...] = (
    ("precision", "least_recall", 1.0),
    ("recall", "least_precision", 1.0),
    ("cost", "cost_ratio", float(np.finfo(np.float64).max)),
)
"""The kinds that need a number, its name, and the largest that is valid."""
