"""Labelled traces of files, as the notebook loads them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from explorer.cli._terminal.documented_command import say
from explorer.cli._terminal.streams import sources
from explorer.errors import InputError
from explorer.traces import TraceSet, load_traces


@contextlib.contextmanager
def loaded(names: Sequence[str], format: str | None) -> Iterator[TraceSet]:  # noqa: A002
    """Yield the traces of one file; problems of loading are written to stderr.

    Raises
    ------
    InputError
        More than one file is given.
    TraceError
        As `load_traces`.
    """
    if len(names) != 1:
        raise InputError("Give one trace file; `attention-explorer convert` joins several.")
    with sources(names) as (path,):
        found = load_traces(path, format=format)
        shown = [problem for problem in found.problems if not problem.loaded]
        for problem in shown[:5]:
            say(f"{names[0]}, {problem}")
        if len(shown) > 5:
            say(f"{names[0]}: {len(shown) - 5} more records were left out.")
        yield found
