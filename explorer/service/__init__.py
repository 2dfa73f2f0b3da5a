"""The HTTP service: attention, pictures and feedback for editors, pipelines and web pages.

Importing this package imports neither FastAPI nor torch; each name is loaded on first use.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
