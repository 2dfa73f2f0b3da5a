"""Writing traces in the native format."""

from __future__ import annotations

import contextlib
import filecmp
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from explorer.errors import TraceError
from explorer.traces.arrays import evidence_file, is_reference
from explorer.traces.native import write_object
from explorer.traces.record import Trace, checked_trace


def save_traces(traces: Iterable[Trace], path: str | os.PathLike[str]) -> None:
    """Write traces as JSON Lines, one a line.

    The file appears whole or not at all: a file that was there stays until the new one is complete.
    Array files that the traces name are copied beside the new file when it lies elsewhere.

    Parameters
    ----------
    traces
        The traces. Arrays in their metadata are written as lists; NaN and infinite numbers become
        null, which reads back as NaN.
    path
        The file to write; its folder must exist.

    Raises
    ------
    TraceError
        What is to be written is no trace, or its metadata holds what JSON cannot; the folder is
        missing or cannot be written; an array file of the same name and other contents lies beside
        the new file.
    EvidenceError
        An array file is missing or lies outside the folder of its trace.
    """
    path = Path(path)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with unfinished.open("wb") as stream:
            for trace in map(checked_trace, traces):
                copy_arrays(trace, path.absolute().parent)
                stream.write(encoded_line(trace))
        unfinished.replace(path)
    except OSError as error:
        raise TraceError(f"{path} cannot be written ({error.strerror or error}).") from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink()


def encoded_line(trace: Trace) -> bytes:
    """Return the line of a trace in a native file, with its end.

    Raises
    ------
    TraceError
        The trace holds what JSON cannot.
    """
    try:
        return _encoder.encode(write_object(trace)) + b"\n"
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
        raise TraceError(f"Trace {trace.id} holds something that JSON cannot: {error}.") from error


def _listed(value: Any) -> Any:
    """Turn arrays, tensors and NumPy numbers into what JSON knows."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, range):
        return list(value)
    raise TypeError(f"a {type(value).__name__}")


_encoder = msgspec.json.Encoder(enc_hook=_listed)


def copy_arrays(trace: Trace, folder: Path) -> None:
    """Bring the array files of a trace along to another folder.

    Raises
    ------
    TraceError
        A file of the same name and other contents lies there.
    EvidenceError
        An array file is missing or lies outside the folder of its trace.
    """
    for reference in filter(is_reference, trace.metadata.values()):
        # A trace made in memory names a file that its maker has put, or will put, beside it.
        if trace.folder is None or trace.folder.resolve() == folder.resolve():
            continue
        source = evidence_file(trace, reference)
        target = folder / reference["file"]
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        elif not filecmp.cmp(source, target, shallow=False):
            raise TraceError(
                f"{target} exists and is not the array file of trace {trace.id}; "
                "save the traces in another folder."
            )
