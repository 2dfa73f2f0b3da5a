"""RAG traces: the record, the native reader and writer, and the evidence that traces bring."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
