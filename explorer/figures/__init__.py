"""Figures: data in, plotly Figure (or PNG bytes) out. No widget, no state."""

from __future__ import annotations

import lazy_loader

from explorer._deprecation import renamed

_public_name, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__getattr__ = renamed(
    __name__,
    {
        "LabelledScores": "ScoreGroups",
        "flips": "changed_calls",
        "flips_spec": "changed_calls_spec",
    },
    _public_name,
)
