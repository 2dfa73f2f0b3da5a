from __future__ import annotations

import json
from pathlib import Path

import pytest

import explorer
from explorer.source import detect_language, visible_text

TEXTS = json.loads((Path(__file__).parent / "kinds_of_text.json").read_text("utf-8"))


@pytest.mark.parametrize(
    ("code", "language"),
    [
        ("x = 1", "python"),
        ("def f(x:\n  return x +", "python"),
        ("from os import path", "python"),
        ("class A:\n    def m(self):\n        pass", "python"),
        ("for i in range(3):\n    print(i)", "python"),
        ("let x = 1;", "javascript"),
        ("function f() {", "javascript"),
        ("items.map(x => x.price)", "javascript"),
        ("console.log('hi')", "javascript"),
        ("SELECT a FROM b", "sql"),
        ("select *\nfrom t\nwhere", "sql"),
        ("INSERT INTO t (a) VALUES (1)", "sql"),
        ("WITH t AS (SELECT 1) SELECT * FROM t", "sql"),
        ("It was a bright cold day in April, and the clocks were striking.", None),
        ("#include <stdio.h>\nint main(void) { return 0; }", None),
        ('package main\nimport "fmt"\nfunc main() { fmt.Println(1) }', None),
        ("", None),
        (" \n\t", None),
    ],
)
def test_language(code, language):
    assert detect_language(code) == language


@pytest.mark.parametrize("text", TEXTS, ids=[text["name"] for text in TEXTS])
def test_the_language_of_many_kinds_of_text(text):
    assert detect_language("\n".join(text["lines"])) == text["language"]


def test_every_module_of_the_package_is_python():
    package = Path(explorer.__file__).parent
    modules = sorted(package.rglob("*.py"))[::12]
    assert [path for path in modules if detect_language(path.read_text("utf-8")) != "python"] == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\n", "⏎"),
        ("\r\n", "␍⏎"),
        ("\tx", "→x"),
        (" return", "·return"),
        ("    ", "····"),
        ("a b", "a b"),
        ("a  b ", "a··b·"),
        ("\0\x1b", "␀␛"),
        ("\u202eabc", "⟨U+202E⟩abc"),
        ("\u200b", "⟨U+200B⟩"),
        ("\ud83d", "⟨U+D83D⟩"),
        ("👩‍👩‍👧", "👩‍👩‍👧"),
        ("שלום", "שלום"),
        ("", ""),
    ],
)
def test_what_cannot_be_seen_gets_a_mark(text, shown):
    assert visible_text(text) == shown
