"""A command that shows examples in its help, and errors as one sentence."""

from __future__ import annotations

import os
import sys
import traceback
from typing import Any

import typer
from typer.core import TyperCommand

from explorer.cli._terminal.exit_codes import ExitCode, code_of
from explorer.errors import ExplorerError

DEBUG = "EXPLORER_DEBUG"
"""Environment variable that ``--debug`` sets."""

HELP = ("-h", "--help")
"""The options that show help."""

_SEPARATOR = "\x1f"


def examples(*pairs: tuple[str, str]) -> str:
    """Return the end of a help page from pairs of a command and what it does."""
    width = max(len(command) for command, _ in pairs)
    return _SEPARATOR.join(
        f"  {command:<{width}}  {what}" if width < 50 else f"  {command}\n      {what}"
        for command, what in pairs
    )


class DocumentedCommand(TyperCommand):
    """A command whose return value is its exit code.

    An `ExplorerError` is written to stderr without a traceback; ``--debug`` shows it.
    """

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the examples, each on its own line."""
        if self.epilog:
            formatter.write("\nExamples:\n" + self.epilog.replace(_SEPARATOR, "\n") + "\n")

    def invoke(self, ctx: Any) -> Any:
        """Run the command, and leave with its exit code."""
        try:
            code = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            # What reads the output has left; nothing can be written to it, not even at the exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = ExitCode.CLOSED_PIPE
        except KeyboardInterrupt:
            say("Interrupted.")
            code = ExitCode.INTERRUPTED
        except ExplorerError as error:
            code = _failed(error, code_of(error))
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            code = _failed(error, ExitCode.BAD_INPUT, f"{place}{error.strerror or error}.")
        except (typer.Exit, typer.Abort, typer.BadParameter):
            raise
        except Exception:  # noqa: BLE001 - a fault must not look like a failed gate
            traceback.print_exc()
            say("This is a fault of attention-explorer itself: please report the lines above.")
            code = ExitCode.FAULT
        raise typer.Exit(int(code or 0))


def say(message: str) -> None:
    """Write a line to stderr."""
    print(message, file=sys.stderr, flush=True)


def _failed(error: Exception, code: ExitCode, message: str = "") -> ExitCode:
    if os.environ.get(DEBUG):
        traceback.print_exception(error)
    say(f"attention-explorer: {message or error}")
    return code
