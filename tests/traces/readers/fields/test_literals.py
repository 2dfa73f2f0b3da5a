"""Text that holds a list: JSON, Python's way of printing it, and NumPy's."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.traces.readers._fields.literals import parsed

TEXTS = ["It's here.", 'He said "no", twice.', "a, b\nand c", "\\d+ and [1]", "ünïcödé 💧"]


def test_what_python_prints_for_a_list_of_texts_is_read_back():
    assert parsed(str(TEXTS)) == TEXTS


def test_what_numpy_prints_for_an_array_of_texts_is_read_back():
    # NumPy leaves out the commas; Python itself would read such texts as one.
    assert parsed(str(np.array(TEXTS, dtype=object))) == TEXTS


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('["a", null, 1.5]', ["a", None, 1.5]),
        ("['a', None, 1.5]", ["a", None, 1.5]),
        ("('a', 'b')", ["a", "b"]),
        ("{'title': ['a'], 'sent_id': [0]}", {"title": ["a"], "sent_id": [0]}),
        (" [] ", []),
        ("['a\\d']", ["a\\d"]),
    ],
)
def test_lists_and_objects(text, found):
    assert parsed(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a plain sentence",
        "[1] Smith (2001)",
        "[see below]",
        "[__import__('os').system('true')]",
        "[open('/etc/passwd')]",
        "[b'a']",
        "{1, 2}",
        "{1: 2}",
        "['a', ..., 'z']",
        "['a\x00']",
        "['\\ud800']",
        '["\\uD800"]',
        "[" + "9" * 5000 + "]",
        "[" * 100_000 + "]" * 100_000,
        "[" + "-" * 100_000 + "1]",
        "[" + "1+" * 100_000 + "1]",
        "{'a'" * 300 + "}" * 300,
    ],
    ids=range(18),
)
def test_anything_else_is_plain_text_and_nothing_is_evaluated(text):
    assert parsed(text) is None
