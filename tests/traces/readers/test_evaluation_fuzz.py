"""Nothing that a file can hold makes the readers of evaluation formats raise."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from explorer.traces.readers._samples import (
    deepeval,
    hotpotqa,
    musique,
    ragas,
    ragbench,
    ragchecker,
)

from .mutations import anything, holds, mutated, records_of

pytestmark = pytest.mark.slow

QUICK = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
EXAMPLES = {
    ragas.READER: ["ragas.jsonl"],
    deepeval.READER: ["deepeval.json", "deepeval_run.json", "deepeval_turns.jsonl"],
    ragbench.READER: ["ragbench.jsonl"],
    ragchecker.READER: ["ragchecker.json"],
    hotpotqa.READER: ["hotpotqa.json", "hotpotqa_columns.jsonl"],
    musique.READER: ["musique.jsonl"],
}
CASES = [
    pytest.param(reader, [record for name in names for record in records_of(name)], id=reader.name)
    for reader, names in EXAMPLES.items()
]
NAMES = sorted(
    {
        name
        for names in EXAMPLES.values()
        for file in names
        for record in records_of(file)
        for name in record
    }
)


@pytest.mark.parametrize(("reader", "records"), CASES)
def test_changed_records_give_traces_or_problems(reader, records):
    @QUICK
    @given(st.lists(mutated(records), min_size=1, max_size=3))
    def check(values):
        holds(reader, values)

    check()


@pytest.mark.parametrize(("reader", "records"), CASES)
def test_anything_gives_traces_or_problems(reader, records):
    @QUICK
    @given(st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=6), anything, max_size=6))
    def check(value):
        holds(reader, [value])

    check()
