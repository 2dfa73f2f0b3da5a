"""Traces made ready to be read; in a thread where the model leaves the processor free."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice, repeat
from typing import Any, NamedTuple

from explorer.errors import Cancelled
from explorer.rag._scoring.trace_task import TraceReader
from explorer.run_control import RunControl
from explorer.traces import Trace

# Number of traces that are prepared together, so that some of them have similar lengths.
_WINDOW = 128
# The same at the beginning where a GPU would wait for all of them.
_FIRST_WINDOWS = (16, 32)


class PreparedWork(NamedTuple):
    """A trace with what is read of it; `error` says why it cannot be read."""

    trace: Trace
    line: int
    ready: Any
    error: Exception | None = None


def prepared_windows(
    traces: Iterator[tuple[Trace, int]],
    names: list[str],
    settled: Callable[[Trace, int], bool],
    reader: Callable[[], TraceReader[Any]],
    control: RunControl,
) -> Iterator[list[PreparedWork]]:
    """Yield traces that are ready to be read, window by window.

    Where the reader `prepares_meanwhile`, a window is prepared in a thread while the caller reads
    the one before it.

    Parameters
    ----------
    traces
        Traces with their lines.
    names
        Receives the id of each trace.
    settled
        Returns True for a trace of which nothing has to be read, and deals with it.
    reader
        Returns the reader; called when there is something to read.
    control
        Its cancel event stops the preparation before the next trace.

    Raises
    ------
    Cancelled
        The cancel event was set.
    """
    sizes = chain(_FIRST_WINDOWS, repeat(_WINDOW))
    waiting: Future[list[PreparedWork]] | None = None
    with ThreadPoolExecutor(1, "explorer-prepare") as thread:
        while window := list(islice(traces, _WINDOW)):
            names += [trace.id for trace, _ in window]
            todo = [one for one in window if not settled(*one)]
            if todo and not reader().prepares_meanwhile:
                yield _prepare(todo, reader(), control)
                continue
            while todo:
                size = next(sizes)
                coming = thread.submit(_prepare, todo[:size], reader(), control)
                todo = todo[size:]
                if waiting is not None:
                    yield waiting.result()
                waiting = coming
        if waiting is not None:
            yield waiting.result()


def _prepare(
    window: list[tuple[Trace, int]], reader: TraceReader[Any], control: RunControl
) -> list[PreparedWork]:
    """Return traces with what is read of them, or with the error that says why it is not."""
    found = []
    for trace, line in window:
        control.check()
        try:
            found.append(PreparedWork(trace, line, reader.ask(trace, control)))
        except Cancelled:
            raise
        except Exception as error:  # noqa: BLE001 - any tokenizer or template may raise
            found.append(PreparedWork(trace, line, None, error))
    return found
