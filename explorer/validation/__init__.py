"""Is this threshold, this layer, this head any good? Measures against what is known to be used.

Importing this package imports neither torch nor pandas nor scikit-learn: each name is loaded when
it is used.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
