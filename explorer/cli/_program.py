"""The program: its commands, loaded when they are called, and what holds for all of them."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from types import MappingProxyType
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from explorer.cli._terminal.documented_command import DEBUG, HELP, DocumentedCommand

NAME = "attention-explorer"

COMMANDS = MappingProxyType(
    {
        "open": "Open a trace file or code in JupyterLab or Voila.",
        "code": "Draw the attention within code, or comment a diff with it.",
        "score": "Let a local model read traces; write its attention.",
        "feedback": "Write the feedback of every hyperedge.",
        "calibrate": "Choose heads and a threshold by labels.",
        "report": "Write what labels say about a threshold as an HTML page.",
        "convert": "Convert traces of any format to JSON Lines or Parquet.",
        "gate": "Check labelled traces against required figures, for CI.",
        "diff": "Compare two runs over the same traces.",
        "serve": "Run the HTTP service.",
        "models": "List, fetch, find and free models.",
        "doctor": "Show what is installed, what is missing and what to do.",
    }
)
"""The commands with the line of each in ``--help``; the module of each is ``NAME_command``."""


def load_command(name: str) -> Any:
    """Return one of `COMMANDS`, imported now."""
    module = importlib.import_module(f"explorer.cli._commands.{name}_command")
    if hasattr(module, "GROUP"):
        found = typer.main.get_command(module.GROUP)
    else:
        alone = typer.Typer(add_completion=False, rich_markup_mode=None)
        documented = alone.command(
            cls=DocumentedCommand,
            epilog=module.EXAMPLES,
            short_help=COMMANDS[name],
            context_settings={"help_option_names": list(HELP)},
        )
        documented(module.run)
        found = typer.main.get_command(alone)
    found.name = name
    return found


class LazyGroup(TyperGroup):
    """The commands of the program; a module is imported when its command is used."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the commands."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command, None if there is none of this name."""
        return load_command(cmd_name) if cmd_name in COMMANDS else None

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list of commands without importing one."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": list(HELP)},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        import explorer

        print(f"{NAME} {explorer.__version__}")
        raise typer.Exit


@app.callback(
    epilog="Exit codes: 0 done, 1 gate failed, 2 usage, 3 bad input, 4 some records have no "
    "result, 5 a library or model is missing, 130 interrupted. COMMAND --help shows examples; "
    "docs/cli.md describes every command."
)
def _program(
    version: Annotated[  # noqa: ARG001 - its callback shows it
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Transformer attention at the command line: look, score, validate, serve.

    Files may be patterns ("traces/*.jsonl"), and - stands for stdin or stdout. Results go to
    stdout, progress and messages to stderr.
    """
    if debug:
        os.environ[DEBUG] = "1"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run ``attention-explorer`` and leave with its exit code.

    Parameters
    ----------
    arguments
        The words of the command line, without the name of the program; those of the process if
        left out.

    Raises
    ------
    SystemExit
        Always, with the exit code.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if len(given) > 1 and given[0] in COMMANDS and given[-1] in HELP:
        # Straight to the command: on its way through the program, typer imports pydantic.
        command = load_command(given[0])
        command.main(args=given[1:], prog_name=f"{NAME} {given[0]}")
    app(args=given, prog_name=NAME)
