"""Runs in a real store, read back with MLflow's own client."""

from __future__ import annotations

import html
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from explorer.agent import CodeAnalysisAgent
from explorer.errors import InputError, MissingExtraError
from explorer.feedback import Diagnostic
from explorer.reporting import threshold_report
from explorer.tracking import MlflowTracker
from explorer.tracking._analysis_runs import analysis_run
from explorer.validation import Recommendation, Resampling, compare_scores, judge, rank, sweep

from ..reporting.made_traces import made_traces
from ..validation.made_units import by_chance

CODE = "def fibonacci(n): return n if n <= 1 else fibonacci(n - 1)"


def runs_of(client, name="code"):
    experiment = client.get_experiment_by_name(name)
    found = client.search_runs([experiment.experiment_id])
    return sorted(found, key=lambda run: (run.info.start_time, run.info.run_id))


def files_of(client, run_id, path=None):
    found = []
    for one in client.list_artifacts(run_id, path):
        found += files_of(client, run_id, one.path) if one.is_dir else [one.path]
    return sorted(found)


def read(client, run_id, name):
    return Path(client.download_artifacts(run_id, name)).read_bytes()


def test_an_analysis_is_a_run(agent_of, tracker, client):
    found = agent_of(tracker).analyze_with_attention(CODE, 2, -1)
    (run,) = runs_of(client)
    assert run.info.status == "FINISHED"
    assert run.info.end_time >= run.info.start_time
    assert run.data.tags["explorer.kind"] == "analysis"
    assert run.data.params == {
        "model": "tiny llama", "layer": "2", "head": "3", "truncated": "False",
    }  # fmt: skip
    assert run.data.metrics == {
        "latency_ms": found.latency_ms,
        "code_length": len(CODE),
        "n_tokens": found.n_tokens,
    }
    names = ["attention.npy", "embedding.npy", "heatmap.png", "report.html", "report.json"]
    assert files_of(client, run.info.run_id) == names
    assert read(client, run.info.run_id, "heatmap.png").startswith(b"\x89PNG\r\n\x1a\n")
    np.testing.assert_array_equal(
        np.load(client.download_artifacts(run.info.run_id, "attention.npy"), allow_pickle=False),
        found.attention,
    )
    report = json.loads(read(client, run.info.run_id, "report.json"))
    assert report["tokens"] == list(found.tokens)
    np.testing.assert_array_equal(np.float32(report["embedding"]), found.embedding)
    assert tracker.failure is None
    assert tracker.skipped == 0


def test_an_analysis_without_attention_has_no_heatmap(agent_of, tracker, client):
    agent_of(tracker).analyze(CODE)
    (run,) = runs_of(client)
    assert run.data.params["layer"] == "1"
    assert run.data.params["head"] == "mean"
    names = ["embedding.npy", "report.html", "report.json"]
    assert files_of(client, run.info.run_id) == names


def test_a_batch_is_one_run(agent_of, tracker, client):
    found = agent_of(tracker).analyze_many([CODE, "", "x"])
    (run,) = runs_of(client)
    assert run.data.tags["explorer.kind"] == "batch"
    assert run.data.params == {"model": "tiny llama", "layer": "1", "head": "mean"}
    metrics = run.data.metrics
    latencies = [found[0].latency_ms, found[2].latency_ms]
    assert (metrics["codes"], metrics["failed"]) == (3, 1)
    assert metrics["code_length"] == len(CODE) + 1
    assert metrics["n_tokens"] == found[0].n_tokens + found[2].n_tokens
    assert metrics["latency_ms"] == pytest.approx(sum(latencies))
    assert metrics["latency_ms_mean"] == pytest.approx(np.mean(latencies))
    assert metrics["latency_ms_p50"] == pytest.approx(np.median(latencies))
    rows = json.loads(read(client, run.info.run_id, "batch.json"))
    assert [row["error"] for row in rows] == [None, found[1].error, None]
    assert rows[2]["latency_ms"] == found[2].latency_ms
    assert found[1].error in read(client, run.info.run_id, "report.html").decode()


def test_a_batch_in_which_all_fail_is_a_run_too(agent_of, tracker, client):
    agent_of(tracker).analyze_many(["", " "])
    (run,) = runs_of(client)
    assert run.data.metrics["failed"] == 2
    assert "latency_ms_mean" not in run.data.metrics


def test_runs_may_have_no_files(agent_of, store, client):
    agent_of(MlflowTracker("code", store, files=False)).analyze_with_attention(CODE)
    (run,) = runs_of(client)
    assert files_of(client, run.info.run_id) == []
    assert "latency_ms" in run.data.metrics


def test_the_report_escapes_tokens_and_loads_nothing(agent_of):
    found = agent_of(None).analyze_with_attention("<script>alert('&')</script>")
    page = analysis_run(found, files=True).files["report.html"].decode()
    assert "<script" not in page
    assert "default-src 'none'" in html.unescape(page)
    assert "&lt;" in page
    assert "http://" not in page
    assert "https://" not in page


def test_without_matplotlib_only_the_picture_is_missing(agent_of, tracker, client, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    agent_of(tracker).analyze_with_attention(CODE)
    (run,) = runs_of(client)
    names = ["attention.npy", "embedding.npy", "report.html", "report.json"]
    assert files_of(client, run.info.run_id) == names


def recommendation_of(judged, **changes):
    nan = float("nan")
    held = sweep(judged, resampling=Resampling(samples=20)).best("f1")
    table = compare_scores({"scores": judged, "again": judged}, resampling=Resampling(samples=20))
    settings = {
        "choice": "layer 1, head 0, mean", "config": {"method": "attention", "layer": 1, "head": 0,
        "attention_threshold": 0.25, "heads": {"terms": [["answer", 1, 0, 1.0]]}}, "metric": "f1",
        "threshold": 0.25, "held_out": type(rank(judged).auc)(0.7, 0.6, 0.8), "in_sample": 0.75,
        "table": table, "folds": table.head(0), "traces": judged.n_traces, "units": len(judged),
        "positives": judged.positives, "truth": "labels", "refusal": "",
        "notes": (Diagnostic("few-traces", "There are few traces."),), "scores": judged,
        "scores_threshold": held.threshold,
    }  # fmt: skip
    assert nan != settings["threshold"]
    return Recommendation(**(settings | changes))


def test_a_calibration_is_a_run_with_intervals_config_and_figures(tracker, client):
    judged = by_chance(40, seed=3)
    found = recommendation_of(judged)
    drawing = Resampling(samples=50)
    run = client.get_run(tracker.log_calibration(found, resampling=drawing))
    metrics, params = run.data.metrics, run.data.params
    assert run.data.tags["explorer.kind"] == "calibration"
    assert (metrics["f1"], metrics["f1_low"], metrics["f1_high"]) == (0.7, 0.6, 0.8)
    assert metrics["f1_in_sample"] == 0.75
    assert metrics["threshold"] == 0.25
    assert (metrics["traces"], metrics["units"]) == (40, len(judged))
    ranking = rank(judged, resampling=drawing)
    assert (metrics["auc"], metrics["auc_low"], metrics["auc_high"]) == pytest.approx(ranking.auc)
    row = sweep(judged, resampling=drawing).table
    row = row[row["threshold"] <= np.float32(found.scores_threshold)].iloc[-1]
    for name in ("precision", "recall", "mcc"):
        assert metrics[name] == pytest.approx(row[name])
        assert metrics[f"{name}_low"] <= metrics[name] <= metrics[f"{name}_high"]
    assert params["choice"] == found.choice
    assert params["accepted"] == "True"
    assert params["config.layer"] == "1"
    assert "config.heads" not in params
    run_id = run.info.run_id
    assert json.loads(read(client, run_id, "config.json")) == found.config
    assert json.loads(read(client, run_id, "notes.json")) == ["There are few traces."]
    files = files_of(client, run_id)
    assert {"figures.html", "comparison.csv", "folds.csv"} < set(files)
    for name in ("histogram", "curves", "ranking", "comparison"):
        figure = json.loads(read(client, run_id, f"figures/{name}.json"))
        assert figure["data"]
    page = read(client, run_id, "figures.html").decode()
    assert page.count("Plotly.newPlot(") >= 4


def test_a_calibration_that_is_refused_is_logged_with_the_reason(tracker, client):
    found = recommendation_of(by_chance(30), refusal="It is not better than the words.")
    run = client.get_run(tracker.log_calibration(found, resampling=Resampling(samples=20)))
    assert run.data.params["accepted"] == "False"
    assert run.data.params["refusal"] == "It is not better than the words."


def test_numbers_that_are_none_are_left_out(tracker, client):
    nan = float("nan")
    found = recommendation_of(by_chance(30))
    found = recommendation_of(
        by_chance(30), held_out=type(found.held_out)(0.5, nan, nan), in_sample=nan
    )
    run = client.get_run(tracker.log_calibration(found, resampling=Resampling(samples=20)))
    assert run.data.metrics["f1"] == 0.5
    assert not {"f1_low", "f1_high", "f1_in_sample"} & set(run.data.metrics)


def test_a_report_is_a_run(tracker, client, tmp_path):
    traces, scores = made_traces()
    drawing = Resampling(samples=50)
    path = threshold_report(
        traces, scores, threshold=0.4, path=tmp_path / "report.html", resampling=drawing
    )
    judged = judge(traces, scores)
    config = {"method": "attention", "attention_threshold": 0.4}
    run = client.get_run(
        tracker.log_report(path, scores=judged, threshold=0.4, config=config, resampling=drawing)
    )
    metrics, run_id = run.data.metrics, run.info.run_id
    table = sweep(judged, resampling=drawing).table
    row = table[table["threshold"] >= np.float32(0.4)].iloc[0]  # the same calls as at 0.4
    assert metrics["f1"] == pytest.approx(row["f1"])
    assert (metrics["tp"], metrics["fp"]) == (row["tp"], row["fp"])
    assert metrics["f1_low"] < metrics["f1"] < metrics["f1_high"]
    assert metrics["threshold"] == 0.4
    assert read(client, run_id, "report.html") == path.read_bytes()
    assert json.loads(read(client, run_id, "config.json")) == config
    assert run.data.params["config.attention_threshold"] == "0.4"
    assert "figures/curves.json" in files_of(client, run_id)

    page = path.read_text("utf-8")
    bare = client.get_run(tracker.log_report(page))
    assert files_of(client, bare.info.run_id) == ["report.html"]
    assert bare.data.metrics == {}


def test_a_report_that_cannot_be_read_is_refused(tracker, tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        tracker.log_report(tmp_path / "missing.html")
    with pytest.raises(InputError, match="together"):
        tracker.log_report("<!doctype html>", threshold=0.5)


def test_runs_of_mlflows_own_functions_are_not_touched(agent_of, store, tmp_path, client):
    import mlflow
    from mlflow.tracking import fluent

    mlflow.set_tracking_uri(store)
    try:
        mlflow.set_experiment("mine")
        apart = MlflowTracker("code", store, artifact_location=tmp_path / "artifacts")
        nested = MlflowTracker("code", store, parent="active")
        with mlflow.start_run() as mine:
            agent_of(apart).analyze(CODE)
            agent_of(nested).analyze(CODE)
            mlflow.log_metric("own", 1.0)
            assert mlflow.active_run().info.run_id == mine.info.run_id
        assert mlflow.get_tracking_uri() == store
        agent_of(nested).analyze(CODE)  # no active run any more
    finally:
        mlflow.set_tracking_uri(None)
        fluent._active_experiment_id = None  # what set_experiment has set, without a way back
        os.environ.pop("MLFLOW_EXPERIMENT_ID", None)
    alone, after = runs_of(client)
    assert "mlflow.parentRunId" not in alone.data.tags
    assert "mlflow.parentRunId" not in after.data.tags
    found = {run.info.run_id: run for run in runs_of(client, "mine")}
    own = found.pop(mine.info.run_id)
    assert own.data.metrics == {"own": 1.0}
    assert own.data.params == {}
    (child,) = found.values()
    assert child.data.tags["mlflow.parentRunId"] == mine.info.run_id


def test_a_run_can_be_nested_in_one_that_is_named(agent_of, store, client):
    experiment = client.create_experiment("mine")
    mine = client.create_run(experiment).info.run_id
    agent_of(MlflowTracker("code", store, parent=mine)).analyze(CODE)
    children = [run for run in runs_of(client, "mine") if run.info.run_id != mine]
    assert [run.data.tags["mlflow.parentRunId"] for run in children] == [mine]


def test_an_experiment_that_exists_is_used(agent_of, store, client):
    experiment = client.create_experiment("code")
    for _ in range(2):
        agent_of(MlflowTracker("code", store)).analyze(CODE)
    assert {run.info.experiment_id for run in runs_of(client)} == {experiment}


def test_without_an_address_mlflows_own_setting_counts(agent_of, store, client, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    tracker = MlflowTracker("code")
    agent_of(tracker).analyze(CODE)
    assert len(runs_of(client)) == 1


def test_the_path_of_a_file_is_an_address(agent_of, store, client, tmp_path):
    agent_of(MlflowTracker("code", tmp_path / "mlflow.db")).analyze(CODE)
    assert len(runs_of(client)) == 1


def test_threads_log_to_one_experiment(agent_of, tracker, client):
    agent = agent_of(tracker)
    threads = [threading.Thread(target=agent.analyze, args=(CODE,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(runs_of(client)) == 6
    assert tracker.skipped == 0


def test_without_mlflow_the_extra_is_named_and_the_agent_works(model, monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(MissingExtraError, match=r"attention-explorer\[mlflow\]") as raised:
        MlflowTracker()
    assert raised.value.extra == "mlflow"
    assert CodeAnalysisAgent(model).analyze(CODE).error is None


@pytest.mark.parametrize(
    "settings",
    [{"experiment": " "}, {"experiment": 3}, {"timeout": 0}, {"timeout": "long"},
     {"timeout": float("nan")}, {"retry_after": -1}, {"retry_after": True}],
)  # fmt: skip
def test_invalid_settings_are_refused(settings):
    with pytest.raises(InputError):
        MlflowTracker(**settings)


@pytest.mark.slow
def test_nothing_is_reported_to_the_makers_of_mlflow(tmp_path):
    """In a process without pytest, where telemetry would be on."""
    script = """
import os, socket, sys
def refused(*_):
    raise AssertionError("a connection was opened")
socket.socket.connect = refused
from explorer.tracking import MlflowTracker
assert "mlflow" not in sys.modules
from explorer.agent import FailedAnalysis
failed = FailedAnalysis("no", "InputError")
run = MlflowTracker("x", "sqlite:///x.db").log_batch([failed], model="m")
assert run is not None
from mlflow.telemetry.client import get_telemetry_client
assert get_telemetry_client() is None
assert "MLFLOW_DISABLE_TELEMETRY" not in os.environ
print("done")
"""
    hidden = ("PYTEST", "CI", "MLFLOW", "DO_NOT_TRACK", "GITHUB")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path, env={**kept, "HOME": str(tmp_path)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.stdout.strip().endswith("done"), done.stderr
    assert not (tmp_path / ".config" / "mlflow").exists()
