"""The command line: ``attention-explorer``.

``docs/cli.md`` describes every command. This package imports no command, and no command imports
torch, pandas or a model before it runs, so that ``--help`` is shown at once.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
