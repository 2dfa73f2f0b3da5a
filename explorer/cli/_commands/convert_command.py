"""``attention-explorer convert``."""

from __future__ import annotations

from typing import Annotated

import typer

from explorer.cli._terminal.documented_command import examples
from explorer.cli._terminal.shared_options import Format, Json, Traces

EXAMPLES = examples(
    ("attention-explorer convert ragas.csv -o traces.jsonl", "to explorer's own format"),
    ("attention-explorer convert 'export/*.json' -o traces.parquet", "many files to one"),
    ("attention-explorer convert - -o - < spans.json | jq .query", "in a pipe"),
)


def run(
    traces: Traces,
    out: Annotated[
        str, typer.Option("-o", "--output", metavar="OUT", help="File to write; - for stdout.")
    ] = "-",
    format: Format = None,  # noqa: A002
    json: Json = False,
) -> int:
    """Convert traces of any format to native JSON Lines, or to Parquet by the name of OUT.

    Labels given in the app are written too. Records that are not traces are listed in
    OUT.problems.jsonl, and the exit code is then 4.
    """
    from explorer.batch._conversion import convert_files
    from explorer.cli._tasks.batch_run import run_batch

    return run_batch(
        lambda paths, path, control: convert_files(paths, path, format=format, control=control),
        traces,
        out,
        json=json,
        quiet=True,
    )
