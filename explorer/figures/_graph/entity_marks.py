"""Marks of the figure of hyperedges and entities: lines, markers, labels and hovers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.figures._feedback.feedback_rows import feedback_digits
from explorer.figures._graph.entity_scene import Scene
from explorer.figures._style.label_placement import Side
from explorer.figures._style.label_text import escape_label, shortened, three_digits, wrapped
from explorer.figures._style.theme import LABEL_SIZE
from explorer.figures.colours import (
    ACCENT,
    SANS,
    THEMES,
    Theme,
    verdict_colour,
    verdict_mark,
)

if TYPE_CHECKING:
    from explorer.traces import Hyperedge


_POSITIONS: Mapping[Side, str] = {
    "below": "middle center",
    "above": "middle center",
    "right": "middle right",
    "left": "middle left",
}


def line_traces(
    scene: Scene, verdicts: Sequence[str], ids: Sequence[str], selected: str | None
) -> list[dict[str, Any]]:
    """Lines from hyperedges to entities: one trace per verdict, and one for the selection."""
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


def marker_trace(
    name: str, scene: Scene, nodes: range, marker: dict[str, Any], hovers: Sequence[str]
) -> dict[str, Any]:
    """Markers of one kind of node, with hovers."""
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


def label_trace(scene: Scene, verdicts: Sequence[str], theme: Theme) -> dict[str, Any]:
    """Labels: verdict mark and id of hyperedges, names of entities."""
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
        # At the right or left of a marker the text starts at it, because text widths are estimates.
        "x": np.select([sides == "right", sides == "left"], [left, right], (left + right) / 2),
        "y": (top + bottom) / 2,
        "text": [text if kept else "" for text, kept in zip(texts, scene.labels.kept, strict=True)],
        "textposition": [_POSITIONS[side] for side in scene.labels.sides],
        # A halo keeps a name readable where a line crosses it.
        "textfont": {"family": SANS, "size": LABEL_SIZE, "shadow": _halo(theme)},
        "hoverinfo": "skip",
    }


def _halo(theme: Theme) -> str:
    """A CSS text shadow in the colour of the page."""
    # JupyterLab's own variable, which follows its theme; elsewhere the paper of `theme`.
    paper = f"var(--jp-layout-color0, {THEMES[theme]['paper']})"
    return ", ".join(f"{x}px {y}px 2px {paper}" for x, y in ((1, 1), (1, -1), (-1, 1), (-1, -1)))


def hyperedge_hover(edge: Hyperedge, feedback: float, verdict: str, weight: float | None) -> str:
    """Hover text of a hyperedge."""
    heavy = "" if weight is None else f"weight {three_digits(weight)}, "
    return "<br>".join(
        [
            f"<b>{escape_label(shortened(edge.id, 80))}</b>",
            wrapped(edge.hyperedge),
            f"{heavy}feedback {feedback_digits(feedback)}, {escape_label(verdict)}",
        ]
    )
