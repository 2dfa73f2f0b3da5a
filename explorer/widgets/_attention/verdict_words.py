"""Verdicts in words that fit what is scored: code is looked at, a retrieved fact is used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from explorer.widgets._code import texts
from explorer.widgets._state import ExplorerState

if TYPE_CHECKING:
    import pandas as pd

_NO_WORDS: Mapping[str, str] = MappingProxyType({})


def verdict_words(state: ExplorerState) -> Mapping[str, str]:
    """Return the word for each verdict of the tab in front; empty where verdicts are the words."""
    return texts.VERDICTS if state.tab == "code" else _NO_WORDS


def short_verdict_words(state: ExplorerState) -> Mapping[str, str]:
    """Return the same in few letters, for places with little room."""
    return texts.SHORT_VERDICTS if state.tab == "code" else _NO_WORDS


def shown_verdict(verdict: str, reasons: Iterable[Any]) -> str:
    """Return a verdict; ``"later"`` for a unit that the pinned token cannot see."""
    if verdict == "unknown" and any(one.code == "comes-later" for one in reasons):
        return "later"
    return str(verdict)


def shown_verdicts(table: pd.DataFrame) -> list[str]:
    """Return the verdicts of a feedback table, with ``"later"`` told apart."""
    return [
        shown_verdict(verdict, reasons)
        for verdict, reasons in zip(table["verdict"], table["diagnostics"], strict=True)
    ]
