"""Signs of languages without a packaged grammar, and of prose and data."""

from __future__ import annotations

import json
import re
from typing import NamedTuple


def _lines(*patterns: str, ignore_case: bool = False) -> re.Pattern[str]:
    """Return a pattern that matches a line by any of these, which begin where the line does."""
    flags = re.MULTILINE | (re.IGNORECASE if ignore_case else 0)
    return re.compile("|".join(f"^[ \\t]*(?:{pattern})" for pattern in patterns), flags)


_SIGNS: dict[str, re.Pattern[str]] = {
    "traceback": _lines(
        r"Traceback \(most recent call last\):",
        r'File "[^"\n]*", line \d+',
        r"\w*(?:Error|Exception): ",
    ),
    "rust": _lines(
        r"(?:pub(?:\(\w+\))?\s+)?fn\s+\w+",
        r"let\s+mut\s",
        r"use\s+\w+(?:::|;)",
        r"impl\b[^=\n]*\{?$",
        r"#!?\[\w+",
        r"(?:pub\s+)?(?:struct|enum|trait|mod)\s+\w+\s*[{;<(]",
        r".*\w!\(.*\);?$",
    ),
    "go": _lines(
        r"package\s+\w+\s*$",
        r"func\s+(?:\([^)\n]*\)\s*)?\w+\s*\(",
        r"\w+(?:\s*,\s*\w+)*\s*:=",
        r"type\s+\w+\s+(?:struct|interface)\b",
        r"import\s+\(\s*$",
    ),
    "c": _lines(
        r"#\s*(?:include|define|ifdef|ifndef|pragma)\b",
        r"(?:int|void|char|double)\s+\w+\s*\([^;\n]*\)\s*\{?$",
        r"using\s+namespace\b",
        r"std::",
        r"(?:unsigned|struct|typedef|template)\b",
        r"(?:int|char|float|double|long|size_t)\s+\*?\w+(?:\[[^\]\n]*\])?\s*[=;]",
    ),
    "java": _lines(
        r"(?:public|private|protected)\s",
        r"import\s+(?:static\s+)?[\w.]+\*?;",
        r"package\s+[\w.]+;",
        r"System\.",
        r"@Override\b",
        r"using\s+[\w.]+;",
        r"namespace\s+[\w.]+",
    ),
    "kotlin": _lines(
        r"(?:override\s+)?fun\s+\w+\s*\(", r"func\s+\w+\s*\([^)\n]*\)\s*(?:->|\{)", r"val\s+\w+"
    ),
    "ruby": _lines(
        r"end\s*$",
        r"puts\s",
        r"require(?:_relative)?\s+['\"]",
        r"attr_\w+\s",
        r".*\bdo\s*\|[^|\n]*\|",
        r"module\s+[A-Z]\w*\s*$",
        r"class\s+\w+(?:\s*<\s*[\w:]+)?\s*$",
    ),
    "php": _lines(r"<\?php", r"\$\w+\s*=", r"echo\s+['\"$]"),
    "perl": _lines(r"(?:my|our)\s+[$@%]", r"sub\s+\w+\s*\{", r"use\s+(?:strict|warnings)\b"),
    "lua": _lines(r"local\s+(?:function\s+)?\w+", r".*\bthen\s*$", r"elseif\b"),
    "typescript": _lines(
        r"(?:export\s+)?interface\s+\w+[^({\n]*\{",
        r"(?:export\s+)?type\s+\w+(?:<[^>\n]*>)?\s*=",
        r"(?:export\s+)?enum\s+\w+\s*\{",
        r".*[\w?)]\s*:\s*(?:string|number|boolean|any|void|unknown|never|Promise<|Array<|Record<|\w+\[\])",
        r"(?:const|let|var)\s+\w+\s*:\s*\w",
        r".*\bas\s+(?:const|string|number|any)\b",
        r"(?:public|private|protected|readonly)\s",
    ),
    "r": _lines(r"[\w.]+\s*<-\s", r"library\(\w+\)", r".*%>%"),
    "haskell": _lines(
        r"\w[\w']*\s*::\s",
        r"module\s+[\w.]+.*\bwhere\b",
        r"import\s+(?:qualified\s+)?[A-Z][\w.]*\s*(?:\(|$)",
        r"data\s+[A-Z]\w*\s*=",
        r"\|\s.*=\s",
        r"where\s*$",
    ),
    "shell": _lines(
        r"#!.*\b(?:ba|z|k)?sh\b",
        r"(?:fi|done|esac|then|do)\s*$",
        r".*;\s*(?:then|do)\s*$",
        r"export\s+\w+=",
        r"echo\s+[\"'$\w-]",
        r"if\s+\[",
        r"(?:sudo|apt|cd|mkdir|set)\s+[-\w/.~$]",
        r"\w+=\$[({\w]",
        r".*\$\{?\w+\}?\s*$",
    ),
    "make": re.compile(
        r"^(?!else|try|finally)[\w./%$()-]+(?:[ \t][\w./%$() -]+)?:[^=\n]*\n\t|^\.PHONY:",
        re.MULTILINE,
    ),
    "css": _lines(
        r"(?:[.#@*:]?[\w-]+[\w\s.#:>,*()\[\]='\"-]*)\{\s*$(?=\s*[\w-]+\s*:[^;{]*;)",
        r"[\w-]+\s*:\s*[^;{}\n]+;\s*$",
        r"[.#]?[\w-]+\s*\{[^{}\n]*:[^{}\n]*;?\s*\}",
    ),
    "html": _lines(
        r"<!doctype\b",
        r"</?(?:html|head|body|meta|link|title)\b",
        r"</?(?:p|h[1-6]|ul|li|table|br|img)\b",
        r"<\?xml\b",
        ignore_case=True,
    ),
    "toml": _lines(r"\[\[?[\w.\"' -]+\]\]?\s*$"),
    "yaml": _lines(r"---\s*$", r"-?\s*[\w./\"'-]+:(?:\s+[^\s{(\[=].*)?$", r"-\s+[^\s].*$"),
    "markdown": _lines(
        r"#{1,6}\s+\S.*$(?=\n\s*\n)",
        r"```",
        r"[-*+]\s+\S",
        r".*\]\(https?:",
        r">\s",
        r"\d+\.\s+[A-Z]",
    ),
}


_SHARED = frozenset({"css", "markdown", "yaml"})
"""Languages whose signs are also in valid code of others."""


def is_data(sample: str) -> bool:
    """Whether a text is JSON: an object or a list, which other languages have as expressions."""
    text = sample.strip()
    if not text.startswith(("{", "[")) or not text.endswith(("}", "]")):
        return False
    try:
        return isinstance(json.loads(text), dict | list)
    except ValueError:
        return False


class ForeignLines(NamedTuple):
    """How many lines have a sign of the language without a grammar that fits best.

    Attributes
    ----------
    distinct
        By signs that valid code of the languages with a grammar does not have.
    every
        By any signs: a docstring may hold a list, and a dictionary looks like YAML.
    typed
        By those of TypeScript, which is JavaScript but for them.
    """

    distinct: int
    every: int
    typed: int


def foreign_lines(sample: str) -> ForeignLines:
    """Return the lines with signs of languages without a grammar."""
    found = {name: sign_lines(sample, pattern) for name, pattern in _SIGNS.items()}
    distinct = max(count for name, count in found.items() if name not in _SHARED)
    return ForeignLines(distinct, max(found.values()), found["typescript"])


def sign_lines(sample: str, pattern: re.Pattern[str]) -> int:
    """Return how many lines of a text begin a match of a pattern."""
    lines, at, last = 0, 0, -1
    for match in pattern.finditer(sample):
        if sample.find("\n", at, match.end()) >= 0 or last < 0:
            lines += 1
        at = last = match.end()
    return lines
