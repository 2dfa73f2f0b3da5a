"""Measures of a threshold, a layer and a head against labels or ablation effects.

Importing this package imports neither torch nor pandas nor scikit-learn: each name is loaded when
it is first used.
"""

from __future__ import annotations

import lazy_loader

from explorer._deprecation import renamed

_public_name, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__getattr__ = renamed(
    __name__,
    {
        "Judged": "LabelledScores",
        "flipped": "changed_units",
        "side_by_side": "compare_scores",
    },
    _public_name,
)
