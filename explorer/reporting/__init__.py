"""What the labels say of one way to score, for the thresholds tab and as a report.

Importing this package imports neither plotly nor pandas nor scikit-learn: each name is loaded when
it is used.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
