"""`score`, `calibrate`, `report`, `gate` and `diff` give the numbers of the notebook."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import msgspec
import numpy as np
import pytest

from explorer.examples import example_traces
from explorer.rag import StandInSettings, score_traces
from explorer.rag._extraction.extractor import extractor_alone
from explorer.reporting import threshold_report
from explorer.run_control import RunControl, silent
from explorer.traces import Trace, load_traces, save_traces
from explorer.validation import (
    CrossValidation,
    Resampling,
    calibrate,
    confusion_at,
    judge,
)
from explorer.validation._metrics.confusion import metric_value

from ..support.tiny_folder import labelled_trace

QUIET = RunControl(silent)
CONFIG = {"method": "attention", "layer": 1, "head": 2, "attention_threshold": 0.01}


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    """The packaged traces, shortened so that a tiny model reads them in a moment."""
    path = tmp_path / "examples.jsonl"
    save_traces([short(trace) for trace in example_traces()][:40], path)
    return path


def short(trace: Trace) -> Trace:
    # Copies: the packaged traces are shared by all tests.
    edges = [
        msgspec.structs.replace(edge, hyperedge=edge.hyperedge[:40]) for edge in trace.hyperedges
    ]
    return Trace(trace.id, trace.query[:40], edges, trace.answer[:20] or "x")


def test_a_whole_validation(run, examples: Path, tiny: str) -> None:
    scored, page = examples.with_name("scored.jsonl"), examples.with_name("report.html")
    asked = ["--question", "--content-free"]
    assert run("score", examples, "-o", scored, "-m", tiny, *asked).exit_code == 0
    settings = StandInSettings(rows=("answer", "question"), content_free=True)
    known = score_traces(
        load_traces(examples),
        tiny,
        settings=settings,
        path=examples.with_name("notebook.jsonl"),
        control=QUIET,
    )
    assert scored.read_bytes() == examples.with_name("notebook.jsonl").read_bytes()

    few = ["--folds", 3, "--repeats", 1, "--samples", 100, "--min-traces", 5]
    found = run("calibrate", scored, *few, "--min-positives", 5, "--json")
    chosen = calibrate(
        known,
        cross_validation=CrossValidation(folds=3, repeats=1, min_traces=5, min_positives=5),
        resampling=Resampling(samples=100),
    )
    figures = json.loads(found.stdout)
    assert found.exit_code == (0 if chosen.accepted else 1)
    assert figures["config"] == json.loads(json.dumps(chosen.config))
    assert figures["held_out"] == {
        name: None if np.isnan(value) else value
        for name, value in chosen.held_out._asdict().items()
    }
    assert (figures["in_sample"], figures["choice"]) == (chosen.in_sample, chosen.choice)

    config = examples.with_name("config.json")
    config.write_text(json.dumps(figures))  # holds the settings in "config"
    arguments = ["-c", config, "-o", page, "--samples", 50, "--no-heads", "--title", "T"]
    assert run("report", scored, *arguments).exit_code == 0
    from explorer.reporting import ReportOptions

    expected = threshold_report(
        load_traces(scored),
        chosen.config,
        options=ReportOptions(title="T", heads=False),
        resampling=Resampling(samples=50),
    )
    assert page.read_text() == expected


@pytest.fixture
def scored(traces: Path, tiny: str) -> Path:
    path = traces.with_name("scored.jsonl")
    score_traces(load_traces(traces), tiny, path=path, control=QUIET)
    return path


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(CONFIG))
    return path


def expected_metric(path: Path, metric: str) -> float:
    traces = load_traces(path)
    table = asyncio.run(extractor_alone(CONFIG).explain_traces(traces))
    return float(metric_value(metric, confusion_at(judge(traces, table), 0.01)))


def test_a_gate(run, scored: Path, config: Path) -> None:
    value = expected_metric(scored, "f1")
    for required, code in ((value - 1e-6, 0), (value, 0), (value + 1e-6, 1)):
        found = run("gate", scored, "-c", config, "--fail-under", f"f1={required:.17g}", "--json")
        assert found.exit_code == code, found.output
        result = json.loads(found.stdout)
        rows = {row["metric"]: row for row in result["metrics"]}
        assert result["passed"] is (code == 0)
        assert rows["f1"]["value"] == value
        assert rows["kappa"]["value"] == pytest.approx(expected_metric(scored, "kappa"))
        assert rows["kappa"]["passed"] is None
    low = rows["f1"]["low"]
    assert low < value
    strict = ["--fail-under", f"f1={value:.17g}", "--lower-bound"]
    assert run("gate", scored, "-c", config, *strict).exit_code == 1
    text = run("gate", scored, "-c", config, "--fail-under", "kappa=-1")
    assert text.exit_code == 0
    assert text.stdout.splitlines()[0].split() == [
        "metric", "value", "low", "high", "required", "passed",
    ]  # fmt: skip
    assert "Passed." in text.stdout


def test_an_undefined_figure_fails(run, scored: Path, config: Path) -> None:
    found = run("gate", scored, "-c", config, "--threshold", 1, "--fail-under", "precision=0")
    assert found.exit_code == 1


def test_two_equal_runs(run, scored: Path, config: Path) -> None:
    found = json.loads(run("diff", scored, scored, "-c", config, "--json").stdout)
    assert found["flips"] == []
    assert (found["traces"], found["hyperedges"]) == (8, 24)
    assert all(row["change"] in (0.0, None) for row in found["figures"])


def test_the_change_between_two_runs(run, scored: Path, config: Path, tmp_path: Path) -> None:
    """A run that calls every second hyperedge of the first three traces otherwise."""
    traces = load_traces(scored)
    before = asyncio.run(extractor_alone(CONFIG).explain_traces(traces))
    changed = []
    expected = set()
    for place, trace in enumerate(traces):
        rows = before[before["trace"] == trace.id]
        scores = dict(zip(rows["unit"], rows["score"], strict=True))
        if place < 3:
            used = scores["h1"] >= 0.01
            scores["h1"] = 0.001 if used else 0.9
            expected.add((trace.id, "h1"))
        metadata = {"hyperedge_attention": scores}
        changed.append(Trace(trace.id, trace.query, trace.hyperedges, trace.answer, metadata))
    other, plain = tmp_path / "other.jsonl", tmp_path / "plain.json"
    save_traces(changed, other)
    plain.write_text(json.dumps({"method": "attention", "attention_threshold": 0.01}))
    options = ["-c", config, "--second-config", plain, "--samples", 200]
    found = json.loads(run("diff", scored, other, *options, "--json").stdout)
    assert {(row["trace"], row["unit"]) for row in found["flips"]} == expected
    figures = {row["figure"]: row for row in found["figures"]}
    assert figures["flipped"]["change"] == pytest.approx(3 / 24)
    assert figures["flipped"]["low"] <= 3 / 24 <= figures["flipped"]["high"]
    after = asyncio.run(
        extractor_alone({"attention_threshold": 0.01, "method": "attention"}).explain_traces(
            changed
        )
    )
    assert figures["f1"]["second"] == pytest.approx(
        float(metric_value("f1", confusion_at(judge(changed, after), 0.01)))
    )
    assert figures["f1"]["first"] == pytest.approx(expected_metric(scored, "f1"))
    difference = figures["f1"]["second"] - figures["f1"]["first"]
    assert figures["f1"]["change"] == pytest.approx(difference)
    text = run("diff", scored, other, *options, "--flips", 2).stdout
    assert "3 calls flipped" in text
    assert "and 1 more" in text


def test_runs_over_other_traces(run, scored: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    save_traces([labelled_trace(99)], other)
    found = run("diff", scored, other)
    assert found.exit_code == 3
    assert "no hyperedge in common" in found.stderr


@pytest.mark.slow
def test_runs_are_logged_to_mlflow(
    run, examples: Path, tiny: str, tmp_path: Path, monkeypatch
) -> None:
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.chdir(tmp_path)  # MLflow writes the artifacts into the current folder
    scored = tmp_path / "scored.jsonl"
    score_traces(load_traces(examples), tiny, path=scored, control=QUIET)
    uri = f"sqlite:///{tmp_path / 'runs.db'}"
    few = ["--folds", 3, "--repeats", 1, "--samples", 50, "--min-traces", 5, "--min-positives", 5]
    page = tmp_path / "report.html"
    asked = ["--threshold", 0.01, "--samples", 50, "--no-heads", "-o", page]
    assert run("calibrate", scored, *few, "--mlflow", uri).exit_code in (0, 1)
    assert run("report", scored, *asked, "--mlflow", uri).exit_code == 0
    client = mlflow.MlflowClient(tracking_uri=uri)
    experiments = [one.experiment_id for one in client.search_experiments()]
    runs = client.search_runs(experiments)
    assert len(runs) == 2
    table = asyncio.run(
        extractor_alone({"method": "attention"}).explain_traces(load_traces(scored))
    )
    expected = metric_value("f1", confusion_at(judge(load_traces(scored), table), 0.01))
    logged = [one.data.metrics["f1"] for one in runs if one.data.metrics["threshold"] == 0.01]
    assert logged == pytest.approx([float(expected)])
