"""The parts of a batch on a cluster: staged traces, finished parts, and the file they form."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from explorer.batch._batch_work import BatchWork, WorkDone
from explorer.batch._trace_files import FileProblem, TraceFiles
from explorer.errors import TraceError
from explorer.rag._scoring.scoring_job import named_traces
from explorer.traces import Trace, TraceProblem, iter_traces
from explorer.traces._files.file_streams import appearing_whole, write_whole
from explorer.traces._files.writer_lock import only_writer
from explorer.traces._io.trace_writing import copy_arrays, encoded_line

_PLAN = "plan.json"


@dataclass(frozen=True)
class StagedTraces:
    """The traces of one part, in explorer's own format and with unique ids."""

    path: Path
    count: int

    def __iter__(self) -> Iterator[Trace]:
        return iter_traces(self.path, format="native")

    def __len__(self) -> int:
        return self.count


class PartFolder:
    """``OUT.parts``: the input cut into parts, and one Parquet file for each finished part.

    A finished part is complete, because it takes its name when it is. It has the columns ``id`` and
    ``line`` (the line of JSON Lines that the part contributes, as bytes), and in its metadata the
    problems of the part.

    Parameters
    ----------
    out
        The output of the batch.
    """

    def __init__(self, out: Path) -> None:
        self.path = out.with_name(f"{out.name}.parts")
        self._counts: list[int] = []
        self._renamed: list[TraceProblem] = []

    def stage(
        self, source: TraceFiles, key: str, part_traces: int, on_problem: FileProblem
    ) -> None:
        """Cut the input into parts, or check that those of an earlier run are of this input.

        Raises
        ------
        TraceError
            There is no trace; the folder belongs to another input or work, or cannot be written.
        """
        files = [(str(path.resolve()), path.stat()) for path in source.paths]
        asked = {
            "work": key,
            "part_traces": part_traces,
            "sources": [[name, about.st_size, about.st_mtime_ns] for name, about in files],
        }
        plan = self._plan()
        if plan is not None:
            if {name: plan.get(name) for name in asked} != asked:
                raise TraceError(
                    f"{self.path} holds the parts of another run: of other files, another model or "
                    "other settings. Repeat that run, remove the folder, or give another output."
                )
            source.check(on_problem)
            self._counts = plan["counts"]
            self._renamed = [msgspec.convert(one, TraceProblem) for one in plan["renamed"]]
            return
        try:
            shutil.rmtree(self.path, ignore_errors=True)  # staging was stopped in the middle
            self.path.mkdir()
            named = named_traces(
                _Stream(source, on_problem),
                lambda line, message: self._renamed.append(
                    TraceProblem(line, message, loaded=True)
                ),
            )
            while part := [trace for trace, _ in islice(named, part_traces)]:
                self._write_staged(len(self._counts), part)
                self._counts.append(len(part))
            if not self._counts:
                shutil.rmtree(self.path, ignore_errors=True)
                source.check(on_problem)  # raises with the reason
            renamed = [msgspec.to_builtins(one) for one in self._renamed]
            with appearing_whole(self.path / _PLAN) as stream:
                stream.write(
                    json.dumps(asked | {"counts": self._counts, "renamed": renamed}).encode()
                )
        except OSError as error:
            raise TraceError(
                f"{self.path} cannot be written ({error.strerror or error})."
            ) from error

    def pending(self) -> list[int]:
        """Return the numbers of the parts that are not finished."""
        finished = {path.name for path in self.path.glob("*.parquet")}  # one listing
        return [number for number in self.numbers if self.part(number).name not in finished]

    @property
    def numbers(self) -> range:
        """The numbers of all parts."""
        return range(len(self._counts))

    @property
    def traces(self) -> int:
        """Number of traces of all parts."""
        return sum(self._counts)

    def count(self, number: int) -> int:
        """Return the number of traces of a part."""
        return self._counts[number]

    def part(self, number: int) -> Path:
        """Return the file of a finished part, whether or not it is there."""
        return part_path(self.path, number)

    def join(self, work: BatchWork, out: Path, *, table: bool) -> WorkDone:
        """Write the output from all parts in order, whole or not at all.

        Raises
        ------
        TraceError
            The output cannot be written, or two parts were read by different models.
        """
        failed = 0
        problems = list(self._renamed)
        readers: set[str] = set()
        lines = self.path / "joined.jsonl" if table else out

        def every_line() -> Iterator[bytes]:
            nonlocal failed
            for number in self.numbers:
                found = read_part(self.part(number))
                failed += found.failed
                problems.extend(found.problems)
                for line in found.lines:
                    reader = _reader(line)
                    if reader is not None:
                        readers.add(reader)
                    if len(readers) > 1:
                        raise TraceError(
                            f"The parts in {self.path} were read by models with different weights. "
                            "Remove that folder and run again with one model."
                        )
                    yield line

        try:
            with appearing_whole(lines) as stream:
                stream.writelines(every_line())
        except OSError as error:
            raise TraceError(f"{lines} cannot be written ({error.strerror or error}).") from error
        if table:
            work.write_table(lines, out)
        return WorkDone(self.traces, 0, failed, problems)

    def remove(self) -> None:
        """Delete the folder, when the output is complete."""
        shutil.rmtree(self.path, ignore_errors=True)

    def _plan(self) -> dict[str, Any] | None:
        try:
            found = json.loads((self.path / _PLAN).read_text("utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise TraceError(
                f"{self.path / _PLAN} cannot be read ({error}). Remove {self.path} to begin anew."
            ) from None
        return dict(found)

    def _write_staged(self, number: int, part: Iterable[Trace]) -> None:
        with staged_path(self.path, number).open("wb") as stream:
            for trace in part:
                copy_arrays(trace, self.path)
                stream.write(encoded_line(trace))


@dataclass(frozen=True)
class FinishedPart:
    """The lines of a finished part, its failures and its problems."""

    lines: list[bytes]
    failed: int
    problems: list[TraceProblem]


def staged_path(folder: Path, number: int) -> Path:
    """Return the file with the traces of a part."""
    return folder / f"{number:06}.in.jsonl"


def part_path(folder: Path, number: int) -> Path:
    """Return the file of a finished part."""
    return folder / f"{number:06}.parquet"


def finish_part(work: BatchWork, folder: Path, number: int, count: int) -> None:
    """Do the work of one part, unless it is finished; a part that was stopped is continued.

    Raises
    ------
    TraceError
        As `BatchWork.run`.
    """
    target = part_path(folder, number)
    lines = folder / f"{number:06}.work.jsonl"
    if target.exists():
        return
    with only_writer(lines):
        from explorer.run_control import RunControl, silent

        done = work.run(StagedTraces(staged_path(folder, number), count), lines, RunControl(silent))
        write_part(target, lines, done)
        lines.unlink()


def write_part(target: Path, lines: Path, done: WorkDone) -> None:
    """Write a finished part, whole or not at all."""
    import pyarrow as pa  # type: ignore[import-untyped]
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    raw = lines.read_bytes().splitlines(keepends=True)
    problems = [msgspec.to_builtins(one) for one in done.problems]
    about = {"failed": str(done.failed), "problems": json.dumps(problems)}
    columns = {
        "id": pa.array([msgspec.json.decode(line, type=_Named).id for line in raw], pa.string()),
        "line": pa.array(raw, pa.large_binary()),
    }
    table = pa.table(columns).replace_schema_metadata(about)
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    write_whole(target, sink.getvalue().to_pybytes(), "A part")


def read_part(path: Path) -> FinishedPart:
    """Return what `write_part` wrote."""
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    about = table.schema.metadata
    return FinishedPart(
        table.column("line").to_pylist(),
        int(about[b"failed"]),
        [msgspec.convert(one, TraceProblem) for one in json.loads(about[b"problems"])],
    )


class _Named(msgspec.Struct):
    id: str


class _ReadingMark(msgspec.Struct):
    stand_in: dict[str, Any] | None = None


class _WithReader(msgspec.Struct):
    metadata: _ReadingMark | None = None


def _reader(line: bytes) -> str | None:
    """Return the digest of the model that read a trace; None without one."""
    try:
        metadata = msgspec.json.decode(line, type=_WithReader).metadata
    except msgspec.MsgspecError:
        return None
    mark = None if metadata is None else metadata.stand_in
    reader = None if mark is None else mark.get("reader")
    return reader if isinstance(reader, str) else None


@dataclass(frozen=True)
class _Stream:
    """The traces of files, with their problems reported."""

    source: TraceFiles
    on_problem: FileProblem

    def __iter__(self) -> Iterator[Trace]:
        return self.source.read(self.on_problem)

    def __len__(self) -> int:
        return len(self.source)
