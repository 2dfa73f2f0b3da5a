"""From RAG traces to feedback for every hyperedge, and from feedback to hyperedge weights.

Importing this package imports neither torch nor networkx: each name is loaded when it is used.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
