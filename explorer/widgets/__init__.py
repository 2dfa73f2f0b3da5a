"""The app: one state object, panels that observe it, and the `Explorer` that holds them."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
