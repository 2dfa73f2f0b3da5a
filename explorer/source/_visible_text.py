"""Visible marks for white space and control characters in labels."""

from __future__ import annotations

import re

_MARKS = {
    "\n": "⏎",
    "\r": "␍",
    "\t": "→",
    "\u00a0": "⍽",
    "\ufeff": "⟨BOM⟩",
    "\u007f": "␡",
}

# Characters that a browser does not draw, or that change the text direction:
# C0 and C1 controls, zero-width characters, bidirectional controls, lone surrogates.
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\xa0\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_SPACES = re.compile(r"^ +| +$|(?<=[^ ]) {2,}(?=[^ ])")


def visible_text(text: str) -> str:
    r"""Return text with a visible mark for each invisible character.

    Newline, tab and carriage return become ⏎, → and ␍; spaces at either end, and runs of them
    inside, become ·; other control characters get their Unicode picture or their number. Single
    spaces between words, joined emoji and right-to-left letters stay as they are.

    Examples
    --------
    >>> visible_text(" return x")
    '·return x'
    >>> visible_text("\n\t")
    '⏎→'
    """
    marked = _SPACES.sub(lambda match: "·" * len(match[0]), text)
    return _INVISIBLE.sub(lambda match: _mark(match[0]), marked)


def _mark(character: str) -> str:
    if character in _MARKS:
        return _MARKS[character]
    number = ord(character)
    return chr(0x2400 + number) if number < 0x20 else f"⟨U+{number:04X}⟩"
