"""A batch as a command: streams, progress, summary and exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.cli._terminal.documented_command import say
from explorer.cli._terminal.exit_codes import ExitCode
from explorer.cli._terminal.job_control import running
from explorer.cli._terminal.streams import STREAM, print_json, sources, target
from explorer.errors import InputError
from explorer.run_control import RunControl

if TYPE_CHECKING:
    from explorer.batch import BatchSummary

Batch = Callable[[list[str], Path, RunControl], "BatchSummary"]


def run_batch(batch: Batch, names: Sequence[str], out: str, *, json: bool, quiet: bool) -> int:
    """Run a batch, show its summary, and return the exit code.

    Raises
    ------
    ExplorerError
        As `explorer.batch.score_files`.
    """
    if out == STREAM and json:
        raise InputError("--json and -o - both write to stdout; give -o a file.")
    with sources(names) as paths, target(out) as path, running(quiet=quiet) as control:
        summary = batch(paths, path, control)
        if out == STREAM and summary.problems is not None:
            sys.stderr.write(Path(summary.problems).read_text("utf-8"))
    if json:
        print_json(summary.to_dict())
    elif out != STREAM:
        say(str(summary))
    return ExitCode.DONE if summary.complete else ExitCode.PARTIAL
