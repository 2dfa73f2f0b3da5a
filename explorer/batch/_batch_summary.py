"""What a batch did, in numbers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class BatchSummary:
    """The result of a batch.

    Attributes
    ----------
    out
        The file that was written.
    traces
        Number of traces in it.
    kept
        Number of these that an earlier run had finished.
    failed
        Number of these that have no result; a later run tries them again.
    bad_records
        Number of records of the input that are not traces.
    renamed
        Number of traces that are kept under another id, since theirs was used before.
    problems
        The file that lists the three above with line and reason; None without any.
    seconds
        Time from beginning to end.
    """

    out: str
    traces: int
    kept: int
    failed: int
    bad_records: int
    renamed: int
    problems: str | None
    seconds: float

    @property
    def complete(self) -> bool:
        """Whether every record of the input has a result."""
        return not self.failed and not self.bad_records

    def to_dict(self) -> dict[str, Any]:
        """Return the attributes, as plain values."""
        return asdict(self)

    def __str__(self) -> str:
        """Return a sentence."""
        said = f"{self.traces:,} traces are in {self.out}"
        if self.kept:
            said += f", {self.kept:,} of them from before"
        counts = [
            (self.failed, "without a result"),
            (self.bad_records, "records that are not traces"),
            (self.renamed, "under another id"),
        ]
        faults = [f"{count:,} {what}" for count, what in counts if count]
        if faults and self.problems is not None:
            said += f"; {', '.join(faults)}: see {self.problems}"
        return f"{said}."
