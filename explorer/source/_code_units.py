"""Units of code: lines, identifiers, or syntax nodes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from explorer.errors import InputError
from explorer.source._languages import Language, SyntaxTree, detect_language, find_language
from explorer.source._source_units import CharSpan, SourceUnit, with_unique_names
from explorer.source._syntax_nodes import node_units

if TYPE_CHECKING:
    from collections.abc import Iterator

UnitKind = Literal["line", "identifier", "node"]

_LINE_END = re.compile(r"\r\n|\r|\n")
_NAME = re.compile(r"(?:[^\W\d]|\$)[\w$]*")


@dataclass(frozen=True)
class CodeUnits:
    """The units of a text, its language and notes.

    Attributes
    ----------
    units : list of SourceUnit
        In order of first appearance.
    language : str or None
        The language of the grammar that found them; None without a grammar.
    notes : tuple of str
        Sentences for the user: about a fallback, or code that does not parse.
    """

    units: list[SourceUnit]
    language: str | None
    notes: tuple[str, ...]


def code_units(code: str, kind: UnitKind = "line", language: str | None = None) -> list[SourceUnit]:
    r"""Return the units of a text.

    Parameters
    ----------
    code : str
        Any text: with syntax errors, in an unknown language, or empty.
    kind : {"line", "identifier", "node"}
        ``"line"``: each line that is not blank. ``"identifier"``: each name, with all its
        occurrences. ``"node"``: each statement, definition, clause and comment; the head of a block
        is one unit and each statement in it another, so that no text belongs to two.
    language : str, optional
        ``"python"``, ``"javascript"`` or ``"sql"``; detected if omitted.

    Returns
    -------
    list of SourceUnit
        In order of first appearance, with unique names.

    Raises
    ------
    InputError
        The kind is not one of these.

    Examples
    --------
    >>> [unit.name for unit in code_units("a = 1\n\nb = a", "line")]
    ['line 1', 'line 3']
    >>> [(unit.name, unit.char_spans) for unit in code_units("a = 1\nb = a", "identifier")]
    [('a', ((0, 1), (10, 11))), ('b', ((6, 7),))]
    """
    return find_units(code, kind, language).units


def find_units(code: str, kind: UnitKind = "line", language: str | None = None) -> CodeUnits:
    """Return what `code_units` returns, with the language and notes for the user."""
    if kind not in get_args(UnitKind):
        names = ", ".join(repr(known) for known in get_args(UnitKind))
        raise InputError(f"There are no units of the kind {kind!r}. Choose one of {names}.")
    if kind == "line":
        return CodeUnits(_line_units(code), language, ())
    detected = detect_language(code) if language is None else language
    known = None if detected is None else find_language(detected)
    if known is None:
        return _without_grammar(code, kind, language)
    tree = SyntaxTree(code, known)
    if kind == "identifier":
        units = _name_units(code, tree.names(), known)
        if not units and (spans := _pattern_names(code)):
            units = _name_units(code, iter(spans), known)
    else:
        units = node_units(code, tree)
    notes: tuple[str, ...] = ()
    if tree.root.has_error:
        label = _label(known.name)
        notes = (f"This {label} code does not parse completely; units are what its parser found.",)
    return CodeUnits(units, known.name, notes)


def _without_grammar(code: str, kind: UnitKind, language: str | None) -> CodeUnits:
    if not code.strip():
        return CodeUnits([], None, ())
    what = (
        "The language was not recognised"
        if language is None
        else f"There is no parser for {language}"
    )
    if kind == "identifier":
        note = f"{what}, so every word counts as an identifier."
        return CodeUnits(_name_units(code, iter(_pattern_names(code)), None), None, (note,))
    return CodeUnits(_line_units(code), None, (f"{what}, so the units are lines.",))


def _label(language: str) -> str:
    return {"python": "Python", "javascript": "JavaScript", "sql": "SQL"}[language]


def _line_units(code: str) -> list[SourceUnit]:
    units = []
    start = 0
    for number, end in enumerate([*_LINE_END.finditer(code), None], start=1):
        stop = len(code) if end is None else end.start()
        text = code[start:stop]
        stripped = text.strip()
        if stripped:
            first = start + len(text) - len(text.lstrip())
            span = (first, first + len(stripped))
            units.append(SourceUnit(f"line {number}", stripped, (span,), "line"))
        start = stop if end is None else end.end()
    return units


def _pattern_names(code: str) -> list[CharSpan]:
    return [match.span() for match in _NAME.finditer(code)]


def _name_units(
    code: str, spans: Iterator[CharSpan], language: Language | None
) -> list[SourceUnit]:
    folds = language is not None and language.folds_case
    reserved = frozenset() if language is None else language.reserved
    occurrences: dict[str, list[CharSpan]] = {}
    for start, stop in spans:
        # A grammar may take a white-space character that it does not know (U+0085) for a letter.
        name = code[start:stop].strip()
        start += code[start:stop].find(name)
        stop = start + len(name)
        if not name or name in reserved or (folds and name.casefold() in reserved):
            continue
        occurrences.setdefault(name.casefold() if folds else name, []).append((start, stop))
    firsts = ((code[slice(*found[0])], found) for found in occurrences.values())
    return with_unique_names(
        SourceUnit(name, name, tuple(found), "identifier") for name, found in firsts
    )
