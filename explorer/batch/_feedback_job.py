"""Feedback for a stream of traces, one line for each trace."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from explorer.batch._batch_work import WorkDone
from explorer.errors import TraceError
from explorer.rag import ExtractorConfig
from explorer.rag._embeddings.embedders import embedder
from explorer.rag._extraction.explanation import (
    ExplanationTask,
    TraceExplanation,
    explain_all,
    failures,
    feedback_by_id,
)
from explorer.rag._extraction.retrieved import validated_trace
from explorer.rag._scoring.scored_file import line_digest
from explorer.rag._scoring.scoring_job import TraceStream, named_traces
from explorer.run_control import RunControl
from explorer.traces import Trace, TraceProblem
from explorer.traces._files.resumable_file import ResumableFile
from explorer.traces._io.trace_writing import encoded_line

if TYPE_CHECKING:
    from explorer.rag._methods.method_result import MethodResult

# Number of traces whose texts are embedded together; a kill costs the work on so many.
_WINDOW = 256


class FeedbackLine(msgspec.Struct):
    """One line of the output.

    Attributes
    ----------
    id
        Id of the trace.
    feedback
        Feedback by hyperedge, in [0, 1]; of two hyperedges with one id the larger.
    hyperedges
        The rows of `FeedbackExtractor.explain`: unit, text, method, evidence, tokens, score,
        threshold, feedback, verdict, matched_to, diagnostics, and the parts of combined methods.
    notes
        Diagnostics of the whole trace, as text.
    made_from
        Digest of trace, config and embedding function.
    problem
        Why the feedback is not that of the config; None if it is.
    """

    id: str
    feedback: dict[str, float]
    hyperedges: list[dict[str, Any]]
    notes: list[str]
    made_from: str
    problem: str | None = None


class _KnownLine(msgspec.Struct):
    """The parts of a written line that are read again."""

    id: str
    made_from: str
    problem: str | None = None


class FeedbackJob:
    """One run over a stream of traces.

    Parameters
    ----------
    traces
        The traces.
    path
        The file of lines, which is continued if it exists.
    config, embedding_func
        As for `FeedbackExtractor`.
    key
        Digest of both.
    control
        Progress callback and cancel event.
    """

    def __init__(
        self,
        traces: TraceStream,
        path: Path,
        config: ExtractorConfig,
        embedding_func: Any,
        key: str,
        control: RunControl | None,
    ) -> None:
        self._traces = traces
        self._file = ResumableFile(path)
        self._config = config
        self._embedder = embedder(embedding_func)
        self._key = key
        self._control = control or RunControl()
        self._problems: dict[TraceProblem, None] = {}
        self._failed = 0

    def run(self) -> WorkDone:
        """Write the feedback of each trace that has none yet; see `BatchWork.run`."""
        # In a thread of its own: the main thread of a notebook already runs an event loop.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, self._run()).result()

    async def _run(self) -> WorkDone:
        if self._file.has_lines:
            wanted = {trace.id: self._digest(trace) for trace, _ in self._named()}
            self._file.read_back(lambda line, number: self._judged(line, number, wanted))
        kept = len(self._file)
        names: list[str] = []
        traces = self._named()
        try:
            while window := list(islice(traces, _WINDOW)):
                before = len(names)
                names += [trace.id for trace, _ in window]
                await self._explain([one for one in window if one[0].id not in self._file], before)
        finally:
            self._file.close()
        self._file.finish([name for name in names if name in self._file])
        return WorkDone(len(self._file), kept, self._failed, list(self._problems))

    def _named(self) -> Any:
        return named_traces(self._traces, self._note)

    def _note(self, line: int, message: str) -> None:
        self._problems[TraceProblem(line, message, loaded=True)] = None

    def _fail(self, line: int, trace: str, reason: str) -> None:
        self._failed += 1
        self._note(line, f"the trace {trace!r} has no feedback of this config: {reason}")

    async def _explain(self, window: list[tuple[Trace, int]], before: int) -> None:
        tasks, lines = [], []
        for trace, line in window:
            try:
                tasks.append(ExplanationTask(validated_trace(trace), self._config))
            except TraceError as error:
                self._fail(line, trace.id, str(error))
            else:
                lines.append(line)
        total = len(self._traces)
        explained = await explain_all(
            tasks, self._embedder, self._control, before=before, total=total
        )
        for task, line, one in zip(tasks, lines, explained, strict=True):
            fault = failures([one])
            problem = fault.reason if fault.without else None
            if problem is not None:
                self._fail(line, one.name, problem)
            entry = _entry(one, self._digest(task.trace), problem)
            self._file.append_line(one.name, msgspec.json.encode(entry) + b"\n")
        self._file.sync()

    def _digest(self, trace: Trace) -> str:
        return line_digest(self._key.encode() + encoded_line(trace))[:24]

    def _judged(self, line: bytes, number: int, wanted: dict[str, str]) -> tuple[str, bool]:
        """Return the trace id of a line and whether it is kept; raise for a foreign file."""
        try:
            found = msgspec.json.decode(line, type=_KnownLine)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise self._foreign(f"line {number} is not feedback") from None
        if found.id not in wanted:
            raise self._foreign(
                f"line {number} is about the trace {found.id!r}, which is not given"
            )
        return found.id, found.problem is None and found.made_from == wanted[found.id]

    def _foreign(self, reason: str) -> TraceError:
        return TraceError(
            f"{self._file.path} already exists, and cannot be continued: {reason}. Give another "
            "path, or remove the file."
        )


def _entry(explained: TraceExplanation, made_from: str, problem: str | None) -> FeedbackLine:
    pairs = zip(explained.hyperedges, explained.results, strict=True)
    return FeedbackLine(
        explained.name,
        feedback_by_id(explained),
        [{"unit": edge.id, "text": edge.hyperedge} | _row(result) for edge, result in pairs],
        [note.message for note in explained.notes],
        made_from,
        problem,
    )


def _row(result: MethodResult) -> dict[str, Any]:
    row = result._asdict()
    parts = row.pop("parts")
    row["diagnostics"] = [f"{note.code}: {note.message}" for note in result.diagnostics]
    numbers = {name: row[name] for name in ("score", "threshold", "feedback")} | dict(parts)
    return row | {name: None if isnan(value) else value for name, value in numbers.items()}
