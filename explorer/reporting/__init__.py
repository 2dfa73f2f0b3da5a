"""A report of what labels say about scores and a threshold, and the analysis behind it.

Importing this package imports neither plotly nor pandas nor scikit-learn: each name is loaded when
it is first used.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
