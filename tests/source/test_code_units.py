from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import explorer.errors
import explorer.source
from explorer.errors import InputError
from explorer.source import LANGUAGES, code_units, find_units

from ..support.call_counter import calls_during

KINDS = ["line", "identifier", "node"]

FIBONACCI = """\
def fibonacci(n):
    # base cases
    if n <= 1:
        return n
    return fibonacci(n - 1) + fibonacci(n - 2)
"""

JAVASCRIPT = """\
export function total(items) {
  for (let i = 0; i < items.length; i++) {
    sum += items[i].price;
  }
  return sum;
}
"""

SQL = """\
SELECT u.name, COUNT(*) AS n
FROM Users u
JOIN orders o ON o.user_id = users.id
WHERE u.age > 18;
"""


def texts(code, kind, language=None):
    return {unit.name: unit.text for unit in code_units(code, kind, language)}


def test_lines_keep_their_numbers_and_skip_blank_ones():
    assert texts("a = 1\n\n   \n\tb = 2  \n", "line") == {"line 1": "a = 1", "line 4": "b = 2"}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_counts_one_line(end):
    code = end.join(["a", "", "b"])
    units = code_units(code, "line")
    assert [unit.name for unit in units] == ["line 1", "line 3"]
    assert [code[slice(*unit.char_spans[0])] for unit in units] == ["a", "b"]


def test_form_feeds_and_unicode_separators_do_not_end_lines():
    assert list(texts("a\x0c\u2028b", "line")) == ["line 1"]


def test_identifiers_gather_all_occurrences():
    units = {unit.name: unit for unit in code_units(FIBONACCI, "identifier")}
    assert list(units) == ["fibonacci", "n"]
    for name, unit in units.items():
        # the comment and keywords have no names, so the words in the text are the occurrences
        expected = [match.span() for match in re.finditer(rf"\b{name}\b", FIBONACCI)]
        assert list(unit.char_spans) == expected


def test_names_of_properties_count_in_javascript():
    assert list(texts(JAVASCRIPT, "identifier")) == [
        "total",
        "items",
        "i",
        "length",
        "sum",
        "price",
    ]


def test_sql_names_fold_case():
    units = {unit.name: unit for unit in code_units(SQL, "identifier")}
    assert [SQL[slice(*span)] for span in units["Users"].char_spans] == ["Users", "users"]
    assert {"u", "name", "orders", "user_id", "age"} <= set(units)
    assert not {"SELECT", "FROM", "JOIN", "WHERE"} & set(units)


def test_python_nodes_own_their_own_text():
    assert texts(FIBONACCI, "node") == {
        "function fibonacci": "def fibonacci(n):",
        "comment, line 2": "# base cases",
        "if, line 3": "if n <= 1:",
        "return, line 4": "return n",
        "return, line 5": "return fibonacci(n - 1) + fibonacci(n - 2)",
    }


def test_javascript_nodes():
    assert texts(JAVASCRIPT, "node") == {
        "function total": "export function total(items) {",
        "for, line 2": "for (let i = 0; i < items.length; i++) {",
        "statement, line 3": "sum += items[i].price;",
        "return, line 5": "return sum;",
    }


def test_sql_nodes_are_clauses():
    assert texts(SQL, "node") == {
        "select, line 1": "SELECT u.name, COUNT(*) AS n",
        "from, line 2": "FROM Users u",
        "join, line 3": "JOIN orders o ON o.user_id = users.id",
        "where, line 4": "WHERE u.age > 18",
    }


def test_statements_over_several_lines_are_one_unit_without_their_indentation():
    code = "x = f(\n    1,\n    2,\n)\n"
    (unit,) = code_units(code, "node")
    assert unit.text == "x = f( 1, 2,"
    assert [code[slice(*span)] for span in unit.char_spans] == ["x = f(", "1,", "2,", ")"]


@pytest.mark.parametrize("kind", KINDS)
def test_characters_of_any_width_keep_their_positions(kind):
    code = 'grüße = "🎉👩‍👩‍👧"  # שלום\nnaïve = grüße\n'
    for unit in code_units(code, kind, "python"):
        for span in unit.char_spans:
            assert code[slice(*span)] in code.split("\n", maxsplit=1)[0] + code.split("\n")[1]
    found = {unit.name: unit.char_spans for unit in code_units(code, "identifier", "python")}
    expected = {
        name: tuple(match.span() for match in re.finditer(name, code))
        for name in ("grüße", "naïve")
    }
    assert found == expected


def test_code_that_does_not_parse_still_has_units():
    code = "def broken(x:\n    return x +\n"
    found = find_units(code, "identifier")
    assert found.language == "python"
    assert [unit.name for unit in found.units] == ["broken", "x"]
    (note,) = found.notes
    assert note.startswith("This Python code does not parse completely;")


@pytest.mark.parametrize("language", [None, "rust"])
def test_without_a_grammar_every_word_is_an_identifier_and_a_note_says_so(language):
    found = find_units("fn twice(x1: i32) -> i32 { x1 + x1 }", "identifier", language)
    assert [unit.name for unit in found.units] == ["fn", "twice", "x1", "i32"]
    assert found.language is None
    (note,) = found.notes
    assert "every word counts as an identifier" in note


def test_without_a_grammar_nodes_are_lines():
    found = find_units("fn main() {\n}", "node", "rust")
    assert [unit.name for unit in found.units] == ["line 1", "line 2"]
    assert found.notes == ("There is no parser for rust, so the units are lines.",)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("code", ["", "   \n\t\r\n", "\n"])
def test_blank_text_has_no_units(code, kind):
    assert code_units(code, kind) == []
    assert find_units(code, kind).notes == ()


def test_nul_does_not_end_the_code():
    names = [unit.name for unit in code_units("a = 1\0\nb = 2\n", "identifier", "python")]
    assert names == ["a", "b"]


def test_html_is_only_text():
    assert texts("<script>alert(1)</script>", "line") == {"line 1": "<script>alert(1)</script>"}


def test_unknown_kinds_are_refused():
    with pytest.raises(InputError, match="'line', 'identifier', 'node'"):
        code_units("x", "paragraph")


@settings(max_examples=150, deadline=None)
@example("A\x85", "identifier", "javascript")
@example("\x85A", "identifier", "javascript")
@example("\x85", "identifier", "javascript")
@given(
    st.text(st.characters() | st.sampled_from("abn=():;{}'\"\n\r\t\0 #/*,."), max_size=60),
    st.sampled_from(KINDS),
    st.sampled_from([None, *LANGUAGES]),
)
def test_any_text_has_units_with_unique_names_inside_it(code, kind, language):
    units = code_units(code, kind, language)
    names = [unit.name for unit in units]
    assert len(set(names)) == len(names)
    for unit in units:
        assert unit.kind in {kind, "line"}
        assert unit.char_spans
        previous = 0
        for start, stop in unit.char_spans:
            assert previous <= start < stop <= len(code)
            assert code[start:stop] == code[start:stop].strip()
            previous = stop


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from("abn=():;{}'\" \n#,.ifdet"), max_size=80))
def test_no_character_belongs_to_two_nodes(code):
    taken = [
        position
        for unit in code_units(code, "node", "python")
        for span in unit.char_spans
        for position in range(*span)
    ]
    assert len(taken) == len(set(taken))


@pytest.mark.parametrize("kind", KINDS)
def test_deep_and_long_code_is_no_trouble(kind):
    deep = "(" * 5_000 + "x" + ")" * 5_000
    assert code_units(deep, kind, "python")
    code = Path(explorer.errors.__file__).read_text()
    assert sum(len(unit.char_spans) for unit in code_units(code * 50, kind, "python")) > 1_000
    some = calls_during(lambda: code_units(code * 10, kind, "python"))
    five_times_as_much = calls_during(lambda: code_units(code * 50, kind, "python"))
    assert five_times_as_much < 6 * some, "the work grows faster than the code"


def test_the_type_of_kinds_keeps_its_old_name_for_a_release():
    with pytest.warns(DeprecationWarning, match="Kind is now explorer.source.UnitKind"):
        assert explorer.source.Kind is explorer.source.UnitKind


def test_a_table_of_with_has_its_word_and_a_window_keeps_its_order():
    query = (
        "WITH RECURSIVE a AS (\n  SELECT m FROM t\n),\nb AS (SELECT 1)\n"
        "SELECT rank() OVER (PARTITION BY m ORDER BY s) AS r\nFROM a\nORDER BY r;"
    )
    units = {unit.name: unit.text for unit in code_units(query, "node", "sql")}
    assert units["with, line 1"].startswith("WITH RECURSIVE a AS (")
    assert units["with, line 4"].startswith("b AS (")
    assert units["select, line 5"] == "SELECT rank() OVER (PARTITION BY m ORDER BY s) AS r"
    assert [text for text in units.values() if text.startswith("ORDER BY")] == ["ORDER BY r"]
