"""Hyperedges and what they are about: an n-ary fact is one node with its entities around it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from explorer.errors import InputError, ShapeError
from explorer.feedback import FeedbackPolicy, Verdict
from explorer.feedback._policy import score_array
from explorer.figures._feedback.feedback_rows import feedback_digits
from explorer.figures._graph.entity_scene import Scene, scene_of
from explorer.figures._style.label_placement import Side
from explorer.figures._style.label_text import escape_label, shortened, three_digits, wrapped
from explorer.figures._style.theme import LABEL_SIZE, TRANSPARENT, base_layout, note
from explorer.figures.colours import (
    ACCENT,
    SANS,
    THEMES,
    Theme,
    feedback_colour,
    verdict_colour,
    verdict_mark,
)

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.traces import Hyperedge

Values = Mapping[str, float | None] | Sequence[float | None] | NDArray[Any]
"""A number for each hyperedge: by id, or in order; None or NaN where it is not known."""

_POSITIONS: Mapping[Side, str] = {
    "below": "middle center",
    "above": "middle center",
    "right": "middle right",
    "left": "middle left",
}
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
    """Hyperedges as squares, their entities as dots, and a line wherever a fact is about an entity.

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
        The weight of each; all squares are of one size when left out.
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
        When there are not as many numbers or verdicts as hyperedges.
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
    scene = scene_of(hyperedges, masses, *room)
    drawn = scene.drawn
    axis = {"visible": False, "fixedrange": True}
    return {
        "data": [
            *_lines(scene, words, ids, selected),
            _markers(
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
            _markers(
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
                    _hover(
                        hyperedges[i], signals[i], words[i], None if masses is None else masses[i]
                    )
                    for i in drawn
                ],
            ),
            _texts(scene, [words[i] for i in drawn], theme),
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
    """One number for each hyperedge; NaN where there is none."""
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
    """The verdict on each hyperedge, as given or by its feedback."""
    if isinstance(given, Mapping):
        return [given.get(name, "unknown") for name in ids]
    if given is not None:
        if len(given) != len(ids):
            raise ShapeError(f"There are {len(given)} verdicts for {len(ids)} hyperedges.")
        return list(given)
    return [_verdict(value, policy) for value in feedback]


def _verdict(feedback: float, policy: FeedbackPolicy) -> Verdict:
    """The verdict that feedback speaks of: where in the formula it comes from."""
    if math.isnan(feedback):
        return "unknown"
    if feedback > policy.neutral or feedback >= policy.positive:
        return "used"
    return "near" if feedback >= (policy.negative + policy.neutral) / 2 else "not used"


def _lines(
    scene: Scene, verdicts: Sequence[str], ids: Sequence[str], selected: str | None
) -> list[dict[str, Any]]:
    """The lines from hyperedges to entities: one trace for each verdict, and the selected one's."""
    ends: dict[str, tuple[list[float | None], list[float | None]]] = {}
    for one, other in scene.lines:
        i = scene.drawn[one]
        x, y = ends.setdefault("selected" if ids[i] == selected else verdicts[i], ([], []))
        x += [scene.markers[one, 0], scene.markers[other, 0], None]
        y += [scene.markers[one, 1], scene.markers[other, 1], None]
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": f"line {kind}",
            "x": x,
            "y": y,
            "line": {"width": 2.2, "color": ACCENT}
            if kind == "selected"
            else {"width": 1.4, "color": verdict_colour(kind)},
            "opacity": 0.9 if kind == "selected" else 0.65,
            "hoverinfo": "skip",
        }
        for kind, (x, y) in sorted(ends.items(), key=lambda item: item[0] == "selected")
    ]


def _markers(
    name: str, scene: Scene, nodes: range, marker: dict[str, Any], hovers: Sequence[str]
) -> dict[str, Any]:
    """The markers of one kind of node, which answer the pointer."""
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": scene.markers[nodes, 0],
        "y": scene.markers[nodes, 1],
        "marker": {"size": [scene.nodes[node].marker for node in nodes], "opacity": 1, **marker},
        "hovertext": list(hovers),
        "hovertemplate": "%{hovertext}<extra></extra>",
    }


def _texts(scene: Scene, verdicts: Sequence[str], theme: Theme) -> dict[str, Any]:
    """The labels: of hyperedges the mark of the verdict and the id, of entities the name."""
    texts = ["<br>".join(map(escape_label, node.lines)) for node in scene.nodes]
    for number, verdict in enumerate(verdicts):
        mark = f'<span style="color:{verdict_colour(verdict)}">{verdict_mark(verdict)}</span>'
        texts[number] = f"{mark} <b>{texts[number]}</b>"
    left, top, right, bottom = scene.labels.boxes.T
    sides = np.array(scene.labels.sides)
    return {
        "type": "scatter",
        "mode": "text",
        "name": "label",
        # Beside a marker the text begins at it; how wide it is, is only known about.
        "x": np.select([sides == "right", sides == "left"], [left, right], (left + right) / 2),
        "y": (top + bottom) / 2,
        "text": [text if kept else "" for text, kept in zip(texts, scene.labels.kept, strict=True)],
        "textposition": [_POSITIONS[side] for side in scene.labels.sides],
        # A line that runs through a name all the same stays behind it.
        "textfont": {"family": SANS, "size": LABEL_SIZE, "shadow": _halo(theme)},
        "hoverinfo": "skip",
    }


def _halo(theme: Theme) -> str:
    """A CSS shadow in the colour of the page, all round a text."""
    # On a page of JupyterLab its colour, which changes with the theme; elsewhere the theme's.
    paper = f"var(--jp-layout-color0, {THEMES[theme]['paper']})"
    return ", ".join(f"{x}px {y}px 2px {paper}" for x, y in ((1, 1), (1, -1), (-1, 1), (-1, -1)))


def _hover(edge: Hyperedge, feedback: float, verdict: str, weight: float | None) -> str:
    """All about a hyperedge."""
    heavy = "" if weight is None else f"weight {three_digits(weight)}, "
    return "<br>".join(
        [
            f"<b>{escape_label(shortened(edge.id, 80))}</b>",
            wrapped(edge.hyperedge),
            f"{heavy}feedback {feedback_digits(feedback)}, {escape_label(verdict)}",
        ]
    )


def _notes(scene: Scene, count: int, *, weighted: bool) -> list[dict[str, Any]]:
    """What the marks mean, and what is not drawn."""
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
