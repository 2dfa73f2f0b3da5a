"""How the caller of `load_traces` wants a source to be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from explorer.errors import TraceError
from explorer.traces._io import format_detection
from explorer.traces._io.column_mapping import checked_columns
from explorer.traces.readers._read_context import ReadContext
from explorer.traces.readers._reader import Reader


@dataclass(frozen=True)
class LoadOptions:
    """How the caller wants a source to be read."""

    reader: Reader | None = None
    columns: Mapping[str, str] | None = None
    label_cut: float = 0.0
    retriever: str | None = None

    @classmethod
    def of(
        cls,
        format_name: str | None,
        columns: Mapping[str, str] | None,
        label_cut: float,
        retriever: str | None,
    ) -> LoadOptions:
        """Return checked options."""
        reader = None if format_name is None else format_detection.reader_named(format_name)
        mapped = None if columns is None else checked_columns(columns)
        if mapped is not None:
            if reader is not None and reader.name != "table":
                raise TraceError(
                    f"columns names the columns of a plain table, and format={format_name!r} is "
                    "another format. Leave one of them out."
                )
            reader = format_detection.reader_named("table")
        options = cls(reader, mapped, label_cut, retriever)
        options.context()
        return options

    def context(self) -> ReadContext:
        """Return a context for one file."""
        return ReadContext(self.label_cut, self.retriever)

    def recognises(self, record: Mapping[str, Any]) -> bool:
        """Tell a record from an object that holds records."""
        if self.columns is not None:
            return all(name.split(".")[0] in record for name in self.columns)
        return (
            format_detection.is_known(record)
            if self.reader is None
            else self.reader.recognises(record)
        )
