"""``attention-explorer open``."""

from __future__ import annotations

from typing import Annotated

import typer

from explorer.cli._terminal.documented_command import examples

EXAMPLES = examples(
    ("attention-explorer open", "the app with its packaged examples"),
    ("attention-explorer open traces.jsonl", "RAG traces in JupyterLab"),
    ("attention-explorer open model.py --voila", "code as a page of its own"),
    ("attention-explorer open notes.log --as code --no-browser --port 9000", "print the address"),
)


def run(
    file: Annotated[
        str | None, typer.Argument(metavar="[FILE]", help="Trace file or code.")
    ] = None,
    voila: Annotated[
        bool, typer.Option("--voila", help="The app alone, as a page, instead of JupyterLab.")
    ] = False,
    kind: Annotated[
        str | None,
        typer.Option("--as", metavar="code|traces", help="What the file is, if its name misleads."),
    ] = None,
    port: Annotated[int | None, typer.Option("--port", min=1, max=65535)] = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open a browser, or print the address.")
    ] = True,
) -> int:
    """Open a file in the app, on this machine alone (127.0.0.1). Ctrl-C stops it.

    The notebook is in a temporary folder, which is removed at the end; save what you want to keep
    elsewhere.
    """
    from pathlib import Path

    from explorer.cli._tasks.app_notebook import app_source, show
    from explorer.cli._terminal.exit_codes import ExitCode

    source = app_source(None if file is None else Path(file).expanduser(), kind)
    ended = show(source, voila=voila, port=port, browser=browser)
    return ExitCode.DONE if ended in (0, -15) else ExitCode.UNAVAILABLE
