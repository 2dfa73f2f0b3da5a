"""Is this threshold, this layer, this head any good? Measures against what is known to be used.

Importing this package imports neither torch nor pandas nor scikit-learn: each name is loaded when
it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from explorer.validation.ablated import (
        Ablation,
        ablation_of,
    )
    from explorer.validation.ablation import (
        ablate,
    )
    from explorer.validation.agreeing import (
        Agreement,
        call_agreement,
        calls_of,
        method_agreement,
    )
    from explorer.validation.baselines import (
        BASELINES,
        baseline_scores,
        baseline_table,
        lexical_overlap,
    )
    from explorer.validation.calibrating import (
        CalibrationCancelled,
        calibrate,
    )
    from explorer.validation.calibrators import (
        Calibrator,
        fit_calibrator,
        reliability,
    )
    from explorer.validation.causal import (
        lds,
        mean_drop,
        spearman_by_trace,
        top_k_drop,
        top_units,
    )
    from explorer.validation.choosing import (
        ChosenThreshold,
        best_threshold,
        cross_validated_threshold,
    )
    from explorer.validation.effects import (
        ablation_table,
    )
    from explorer.validation.judged import (
        head_scores,
        judge,
    )
    from explorer.validation.labelled import (
        HeadScores,
        Judged,
    )
    from explorer.validation.leaning import (
        bias,
    )
    from explorer.validation.metrics import (
        METRICS,
        Confusion,
        confusion_at,
    )
    from explorer.validation.quality import (
        quality_map,
    )
    from explorer.validation.ranking import (
        Ranking,
        precision_recall,
        rank,
        roc,
    )
    from explorer.validation.recommendation import (
        Recommendation,
    )
    from explorer.validation.resampling import (
        Interval,
    )
    from explorer.validation.standing import (
        side_by_side,
    )
    from explorer.validation.sweeping import (
        Sweep,
        flipped,
        sweep,
    )
    from explorer.validation.truths import (
        LEAST_DROP,
        labels_of,
    )

_HOME = {
    "CalibrationCancelled": "calibrating",
    "Recommendation": "recommendation",
    "calibrate": "calibrating",
    "BASELINES": "baselines",
    "LEAST_DROP": "truths",
    "METRICS": "metrics",
    "Ablation": "ablated",
    "Agreement": "agreeing",
    "Calibrator": "calibrators",
    "ChosenThreshold": "choosing",
    "Confusion": "metrics",
    "HeadScores": "labelled",
    "Interval": "resampling",
    "Judged": "labelled",
    "Ranking": "ranking",
    "Sweep": "sweeping",
    "ablate": "ablation",
    "ablation_of": "ablated",
    "ablation_table": "effects",
    "baseline_scores": "baselines",
    "baseline_table": "baselines",
    "best_threshold": "choosing",
    "bias": "leaning",
    "call_agreement": "agreeing",
    "calls_of": "agreeing",
    "confusion_at": "metrics",
    "cross_validated_threshold": "choosing",
    "fit_calibrator": "calibrators",
    "flipped": "sweeping",
    "head_scores": "judged",
    "judge": "judged",
    "labels_of": "truths",
    "lds": "causal",
    "lexical_overlap": "baselines",
    "mean_drop": "causal",
    "method_agreement": "agreeing",
    "precision_recall": "ranking",
    "quality_map": "quality",
    "rank": "ranking",
    "reliability": "calibrators",
    "roc": "ranking",
    "side_by_side": "standing",
    "spearman_by_trace": "causal",
    "sweep": "sweeping",
    "top_k_drop": "causal",
    "top_units": "causal",
}

__all__ = [
    "BASELINES",
    "LEAST_DROP",
    "METRICS",
    "Ablation",
    "Agreement",
    "CalibrationCancelled",
    "Calibrator",
    "ChosenThreshold",
    "Confusion",
    "HeadScores",
    "Interval",
    "Judged",
    "Ranking",
    "Recommendation",
    "Sweep",
    "ablate",
    "ablation_of",
    "ablation_table",
    "baseline_scores",
    "baseline_table",
    "best_threshold",
    "bias",
    "calibrate",
    "call_agreement",
    "calls_of",
    "confusion_at",
    "cross_validated_threshold",
    "fit_calibrator",
    "flipped",
    "head_scores",
    "judge",
    "labels_of",
    "lds",
    "lexical_overlap",
    "mean_drop",
    "method_agreement",
    "precision_recall",
    "quality_map",
    "rank",
    "reliability",
    "roc",
    "side_by_side",
    "spearman_by_trace",
    "sweep",
    "top_k_drop",
    "top_units",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
