"""Runs of threshold validation: a calibration, or a report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.errors import InputError
from explorer.figures._style.plotly_js import plotly_js
from explorer.reporting._analysis.threshold_analysis import (
    ThresholdAnalysis,
    analyse_threshold,
    outcome_at,
)
from explorer.tracking._run_content import RunContent, json_file

if TYPE_CHECKING:
    from explorer.validation import LabelledScores, Recommendation, Resampling

_RANKINGS = ("auc", "average_precision", "within_trace_auc")


def calibration_run(
    recommendation: Recommendation, *, resampling: Resampling | None = None
) -> RunContent:
    """Return the run of a calibration: its choice, held-out metrics, config and figures."""
    judged = recommendation.scores
    analysis = analyse_threshold((), judged, resampling=resampling)
    metrics = _measures(analysis, recommendation.scores_threshold)
    metric = recommendation.metric
    metrics |= _with_interval(metric, recommendation.held_out)
    metrics |= {
        f"{metric}_in_sample": recommendation.in_sample,
        "threshold": recommendation.threshold,
        "traces": recommendation.traces,
        "units": recommendation.units,
        "positives": recommendation.positives,
    }
    params = {
        "choice": recommendation.choice,
        "metric": metric,
        "truth": recommendation.truth,
        "accepted": recommendation.accepted,
        "refusal": recommendation.refusal,
        **_config_params(recommendation.config),
    }
    from explorer.figures import method_dots

    figures = _figures(analysis, recommendation.scores_threshold)
    figures["comparison"] = method_dots(recommendation.table)
    files = {
        "config.json": json_file(recommendation.config),
        "comparison.csv": recommendation.table.to_csv(index=False).encode(),
        "folds.csv": recommendation.folds.to_csv(index=False).encode(),
        "notes.json": json_file([note.message for note in recommendation.notes]),
        **_figure_files(figures, f"Calibration: {recommendation.choice}"),
    }
    return RunContent("calibration", params, metrics, files)


def report_run(
    report: str | Path,
    *,
    scores: LabelledScores | None = None,
    threshold: float | None = None,
    config: Mapping[str, Any] | None = None,
    resampling: Resampling | None = None,
) -> RunContent:
    """Return the run of a threshold report: the page, and measures of the scores.

    Raises
    ------
    InputError
        Only one of `scores` and `threshold` is given, or the report cannot be read.
    """
    if (scores is None) != (threshold is None):
        raise InputError(
            "log_report needs scores and threshold together to compute metrics: give both, or "
            "neither for the page alone."
        )
    files = {"report.html": _page_bytes(report)}
    params: dict[str, object] = _config_params(config or {})
    metrics: dict[str, float] = {}
    if config is not None:
        files["config.json"] = json_file(config)
    if scores is not None and threshold is not None:
        analysis = analyse_threshold((), scores, resampling=resampling)
        metrics = _measures(analysis, threshold)
        metrics |= {"threshold": threshold}
        params["truth"] = scores.truth
        files |= _figure_files(_figures(analysis, threshold), "Threshold report")
    return RunContent("report", params, metrics, files)


def _page_bytes(report: str | Path) -> bytes:
    if isinstance(report, str) and report.lstrip()[:1] == "<":
        return report.encode("utf-8", "replace")
    try:
        return Path(report).read_bytes()
    except (OSError, TypeError, ValueError) as error:
        raise InputError(
            "log_report takes the page or the path that threshold_report returned, but "
            f"{str(report)[:200]!r} cannot be read: {error}."
        ) from error


def _measures(analysis: ThresholdAnalysis, threshold: float) -> dict[str, float]:
    """Return metrics at a threshold and ranking measures, each with the bounds of its interval."""
    outcome = outcome_at(analysis, threshold)
    found: dict[str, float] = {}
    for name, figure in outcome.figures.items():
        found |= _with_interval(name, figure)
    for name in _RANKINGS:
        found |= _with_interval(name, getattr(analysis.ranking, name))
    counts = {"tp": outcome.tp, "fp": outcome.fp, "fn": outcome.fn, "tn": outcome.tn}
    return {**found, **counts, "prevalence": analysis.ranking.prevalence}


def _with_interval(name: str, figure: tuple[float, float, float]) -> dict[str, float]:
    value, low, high = figure
    return {name: value, f"{name}_low": low, f"{name}_high": high}


def _config_params(config: Mapping[str, Any]) -> dict[str, object]:
    """Return settings as parameters; nested ones are in the artifact ``config.json``."""
    plain = (str, int, float, bool, type(None))
    return {f"config.{name}": value for name, value in config.items() if isinstance(value, plain)}


def _figures(analysis: ThresholdAnalysis, threshold: float) -> dict[str, Any]:
    from explorer.figures import rank_curves, score_histogram, threshold_curves

    truth = analysis.judged.truth
    return {
        "histogram": score_histogram(analysis.scores, threshold, truth=truth),
        "curves": threshold_curves(analysis.sweep.table, threshold, truth=truth),
        "ranking": rank_curves(
            analysis.roc,
            analysis.pr,
            analysis.ranking.prevalence,
            at=outcome_at(analysis, threshold).point,
            truth=truth,
        ),
    }


def _figure_files(figures: Mapping[str, Any], title: str) -> dict[str, bytes]:
    """Return one page with all figures, which loads nothing, and each as plotly's JSON."""
    from markupsafe import escape

    drawn = [figure.to_html(full_html=False, include_plotlyjs=False) for figure in figures.values()]
    heading = escape(title)
    page = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{heading}</title><script>{plotly_js().decode()}</script></head>\n"
        f"<body><h1>{heading}</h1>{''.join(drawn)}</body></html>\n"
    )
    files = {"figures.html": page.encode("utf-8", "replace")}
    for name, figure in figures.items():
        files[f"figures/{name}.json"] = json.dumps(json.loads(figure.to_json())).encode()
    return files
