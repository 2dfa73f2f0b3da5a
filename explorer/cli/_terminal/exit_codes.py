"""Exit codes, documented in ``docs/cli.md``."""

from __future__ import annotations

from enum import IntEnum

from explorer.errors import (
    Cancelled,
    ExplorerError,
    MissingExtraError,
    ModelError,
)


class ExitCode(IntEnum):
    """What a command reports to the shell."""

    DONE = 0
    REFUSED = 1
    """A gate failed, or a calibration recommends nothing."""
    USAGE = 2
    """An option is missing or not valid."""
    BAD_INPUT = 3
    """A file cannot be read or written, or a value does not fit the data."""
    PARTIAL = 4
    """Finished, but some records have no result."""
    UNAVAILABLE = 5
    """A library or a model is not here."""
    FAULT = 70
    """A fault of explorer itself."""
    INTERRUPTED = 130
    CLOSED_PIPE = 141
    TERMINATED = 143


def code_of(error: ExplorerError) -> ExitCode:
    """Return the exit code of an error."""
    if isinstance(error, Cancelled):
        return ExitCode.INTERRUPTED
    if isinstance(error, MissingExtraError | ModelError):
        return ExitCode.UNAVAILABLE
    return ExitCode.BAD_INPUT
