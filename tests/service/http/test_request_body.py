"""The nesting of JSON is counted before it is parsed, in one pass over any bytes."""

from __future__ import annotations

import pytest

from explorer.service._http.request_body import json_depth


@pytest.mark.parametrize(
    ("body", "depth"),
    [
        (b"1", 0),
        (b"[[], {}]", 2),
        (b'["[[["]', 1),
        (b'["\\\\", [[]]]', 3),
        (b'["\\"[[[", [1]]', 2),
        (b'["[[[[', 1),
        (b'["[[[[\\', 1),
        (b"]]][", 0),
    ],
)
def test_brackets_in_strings_do_not_count(body, depth) -> None:
    assert json_depth(body) == depth


@pytest.mark.parametrize("body", [b'"' + b'\\"' * 1_000_000, b'"' * 2_000_001, b"\\" * 2_000_000])
def test_a_string_without_an_end_is_read_once(body) -> None:
    # Read anew from each quote, it takes hours.
    assert json_depth(body) == 0
