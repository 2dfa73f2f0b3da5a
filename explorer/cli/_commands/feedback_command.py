"""``attention-explorer feedback``."""

from __future__ import annotations

from typing import Annotated

import typer

from explorer.cli._terminal.documented_command import examples
from explorer.cli._terminal.shared_options import (
    ConfigFile,
    Engine,
    Format,
    Json,
    Out,
    PartTraces,
    Quiet,
    Traces,
    Workers,
)

EXAMPLES = examples(
    ("attention-explorer feedback traces.jsonl -o feedback.jsonl", "by embedding, the default"),
    ("attention-explorer feedback scored.jsonl -c config.json -o f.parquet", "as calibrated"),
    (
        "attention-explorer feedback t.jsonl --method hybrid -o - | jq -c .feedback",
        "by hyperedge, in a pipe",
    ),
)


def run(
    traces: Traces,
    out: Out,
    config: ConfigFile = None,
    method: Annotated[
        str | None, typer.Option("--method", metavar="NAME", help="Method; overrides the config.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option("--threshold", help="Threshold; overrides the config.")
    ] = None,
    layer: Annotated[int | None, typer.Option("--layer", help="Layer of attention.")] = None,
    head: Annotated[int | None, typer.Option("--head", help="Head of attention.")] = None,
    format: Format = None,  # noqa: A002
    engine: Engine = "local",
    workers: Workers = None,
    part_traces: PartTraces = None,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Write the feedback of every hyperedge, with its evidence.

    JSON Lines have one line for each trace; Parquet has one row for each hyperedge. The command
    continues after a stop or a kill, like score.
    """
    from explorer.batch import feedback_files
    from explorer.cli._tasks.batch_run import run_batch
    from explorer.cli._tasks.config_options import chosen_config

    settings = chosen_config(config, method=method, threshold=threshold, layer=layer, head=head)
    return run_batch(
        lambda paths, path, control: feedback_files(
            paths,
            path,
            config=settings,
            format=format,
            engine=engine,  # type: ignore[arg-type]  # checked there
            workers=workers,
            part_traces=part_traces,
            control=control,
        ),
        traces,
        out,
        json=json,
        quiet=quiet,
    )
