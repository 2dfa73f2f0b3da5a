"""What a report is about: traces, models, problems, and reasons to doubt single scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

from explorer.feedback import Diagnostic
from explorer.rag._scoring.stand_in import MARK
from explorer.traces import Trace

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ReportSubject:
    """What was judged.

    Attributes
    ----------
    name
        Of the file, without its folder; empty for traces made in memory.
    traces, hyperedges
        How many there are, labelled or not.
    models
        What read the traces: its name, what it did, and how many traces say so.
    problems
        What loading them had to leave out or change.
    least_drop
        What an answer's log-probability must lose without a hyperedge that it used, where the
        truth is ablation.
    release, made
        Of explorer; when.
    samples, seed
        Of the bootstrap.
    """

    name: str
    traces: int
    hyperedges: int
    models: tuple[tuple[str, str, int], ...]
    problems: tuple[str, ...]
    least_drop: float
    release: str
    made: datetime
    samples: int
    seed: int


def report_subject(
    traces: Sequence[Trace], least_drop: float, samples: int, seed: int
) -> ReportSubject:
    """Say what is judged; the parameters are those of `threshold_report`."""
    path = getattr(traces, "path", None)
    read: Counter[tuple[str, str]] = Counter()
    hyperedges = 0
    for trace in traces:
        hyperedges += len(trace.hyperedges)
        model, mark = trace.metadata.get("model"), trace.metadata.get(MARK)
        if isinstance(mark, Mapping) and isinstance(mark.get("model"), str):
            read[mark["model"], "read the traces in place of the model that answered"] += 1
            model = mark.get("model_before")
        if isinstance(model, str):
            read[model, "as the traces say"] += 1
    return ReportSubject(
        "" if path is None else str(path).replace("\\", "/").rsplit("/", 1)[-1],
        len(traces),
        hyperedges,
        tuple((name, role, number) for (name, role), number in read.most_common()),
        tuple(str(one) for one in getattr(traces, "problems", ())),
        least_drop,
        version("attention-explorer"),
        datetime.now().astimezone(),
        samples,
        seed,
    )


def reasons_of(table: pd.DataFrame | None) -> tuple[tuple[str, int, str], ...]:
    """Reasons to doubt single scores: code, how many hyperedges, the first of the messages."""
    if table is None or "diagnostics" not in table:
        return ()
    counts: Counter[str] = Counter()
    first: dict[str, str] = {}
    for notes in table["diagnostics"]:
        for code in _once(notes, first):
            counts[code] += 1
    return tuple((code, number, first[code]) for code, number in counts.most_common())


def _once(notes: Iterable[Diagnostic], first: dict[str, str]) -> set[str]:
    codes = set()
    for note in notes:
        codes.add(note.code)
        first.setdefault(note.code, note.message)
    return codes
