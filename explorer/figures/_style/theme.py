"""Layout settings that all figures share: no box, thin grid, system fonts, small margins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from explorer.figures.colours import NEUTRAL_INK, SANS, THEMES, Rgba, Theme, scale_stops

TEXT_SIZE = 12
LABEL_SIZE = 11

TRANSPARENT = "rgba(0,0,0,0)"


def base_layout(theme: Theme, *, title: str = "", **settings: Any) -> dict[str, Any]:
    """Layout settings that every figure starts from; pass an escaped `title`."""
    colours = THEMES[theme]
    layout: dict[str, Any] = {
        # An empty template keeps plotly's own look, and its 7 kB, out of every figure.
        "template": {"layout": {"autotypenumbers": "strict"}},
        "paper_bgcolor": TRANSPARENT,
        "plot_bgcolor": TRANSPARENT,
        "font": {"family": SANS, "size": TEXT_SIZE, "color": colours["ink"]},
        "showlegend": False,
        "dragmode": "zoom",
        "hoverlabel": {
            "align": "left",
            "bgcolor": "rgba(32,32,36,0.95)",
            "bordercolor": "rgba(255,255,255,0.16)",
            "font": {"family": SANS, "size": TEXT_SIZE, "color": "#f4f4f4"},
        },
    }
    if title:
        layout["title"] = {
            "text": title,
            "font": {"size": 13, "color": colours["ink"]},
            "x": 0,
            "xref": "paper",
            "xanchor": "left",
            "y": 1,
            "yref": "container",
            "yanchor": "top",
            "pad": {"t": 8},
        }
    layout.update(settings)
    return layout


def bare_axis(theme: Theme, **settings: Any) -> dict[str, Any]:
    """Settings of an axis with tick labels and no lines."""
    colours = THEMES[theme]
    axis: dict[str, Any] = {
        "showgrid": False,
        "zeroline": False,
        "showline": False,
        "ticks": "",
        "color": colours["axis"],
        "gridcolor": colours["grid"],
        "linecolor": colours["axis"],
        "tickcolor": colours["axis"],
        "tickfont": {"size": LABEL_SIZE, "color": colours["ink"]},
    }
    axis.update(settings)
    return axis


def axis_title(text: str, standoff: int = 4) -> dict[str, Any]:
    """Settings of a small axis title."""
    return {"text": text, "standoff": standoff, "font": {"size": LABEL_SIZE}}


def note(text: str, **settings: Any) -> dict[str, Any]:
    """An annotation in neutral ink without an arrow; pass an escaped `text`."""
    annotation: dict[str, Any] = {
        "text": text,
        "xref": "paper",
        "yref": "paper",
        "showarrow": False,
        "font": {"size": LABEL_SIZE, "color": NEUTRAL_INK},
    }
    annotation.update(settings)
    return annotation


def scale_legend(
    scale: str | Sequence[tuple[float, Rgba]] | None, ticks: list[tuple[float, str]], caption: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A colour bar at the right of the plot, as a pair (images, annotations).

    Plotly's own colour bar drops the opacity of a scale, so it would not match the cells.

    Parameters
    ----------
    scale : str, sequence of (place from 0 to 1, colour) or None
        Name of an attention scale, or stops.
    ticks : list of (place from 0 to 1, text)
    caption : str
        What the numbers measure, escaped.
    """
    named = scale_stops(scale) if scale is None or isinstance(scale, str) else scale
    stops = "".join(
        f'<stop offset="{place}" stop-color="rgb({r:g},{g:g},{b:g})" stop-opacity="{opacity:g}"/>'
        for place, (r, g, b, opacity) in named
    )
    picture = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="100" '
        'preserveAspectRatio="none"><defs><linearGradient id="s" x1="0" y1="1" x2="0" y2="0">'
        f'{stops}</linearGradient></defs><rect width="8" height="100" fill="url(#s)" '
        f'stroke="{NEUTRAL_INK}" stroke-opacity="0.5"/></svg>'
    )
    height = 0.62
    image = {
        "source": "data:image/svg+xml," + quote(picture),
        "xref": "paper",
        "yref": "paper",
        "x": 1.012,
        "y": 1.0,
        "xanchor": "left",
        "yanchor": "top",
        "sizex": 0.013,
        "sizey": height,
        "sizing": "stretch",
        "layer": "above",
    }
    notes = [
        note(
            text,
            x=1.025,
            xanchor="left",
            xshift=3,
            y=1.0 - height + place * height,
            yanchor="middle",
        )
        for place, text in ticks
    ]
    notes.append(note(caption, x=1.012, xanchor="left", y=1.0 - height, yanchor="top", yshift=-8))
    return [image], notes
