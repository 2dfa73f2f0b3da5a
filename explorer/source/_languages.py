"""Programming languages: detection, and syntax trees with character positions."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np

from explorer.source._foreign_signs import ForeignLines, foreign_lines, is_data, sign_lines

if TYPE_CHECKING:
    from tree_sitter import Node, Parser


@dataclass(frozen=True)
class Language:
    """A programming language with a tree-sitter grammar.

    Attributes
    ----------
    name : str
    grammar : str
        Module of its tree-sitter grammar.
    identifiers : frozenset of str
        Node types that are names.
    reserved : frozenset of str
        Words that are never names; the tree of invalid code may contain them as names.
    folds_case : bool
        Whether ``Users`` and ``users`` are one name.
    signs : re.Pattern
        Text that rarely occurs in the other languages.
    """

    name: str
    grammar: str
    identifiers: frozenset[str]
    reserved: frozenset[str]
    folds_case: bool
    signs: re.Pattern[str]


def _words(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


LANGUAGES: dict[str, Language] = {
    language.name: language
    for language in (
        Language(
            "python",
            "tree_sitter_python",
            frozenset({"identifier"}),
            frozenset(keyword.kwlist),
            folds_case=False,
            signs=re.compile(
                r"^\s*(?:async\s+)?def\s+\w+\s*\(|^\s*class\s+\w+\s*[:(]"
                r"|^\s*from\s+[\w.]+\s+import\b|^\s*import\s+\w+(?:\.\w+)*(?:\s+as\s+\w+)?\s*$"
                r"|^\s*(?:return|yield|assert|raise)\b[^;]*$"
                r"|^\s*[rRbBfFuU]?(?:\"\"\"|''')"
                r"|^\s*(?:if|elif|else|for|while|try|except|with)\b[^{;]*:\s*(?:#.*)?$"
                r"|^\s*@\w+|\bself\.|\bprint\(|\bNone\b|\blambda\b",
                re.MULTILINE,
            ),
        ),
        Language(
            "javascript",
            "tree_sitter_javascript",
            frozenset(
                {
                    "identifier",
                    "private_property_identifier",
                    "property_identifier",
                    "shorthand_property_identifier",
                    "shorthand_property_identifier_pattern",
                    "statement_identifier",
                }
            ),
            _words(
                "async await break case catch class const continue default do else export",
                "extends finally for function if import in instanceof let new of return static",
                "super switch this throw try typeof var void while with yield",
            ),
            folds_case=False,
            signs=re.compile(
                r"\b(?:const|let|var)\s+(?:[\w$]+|[{\[][^=\n]*)\s*=|\bfunction\b\s*\w*\s*\(|=>|===|!=="
                r"|\bconsole\.\w|\bnew\s+\w+\(|^\s*import\s.*\bfrom\s+['\"]|^\s*(?:export|return)\b.*;\s*$"
                r"|^\s*class\s+\w+(?:\s+extends\s+[\w.]+)?\s*\{|^\s*\}\s*else\b|\bthis\.\w",
                re.MULTILINE,
            ),
        ),
        Language(
            "sql",
            "tree_sitter_sql",
            frozenset({"identifier"}),
            _words(
                "and as by case create delete desc distinct drop else end from group having in",
                "inner insert into is join left like limit not null on or order outer right",
                "select set table then union update values when where with",
            ),
            folds_case=True,
            signs=re.compile(
                r"^\s*select\b[^;]*?\bfrom\b|^\s*insert\s+into\b|^\s*update\s+\S+\s+set\b"
                r"|^\s*delete\s+from\b|^\s*create\s+(?:or\s+replace\s+)?(?:table|view|index)\b"
                r"|^\s*with\s+\w+\s+as\s*\(|^\s*(?:alter|drop|truncate)\s+table\b|^\s*merge\s+into\b"
                r"|^\s*(?:group|order)\s+by\b|^\s*(?:left|right|inner|full|cross)?\s*join\b"
                r"|^\s*(?:select|from|where|having|values|union)\b",
                re.MULTILINE | re.IGNORECASE,
            ),
        ),
    )
}
"""All languages with a grammar, by name."""

_ALIASES = {"py": "python", "python3": "python", "js": "javascript", "jsx": "javascript"}

_STATEMENT = re.compile(r"[\w\])]\s*(?:[-+*/]?=)(?!=)|\w\(")
_FEW_ERRORS, _MANY_ERRORS, _MANY_SIGNS = 0.005, 0.35, 0.5

# Characters that detection parses, so that a long file is not parsed three times.
_DETECTION_CHARS = 20_000


def find_language(name: str) -> Language | None:
    """Return the language of a name or alias (``py``, ``js``); None without a grammar."""
    lower = name.strip().lower()
    return LANGUAGES.get(_ALIASES.get(lower, lower))


def detect_language(code: str) -> str | None:
    """Return the most likely language of a text.

    Each grammar parses the text, and the part in errors is compared. Signs such as ``def f():`` or
    ``SELECT ... FROM`` decide close calls and unfinished code. A text is of no language that is
    known here where lines with signs of others (Rust, Go, C, YAML, HTML, Markdown and more)
    outnumber those with signs of its own, where it is JSON, or where it has no sign and is more
    than calls and assignments without an error.

    Parameters
    ----------
    code : str

    Returns
    -------
    str or None
        ``"python"``, ``"javascript"``, ``"sql"``, or None if none of them fits: then only lines and
        tokens are units of the text.

    Examples
    --------
    >>> detect_language("def f(n): return n")
    'python'
    >>> detect_language("It was a bright cold day in April.") is None
    True
    """
    sample = code[:_DETECTION_CHARS]
    if not sample.strip() or is_data(sample):
        return None
    filled = sum(1 for line in sample.splitlines() if line.strip())
    foreign = foreign_lines(sample)
    best, best_fit = None, 0.0
    for language in LANGUAGES.values():
        own = sign_lines(sample, language.signs)
        errors = SyntaxTree(sample, language).error_share
        typed = foreign.typed if language.name == "javascript" and errors > _FEW_ERRORS else 0
        if not typed and _fits(own, foreign, filled, errors, sample):
            # A sign outweighs code of which nothing parses, as happens during typing.
            fit = 2.0 + own / filled - errors if own else 1.0
            if fit > best_fit:
                best, best_fit = language.name, fit
    return best


def _fits(own: int, foreign: ForeignLines, filled: int, errors: float, sample: str) -> bool:
    """Whether a text may be of a language.

    Parameters
    ----------
    own, foreign, filled
        Lines with its signs, those with signs of languages without a grammar, and all lines that
        are not blank.
    errors
        Share of the text in errors.
    sample
        The text.
    """
    if not own:
        few = not foreign.distinct and 2 * foreign.every < filled
        return errors == 0.0 and few and _STATEMENT.search(sample) is not None
    if errors <= _FEW_ERRORS:
        return foreign.distinct <= own
    if foreign.every > own or foreign.distinct == own:
        return False
    # Few signs among many lines are of prose, or of a language that shares a word with this one.
    return errors <= _MANY_ERRORS or own / filled >= _MANY_SIGNS


class SyntaxTree:
    """The tree-sitter tree of a text, with positions in characters.

    Code with syntax errors has a tree too, in which ERROR nodes hold the invalid parts.

    Parameters
    ----------
    code : str
    language : Language
    """

    def __init__(self, code: str, language: Language) -> None:
        self.language = language
        # Tree-sitter reads NUL as the end of the text. A space has the same length.
        source = code.replace("\0", " ").encode("utf-8", "surrogatepass")
        self._byte_starts = None if len(source) == len(code) else _byte_starts(code)
        self.root: Node = _parser(language.grammar).parse(source).root_node

    def span(self, node: Node) -> tuple[int, int]:
        """Return the half-open character span of a node."""
        if self._byte_starts is None:
            return node.start_byte, node.end_byte
        start, stop = np.searchsorted(self._byte_starts, (node.start_byte, node.end_byte))
        return int(start), int(stop)

    def names(self) -> Iterator[tuple[int, int]]:
        """Yield the character spans of all names, in reading order."""
        pending = [self.root]
        while pending:  # a stack, because generated code can nest deeper than Python recurses
            node = pending.pop()
            if node.type in self.language.identifiers:
                if node.end_byte > node.start_byte:  # a name that the parser inserted is empty
                    yield self.span(node)
            else:
                pending.extend(reversed(node.children))

    @property
    def error_share(self) -> float:
        """Share of the text in ERROR nodes, 0 to 1; a missing symbol counts as a byte."""
        errors = 0
        pending = [self.root]
        while pending:
            node = pending.pop()
            if node.is_error:
                errors += node.end_byte - node.start_byte
            elif node.is_missing:
                errors += 1
            elif node.has_error:
                pending.extend(node.children)
        return errors / max(1, self.root.end_byte)


@cache
def _parser(grammar: str) -> Parser:
    import tree_sitter

    return tree_sitter.Parser(tree_sitter.Language(import_module(grammar).language()))


def _byte_starts(code: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the UTF-8 byte at which each character starts, and the end: (characters + 1,)."""
    points = np.frombuffer(code.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    sizes = 1 + (points >= 0x80).astype(np.int64) + (points >= 0x800) + (points >= 0x10000)
    starts = np.zeros(points.size + 1, dtype=np.int64)
    np.cumsum(sizes, out=starts[1:])
    return starts
