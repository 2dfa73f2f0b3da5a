"""The JSON Schema, the packaged traces, the documentation and the reader agree."""

from __future__ import annotations

import json
import re
from importlib.resources import files

import pytest
from jsonschema import Draft202012Validator

from explorer.traces import evidence, parse_traces


@pytest.fixture(scope="module")
def schema():
    return json.loads((files("explorer.traces") / "trace.schema.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def validator(schema):
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.fixture(scope="module")
def document(repository):
    return (repository / "docs" / "traces.md").read_text("utf-8")


def blocks(document, language):
    return re.findall(rf"^```{language}\n(.*?)^```", document, re.DOTALL | re.MULTILINE)


def test_every_packaged_trace_validates(validator):
    lines = (files("explorer.examples") / "traces.jsonl").read_text("utf-8").splitlines()
    for line in lines:
        validator.validate(json.loads(line))


def test_the_documented_schema_is_the_packaged_one(schema, document):
    assert json.loads(blocks(document, "json")[-1]) == schema


def test_the_documented_traces_validate_load_and_score(validator, document):
    kinds = []
    for block in blocks(document, "jsonl"):
        for line in block.splitlines():
            validator.validate(json.loads(line))
        kinds += [evidence(trace).kind for trace in parse_traces(block.encode(), "docs")]
    assert set(kinds) == {"none", "direct", "token-weights", "matrix", "units"}


def test_the_documented_python_runs(document, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for block in blocks(document, "python"):
        exec(compile(block, "docs/traces.md", "exec"), {})  # noqa: S102


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "t", "query": "q"},
        {"id": "", "query": "q", "hyperedges": []},
        {"id": "t", "query": 3, "hyperedges": []},
        {"id": "t", "query": "q", "hyperedges": [{"id": "a"}]},
        {"id": "t", "query": "q", "hyperedges": [{"id": "a", "hyperedge": "x", "label": "yes"}]},
        {"id": "t", "query": "q", "hyperedges": [{"id": "a", "hyperedge": "x", "entities": [1]}]},
        {"id": "t", "query": "q", "hyperedges": [], "metadata": 3},
    ],
)
def test_schema_and_reader_refuse_the_same(validator, wrong):
    assert not validator.is_valid(wrong)
    good = b'{"id": "good", "query": "q", "hyperedges": []}\n'
    found = parse_traces(good + json.dumps(wrong).encode(), "x")
    assert [problem.line for problem in found.problems] == [2]
