"""What a report contains, as one object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from explorer.errors import InputError
from explorer.reporting._analysis.threshold_analysis import TEXT_BASELINES
from explorer.validation._metrics.confusion import check_threshold
from explorer.validation._metrics.objective import Objective

if TYPE_CHECKING:
    import pandas as pd

    from explorer.rag import ExtractorConfig, UpdateConfig
    from explorer.validation._comparison.baselines import Baseline
    from explorer.validation._data.ground_truth import LabelsByTrace
    from explorer.validation._metrics.objective import ObjectiveKind

REFERENCE = 0.1
"""The default reference threshold, a common choice."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ReportOptions:
    """What a report contains.

    Parameters
    ----------
    title : str or None
        Heading of the page; the name of the trace file if left out.
    reference : float
        The report lists the calls that change between this threshold and the judged one.
    config : ExtractorConfig, dict or None
        How bare scores were made, if known: for the description, and for the map of heads.
    labels : dict or None
        Labels instead of those of the traces, as in `explorer.validation.judge`.
    compared : dict or None
        Tables of `explain_traces` of other methods by name, for Cohen's kappa.
    baselines : sequence of str
        Baselines to compare with; ``"embedding"`` and ``"answer-embedding"`` load the embedding
        model.
    heads : bool
        Whether to measure every layer and head.
    objective : Objective or str
        What the best threshold is chosen for, as in `explorer.validation.best_threshold`.
    update : UpdateConfig, dict or None
        How an updater moves weights, as for `WeightUpdater`.

    Raises
    ------
    InputError
        The reference is not a finite number, or there is no such objective.
    """

    title: str | None = None
    reference: float = REFERENCE
    config: ExtractorConfig | Mapping[str, Any] | None = None
    labels: LabelsByTrace | None = None
    compared: Mapping[str, pd.DataFrame] | None = None
    baselines: Sequence[Baseline] = TEXT_BASELINES
    heads: bool = True
    update: UpdateConfig | Mapping[str, Any] | None = None
    objective: Objective | ObjectiveKind = "f1"

    def __post_init__(self) -> None:
        check_threshold(self.reference)
        object.__setattr__(self, "objective", Objective.of(self.objective))

    @classmethod
    def of(cls, options: ReportOptions | None) -> ReportOptions:
        """Return the options, the default ones for None.

        Raises
        ------
        InputError
            The value is neither None nor `ReportOptions`.
        """
        if options is None:
            return cls()
        if not isinstance(options, cls):
            raise InputError(
                f"`options` must be ReportOptions, but it is a {type(options).__name__}. "
                "ReportOptions(title=...) makes one."
            )
        return options
