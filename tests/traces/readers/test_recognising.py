"""A reader knows the records of its own format, and no others."""

from __future__ import annotations

import json

import pytest

from explorer.traces.readers import READERS

from .mutations import FILES, records_of

NATIVE = {"id": "a", "query": "q", "hyperedges": [{"id": "1", "hyperedge": "The Nile."}]}


OURS = {"ragas", "deepeval", "ragbench", "ragchecker", "hotpotqa", "musique"}
EXAMPLES = sorted(path.name for path in FILES.iterdir() if path.suffix in {".json", ".jsonl"})


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_record_is_known_to_one_reader_at_most(name):
    for record in records_of(name):
        assert len([reader.name for reader in READERS if reader.recognises(record)]) <= 1


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name.startswith(tuple(OURS))])
def test_a_record_is_known_to_the_reader_that_its_file_is_called_after(name):
    for record in records_of(name):
        (known,) = (reader.name for reader in READERS if reader.recognises(record))
        assert name.startswith(known)


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
    assert [r.name for r in READERS if r.name in OURS and r.recognises(record)] == []
