"""The files of a folder, or of a pattern."""

from __future__ import annotations

import glob
import os
from pathlib import Path

from explorer.errors import TraceError
from explorer.traces._files.file_streams import checked_path
from explorer.traces._model.label_store import SUFFIX

_ENDINGS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", ".xlsx")
_PACKED = (".gz", ".bz2", ".xz", ".zst")
_MARKS = frozenset("*?[")


def trace_files(source: object) -> list[Path] | None:
    """Return the trace files of a folder or a pattern, by name; None for any other source.

    Of a folder, files are taken that end like tables or JSON, compressed or not; hidden files,
    files with labels and folders within it are left out. A pattern takes what it matches.

    Raises
    ------
    TraceError
        There is no such file.
    """
    if not isinstance(source, str | os.PathLike):
        return None
    path = checked_path(source)
    if path.is_dir():
        found = sorted(one for one in path.iterdir() if one.is_file() and _may_hold_traces(one))
        if not found:
            raise TraceError(f"{path} is a folder without trace files ({', '.join(_ENDINGS)}).")
        return found
    if path.exists() or _MARKS.isdisjoint(str(path)):
        return None
    matched = map(Path, glob.glob(str(path), recursive=True))  # noqa: PTH207 - absolute ones too
    found = sorted(one for one in matched if one.is_file() and not one.name.endswith(SUFFIX))
    if not found:
        raise TraceError(f"No file matches {path}. Check the path and its spelling.")
    return found


def _may_hold_traces(path: Path) -> bool:
    name = path.name.lower()
    if name.startswith(".") or name.endswith(SUFFIX):
        return False
    packed = next((ending for ending in _PACKED if name.endswith(ending)), "")
    return name.removesuffix(packed).endswith(_ENDINGS)
