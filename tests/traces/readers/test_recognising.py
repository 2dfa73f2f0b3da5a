"""A reader knows the records of its own format, and no others."""

from __future__ import annotations

import json

import pytest

from explorer.traces.readers import READERS

from .mutations import FILES, records_of

NATIVE = {"id": "a", "query": "q", "hyperedges": [{"id": "1", "hyperedge": "The Nile."}]}


def example_files():
    return sorted(path.name for path in FILES.iterdir() if path.suffix in {".json", ".jsonl"})


@pytest.mark.parametrize("name", example_files())
def test_an_example_is_recognised_by_the_reader_it_is_called_after_alone(name):
    wanted = next(reader.name for reader in READERS if name.startswith(reader.name))
    for record in records_of(name):
        assert [reader.name for reader in READERS if reader.recognises(record)] == [wanted]


@pytest.mark.parametrize(
    "record",
    [
        NATIVE,
        {**NATIVE, "question": "q", "answer": "a", "context": "c", "contexts": ["c"]},
        {},
        {"question": "q"},
        {"input": "q", "output": "a"},
        {"input": {"a": 1}, "expectedOutput": "a", "sourceTraceId": "t"},
        {"query": "q", "response": "a"},
        {"results": []},
        {"results": [1, None]},
        {"paragraphs": [], "question": "q"},
        {"question": "q", "context": "one long text", "answers": {"text": ["a"]}},
    ],
    ids=json.dumps,
)
def test_what_is_no_foreign_format_is_recognised_by_nobody(record):
    names = {"ragas", "deepeval", "ragbench", "ragchecker", "hotpotqa", "musique"}
    knowing = [r.name for r in READERS if r.name in names and r.recognises(record)]
    assert knowing == []
