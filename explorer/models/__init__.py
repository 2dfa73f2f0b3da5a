"""Finding, loading and running transformers; tokens and the characters they come from.

Importing this package imports neither torch nor transformers: each name is loaded when it is used.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
