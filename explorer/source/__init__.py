"""Units of code: lines, identifiers and syntax nodes, with their characters and tokens."""

from __future__ import annotations

import lazy_loader

from explorer._deprecation import renamed

_public_name, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__getattr__ = renamed(__name__, {"Kind": "UnitKind"}, _public_name)
