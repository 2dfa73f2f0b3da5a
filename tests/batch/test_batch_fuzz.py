"""Damaged files: each record has a result or a reason, and the output is one that can be read."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.batch import feedback_files
from explorer.batch._conversion import convert_files
from explorer.errors import TraceError
from explorer.run_control import RunControl, silent
from explorer.traces import load_traces
from explorer.traces._io.trace_writing import encoded_line

from ..support.tiny_folder import labelled_trace

LINES = [encoded_line(labelled_trace(number)) for number in range(6)]
NASTY = [
    b"\x00", b"\xff\xfe", b"NaN", b"-Infinity", b"1e999", b'"', b"{", b"}", b"[" * 200, b"\n",
    b"\r", b"null", b'"id":', b"\xed\xa0\x80", b"99999999999999999999999", b"PAR1", b"\x1f\x8b",
]  # fmt: skip

# Where, how many bytes are removed, and what is put there.
DAMAGE = st.tuples(
    st.integers(0, sum(map(len, LINES)) - 1),
    st.integers(0, 40),
    st.one_of(st.sampled_from(NASTY), st.binary(max_size=6)),
)


def damaged(changes: list[tuple[int, int, bytes]]) -> bytes:
    raw = b"".join(LINES)
    for place, length, new in changes:
        raw = raw[:place] + new + raw[place + length :]
    return raw


def check(changes: list[tuple[int, int, bytes]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        source, out, other = (Path(name) / one for one in ("in.jsonl", "out.jsonl", "f.jsonl"))
        source.write_bytes(damaged(changes))
        out.write_text("old\n")
        try:
            summary = convert_files(source, out)
        except TraceError:
            assert out.read_text() == "old\n"
            assert sorted(Path(name).iterdir()) == [source, out]
            return
        assert len(load_traces(out)) == summary.traces
        problems = Path(f"{out}.problems.jsonl")
        listed = (
            [json.loads(one) for one in problems.read_text().splitlines()]
            if summary.problems
            else []
        )
        assert sum(not one["kept"] for one in listed) == summary.bad_records
        assert all(one["reason"] for one in listed)
        config = {"method": "citation"}
        found = feedback_files(
            source, other, config=config, embedding_func=lambda _: None, control=RunControl(silent)
        )
        assert (found.traces, found.bad_records) == (summary.traces, summary.bad_records)


@settings(max_examples=150)
@given(st.lists(DAMAGE, min_size=1, max_size=4))
def test_damaged_files(changes: list[tuple[int, int, bytes]]) -> None:
    check(changes)


@pytest.mark.slow
@settings(max_examples=3000)
@given(st.lists(DAMAGE, min_size=1, max_size=8))
def test_many_damaged_files(changes: list[tuple[int, int, bytes]]) -> None:
    check(changes)
