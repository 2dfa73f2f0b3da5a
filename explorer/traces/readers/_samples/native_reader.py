"""Reader of the native format, see ``docs/traces.md``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.traces._model.native_format import read_object
from explorer.traces._model.trace import Trace
from explorer.traces.readers._reader import Reader, one_by_one


def recognises(record: Mapping[str, Any]) -> bool:
    """Say whether a record is, or was meant to be, a native trace: it has `hyperedges`."""
    return "hyperedges" in record


def _read(record: Mapping[str, Any], line: int) -> Trace:
    return read_object(record, line)


NATIVE = Reader("native", "explorer's own", recognises, one_by_one(_read))
