"""Figure of hyperedges and entities: each n-ary fact is one node linked to its entities."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from explorer.errors import InputError, ShapeError
from explorer.feedback import FeedbackPolicy, Verdict
from explorer.feedback._score_array import score_array
from explorer.figures._graph.entity_marks import (
    hyperedge_hover,
    label_trace,
    line_traces,
    marker_trace,
)
from explorer.figures._graph.entity_scene import Scene, build_scene
from explorer.figures._style.label_text import escape_label, shortened
from explorer.figures._style.theme import TRANSPARENT, base_layout, note
from explorer.figures.colours import (
    ACCENT,
    THEMES,
    Theme,
    feedback_colour,
)

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.traces import Hyperedge

Values = Mapping[str, float | None] | Sequence[float | None] | NDArray[Any]
"""A number for each hyperedge: by id, or in order; None or NaN where it is not known."""

_MARGIN = 8
_TOP = 26


def entities_figure(
    hyperedges: Sequence[Hyperedge],
    feedback: Values,
    weights: Values | None = None,
    *,
    theme: Theme = "light",
    policy: FeedbackPolicy | None = None,
    verdicts: Mapping[str, str] | Sequence[str] | None = None,
    selected: str | None = None,
    width: int = 900,
    height: int = 520,
) -> go.Figure:
    """Hyperedges as squares, entities as dots, and a line from each hyperedge to its entities.

    A square is as large as the hyperedge's weight (its area above the smallest follows it) and has
    the colour of its feedback; its label has the mark of the verdict. Entities that several facts
    share are one dot, whatever their case. Hyperedges without entities stand in a row below.

    Parameters
    ----------
    hyperedges : sequence of Hyperedge
        The facts of one trace. `explorer.rag.with_entities` finds entities for those that
        have none.
    feedback : mapping of id to float, or sequence of float
        The feedback on each; None or NaN where it is not known, as for an id that is missing.
    weights : mapping of id to float, or sequence of float, optional
        The weight of each; all squares are of one size by default.
    theme : {"light", "dark"}
    policy : FeedbackPolicy, optional
        What feedback means: for colours, and for verdicts where they are not given.
    verdicts : mapping of id to str, or sequence of str, optional
        The verdict on each. Feedback above neutral is "used", in the upper half of what lies below
        neutral "near", and less "not used", as the formula of `FeedbackPolicy` has it.
    selected : str, optional
        The hyperedge to mark, by id.
    width, height : int
        The size at which it will be shown, in pixels; places are chosen for that size.

    Returns
    -------
    plotly.graph_objects.Figure
        The points of the trace ``hyperedge`` stand for ``layout.meta["units"]``, those of the trace
        ``entity`` for ``layout.meta["entities"]``.

    Raises
    ------
    ShapeError
        If there are not as many numbers or verdicts as hyperedges.
    InputError
        When feedback or weights are not numbers.
    """
    import plotly.graph_objects as go

    return go.Figure(
        entities_figure_spec(
            hyperedges,
            feedback,
            weights,
            theme=theme,
            policy=policy,
            verdicts=verdicts,
            selected=selected,
            width=width,
            height=height,
        )
    )


def entities_figure_spec(
    hyperedges: Sequence[Hyperedge],
    feedback: Values,
    weights: Values | None = None,
    *,
    theme: Theme = "light",
    policy: FeedbackPolicy | None = None,
    verdicts: Mapping[str, str] | Sequence[str] | None = None,
    selected: str | None = None,
    width: int = 900,
    height: int = 520,
) -> dict[str, Any]:
    """`entities_figure` as a plain dict with ``data`` and ``layout``."""
    policy = FeedbackPolicy() if policy is None else policy
    ids = [edge.id for edge in hyperedges]
    signals = _numbers("feedback", feedback, ids)
    masses = None if weights is None else _numbers("weights", weights, ids)
    words = _verdicts(verdicts, signals, ids, policy)
    room = width - 2 * _MARGIN, height - _TOP - _MARGIN
    scene = build_scene(hyperedges, masses, *room)
    drawn = scene.drawn
    axis = {"visible": False, "fixedrange": True}
    return {
        "data": [
            *line_traces(scene, words, ids, selected),
            marker_trace(
                "entity",
                scene,
                range(len(drawn), len(scene.nodes)),
                {"color": THEMES[theme]["axis"], "symbol": "circle", "line": {"width": 0}},
                [
                    f"<b>{escape_label(shortened(name, 80))}</b><br>in "
                    + escape_label(shortened(", ".join(ids[i] for i in found), 80))
                    for name, found in zip(scene.entities, scene.members, strict=True)
                ],
            ),
            marker_trace(
                "hyperedge",
                scene,
                range(len(drawn)),
                {
                    "symbol": "square",
                    "color": [feedback_colour(signals[i], policy) for i in drawn],
                    "line": {
                        "width": [2.5 if ids[i] == selected else 0 for i in drawn],
                        "color": [ACCENT if ids[i] == selected else TRANSPARENT for i in drawn],
                    },
                },
                [
                    hyperedge_hover(
                        hyperedges[i], signals[i], words[i], None if masses is None else masses[i]
                    )
                    for i in drawn
                ],
            ),
            label_trace(scene, [words[i] for i in drawn], theme),
        ],
        "layout": base_layout(
            theme,
            width=width,
            height=height,
            margin={"l": _MARGIN, "r": _MARGIN, "t": _TOP, "b": _MARGIN},
            hovermode="closest",
            meta={"units": [ids[i] for i in drawn], "entities": scene.entities},
            xaxis={"range": [0, room[0]], **axis},
            yaxis={"range": [room[1], 0], **axis},
            annotations=_notes(scene, len(ids), weighted=masses is not None),
        ),
    }


def _numbers(what: str, values: Values, ids: Sequence[str]) -> NDArray[np.float64]:
    """One number per hyperedge; NaN if it is missing."""
    if isinstance(values, Mapping):
        values = [values.get(name) for name in ids]
    if len(values) != len(ids):
        raise ShapeError(f"There are {len(values)} numbers in `{what}` for {len(ids)} hyperedges.")
    try:
        return score_array(np.array(values)).astype(np.float64)
    except InputError as error:
        raise InputError(f"`{what}` must hold numbers. {error}") from None


def _verdicts(
    given: Mapping[str, str] | Sequence[str] | None,
    feedback: NDArray[np.float64],
    ids: Sequence[str],
    policy: FeedbackPolicy,
) -> list[str]:
    """Verdict of each hyperedge, as given or derived from its feedback."""
    if isinstance(given, Mapping):
        return [given.get(name, "unknown") for name in ids]
    if given is not None:
        if len(given) != len(ids):
            raise ShapeError(f"There are {len(given)} verdicts for {len(ids)} hyperedges.")
        return list(given)
    return [_verdict(value, policy) for value in feedback]


def _verdict(feedback: float, policy: FeedbackPolicy) -> Verdict:
    """Verdict that corresponds to a feedback value under the policy."""
    if math.isnan(feedback):
        return "unknown"
    if feedback > policy.neutral or feedback >= policy.positive:
        return "used"
    return "near" if feedback >= (policy.negative + policy.neutral) / 2 else "not used"


def _notes(scene: Scene, count: int, *, weighted: bool) -> list[dict[str, Any]]:
    """Captions: the meaning of the marks, and how many hyperedges are not drawn."""
    if count == 0:
        return [note("No hyperedges to show.", x=0, y=0.5, xanchor="left", yanchor="middle")]
    meaning = "■ hyperedge" + (", larger with more weight" if weighted else "")
    if scene.entities:
        meaning += " · ● entity"
    left_out = count - len(scene.drawn)
    if left_out:
        meaning += f" · {left_out} more hyperedges are not drawn"
    notes = [note(meaning, x=0, xanchor="left", y=1, yanchor="bottom", yshift=6)]
    if scene.alone is not None:
        notes.append(
            note(
                "without entities",
                x=0,
                xanchor="left",
                yref="y",
                y=scene.alone,
                yanchor="bottom",
            )
        )
    return notes
