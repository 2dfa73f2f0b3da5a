"""``attention-explorer diff``."""

from __future__ import annotations

from typing import Annotated

import typer

from explorer.cli._terminal.documented_command import examples
from explorer.cli._terminal.shared_options import ConfigFile, Format, Json, Quiet, Samples, Seed

EXAMPLES = examples(
    ("attention-explorer diff old.jsonl new.jsonl -c config.json", "another model, same config"),
    ("attention-explorer diff fp32.jsonl int8.jsonl --flips 20", "quantisation; list 20 flips"),
    (
        "attention-explorer diff a.jsonl b.jsonl -c old.json --second-config new.json --json",
        "another config too",
    ),
)


def run(
    first: Annotated[str, typer.Argument(metavar="FIRST", help="Traces of the first run.")],
    second: Annotated[str, typer.Argument(metavar="SECOND", help="Traces of the second run.")],
    config: ConfigFile = None,
    second_config: Annotated[
        str | None,
        typer.Option("--second-config", metavar="FILE", help="Settings of the second run."),
    ] = None,
    method: Annotated[
        str | None, typer.Option("--method", metavar="NAME", help="Method; overrides the config.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option("--threshold", help="Threshold; overrides the config.")
    ] = None,
    flips: Annotated[int, typer.Option("--flips", min=0, help="Most flips to list.")] = 10,
    samples: Samples = 1000,
    seed: Seed = 0,
    format: Format = None,  # noqa: A002
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Compare two runs over the same traces: which facts flipped, and how far figures moved.

    Each change has a paired 95 % bootstrap interval over traces; an interval without 0 is a
    difference. With labels, F1, kappa and the other metrics are compared too.
    """
    import asyncio
    from dataclasses import asdict

    from explorer.cli._tasks.config_options import chosen_config
    from explorer.cli._tasks.loaded_traces import loaded
    from explorer.cli._tasks.run_difference import compare_runs
    from explorer.cli._terminal.job_control import running
    from explorer.cli._terminal.streams import print_json, print_table
    from explorer.rag import ExtractorConfig
    from explorer.rag._extraction.extractor import extractor_alone
    from explorer.validation import Resampling

    def settings_of(file: str | None) -> ExtractorConfig:
        return chosen_config(file, method=method, threshold=threshold, default="attention")

    settings = settings_of(config)
    other = settings
    if second_config is not None:
        other = settings_of(second_config)
    with (
        loaded([first], format) as before,
        loaded([second], format) as after,
        running(quiet=quiet) as control,
    ):
        tables = [
            asyncio.run(extractor_alone(chosen).explain_traces(traces, control=control))
            for traces, chosen in ((before, settings), (after, other))
        ]
        labels = {
            (trace.id, edge.id): edge.label
            for traces in (after, before)
            for trace in traces
            for edge in trace.hyperedges
            if edge.label is not None
        }
    found = compare_runs(tables[0], tables[1], labels, Resampling(samples=samples, seed=seed))
    if json:
        print_json(asdict(found) | {"kappa": found.kappa._asdict()})
        return 0
    print(
        f"{found.hyperedges:,} hyperedges of {found.traces:,} traces are in both runs "
        f"({found.only_first:,} and {found.only_second:,} in one alone). "
        f"{len(found.flips):,} calls flipped; kappa of both runs: {found.kappa}.\n"
    )
    print_table(found.figures, ["figure", "first", "second", "change", "low", "high"])
    if found.flips and flips:
        print()
        shown = [row | {"text": " ".join(row["text"].split())[:60]} for row in found.flips[:flips]]
        columns = ["trace", "unit", "first_score", "second_score", "first", "second", "label"]
        print_table(shown, [*columns, "text"])
        if len(found.flips) > flips:
            print(f"... and {len(found.flips) - flips:,} more; --json lists all.")
    return 0
