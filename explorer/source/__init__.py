"""Code text -> units with character spans -> the tokens that belong to them."""

from __future__ import annotations

from explorer.source.display import visible_text
from explorer.source.kinds import CodeUnits, Kind, code_units, find_units
from explorer.source.languages import LANGUAGES, detect_language
from explorer.source.units import CharSpan, SourceUnit, token_units, units_on_tokens

__all__ = [
    "LANGUAGES",
    "CharSpan",
    "CodeUnits",
    "Kind",
    "SourceUnit",
    "code_units",
    "detect_language",
    "find_units",
    "token_units",
    "units_on_tokens",
    "visible_text",
]
