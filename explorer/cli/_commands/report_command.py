"""``attention-explorer report``."""

from __future__ import annotations

from typing import Annotated

import typer

from explorer.cli._terminal.documented_command import examples
from explorer.cli._terminal.shared_options import (
    ConfigFile,
    Format,
    Mlflow,
    Quiet,
    Samples,
    Seed,
    Traces,
    Truth,
)

EXAMPLES = examples(
    ("attention-explorer report scored.jsonl -o report.html", "attention at its default threshold"),
    ("attention-explorer report scored.jsonl -c config.json -o report.html", "as calibrated"),
    ("attention-explorer report scored.jsonl --calibrate", "calibrate, and report the held-out"),
)


def run(
    traces: Traces,
    out: Annotated[
        str, typer.Option("-o", "--output", metavar="FILE", help="HTML page; - for stdout.")
    ] = "report.html",
    config: ConfigFile = None,
    method: Annotated[
        str | None, typer.Option("--method", metavar="NAME", help="Method; overrides the config.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option("--threshold", help="Threshold to judge.")
    ] = None,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="Calibrate first, and report the recommendation.")
    ] = False,
    title: Annotated[str | None, typer.Option("--title", help="Heading of the page.")] = None,
    heads: Annotated[
        bool, typer.Option("--heads/--no-heads", help="Measure every layer and head.")
    ] = True,
    truth: Truth = "labels",
    samples: Samples = 1000,
    seed: Seed = 0,
    mlflow: Mlflow = None,
    format: Format = None,  # noqa: A002
    quiet: Quiet = False,
) -> int:
    """Write what labels say about scores and a threshold as one HTML page.

    The page is that of threshold_report in a notebook: it loads nothing, and its numbers are
    readable without JavaScript.
    """
    import sys

    from explorer._extras import require_extra
    from explorer.cli._tasks.config_options import chosen_config
    from explorer.cli._tasks.loaded_traces import loaded
    from explorer.cli._terminal.documented_command import say
    from explorer.cli._terminal.job_control import running
    from explorer.cli._terminal.streams import STREAM
    from explorer.errors import ValidationError
    from explorer.reporting import ReportOptions, threshold_report
    from explorer.validation import Recommendation, Resampling, Truth
    from explorer.validation import calibrate as calibrated

    if mlflow is not None:
        require_extra("mlflow", "--mlflow")  # before hours of work
    drawing, judged_by = Resampling(samples=samples, seed=seed), Truth.of(truth)  # type: ignore[arg-type]
    settings = chosen_config(config, method=method, default="attention")
    with loaded(traces, format) as found, running(quiet=quiet) as control:
        recommendation: Recommendation | ValidationError | None = None
        if calibrate:
            try:
                recommendation = calibrated(
                    found, truth=judged_by, resampling=drawing, control=control
                )
            except ValidationError as error:
                recommendation = error
            if config is None and isinstance(recommendation, Recommendation):
                settings = chosen_config(None).of(recommendation.config)
        page = threshold_report(
            found,
            settings,
            threshold=threshold,
            recommendation=recommendation,
            path=None if out == STREAM else out,
            options=ReportOptions(title=title, heads=heads),
            truth=judged_by,
            resampling=drawing,
            control=control,
        )
        if mlflow is not None:
            from explorer.cli._tasks.logged_report import log_report

            log_report(
                mlflow,
                page,
                found,
                settings,
                threshold,
                recommendation,
                truth=judged_by,
                resampling=drawing,
                control=control,
            )
    if out == STREAM:
        sys.stdout.write(str(page))
    else:
        say(f"The report is in {page}.")
    return 0
