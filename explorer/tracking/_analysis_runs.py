"""Runs of code analyses: parameters, metrics, heatmap and report."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from explorer._extras import is_installed
from explorer._number_format import three_digits
from explorer.models._model_argument import attention_title
from explorer.reporting._page.markup import joined, paragraph, table, tag
from explorer.reporting._page.report_page import report_style
from explorer.tracking._run_content import RunContent, json_file, shown_choice

# Rows of the table in the report of a batch; the JSON file has all.
_MOST_ROWS = 500

_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'"
)


class TrackedAnalysis(Protocol):
    """What a tracker reads of an analysis; `explorer.agent.CodeAnalysis` is one.

    Those of `analyze_with_attention` have ``tokens``, ``attention`` and ``importance`` too.
    """

    @property
    def embedding(self) -> NDArray[np.float32]:
        """(width,)."""

    @property
    def latency_ms(self) -> float:
        """Milliseconds."""

    @property
    def model(self) -> str:
        """Name of the model."""

    @property
    def layer(self) -> int | None:
        """Counted from 0; None for the mean."""

    @property
    def head(self) -> int | None:
        """Counted from 0; None for the mean."""

    @property
    def code_length(self) -> int:
        """Characters."""

    @property
    def n_tokens(self) -> int:
        """Tokens of the whole code."""

    @property
    def truncated(self) -> bool:
        """Whether only the beginning was read."""


class TrackedFailure(Protocol):
    """An entry of a batch without an analysis; `explorer.agent.FailedAnalysis` is one."""

    @property
    def error(self) -> str:
        """The message."""

    @property
    def kind(self) -> str:
        """Class of the error."""

    @property
    def code_length(self) -> int:
        """Characters."""


def analysis_run(analysis: TrackedAnalysis, *, files: bool) -> RunContent:
    """Return the run of one analysis.

    Parameters
    ----------
    files
        Whether to make the artifacts: ``report.json``, ``report.html``, ``embedding.npy``, and with
        attention ``attention.npy`` and (with the extra ``images``) ``heatmap.png``.
    """
    params = {
        "model": analysis.model,
        "layer": shown_choice(analysis.layer),
        "head": shown_choice(analysis.head),
        "truncated": analysis.truncated,
    }
    metrics = {
        "latency_ms": analysis.latency_ms,
        "code_length": analysis.code_length,
        "n_tokens": analysis.n_tokens,
    }
    return RunContent("analysis", params, metrics, _files(analysis) if files else {})


def batch_run(
    analyses: Sequence[TrackedAnalysis | TrackedFailure],
    *,
    model: str,
    layer: int | None,
    head: int | None,
    files: bool,
) -> RunContent:
    """Return the run of a batch: sums, means and percentiles over its pieces of code.

    The artifacts are ``batch.json``, with a row for each piece of code and no text of it, and
    ``report.html``.
    """
    done = [one for one in analyses if one.error is None]  # type: ignore[union-attr]
    rows = [_row(place, one) for place, one in enumerate(analyses)]
    latency = np.array([row["latency_ms"] for row in rows if row["error"] is None])
    metrics: dict[str, float] = {
        "codes": len(analyses),
        "failed": len(analyses) - len(done),
        "code_length": sum(row["code_length"] for row in rows),
        "n_tokens": sum(row["n_tokens"] or 0 for row in rows),
        "latency_ms": float(latency.sum()),
    }
    if len(latency):
        metrics["latency_ms_mean"] = float(latency.mean())
        for percent in (50, 95, 99):
            metrics[f"latency_ms_p{percent}"] = float(np.percentile(latency, percent))
    params = {"model": model, "layer": shown_choice(layer), "head": shown_choice(head)}
    made = {}
    if files:
        made = {
            "batch.json": json_file(rows),
            "report.html": _page("Batch of code analyses", params, metrics, _batch_table(rows)),
        }
    return RunContent("batch", params, metrics, made)


def _row(place: int, one: TrackedAnalysis | TrackedFailure) -> dict[str, Any]:
    return {
        "code": place,
        "error": getattr(one, "error", None),
        "latency_ms": getattr(one, "latency_ms", None),
        "code_length": one.code_length,
        "n_tokens": getattr(one, "n_tokens", None),
        "truncated": getattr(one, "truncated", None),
    }


def _batch_table(rows: Sequence[dict[str, Any]]) -> list[Markup]:
    cells = [
        [
            row["code"],
            "" if row["latency_ms"] is None else three_digits(row["latency_ms"]),
            row["code_length"],
            "" if row["n_tokens"] is None else row["n_tokens"],
            row["error"] or "",
        ]
        for row in rows[:_MOST_ROWS]
    ]
    heads = ("code", "latency (ms)", "characters", "tokens", "error")
    found = [table(heads, cells, caption="Every piece of code", texts=(0, 4))]
    if len(rows) > _MOST_ROWS:
        found.append(
            paragraph(f"{len(rows) - _MOST_ROWS:,} more rows are in batch.json.", class_="note")
        )
    return found


def _files(analysis: TrackedAnalysis) -> dict[str, bytes]:
    facts: dict[str, Any] = {
        "model": analysis.model,
        "layer": analysis.layer,
        "head": analysis.head,
        "latency_ms": analysis.latency_ms,
        "code_length": analysis.code_length,
        "n_tokens": analysis.n_tokens,
        "truncated": analysis.truncated,
    }
    shown = {
        **facts,
        "layer": shown_choice(analysis.layer),
        "head": shown_choice(analysis.head),
    }
    files = {"embedding.npy": _npy(analysis.embedding)}
    parts: list[Markup] = []
    weights: NDArray[np.float32] | None = getattr(analysis, "attention", None)
    if weights is not None:
        tokens: Sequence[str] = analysis.tokens  # type: ignore[attr-defined]
        importance: NDArray[np.float32] = analysis.importance  # type: ignore[attr-defined]
        facts |= {"tokens": list(tokens), "importance": importance}
        files["attention.npy"] = _npy(weights)
        title = attention_title(analysis.model, analysis.layer, analysis.head)
        if is_installed("images"):
            from explorer.figures._attention.static_images import heatmap_png

            picture = files["heatmap.png"] = heatmap_png(weights, tokens, tokens, title)
            encoded = base64.b64encode(picture).decode("ascii")
            source = f"data:image/png;base64,{encoded}"
            parts.append(tag("img", alt=f"Heatmap of {title}", style="max-width:100%", src=source))
        rows = [
            [place, token, three_digits(float(value))]
            for place, (token, value) in enumerate(zip(tokens, importance, strict=True))
        ]
        heads = ("position", "token", "attention received")
        parts.append(table(heads, rows, caption="Attention that each token receives", texts=(1,)))
    files["report.json"] = json_file({**facts, "embedding": analysis.embedding})
    files["report.html"] = _page("Code analysis", shown, {}, parts)
    return files


def _page(
    title: str, params: dict[str, Any], metrics: dict[str, float], parts: Sequence[Markup]
) -> bytes:
    """Return a page that loads nothing and runs no script."""
    rows: list[list[object]] = [
        [name, three_digits(value) if isinstance(value, float) else value]
        for name, value in {**params, **metrics}.items()
    ]
    head = joined(
        [
            tag("meta", charset="utf-8"),
            tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
            tag("title", title),
        ]
    )
    facts = table(("name", "value"), rows, caption="Settings and measures")
    body = tag("main", tag("h1", title), facts, *parts)
    page = (
        f'<!doctype html>\n<html lang="en"><head>{head}<style>{report_style()}</style></head>\n'
        f"<body>{body}</body></html>\n"
    )
    return page.encode("utf-8", "replace")


def _npy(array: NDArray[np.float32]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    return stream.getvalue()
