"""A report of the command line as an MLflow run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from explorer.rag import ExtractorConfig
from explorer.reporting._analysis.report_scores import report_scores
from explorer.run_control import RunControl
from explorer.traces import Trace
from explorer.tracking import MlflowTracker
from explorer.validation import Recommendation, Resampling, Truth


def log_report(
    uri: str,
    page: str | Path,
    traces: Sequence[Trace],
    settings: ExtractorConfig,
    threshold: float | None,
    recommendation: object,
    *,
    truth: Truth,
    resampling: Resampling,
    control: RunControl,
) -> None:
    """Log a page with the figures that it shows, and the recommendation if there is one.

    Raises
    ------
    MissingExtraError
        MLflow is not installed.
    """
    tracker = MlflowTracker(uri=uri)
    scores = report_scores(traces, settings, truth=truth, labels=None, control=control)
    given = {one.name: getattr(settings, one.name) for one in fields(settings)}
    plain = {
        name: dict(value) if name == "ensemble_weights" else value
        for name, value in given.items()
        if name != "heads"
    }
    if settings.heads is not None:
        plain["heads"] = settings.heads.to_dict()
    tracker.log_report(
        page,
        scores=scores.judged,
        threshold=scores.threshold if threshold is None else threshold,
        config=plain,
        resampling=resampling,
    )
    if isinstance(recommendation, Recommendation):
        tracker.log_calibration(recommendation, resampling=resampling)
