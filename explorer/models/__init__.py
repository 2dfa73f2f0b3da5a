"""Transformers models by name: loading, tokenizing, recording attention, generating answers.

Importing this package imports neither torch nor transformers; each name is loaded on first use.
"""

from __future__ import annotations

import lazy_loader

from explorer._deprecation import renamed

_public_name, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__getattr__ = renamed(
    __name__,
    {"Progress": "explorer.run_control.Progress", "Reading": "RecordedAnswer"},
    _public_name,
)
