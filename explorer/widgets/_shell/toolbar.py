"""The toolbar: threshold, score settings, and how things are drawn."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from explorer.feedback import NORMALISATIONS, REDUCTIONS
from explorer.figures import colours
from explorer.widgets._attention.verdict_words import short_verdict_words, shown_verdicts
from explorer.widgets._base.panel import Panel
from explorer.widgets._session import Session
from explorer.widgets._shell import texts
from explorer.widgets._state import METHOD_THRESHOLDS, UNIT_KINDS, ExplorerState

if TYPE_CHECKING:
    import pandas as pd

_VERDICTS = ("used", "near", "not used", "unknown", "later")
_CHOICES = {
    "reduction": [[name, name] for name in REDUCTIONS],
    "normalisation": [[name, name] for name in NORMALISATIONS],
    "bar_order": texts.BAR_ORDERS,
    "colour_scale": [list(pair) for pair in colours.scale_choices()],
    "colour_range": texts.COLOUR_RANGES,
    "scaling": texts.SCALINGS,
}
_DRAWN_BY = (
    "tab", "table", "code_scene", "method", "heads", "threshold_mode", "threshold_scale",
    "reduction", "normalisation", "unit_kind", "bar_order", "colour_scale", "colour_range",
    "scaling", "hide_special", "hide_sink", "view_open", *dict.fromkeys(METHOD_THRESHOLDS.values()),
)  # fmt: skip


class ToolbarPanel(Panel):
    """Draws the controls that all tabs share, a moment after the figures."""

    def __init__(self, state: ExplorerState, session: Session) -> None:
        super().__init__(state, session)
        self._thresholds = session.thresholds
        self.widget = self.toolbar = self.part("toolbar", texts.PAGE_TEXTS["toolbar"])
        self.draw_on(self._show, *_DRAWN_BY, later=True)
        names = session.thresholds.trait_names()
        self.draw_on(self._show, *names, of=session.thresholds, later=True)
        self.begin()

    def _show(self) -> None:
        state = self.state
        name = state.threshold_name
        judging = state.tab == "thresholds"
        of_attention = name == "threshold"
        reachable = self._thresholds.reachable if judging else _score_range(state.table)
        self.toolbar.show(
            threshold=getattr(state, name),
            threshold_mode=state.threshold_mode if of_attention and not judging else "fixed",
            threshold_found=None if judging else auto_sentence(state.table),
            view_open=state.view_open,
            threshold_name=name,
            # The line of the ensemble follows from its methods; this is the part of attention.
            threshold_label="attention"
            if state.method == "ensemble" and state.tab != "code"
            else name.removesuffix("_threshold"),
            threshold_scale=state.scale_of(name),
            of_attention=of_attention,
            of_set=state.heads is not None and state.tab != "code",
            reachable=reachable,
            reduction=state.reduction,
            normalisation=state.normalisation,
            unit_kind=state.unit_kind if state.tab == "code" else None,
            of_code=state.tab == "code",
            judging=judging,
            bar_order=state.bar_order,
            colour_scale=state.colour_scale,
            colour_range=state.colour_range,
            scaling=state.scaling,
            hide_special=state.hide_special,
            hide_sink=state.hide_sink,
            choices=_choices(state),
            counts=[] if judging else _verdict_counts(state.table, short_verdict_words(state)),
        )


def _choices(state: ExplorerState) -> dict[str, Any]:
    """Return the choices of the controls; text has neither identifiers nor syntax nodes."""
    kinds = UNIT_KINDS if state.code_scene is None else state.code_scene.unit_kinds
    return _CHOICES | {"unit_kind": [[name, texts.UNIT_KINDS[name]] for name in kinds]}


def auto_sentence(table: pd.DataFrame | None) -> str | None:
    """Return how auto found the threshold of a table; None where it was set."""
    if table is None or table.attrs.get("threshold_mode") != "auto":
        return None
    notes = table.attrs.get("notes", ())
    return next((note.message for note in notes if note.code == "auto-threshold"), None)


def _score_range(table: pd.DataFrame | None) -> list[float] | None:
    """Return the smallest and the largest score of a table; None where they say nothing."""
    if table is None or not len(table) or table.attrs.get("method") == "ensemble":
        return None
    scores = table["score"].dropna().to_numpy()
    return [float(scores.min()), float(scores.max())] if scores.size else None


def _verdict_counts(
    table: pd.DataFrame | None, words: Mapping[str, str] = MappingProxyType({})
) -> list[list[Any]]:
    """Return each verdict in words, with its number of units, mark and colour."""
    verdicts = [] if table is None else shown_verdicts(table)
    return [
        [
            words.get(verdict, verdict),
            verdicts.count(verdict),
            colours.verdict_mark(verdict),
            colours.verdict_colour(verdict),
        ]
        for verdict in _VERDICTS
        if verdict not in ("unknown", "later") or verdict in verdicts
    ]
