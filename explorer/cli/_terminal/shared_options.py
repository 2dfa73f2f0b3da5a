"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

Traces = Annotated[
    list[str],
    typer.Argument(metavar="TRACES", help="Trace files of any format, patterns, or - for stdin."),
]
Out = Annotated[
    str, typer.Option("-o", "--output", metavar="OUT", help="File to write; - for stdout.")
]
Format = Annotated[
    str | None,
    typer.Option("--format", metavar="NAME", help="Format of the traces, if not recognised."),
]
Json = Annotated[bool, typer.Option("--json", help="Write the result to stdout as JSON.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Show no progress.")]
ModelName = Annotated[
    str | None,
    typer.Option(
        "-m",
        "--model",
        metavar="NAME",
        help="Packaged model, local folder or hub id; SmolLM2-135M-Instruct by default.",
    ),
]
ConfigFile = Annotated[
    str | None,
    typer.Option(
        "-c",
        "--config",
        metavar="FILE",
        help="JSON with the settings of an extractor, such as the output of calibrate.",
    ),
]
Engine = Annotated[
    str, typer.Option("--engine", metavar="local|ray", help="This process, or a Ray cluster.")
]
Workers = Annotated[
    int | None, typer.Option("--workers", min=1, help="Ray: number of models that work at once.")
]
PartTraces = Annotated[
    int | None, typer.Option("--part-traces", min=1, help="Ray: traces between checkpoints.")
]
Truth = Annotated[
    str, typer.Option("--truth", metavar="labels|ablation", help="What counts as used.")
]
Mlflow = Annotated[
    str | None,
    typer.Option("--mlflow", metavar="URI", help="Log the result to this MLflow store."),
]
Samples = Annotated[
    int, typer.Option("--samples", min=0, help="Bootstrap samples of the intervals.")
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of samples and splits.")]
