"""Analyses and threshold runs as runs of an experiment tracker.

Importing this package does not import MLflow.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
