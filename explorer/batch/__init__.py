"""Batches without a notebook: scores and feedback of files larger than memory.

    >>> from explorer.batch import score_files
    >>> score_files("traces/*.jsonl", "scored.jsonl")  # doctest: +SKIP

A batch reads traces one at a time, appends each finished one to its output, and continues where it
stopped, however it stopped. ``docs/cli.md`` describes the same from the command line.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
