"""Analysis of code by one model: embeddings and attention, one piece of code or many.

Importing this package imports neither torch nor transformers.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
