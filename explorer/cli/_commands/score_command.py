"""``attention-explorer score``."""

from __future__ import annotations

from typing import Annotated

import typer

from explorer.cli._terminal.documented_command import examples
from explorer.cli._terminal.shared_options import (
    Engine,
    Format,
    Json,
    ModelName,
    Out,
    PartTraces,
    Quiet,
    Traces,
    Workers,
)

EXAMPLES = examples(
    ("attention-explorer score musique.json -o scored.jsonl", "score, or continue after a stop"),
    ("attention-explorer score 'logs/*.jsonl' -o scored.parquet", "many files, larger than memory"),
    ("attention-explorer score t.jsonl --question --content-free -o s.jsonl", "for calibrate"),
    ("zcat t.jsonl.gz | attention-explorer score - -o - | jq .id", "as part of a pipe"),
    ("attention-explorer score t.jsonl -o s.parquet --engine ray", "on a Ray cluster"),
)


def run(
    traces: Traces,
    out: Out,
    model: ModelName = None,
    question: Annotated[
        bool, typer.Option("--question", help="Keep the attention of the question's rows too.")
    ] = False,
    content_free: Annotated[
        bool, typer.Option("--content-free", help='Read each trace with the question "N/A" too.')
    ] = False,
    generate: Annotated[
        bool, typer.Option("--generate", help="Let the model answer where there is no answer.")
    ] = False,
    max_new_tokens: Annotated[
        int, typer.Option("--max-new-tokens", min=1, help="Longest answer of --generate.")
    ] = 48,
    keep_rows: Annotated[
        bool, typer.Option("--keep-rows", help="Keep the attention of each answer token.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Score traces that bring attention, too.")
    ] = False,
    batch_tokens: Annotated[
        int | None, typer.Option("--batch-tokens", min=1, help="Most tokens of a forward pass.")
    ] = None,
    device: Annotated[
        str | None, typer.Option("--device", metavar="NAME", help="cpu, cuda, cuda:1, mps.")
    ] = None,
    format: Format = None,  # noqa: A002
    engine: Engine = "local",
    workers: Workers = None,
    part_traces: PartTraces = None,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Let a local model read traces, and write them with its attention.

    Each finished trace is appended to OUT. The same command continues after a stop or a kill;
    nothing is lost or done twice. Records without a result are listed in OUT.problems.jsonl, and
    the exit code is then 4.
    """
    from explorer.batch import score_files
    from explorer.cli._tasks.batch_run import run_batch
    from explorer.rag import StandInSettings

    settings = StandInSettings(
        generate=generate,
        max_new_tokens=max_new_tokens,
        keep_rows=keep_rows,
        rows=("answer", "question") if question else ("answer",),
        content_free=content_free,
    )
    return run_batch(
        lambda paths, path, control: score_files(
            paths,
            path,
            model=model,
            settings=settings,
            overwrite=overwrite,
            batch_tokens=batch_tokens,
            device=device,
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
