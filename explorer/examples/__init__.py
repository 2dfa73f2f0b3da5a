"""Packaged examples: labelled RAG traces and short programs, with attention recorded beforehand.

Everything here is read from the package; no model is needed, and neither torch nor transformers is
imported. `explorer.examples.record` made the recordings.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
