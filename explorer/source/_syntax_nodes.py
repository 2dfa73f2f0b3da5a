"""Syntax nodes as units: statements, definitions, clauses and comments."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING

from explorer.source._source_units import CharSpan, SourceUnit, with_unique_names

if TYPE_CHECKING:
    from tree_sitter import Node

    from explorer.source._languages import SyntaxTree

_UNIT_ENDINGS = ("_statement", "_declaration", "_definition")

_UNIT_TYPES = {
    "comment",
    # JavaScript
    "switch_case",
    "switch_default",
    "catch_clause",
    "finally_clause",
    # Python
    "elif_clause",
    "else_clause",
    "except_clause",
    "case_clause",
    # SQL
    "alter_table",
    "column_definition",
    "create_index",
    "create_table",
    "create_view",
    "cte",
    "delete",
    "drop_table",
    "from",
    "group_by",
    "having",
    "insert",
    "join",
    "limit",
    "marginalia",
    "order_by",
    "select",
    "update",
    "where",
}

# Each of these wraps one statement; both together are one unit.
_WRAPPERS = {"export_statement": "declaration", "decorated_definition": "definition"}

_WORDS = {
    "class_declaration": "class",
    "class_definition": "class",
    "column_definition": "column",
    "cte": "with",
    "except_clause": "except",
    "expression_statement": "statement",
    "field_definition": "field",
    "function_declaration": "function",
    "function_definition": "function",
    "generator_function_declaration": "function",
    "group_by": "group by",
    "import_from_statement": "import",
    "lexical_declaration": "declaration",
    "marginalia": "comment",
    "method_definition": "method",
    "order_by": "order by",
    "switch_case": "case",
    "switch_default": "default",
    "variable_declaration": "declaration",
}

_NAMED = {"class", "column", "field", "function", "method"}

_TEXT_OF_LINE = re.compile(r"\S(?:[^\r\n]*\S)?")
# The end of a unit after its inner units: part of the unit, but not of its text.
_CLOSING = re.compile(r"[;,)}\]]+")
_LINE_END = re.compile(r"\r\n|\r|\n")


def node_units(code: str, tree: SyntaxTree) -> list[SourceUnit]:
    """Return the statements, definitions, clauses and comments of a tree.

    A node owns the text that no unit inside it owns: ``if n <= 1:`` is one unit, the ``return``
    below it another. Nodes without text of their own are dropped.

    Parameters
    ----------
    code : str
    tree : SyntaxTree
        Of that code.

    Returns
    -------
    list of SourceUnit
        In reading order, named by kind and line (``"if, line 2"``) or name (``"function f"``).
    """
    line_starts = [0, *(match.end() for match in _LINE_END.finditer(code))]
    found: list[tuple[Node, CharSpan]] = []
    owners = _owners(tree, found)
    units = []
    for index, (node, (start, _)) in enumerate(found):
        spans = tuple(
            (match.start(), match.end())
            for first, last in owners[index]
            for match in _TEXT_OF_LINE.finditer(code, first, last)
        )
        if not any(character.isalnum() for span in spans for character in code[slice(*span)]):
            continue
        line = bisect_right(line_starts, start)
        pieces = (code[slice(*span)] for span in spans)
        text = " ".join(piece for piece in pieces if not _CLOSING.fullmatch(piece))
        units.append(SourceUnit(_name(code, tree, node, line), text, spans, "node"))
    return with_unique_names(units)


def _owners(tree: SyntaxTree, found: list[tuple[Node, CharSpan]]) -> list[list[CharSpan]]:
    """Fill `found` with the unit nodes in reading order; return the spans that each owns."""
    owned: list[list[CharSpan]] = []
    # (node, whether it may be a unit) to enter, or the index of a unit to leave
    pending: list[tuple[Node, bool] | int] = [(tree.root, False)]
    open_units: list[int] = []
    cursor = 0  # all text before it has an owner
    while pending:
        step = pending.pop()
        if isinstance(step, int):
            _, (_, stop) = found[step]
            owned[step].append((cursor, stop))
            cursor = max(cursor, stop)
            open_units.pop()
            continue
        node, may_be_unit = step
        if may_be_unit and _is_unit(node):
            start, stop = tree.span(node)
            start = _with_keyword(tree, node, start)
            if open_units:
                owned[open_units[-1]].append((cursor, start))
            cursor = max(cursor, start)
            found.append((node, (start, stop)))
            owned.append([])
            open_units.append(len(found) - 1)
            pending.append(len(found) - 1)
        wrapped = node.child_by_field_name(_WRAPPERS[node.type]) if node.type in _WRAPPERS else None
        in_head = node.type in {"for_statement", "for_in_statement"}
        for position, child in reversed(list(enumerate(node.children))):
            # The ORDER BY of a window belongs to its column.
            head = node.type == "window_specification"
            head = head or (
                in_head and node.field_name_for_child(position) not in {"body", "alternative"}
            )
            pending.append((child, not head and child != wrapped))
    return owned


def _with_keyword(tree: SyntaxTree, node: Node, start: int) -> int:
    """Return where a unit begins; a table of WITH begins at that word before it."""
    before = node.prev_sibling
    while node.type == "cte" and before is not None and before.type.startswith("keyword_"):
        start, before = tree.span(before)[0], before.prev_sibling
    return start


def _is_unit(node: Node) -> bool:
    return node.is_named and (node.type in _UNIT_TYPES or node.type.endswith(_UNIT_ENDINGS))


def _name(code: str, tree: SyntaxTree, node: Node, line: int) -> str:
    if node.type in _WRAPPERS:
        node = node.child_by_field_name(_WRAPPERS[node.type]) or node
    word = _WORDS.get(node.type, node.type)
    for ending in ("_statement", "_clause", "_declaration", "_definition"):
        word = word.removesuffix(ending)
    word = word.replace("_", " ")
    if word in _NAMED:
        named = node.child_by_field_name("name") or node.child_by_field_name("property")
        if named is not None:
            return f"{word} {code[slice(*tree.span(named))]}"
    return f"{word}, line {line}"
