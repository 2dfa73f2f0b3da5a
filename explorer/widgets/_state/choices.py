"""The values that the traits of the state may have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from explorer.attention.measures import MEASURES
from explorer.feedback import NORMALISATIONS, REDUCTIONS
from explorer.figures.colours import scale_choices
from explorer.source import LANGUAGES

UNIT_KINDS: Final = ("line", "identifier", "node", "token")
CODE_LANGUAGES: Final = ("auto", *LANGUAGES, "text")
"""The language of code: found, said, or none."""
CODE_MEASURES: Final = {
    name: measure.label for name, measure in MEASURES.items() if measure.in_menu
}
"""Menu texts of the measures of a head over code, by name."""
TRACE_MEASURES: Final = {
    "mass": "mass on hyperedges",
    "labelled": "share on labelled",
    "focus": "largest share",
}
"""Menu texts of the measures of a head over a trace, by name."""

METHOD_THRESHOLDS: Final = {
    "attention": "threshold",
    "embedding": "similarity_threshold",
    "citation": "citation_threshold",
    "lexical": "lexical_threshold",
    "hybrid": "similarity_threshold",
    "logprobs": "threshold",
    "ensemble": "threshold",
}
"""The methods of the traces tab, and the trait with the threshold of each."""

HEAD_SET_OVERRIDES: Final = ("layer", "head", "reduction", "normalisation")
"""The settings that a set of heads overrides."""

UPDATE_STRATEGIES: Final = ("ema", "additive", "multiplicative")
RISING_WEIGHTS: Final = {"decay_factor": 1.0, "max_weight_ratio": 4.0}
"""Settings with which a weight can rise above its start."""
TRUTHS: Final = ("labels", "ablation")
OBJECTIVES: Final = ("f1", "precision", "recall", "cost")
QUALITIES: Final = ("auc", "average_precision", "f1")
"""Measures of the head map of the thresholds tab, as in `explorer.validation.quality_map`."""

SETTINGS: Final = (
    "tab", "model", "layer", "head", "threshold", "threshold_scale", "reduction", "normalisation",
    "unit_kind", "language", "direction", "colour_scale", "colour_range", "scaling", "hide_special",
    "hide_sink", "bar_order", "method", "compare", "similarity_threshold", "citation_threshold",
    "lexical_threshold", "reading_view", "weight_view", "weights_can_rise", "update_strategy",
    "reference_threshold", "quality", "truth", "least_drop", "objective", "least_recall",
    "least_precision", "cost_ratio", "heads",
)  # fmt: skip
"""The traits that saved settings hold: how things are shown, not what."""

CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "tab": ("code", "traces", "thresholds"),
    "colour_scale": tuple(name for name, _ in scale_choices()),
    "measure": (*CODE_MEASURES, *TRACE_MEASURES),
    "threshold_mode": ("fixed", "auto"),
    "threshold_scale": ("log", "linear"),
    "reduction": tuple(REDUCTIONS),
    "normalisation": tuple(NORMALISATIONS),
    "unit_kind": UNIT_KINDS,
    "language": CODE_LANGUAGES,
    "direction": ("row", "column"),
    "colour_range": ("fixed", "window"),
    "scaling": ("linear", "sqrt", "log"),
    "bar_order": ("order", "score"),
    "method": tuple(METHOD_THRESHOLDS),
    "reading_view": ("cards", "text"),
    "weight_view": ("entities", "weights"),
    "update_strategy": UPDATE_STRATEGIES,
    "quality": QUALITIES,
    "truth": TRUTHS,
    "objective": OBJECTIVES,
}
"""The words that a trait may be set to, by its name."""
