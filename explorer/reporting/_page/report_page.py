"""A report as one self-contained HTML page: no network, no server, no kernel."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from explorer.figures._style.plotly_js import plotly_js
from explorer.reporting._analysis.report_contents import ReportContents
from explorer.reporting._analysis.sentences import advice, few, held_out, report_warning, result
from explorer.reporting._analysis.sentences import ranking as ranking_sentence
from explorer.reporting._analysis.threshold_analysis import lead_over_words
from explorer.reporting._page.markup import joined, listing, paragraph, tag
from explorer.reporting._page.ranking_sections import baselines, bias, heads, ranking
from explorer.reporting._page.report_figures import WIDTHS, drawings
from explorer.reporting._page.section import ReportSection
from explorer.reporting._page.threshold_sections import (
    about,
    at_threshold,
    every_threshold,
    in_sample,
)
from explorer.reporting._page.use_sections import (
    agreement,
    changed_calls,
    configuration,
    notes,
    recommendation,
    weights,
)

_ASSETS = Path(__file__).parents[1] / "assets"

_TITLE = "Threshold report"

_PARTS = (
    about, at_threshold, every_threshold, in_sample, ranking, heads, changed_calls, bias, baselines,
    agreement, weights, recommendation, configuration, notes,
)  # fmt: skip


def page(found: ReportContents, title: str | None = None) -> str:
    """Return the contents as one HTML page.

    The content security policy allows two scripts, by their digests, and no loading. Texts of
    traces that look like markup are escaped, and could not run as scripts either.

    Parameters
    ----------
    found
        The contents.
    title
        Heading; the name of the trace file if left out.
    """
    parts = [made for part in _PARTS if (made := part(found)) is not None]
    heading = title or found.subject.name or _TITLE
    body = tag("main", *_head(found, heading, parts), *(part.markup for part in parts), _foot())
    plotly, drawing = _scripts()
    figures = _json({"widths": WIDTHS, **drawings(found)})
    policy = (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src {_digest(plotly)} {_digest(drawing)}; base-uri 'none'; form-action 'none'"
    )
    head = joined(
        [
            tag("meta", charset="utf-8"),
            tag("meta", http_equiv="Content-Security-Policy", content=policy),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", name="generator", content=f"explorer {found.subject.release}"),
            tag("title", heading if heading == _TITLE else f"{_TITLE}: {heading}"),
        ]
    )
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}<style>{report_style()}</style></head>\n'
        f"<body>{body}\n"
        f'<script type="application/json" id="figures">{figures}</script>\n'
        f"<script>{plotly}</script>\n<script>{drawing}</script>\n</body></html>\n"
    )


@cache
def report_style() -> str:
    """Return the style sheet of a page."""
    return (_ASSETS / "report.css").read_text("utf-8")


def _head(found: ReportContents, heading: str, parts: Sequence[ReportSection]) -> list[Markup]:
    warned = report_warning(found)
    sentences = [
        ranking_sentence(found),
        "" if warned else held_out(found.comparison),
        "" if warned else lead_over_words(found.comparison),
        advice(found),
    ]
    links = [tag("a", part.title, href=f"#{part.name}") for part in parts]
    return [
        tag("h1", heading),
        paragraph(
            "How well scores and a threshold find the retrieved hyperedges that an answer used.",
            class_="sub",
        ),
        paragraph(result(found), class_="lead"),
        *([paragraph(warned, class_="warning")] if warned else []),
        *([paragraph(few(found), class_="warning")] if found.analysis.too_few else []),
        listing(one for one in sentences if one),
        tag("nav", *links, aria_label="Parts of this report"),
        paragraph(
            "Figures need JavaScript. Without it, their numbers are in the tables.",
            class_="note unscripted",
        ),
    ]


def _foot() -> Markup:
    return tag(
        "footer",
        "High attention does not prove use. These figures hold only for traces of this kind, this "
        "model and these scores.",
    )


@cache
def _scripts() -> tuple[str, str]:
    """Return plotly.js and the drawing script, with the line ends of the page."""
    both = (plotly_js().decode(), (_ASSETS / "report.js").read_text("utf-8"))
    plotly, drawing = (source.replace("\r\n", "\n").replace("\r", "\n") for source in both)
    return plotly, drawing


@cache
def _digest(source: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"


def _json(value: Mapping[str, Any]) -> str:
    """Return JSON that is safe in a script element: it cannot end the element."""
    written = json.dumps(_plain(value), allow_nan=False, separators=(",", ":"))
    for sign in "<>&":
        written = written.replace(sign, f"\\u{ord(sign):04x}")
    return written


def _plain(value: Any) -> Any:
    """Return a value with JSON types; numbers with seven digits, finer than any pixel."""
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return float(f"{value:.7g}") if np.isfinite(value) else None
    return value
