"""Attention as numbers: maps of one forward pass, the recorder, measures per head, rollout.

Importing this package loads NumPy only. The recorder, which needs torch and transformers, is
loaded on first use. Measures are in `explorer.attention.measures`.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
