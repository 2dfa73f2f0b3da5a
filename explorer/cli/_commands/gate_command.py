"""``attention-explorer gate``."""

from __future__ import annotations

from typing import Annotated

import typer

from explorer.cli._terminal.documented_command import examples
from explorer.cli._terminal.shared_options import (
    ConfigFile,
    Format,
    Json,
    Quiet,
    Samples,
    Seed,
    Traces,
    Truth,
)

EXAMPLES = examples(
    (
        "attention-explorer gate scored.jsonl -c config.json --fail-under f1=0.6",
        "exit code 1 below",
    ),
    ("attention-explorer gate s.jsonl -c c.json --fail-under kappa=0.4 --lower-bound", "stricter"),
)


def run(
    traces: Traces,
    config: ConfigFile = None,
    fail_under: Annotated[
        list[str] | None,
        typer.Option("--fail-under", metavar="METRIC=NUMBER", help="Smallest value; repeatable."),
    ] = None,
    lower_bound: Annotated[
        bool, typer.Option("--lower-bound", help="Compare the lower bound of the interval.")
    ] = False,
    method: Annotated[
        str | None, typer.Option("--method", metavar="NAME", help="Method; overrides the config.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option("--threshold", help="Threshold; overrides the config.")
    ] = None,
    truth: Truth = "labels",
    samples: Samples = 1000,
    seed: Seed = 0,
    format: Format = None,  # noqa: A002
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Check labelled traces against required figures, as a step of a CI job.

    The metrics are precision, recall, f1, mcc, youden, kappa and coverage. A figure that is
    undefined fails. The exit code is 0 if all requirements are met, 1 if not.
    """
    from explorer.cli._tasks.config_options import chosen_config
    from explorer.cli._tasks.labelled_figures import gate_rows, metric_intervals, requirements
    from explorer.cli._tasks.loaded_traces import loaded
    from explorer.cli._terminal.exit_codes import ExitCode
    from explorer.cli._terminal.job_control import running
    from explorer.cli._terminal.streams import print_json, print_table
    from explorer.reporting._analysis.report_scores import report_scores
    from explorer.validation import Resampling, Truth

    required = requirements(fail_under or [])
    settings = chosen_config(config, method=method, threshold=threshold, default="attention")
    with loaded(traces, format) as found, running(quiet=quiet) as control:
        scores = report_scores(
            found,
            settings,
            truth=Truth.of(truth),  # type: ignore[arg-type]  # checked there
            labels=None,
            control=control,
        )
    at = scores.threshold or 0.0
    figures = metric_intervals(scores.judged, at, Resampling(samples=samples, seed=seed))
    rows = gate_rows(figures, required, lower_bound=lower_bound)
    passed = all(row["passed"] is not False for row in rows)
    if json:
        print_json(
            {
                "passed": passed,
                "threshold": at,
                "config": scores.name,
                "traces": scores.judged.n_traces,
                "units": len(scores.judged),
                "positives": scores.judged.positives,
                "unknown": scores.judged.unknown,
                "lower_bound": lower_bound,
                "metrics": rows,
            }
        )
    else:
        print_table(rows, ["metric", "value", "low", "high", "required", "passed"])
        judged = scores.judged
        print(
            f"\n{len(judged):,} labelled hyperedges of {judged.n_traces:,} traces, "
            f"{judged.positives:,} used, {judged.unknown:,} without a score; {scores.name} at "
            f"{at:g}. {'Passed' if passed else 'Failed'}."
        )
    return ExitCode.DONE if passed else ExitCode.REFUSED
