"""Pictures of a client's matrix, feedback for traces, and what the service says about itself."""

from __future__ import annotations

import asyncio
import base64
import io
import json

import numpy as np
import pytest
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families

from explorer import FeedbackExtractor
from explorer.traces import parse_traces

from ...support.call_counter import count_calls

MATRIX = {"tokens": ["a", "b", "c"], "attention": [[1, 0, 0], [0.5, 0.5, 0], [0.2, 0.3, 0.5]]}
TRACES = [
    {
        "id": f"t{number}",
        "query": "Which river is longest?",
        "answer": "The Nile is the longest river.",
        "hyperedges": [
            {"id": "h1", "hyperedge": "The Nile is the longest river."},
            {"id": "h2", "hyperedge": "The Rhine flows through Cologne."},
        ],
        "metadata": {"hyperedge_attention": {"h1": 0.45, "h2": 0.02 * number}},
    }
    for number in range(3)
]


def cells(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def test_a_picture_has_the_size_and_format_that_was_asked_for(client) -> None:
    answer = client.post("/v1/explain", json={**MATRIX, "width": 300, "height": 200})
    assert (answer.json()["width"], answer.json()["height"]) == (300, 200)
    inside = base64.b64decode(answer.json()["visualization"])
    plain = client.post(
        "/explain", json={**MATRIX, "width": 300, "height": 200}, headers={"Accept": "image/png"}
    )
    assert plain.headers["content-type"] == "image/png"
    assert plain.content == inside
    assert cells(inside).shape == (200, 300, 3)


@pytest.mark.parametrize(
    "change",
    [
        {"theme": "dark"},
        {"colorscale": "viridis"},
        {"scaling": "log"},
        {"labels": False},
        {"title": "A title"},
        {"zmax": 0.5},
        {"query_tokens": ["x", "y", "z"]},
    ],
)
def test_every_choice_changes_the_picture(client, change) -> None:
    headers = {"Accept": "image/png"}
    before = client.post("/v1/explain", json=MATRIX, headers=headers).content
    after = client.post("/v1/explain", json={**MATRIX, **change}, headers=headers)
    assert after.status_code == 200
    assert after.content != before


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"attention": [[1, 0], [0, 1]]}, "/attention/0"),
        ({"attention": [[1, 0, 0], [1, 0, 0], [1, 0]]}, "/attention/2"),
        ({"query_tokens": ["a"]}, "/attention"),
        ({"width": 10}, "/width"),
        ({"colorscale": "jet"}, "/colorscale"),
    ],
)
def test_a_matrix_that_does_not_fit_is_a_problem(client, change, pointer) -> None:
    answer = client.post("/v1/explain", json={**MATRIX, **change})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


def test_numbers_outside_of_the_scale_are_drawn(client) -> None:
    body = {"tokens": ["a", "b"], "attention": [[None, -5], [1e300, 1]]}
    assert client.post("/v1/explain", json=body).status_code == 200


@pytest.mark.parametrize("config", [{}, {"attention_threshold": 0.01, "negative_feedback": 0.1}])
def test_feedback_is_that_of_the_extractor(client, config) -> None:
    extractor = FeedbackExtractor(config={"method": "attention", **config})
    traces = list(parse_traces(json.dumps(TRACES).encode(), "traces"))
    expected = [asyncio.run(extractor.extract_feedback(trace)) for trace in traces]
    body = {"method": "attention", "config": config}
    one = client.post("/v1/feedback", json={"trace": TRACES[2], **body}).json()
    assert one["feedback"] == pytest.approx(expected[2])
    assert one["trace"] == "t2"
    assert [row["unit"] for row in one["rows"]] == ["h1", "h2"]
    many = client.post("/v1/feedback/batch", json={"traces": TRACES, **body}).json()
    assert [found["feedback"] for found in many["results"]] == [
        pytest.approx(feedback) for feedback in expected
    ]


def test_the_rows_have_the_evidence(client) -> None:
    body = {"trace": {**TRACES[0], "metadata": {}}, "method": "citation"}
    (first, second) = client.post("/v1/feedback", json=body).json()["rows"]
    assert (first["method"], first["verdict"], first["feedback"]) == ("citation", "used", 1.0)
    assert second["verdict"] in ("not used", "near")


def test_a_file_of_another_format_is_read(client) -> None:
    csv = "question,contexts,answer\nWhat?,\"['The Nile.', 'The Rhine.']\",The Nile.\n"
    answer = client.post("/v1/feedback/batch", json={"traces": csv, "method": "citation"})
    assert answer.status_code == 200, answer.text
    (found,) = answer.json()["results"]
    assert [row["text"] for row in found["rows"]] == ["The Nile.", "The Rhine."]


def test_a_record_that_is_not_a_trace_is_named(client) -> None:
    lines = json.dumps(TRACES[0]) + "\n" + json.dumps({**TRACES[1], "hyperedges": 7})
    found = client.post("/v1/feedback/batch", json={"traces": lines, "method": "attention"}).json()
    assert [one["trace"] for one in found["results"]] == ["t0"]
    assert found["problems"][0]["line"] == 2


def test_problems_of_a_list_name_the_record(client) -> None:
    bad = {**TRACES[1], "hyperedges": 7}
    body = {"traces": [TRACES[0], bad, TRACES[1], {"no": "trace"}], "method": "attention"}
    found = client.post("/v1/feedback/batch", json=body).json()
    assert [one["trace"] for one in found["results"]] == ["t0", "t1"]
    assert [one["line"] for one in found["problems"]] == [2, 4]


def test_a_parquet_file_in_a_text_is_not_opened(client, monkeypatch) -> None:
    opened = count_calls(monkeypatch, "pyarrow.parquet.ParquetFile")
    answer = client.post("/v1/feedback/batch", json={"traces": "PAR1\0\0\0\0PAR1"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/traces"
    assert opened == []


@pytest.mark.parametrize(
    "body",
    [
        {"trace": {"no": "trace"}},
        {"trace": TRACES[0], "method": "magic"},
        {"trace": TRACES[0], "config": {"thresh": 1}},
        {"trace": TRACES[0], "config": {"attention_threshold": 7}},
        {"trace": TRACES[0], "config": {"layer": "x", "method": "attention"}},
        {"trace": TRACES[0], "format": "nonsense"},
    ],
)
def test_bad_traces_and_configs_are_problems(client, body) -> None:
    answer = client.post("/v1/feedback", json=body)
    assert answer.status_code == 422, answer.text
    assert len(answer.json()["detail"]) > 10


def test_no_path_of_a_trace_is_opened(client, tmp_path, monkeypatch) -> None:
    np.savez(tmp_path / "secret.npz", q=np.full((2, 2), 0.5))
    monkeypatch.chdir(tmp_path)
    loads = count_calls(monkeypatch, "numpy.load")
    for name in (str(tmp_path / "secret.npz"), f"../{tmp_path.name}/secret.npz", "secret.npz"):
        matrix = {"file": name, "key": "q"}
        trace = {**TRACES[0], "metadata": {"attention_matrix": matrix}}
        answer = client.post("/v1/feedback", json={"trace": trace, "method": "attention"})
        assert answer.status_code == 200
        assert [row["tokens"] for row in answer.json()["rows"]] == [0, 0]
    assert loads == []


def test_models_are_those_that_a_request_may_name(client) -> None:
    client.post("/v1/analyze", json={"code": "x"})
    listed = {one["name"]: one for one in client.get("/v1/models").json()["models"]}
    assert {"tiny", "encoder", "SmolLM2-135M-Instruct", "microsoft/codebert-base"} <= set(listed)
    assert listed["tiny"]["loaded"]
    assert listed["tiny"]["default"]
    assert listed["tiny"]["n_layers"] == 3
    assert not listed["encoder"]["loaded"]
    assert "/models" not in json.dumps(listed)


def test_the_service_is_ready_when_its_model_is_loaded(open_client) -> None:
    lazy = open_client(preload=False)
    answer = lazy.get("/v1/health")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "2"
    assert answer.json()["type"].endswith("not-ready")
    lazy.post("/v1/analyze", json={"code": "x"})
    assert lazy.get("/health").json() == {"status": "ready", "model": "tiny"}


def test_metrics_count_requests_texts_and_tokens(client, causal) -> None:
    for _ in range(3):
        client.post("/v1/analyze", json={"code": "x = 1"})
    client.get("/v1/nothing")
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    found = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert found["explorer_requests_total", "/analyze", "200"] == 3
    assert found["explorer_requests_total", "404", "other"] == 1
    assert found["explorer_request_seconds_count", "/analyze"] == 3
    assert found["explorer_forward_texts_total",] == 3
    assert found["explorer_tokens_total",] == 3 * len(causal.tokenize("x = 1"))
    assert found["explorer_queue_length",] == 0
    assert found["explorer_models_loaded",] == 1
