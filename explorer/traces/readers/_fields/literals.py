"""Lists and objects stored as text in a table: JSON, or the form in which Python prints a list."""

from __future__ import annotations

import ast
import io
import json
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


def parsed(text: str) -> list[Any] | dict[str, Any] | None:
    """Return the list or object in a text, or None.

    JSON is tried first, then a Python literal, as in ``str(list)`` and in CSV files of pandas.
    Nothing is evaluated. Tuples become lists; a literal with values that JSON lacks (bytes, sets,
    an ellipsis for omitted items) gives None.

    Examples
    --------
    >>> parsed('["a", "b"]') == parsed("['a', 'b']") == parsed("['a' 'b']")
    True
    >>> parsed("[1] Smith, J. (2001)") is None
    True
    """
    text = text.strip()
    if len(text) > MAX_CHARACTERS or text[:1] + text[-1:] not in {"[]", "{}", "()"}:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        try:
            found = _literal(text)
        except _FAULTS:
            return None
    if "\\ud" in text.lower() and not _is_text(found):
        return None
    return found if isinstance(found, list | dict) else None


def _is_text(value: object) -> bool:
    """Return True when every text in a value can be encoded; half a surrogate pair cannot."""
    try:
        msgspec.json.encode(value)
    except (UnicodeEncodeError, msgspec.MsgspecError, OverflowError, RecursionError):
        return False
    return True


def _literal(text: str) -> Any:
    """Return the value of a Python literal, or of a NumPy list of texts without commas."""
    if _SIDE_BY_SIDE.search(text):
        text = _with_commas(text)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes in a text of the file
        return _plain(ast.literal_eval(text))


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


def _plain(value: Any) -> Any:
    """Return a literal as a JSON value.

    Raises
    ------
    ValueError
        It holds a value that JSON lacks.
    """
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        if not all(isinstance(name, str) for name in value):
            raise ValueError("a key that is not a text")
        return {name: _plain(item) for name, item in value.items()}
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise ValueError("not a JSON value")
