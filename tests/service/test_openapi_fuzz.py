"""Requests made from the OpenAPI document, and broken ones: no 5xx, no undocumented answer.

``EXPLORER_FUZZ_REQUESTS`` sets the number of requests; 100,000 is the long mode.
"""

from __future__ import annotations

import json
import os
import random

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient

from explorer.service import ServiceSettings, create_app

from .conftest import NAMES

REQUESTS = int(os.environ.get("EXPLORER_FUZZ_REQUESTS", "1000"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
OPERATIONS = 10  # of the document; each gets an equal share of half of the requests
SETTINGS = hypothesis.settings(
    max_examples=max(1, REQUESTS // 2 // OPERATIONS),
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(max(600, REQUESTS))]


@pytest.fixture(scope="module")
def client(causal, encoder):
    models = {"/models/llama": causal, "/models/bert": encoder}
    settings = ServiceSettings(model="tiny", extra_models=NAMES, max_tokens=300)
    app = create_app(settings, load=models.__getitem__)
    with TestClient(app, base_url="http://127.0.0.1:8001", raise_server_exceptions=False) as made:
        yield made


@pytest.fixture(scope="module")
def document(client):
    return client.get("/v1/openapi.json").json()


@pytest.fixture(scope="module")
def schema(document):
    return schemathesis.openapi.from_dict(document)


def test_the_document_describes_every_endpoint(document) -> None:
    operations = [(path, method) for path, item in document["paths"].items() for method in item]
    assert len(operations) == OPERATIONS
    for path, method in operations:
        operation = document["paths"][path][method]
        assert operation["summary"]
        assert {"401", "421", "500", "503"} <= set(operation["responses"])
        if method == "post":
            content = operation["requestBody"]["content"]["application/json"]
            assert content["examples"]
            assert {"400", "413", "415", "422"} <= set(operation["responses"])


def test_the_examples_of_the_document_are_answered(client, document) -> None:
    for path, item in document["paths"].items():
        if "post" not in item:
            continue
        examples = item["post"]["requestBody"]["content"]["application/json"]["examples"]
        for example in examples.values():
            answer = client.post(path, json=example["value"])
            assert answer.status_code == 200, (path, example, answer.text)


def test_requests_of_the_document_get_documented_answers(schema, client) -> None:
    """Valid and invalid bodies, headers and media types, made by schemathesis."""
    count = 0
    operations = [result.ok() for result in schema.get_all_operations()]
    assert len(operations) == OPERATIONS
    for operation in operations:
        valid = operation.as_strategy(generation_mode=schemathesis.GenerationMode.POSITIVE)
        strategy = valid
        if operation.method == "post":
            strategy |= operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE)

        @hypothesis.given(case=strategy)
        @SETTINGS
        def run(case) -> None:
            nonlocal count
            count += 1
            sent = case.as_transport_kwargs(base_url="http://127.0.0.1:8001")
            sent.pop("cookies", None)
            if isinstance(sent.get("data"), bytes | str):
                sent["content"] = sent.pop("data")
            case.validate_response(client.request(**sent), checks=CHECKS)

        run()
    assert count >= min(REQUESTS // 2, OPERATIONS) // 2


BODIES = [
    {"code": "def f(x):\n    return x", "layer": 1, "head": 2, "rows": [0, 3], "precision": 3},
    {"tokens": ["a", "b"], "attention": [[1, 0], [0.5, 0.5]], "width": 200, "height": 150},
    {
        "trace": {
            "id": "t",
            "query": "Which?",
            "answer": "The Nile.",
            "hyperedges": [{"id": "h", "hyperedge": "The Nile is long.", "entities": ["Nile"]}],
            "metadata": {"hyperedge_attention": {"h": 0.4}, "token_attention": [0.1, 0.2]},
        },
        "method": "attention",
        "config": {"attention_threshold": 0.2},
    },
]
ODD = [
    None, True, -1, 0, 2**63, -(2**70), 1e308, 5e-324, "", "\0", "\u202e", "x" * 3000, "é" * 500,
    [], {}, [[]], {"": None}, "../../etc/passwd", "file:///etc/passwd", "🦙",
]  # fmt: skip
PATHS = [
    "/v1/analyze", "/v1/analyze-with-attention", "/v1/analyze-attention", "/v1/get-attention",
    "/v1/explain", "/v1/feedback", "/v1/feedback/batch",
]  # fmt: skip
RAW = [
    b"",
    b"\x00",
    b"\xff\xfe",
    b"{",
    b"NaN",
    b"[" * 5000,
    b'{"code":' * 70,
    b"\x1f\x8b\x08\x00",
    b"PK",
]


def changed(value: object, chance: random.Random) -> object:
    """Return a JSON value with one part replaced, left out or repeated."""
    if isinstance(value, dict) and value and chance.random() < 0.85:
        key = chance.choice(list(value))
        if chance.random() < 0.1:
            return {name: part for name, part in value.items() if name != key}
        return {**value, key: changed(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.7:
        place = chance.randrange(len(value))
        if chance.random() < 0.2:
            return value[:place] + value[place:] * 2
        return [*value[:place], changed(value[place], chance), *value[place + 1 :]]
    return chance.choice(ODD)


def body(chance: random.Random) -> bytes:
    """Return the bytes of a broken request."""
    if chance.random() < 0.1:
        return chance.choice(RAW)
    found = changed(chance.choice(BODIES), chance)
    text = json.dumps(found, allow_nan=True).encode("utf-8", "surrogatepass")
    if chance.random() < 0.2:  # damaged bytes
        place = chance.randrange(len(text) + 1)
        text = text[:place] + bytes([chance.randrange(256)]) + text[place + chance.randrange(3) :]
    return text


def test_broken_requests_get_documented_answers(client, document) -> None:
    chance = random.Random(0)  # noqa: S311 - nothing secret
    for number in range(REQUESTS - REQUESTS // 2):
        path = chance.choice(PATHS)
        sent = body(chance)
        headers = {
            "Content-Type": chance.choice(["application/json"] * 9 + ["text/plain"]),
            "Accept": chance.choice(["*/*"] * 4 + ["application/x-npy", "image/png", "text/html"]),
        }
        answer = client.post(path, content=sent, headers=headers)
        where = (number, path, sent[:300], answer.status_code, answer.text[:300])
        assert answer.status_code < 500, where
        documented = document["paths"][path]["post"]["responses"][str(answer.status_code)]
        kind = answer.headers["content-type"].partition(";")[0]
        assert kind in documented["content"], where
        if answer.status_code != 200:
            assert answer.json()["status"] == answer.status_code, where


@hypothesis.given(text=st.text(max_size=200))
@hypothesis.settings(SETTINGS, max_examples=max(20, REQUESTS // 50))
def test_any_text_is_analysed_or_refused(client, text) -> None:
    sent = json.dumps({"code": text}).encode()
    answer = client.post(
        "/v1/analyze-attention", content=sent, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in (200, 422, 413), answer.text
    if answer.status_code == 200:
        found = answer.json()
        assert len(found["tokens"]) == len(found["attention"])
