"""Refuse turns of phrase that read like a translation: `python tools/check_language.py [PATH ...]`.

Every line of the package, the front end, the documentation, the notebooks, the tests and the
scripts is read: code, names, comments, docstrings and texts of the app alike. A turn that is right
in one place is allowed there by a line in `ALLOWED`.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WHERE = (
    "explorer",
    "frontend/src",
    "frontend/tests",
    "tests",
    "benchmarks",
    "tools",
    "docs",
    "notebooks",
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "Makefile",
    "pyproject.toml",
)
SUFFIXES = frozenset({".py", ".pyi", ".js", ".ts", ".md", ".ipynb", ".j2", ".css", ".toml", ""})
EXAMPLES = frozenset({"tools/check_language.py", "tests/test_language_check.py"})
"""Files that list the turns."""

# A turn as a regular expression, and what to write.
TURNS: dict[str, str] = {
    r"\bwhat of (it|them|this)\b": "name the part that is meant",
    r"(?<!there )\b(is|are|was|were) (?-i:none)\b(?! of)": "is not valid, or: there is no ...",
    r"\bin the place of\b": "instead of",
    r"\b(held|hold|holds|holding) (\w+ )?against\b": "compared with",
    r"\bbeside (what|the others|them|it)\b": "next to, or: compared with",
    r"\bwhat is free\b": "baselines",
    r"\b(is|are|was|were) told\b": "is shown, is reported, is passed",
    r"\babout nothing\b": "say what is missing",
    r"\bof what is\b": "name the thing",
    r"\bno(body| one) (can|could)\b|\bsomebody\b|\bnobody\b": "name who, or use the passive",
    r"\bin vain\b": "without success, or: failed",
    r"\bmay have;": "end the sentence",
    r"\b(that|which|it) is no (?!longer\b|more\b|less\b|\w+er\b)\w+": "is not a ...",
}

# (file, words) of uses that are right: a list of English words has them all.
ALLOWED = frozenset(
    ("explorer/rag/_extraction/entity_names.py", word) for word in ("nobody", "somebody")
)

PATTERNS = {re.compile(turn, re.IGNORECASE): better for turn, better in TURNS.items()}


def findings(name: str, lines: Iterable[str]) -> Iterator[str]:
    """Yield a message for every banned turn in the lines of a file."""
    for number, line in enumerate(lines, start=1):
        for pattern, better in PATTERNS.items():
            for match in pattern.finditer(line):
                if (name, match[0].lower()) in ALLOWED:
                    continue
                yield f'{name}:{number}: "{match[0]}": {better}'


def tracked(paths: Iterable[str]) -> list[Path]:
    """Return the tracked text files below these paths."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--", *paths],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    names = [ROOT / name for name in listing.stdout.split("\0") if name and name not in EXAMPLES]
    return [path for path in names if path.suffix in SUFFIXES and path.exists()]


def main(paths: list[str]) -> int:
    """Print what was found; return 1 if there is anything."""
    found = [
        message
        for path in tracked(paths or WHERE)
        for message in findings(
            str(path.relative_to(ROOT)), path.read_text(encoding="utf-8").splitlines()
        )
    ]
    print("\n".join(found) or "no banned turns")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
