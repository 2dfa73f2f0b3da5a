"""``attention-explorer calibrate``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from explorer.cli._terminal.documented_command import examples
from explorer.cli._terminal.shared_options import (
    Format,
    Json,
    Mlflow,
    Quiet,
    Samples,
    Seed,
    Traces,
    Truth,
)

EXAMPLES = examples(
    ("attention-explorer calibrate scored.jsonl -o config.json", "choose, and keep the config"),
    ("attention-explorer calibrate scored.jsonl --metric kappa --json", "all figures as JSON"),
    (
        "attention-explorer calibrate scored.jsonl --metric recall --least-precision 0.8",
        "at least 4 of 5 calls right",
    ),
    ("attention-explorer feedback new.jsonl -c config.json -o f.jsonl", "use the choice"),
)


def run(
    traces: Traces,
    out: Annotated[
        str | None, typer.Option("-o", "--output", metavar="FILE", help="Config as JSON.")
    ] = None,
    metric: Annotated[
        str,
        typer.Option(
            "--metric",
            metavar="f1|mcc|youden|kappa|precision|recall|cost",
            help="What the threshold is best for.",
        ),
    ] = "f1",
    least_recall: Annotated[
        float | None, typer.Option("--least-recall", help="For precision: the recall to reach.")
    ] = None,
    least_precision: Annotated[
        float | None, typer.Option("--least-precision", help="For recall: the precision to reach.")
    ] = None,
    cost_ratio: Annotated[
        float | None,
        typer.Option("--cost-ratio", help="For cost: a wrong fact kept, in right facts lost."),
    ] = None,
    truth: Truth = "labels",
    folds: Annotated[int, typer.Option("--folds", min=2, help="Outer folds.")] = 5,
    repeats: Annotated[
        int | None, typer.Option("--repeats", min=1, help="How often the traces are split anew.")
    ] = None,
    min_traces: Annotated[
        int | None, typer.Option("--min-traces", min=0, help="Fewest labelled traces.")
    ] = None,
    min_positives: Annotated[
        int | None, typer.Option("--min-positives", min=0, help="Fewest units of each class.")
    ] = None,
    samples: Samples = 1000,
    seed: Seed = 0,
    most_units: Annotated[
        int | None, typer.Option("--most-units", min=1, help="Most labelled hyperedges to use.")
    ] = None,
    mlflow: Mlflow = None,
    format: Format = None,  # noqa: A002
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Choose heads and a threshold by labels, and judge the choice on held-out traces.

    The traces need labels and attention, as score writes it. The exit code is 1 if nothing is
    recommended, for example because word overlap ranks as well.
    """
    from pathlib import Path

    from explorer._extras import require_extra
    from explorer.cli._tasks.labelled_figures import recommendation_figures
    from explorer.cli._tasks.loaded_traces import loaded
    from explorer.cli._terminal.exit_codes import ExitCode
    from explorer.cli._terminal.job_control import running
    from explorer.cli._terminal.streams import print_json
    from explorer.traces._files.file_streams import write_whole
    from explorer.validation import CrossValidation, Objective, Resampling, calibrate

    objective = Objective(
        metric,  # type: ignore[arg-type]  # checked there
        least_recall,
        least_precision,
        cost_ratio,
    )
    if mlflow is not None:
        require_extra("mlflow", "--mlflow")  # before hours of work
    limits = {"min_traces": min_traces, "min_positives": min_positives}
    given = {name: value for name, value in limits.items() if value is not None}
    more: dict[str, Any] = {} if most_units is None else {"most_units": most_units}
    with loaded(traces, format) as found, running(quiet=quiet) as control:
        chosen = calibrate(
            found,
            metric=objective,
            truth=truth,  # type: ignore[arg-type]  # checked there
            cross_validation=CrossValidation(folds=folds, repeats=repeats, **given),
            resampling=Resampling(samples=samples, seed=seed),
            control=control,
            **more,
        )
    if mlflow is not None:
        from explorer.tracking import MlflowTracker

        MlflowTracker(uri=mlflow).log_calibration(
            chosen, resampling=Resampling(samples=samples, seed=seed)
        )
    if out is not None and chosen.accepted:
        write_whole(Path(out), chosen.to_json().encode() + b"\n", "The config")
    if json:
        print_json(recommendation_figures(chosen))
    else:
        print(chosen.choice)
        print(f"{chosen}.")
        for note in chosen.notes:
            print(note.message)
        if not chosen.accepted:
            print(f"Not recommended: {chosen.refusal}")
    return ExitCode.DONE if chosen.accepted else ExitCode.REFUSED
