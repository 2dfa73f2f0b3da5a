"""Packaged examples: labelled RAG traces and short programs, with recorded attention.

All data comes from the package, so no model, torch or transformers is needed.
`explorer.examples.record` wrote the recordings.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
