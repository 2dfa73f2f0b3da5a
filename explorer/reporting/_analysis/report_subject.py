"""What a report is about: traces, models, loading problems, and doubts about single scores."""

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

    from explorer.validation import Resampling


@dataclass(frozen=True)
class ReportSubject:
    """What was judged.

    Attributes
    ----------
    name
        Name of the file, without its folder; empty for traces made in memory.
    traces, hyperedges
        Their numbers, labelled or not.
    models
        Models that read the traces: name, role, and number of traces.
    problems
        What was left out or changed when the traces were loaded.
    least_drop
        For the truth "ablation": the drop from which a hyperedge counts as used.
    release, made
        Release of explorer, and time of the report.
    resampling
        How bootstrap samples were drawn.
    """

    name: str
    traces: int
    hyperedges: int
    models: tuple[tuple[str, str, int], ...]
    problems: tuple[str, ...]
    least_drop: float
    release: str
    made: datetime
    resampling: Resampling


def report_subject(
    traces: Sequence[Trace], least_drop: float, resampling: Resampling
) -> ReportSubject:
    """Return what is judged; the parameters are those of `threshold_report`."""
    path = getattr(traces, "path", None)
    read: Counter[tuple[str, str]] = Counter()
    hyperedges = 0
    for trace in traces:
        hyperedges += len(trace.hyperedges)
        model, mark = trace.metadata.get("model"), trace.metadata.get(MARK)
        if isinstance(mark, Mapping) and isinstance(mark.get("model"), str):
            read[mark["model"], "read the traces as a stand-in for the model that answered"] += 1
            model = mark.get("model_before")
        if isinstance(model, str):
            read[model, "named in the traces"] += 1
    return ReportSubject(
        "" if path is None else str(path).replace("\\", "/").rsplit("/", 1)[-1],
        len(traces),
        hyperedges,
        tuple((name, role, number) for (name, role), number in read.most_common()),
        tuple(str(problem) for problem in getattr(traces, "problems", ())),
        least_drop,
        version("attention-explorer"),
        datetime.now().astimezone(),
        resampling,
    )


def score_doubts(table: pd.DataFrame | None) -> tuple[tuple[str, int, str], ...]:
    """Return doubts about single scores: code, number of hyperedges, first message."""
    if table is None or "diagnostics" not in table:
        return ()
    counts: Counter[str] = Counter()
    first: dict[str, str] = {}
    for notes in table["diagnostics"]:
        for code in _codes(notes, first):
            counts[code] += 1
    return tuple((code, number, first[code]) for code, number in counts.most_common())


def _codes(notes: Iterable[Diagnostic], first: dict[str, str]) -> set[str]:
    codes = set()
    for note in notes:
        codes.add(note.code)
        first.setdefault(note.code, note.message)
    return codes
