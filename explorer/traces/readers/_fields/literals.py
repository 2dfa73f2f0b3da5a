"""Lists and objects stored as text in a table: JSON, or the form in which Python prints them."""

from __future__ import annotations

import ast
import io
import json
import math
import re
import tokenize
import warnings
from typing import Any

import msgspec

MAX_CHARACTERS = 4 * 2**20
"""Longest text that is parsed; a longer one is plain text."""

# NumPy prints a list of texts without commas, and Python would join such texts.
_SIDE_BY_SIDE = re.compile(r"""['"]\s+r?['"]""")
_FAULTS = (ValueError, SyntaxError, RecursionError, MemoryError, tokenize.TokenError, TypeError)
# NumPy prints numbers without commas too: "[0.5 0.1 nan]", "[[1 2]\n [3 4]]".
_BARE_NAMES = re.compile(r"[\[\]\s\d.eE+\-naif]+")
_BETWEEN_NAMES = re.compile(r"(?<=[\d.nf])\s+(?=[-+\d.ni])|(?<=\])\s*(?=\[)")
# How a printed list or object begins: with a text, a number, another list, or a call.
_BEGINNING = re.compile(
    r"""\s*(?:[\[({]\s*(?:['"\[{(]|[bruf]+['"]|[-+]?\d+\.\d|[-+]?\d+\s*,|[-+]?\d+\s+[-+\d]|nan\b|[A-Za-z_][\w.]*\()"""
    r"""|(?:np\.|numpy\.|torch\.)?(?:array|tensor)\(|"[\[{])"""
)
# Calls that hold numbers or a list, as NumPy, torch and pandas print them.
_HOLDERS = re.compile(
    r"(?:array|tensor|asarray|list|tuple|Series|(?:float|int|uint|bfloat|half|double)\d*_?|bool_?|str_)"
)
_NAMES: dict[str, float | bool] = {
    "nan": math.nan,
    "NaN": math.nan,
    "inf": math.inf,
    "infinity": math.inf,
    "True_": True,
    "False_": False,
}


def parsed(text: str) -> list[Any] | dict[str, Any] | None:
    """Return the list or object in a text, or None.

    JSON is tried first, then what Python prints: a literal, as in ``str(list)`` and in CSV files of
    pandas; arrays and numbers of NumPy and torch, with or without commas; a JSON text of a JSON
    text; objects as ``Document(page_content='...')``, which become mappings. Nothing is
    evaluated. Tuples become lists; a literal with values that JSON lacks (bytes, sets, an ellipsis
    for omitted items) gives None.

    Examples
    --------
    >>> parsed('["a", "b"]') == parsed("['a', 'b']") == parsed("['a' 'b']")
    True
    >>> parsed("[np.float32(0.5), np.float32(0.25)]") == parsed("[0.5  0.25]") == [0.5, 0.25]
    True
    >>> parsed("[1] Smith, J. (2001)") is None
    True
    """
    text = text.strip()
    if len(text) > MAX_CHARACTERS or not _may_hold(text):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        try:
            found = _literal(text)
        except _FAULTS:
            return None
    if isinstance(found, str):  # encoded twice
        return parsed(found) if found.strip()[:1] in ("[", "{") else None
    if isinstance(found, list) and len(found) == 1 and isinstance(found[0], str):
        inner = parsed(found[0]) if found[0].lstrip()[:1] == "[" else None
        found = inner if isinstance(inner, list) and inner else found
    if "\\ud" in text.lower() and not _is_text(found):
        return None
    return found if isinstance(found, list | dict) else None


def seems_printed(text: object) -> bool:
    """Return True for a text that begins like a printed list or object.

    Where `parsed` gives None for it, it is damaged, or items were left out when it was printed.
    """
    return isinstance(text, str) and _BEGINNING.match(text) is not None


def _may_hold(text: str) -> bool:
    ends = text[:1] + text[-1:]
    return ends in {"[]", "{}", "()"} or (
        ends in {'""', "a)", "t)", "n)"} and _BEGINNING.match(text) is not None
    )


def _is_text(value: object) -> bool:
    """Return True when every text in a value can be encoded; half a surrogate pair cannot."""
    try:
        msgspec.json.encode(value)
    except (UnicodeEncodeError, msgspec.MsgspecError, OverflowError, RecursionError):
        return False
    return True


def _literal(text: str) -> Any:
    """Return the value of what Python or NumPy printed."""
    if _BARE_NAMES.fullmatch(text):
        text = _BETWEEN_NAMES.sub(", ", text)
    elif _SIDE_BY_SIDE.search(text):
        text = _with_commas(text)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes in a text of the file
        return _value(ast.parse(text, mode="eval").body)


def _with_commas(text: str) -> str:
    """Insert a comma between two adjacent texts."""
    lines = text.splitlines(keepends=True)
    ends: list[tuple[int, int]] = []
    after_text = False
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.STRING:
            if after_text:
                ends.append(token.start)
            after_text = True
        elif token.type not in {tokenize.NL, tokenize.COMMENT}:
            after_text = False
    for row, column in reversed(ends):
        lines[row - 1] = lines[row - 1][:column] + "," + lines[row - 1][column:]
    return "".join(lines)


def _value(node: ast.expr) -> Any:
    """Return a syntax tree of constants as a JSON value.

    Raises
    ------
    ValueError
        It holds a value that JSON lacks, or anything that would have to be evaluated.
    """
    if isinstance(node, ast.List | ast.Tuple):
        return [_value(item) for item in node.elts]
    if isinstance(node, ast.Dict):
        names = [_value(name) if name is not None else None for name in node.keys]
        if not all(isinstance(name, str) for name in names):
            raise ValueError("a key that is not a text")
        return dict(zip(names, map(_value, node.values), strict=True))
    if isinstance(node, ast.Constant):
        if node.value is None or isinstance(node.value, str | bool | int | float):
            return node.value
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        number = _value(node.operand)
        if isinstance(number, int | float) and not isinstance(number, bool):
            return -number if isinstance(node.op, ast.USub) else number
    elif isinstance(node, ast.Name) and node.id in _NAMES:
        return _NAMES[node.id]
    elif isinstance(node, ast.Attribute) and node.attr in _NAMES:  # np.nan
        return _NAMES[node.attr]
    elif isinstance(node, ast.Call):
        return _call(node)
    raise ValueError("not a JSON value")


def _call(node: ast.Call) -> Any:
    """Return what a printed call holds: an array's list, a number, or an object's fields."""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else None
    name = node.func.id if isinstance(node.func, ast.Name) else name
    if name is None:
        raise ValueError("not a JSON value")
    if _HOLDERS.fullmatch(name) and len(node.args) == 1:
        return _value(node.args[0])
    if name[:1].isupper() and not node.args and node.keywords:  # Document(page_content='...')
        return {word.arg: _value(word.value) for word in node.keywords if word.arg is not None}
    raise ValueError("not a JSON value")
