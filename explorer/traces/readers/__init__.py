"""Readers of foreign trace formats, one file each; `READERS` is the order in which they are asked."""

from __future__ import annotations

from explorer.traces.readers.reader import Reader

READERS: tuple[Reader, ...] = ()
