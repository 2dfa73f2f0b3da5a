"""Scores of the units in view, kept until what they depend on changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from explorer.attention import DenseAttention
from explorer.feedback import Diagnostic, FeedbackPolicy, HeadCombination, ScoreSettings, Unit
from explorer.feedback._auto_threshold import AUTO, Auto
from explorer.feedback._feedback_table import ScoredUnits, scored_units
from explorer.widgets._attention.head_view import Focus
from explorer.widgets._attention.selection import pinned_column, pinned_rows
from explorer.widgets._code.scene import CodeScene
from explorer.widgets._state import ExplorerState
from explorer.widgets._traces.scene import TraceScene

if TYPE_CHECKING:
    import pandas as pd


class Scored(Protocol):
    """Scores that become a feedback table at any threshold."""

    def table(self, threshold: float | Auto) -> pd.DataFrame:
        """Return the feedback table at a threshold."""


@dataclass(frozen=True, eq=False)
class ScoredByAttention:
    """Units scored by attention, or unknown where there is no attention."""

    units: ScoredUnits
    notes: tuple[Diagnostic, ...]

    def table(self, threshold: float | Auto) -> pd.DataFrame:
        """Return the feedback table at a threshold."""
        return self.units.table(FeedbackPolicy(threshold=threshold), self.notes)


@dataclass(frozen=True, eq=False)
class ScoredByHeads:
    """Hyperedges scored by a set of heads, as a `FeedbackExtractor` scores them.

    A trace without the readings that the set needs has unknown scores: an extractor would ask the
    embedding.
    """

    scene: TraceScene
    heads: HeadCombination
    scores: NDArray[np.float64] | Diagnostic

    def table(self, threshold: float | Auto) -> pd.DataFrame:
        """Return the feedback table at a threshold."""
        from explorer.rag._extraction.explanation import TraceExplanation, explanation_table
        from explorer.rag._methods.attention_feedback import attend_heads
        from explorer.rag._methods.extractor_config import ExtractorConfig

        trace = self.scene.trace
        config = ExtractorConfig("attention", attention_threshold=threshold, heads=self.heads)
        found = attend_heads(trace, config, self.scores)
        table = explanation_table(
            [TraceExplanation(trace.id, trace.hyperedges, found.results, found.notes)]
        )
        table.attrs |= {"notes": found.notes, "method": "attention", "heads": self.heads}
        if threshold == AUTO:
            table.attrs |= {"threshold_mode": AUTO, "threshold": float(table["threshold"].iloc[0])}
        return table


class UnitScores:
    """Scores of the units in view; a question asked twice in a row is worked out once."""

    def __init__(self) -> None:
        self._key: tuple[object, ...] = ()
        self._kept: tuple[object, ...] = ()
        self._scored: Scored | None = None

    def of(self, state: ExplorerState) -> Scored | None:
        """Return the scores of the tab in front; None when there is nothing to score.

        In the code tab the rows averaged over are those of all tokens but special ones, or the one
        row of the pinned token or cell. In the traces tab they are the answer's, unless a set of
        heads says otherwise.
        """
        scene, focus = state.scene, state.focus
        if state.heads is not None and isinstance(scene, TraceScene):
            return self._by_heads(scene, state.heads)
        if focus is None:
            return self._unknown(scene)
        if isinstance(focus.scene, CodeScene):
            return self._of_code(state, focus, focus.scene)
        return self._of_trace(state, focus, focus.scene)

    def _of_code(self, state: ExplorerState, focus: Focus, scene: CodeScene) -> Scored:
        units = scene.units(state.unit_kind)
        column = pinned_column(state)
        if column is not None:
            return self._of_column(state, focus, scene, column)
        rows = pinned_rows(state, scene)
        pinned = None if rows is scene.rows else int(rows[0])
        attention, layer, head = focus.attention, focus.layer, focus.head
        averaged: NDArray[np.intp] | None = rows
        # What the heatmap hides has no part in the scores: a sink takes most of every share.
        hidden = state.hide_sink and scene.n_tokens > 1
        if focus.summary is not None and pinned is None:
            attention, layer, head, averaged = focus.summary.mean_row, 0, 0, None

        def score() -> Scored:
            seen = without_first(units) if hidden else list(units)
            seen = seen if pinned is None else seen_from(scene, pinned, seen)
            settings = _settings(state, layer, head, averaged)
            return ScoredByAttention(scored_units(attention, seen, settings), ())

        choices = (layer, head, pinned, hidden, *_choices(state))
        return self._known((attention, units), choices, score)

    def _of_column(
        self, state: ExplorerState, focus: Focus, scene: CodeScene, column: int
    ) -> Scored:
        """Return how much the tokens of each unit look at one token."""
        units, attention = scene.units(state.unit_kind), focus.attention

        def score() -> Scored:
            looks = attention.weights(focus.layer, focus.head, columns=[column])[:, 0]
            able = looking_at(scene, column, units)
            settings = _settings(state, 0, 0, None)
            return ScoredByAttention(
                scored_units(DenseAttention(looks[None, :]), able, settings), ()
            )

        choices = (focus.layer, focus.head, "column", column, *_choices(state))
        return self._known((attention, units), choices, score)

    def _of_trace(self, state: ExplorerState, focus: Focus, scene: TraceScene) -> Scored:
        found = scene.evidence
        attention, layer, head = focus.attention, focus.layer, focus.head

        def score() -> Scored:
            settings = _settings(state, layer, head, found.rows)
            return ScoredByAttention(
                scored_units(attention, found.units, settings), found.diagnostics
            )

        return self._known((attention, found), (layer, head, *_choices(state)), score)

    def _by_heads(self, scene: TraceScene, heads: HeadCombination) -> Scored | None:
        if not scene.trace.hyperedges:
            return None

        def score() -> Scored:
            from explorer.rag._methods.attention_feedback import head_set_scores

            return ScoredByHeads(scene, heads, head_set_scores(scene.trace, heads))

        return self._known((scene.evidence, heads), (), score)

    def _unknown(self, scene: CodeScene | TraceScene | None) -> Scored | None:
        """Return unknown scores for the hyperedges of a trace that brings no attention."""
        if not isinstance(scene, TraceScene) or not scene.evidence.units:
            return None
        found = scene.evidence

        def score() -> Scored:
            count = len(found.units)
            units = ScoredUnits(found.units, np.full(count, np.nan), np.ones(count))
            return ScoredByAttention(units, found.diagnostics)

        return self._known((found,), (), score)

    def _known(
        self, objects: tuple[object, ...], choices: tuple[object, ...], score: Callable[[], Scored]
    ) -> Scored:
        """Return the scores kept for these objects and choices, or work them out."""
        key = (*map(id, objects), *choices)
        if self._scored is None or key != self._key:
            self._scored = score()
            # The objects are kept too: a new one may not have the place in memory of an old one.
            self._key, self._kept = key, objects
        return self._scored


def _choices(state: ExplorerState) -> tuple[str, str]:
    return state.reduction, state.normalisation


def _settings(
    state: ExplorerState, layer: int | None, head: int | None, rows: NDArray[np.intp] | None
) -> ScoreSettings:
    return ScoreSettings(
        layer=layer,
        head=head,
        rows=rows,
        reduction=state.reduction,  # type: ignore[arg-type]
        normalisation=state.normalisation,
    )


def without_first(units: Sequence[Unit]) -> list[Unit]:
    """Return the units without the first token, the sink; one that is nothing else is unknown."""
    sink = Diagnostic(
        "hidden-sink", "It is the first token alone, which is hidden as the attention sink."
    )
    return [_within(unit, 1, None, sink) for unit in units]


def _within(unit: Unit, first: int, stop: int | None, without: Diagnostic) -> Unit:
    """Return a unit with its tokens of a range; unknown, for this reason, if it has none there."""
    spans = unit.spans
    if not spans or (spans[0][0] >= first and (stop is None or spans[-1][1] <= stop)):
        return unit
    positions = unit.positions
    inside = positions >= first
    if stop is not None:
        inside &= positions < stop
    if not inside.any():
        return replace(unit, spans=(), unknown=True, diagnostics=(without,))
    return Unit.from_positions(unit.name, unit.text, positions[inside], unit.diagnostics)


def seen_from(scene: CodeScene, row: int, units: Sequence[Unit]) -> list[Unit]:
    """Return the units with the tokens that a row can see, and unknown those without any.

    A row that can look ahead sees all.
    """
    if scene.attention.visible_keys(0, [row])[0] > row + 1:
        return list(units)
    later = Diagnostic(
        "comes-later",
        "It comes after the pinned token, and this model only looks back: nothing to score.",
    )
    return [_within(unit, 0, row + 1, later) for unit in units]


def looking_at(scene: CodeScene, column: int, units: Sequence[Unit]) -> list[Unit]:
    """Return the units with the tokens that can look at a token, and unknown those without any."""
    if scene.attention.visible_keys(0, [0])[0] > 1:
        return list(units)
    earlier = Diagnostic(
        "comes-earlier",
        "It comes before the pinned token, and this model only looks back: it cannot look there.",
    )
    return [_within(unit, column, None, earlier) for unit in units]
