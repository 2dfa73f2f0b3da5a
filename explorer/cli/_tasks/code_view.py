"""The attention within one text as a page, a picture or plain values."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.errors import InputError
from explorer.feedback import FeedbackPolicy, ScoreSettings, feedback_table
from explorer.reporting._page.markup import joined, paragraph, table, tag
from explorer.run_control import RunControl
from explorer.widgets._code.scene import CodeScene

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

UNIT_KINDS = ("line", "identifier", "node", "token")
FORMS = ("html", "png", "svg", "json")


@dataclass(frozen=True, eq=False)
class CodeView:
    """A recorded text at one choice of layer, head, units and threshold.

    Attributes
    ----------
    scene
        Text, tokens and attention.
    title
        Model, layer and head.
    weights
        float32 (tokens, tokens).
    units
        The feedback table of the units.
    layer, head
        Counted from 0; None for the mean.
    """

    scene: CodeScene
    title: str
    weights: NDArray[np.float32]
    units: pd.DataFrame
    layer: int | None
    head: int | None

    def written(self, form: str) -> bytes:
        """Return the contents of a file: ``"html"``, ``"png"``, ``"svg"`` or ``"json"``.

        Raises
        ------
        InputError
            There is no such form.
        MissingExtraError
            A picture needs the extra ``images``.
        """
        if form == "json":
            return json.dumps(self.values(), ensure_ascii=False).encode() + b"\n"
        if form == "html":
            return code_page(self).encode()
        if form in ("png", "svg"):
            from explorer.figures._attention.static_images import overview_png

            tokens = self.scene.tokens
            return overview_png(
                self.weights,
                tokens,
                tokens,
                self.units,
                title=self.title,
                form=form,  # type: ignore[arg-type]  # one of the two
            )
        raise InputError(f"The formats are {', '.join(FORMS)}; got {form!r}.")

    def values(self) -> dict[str, Any]:
        """Return tokens, attention and units as plain values; the names of `CodeAttention`."""
        columns = ["unit", "text", "tokens", "score", "feedback", "verdict"]
        rows = self.units[columns].astype(object).where(self.units[columns].notna(), None)
        return {
            "model": self.scene.model,
            "layer": self.layer,
            "head": self.head,
            "tokens": list(self.scene.tokens),
            "attention": np.round(self.weights.astype(np.float64), 7).tolist(),
            "importance": self.scene.attention.received(self.layer, self.head).tolist(),
            "units": rows.to_dict("records"),
            "threshold": self.units.attrs["threshold"],
            "truncated": self.scene.truncated,
            "n_tokens": self.scene.n_total,
        }


def code_view(
    code: str,
    *,
    model: str | None,
    layer: int | None,
    head: int | None,
    kind: str,
    threshold: float,
    reduction: str,
    normalisation: str,
    control: RunControl,
) -> CodeView:
    """Record a text and score its units.

    Raises
    ------
    InputError
        The code is empty, or an option is not valid.
    ModelError, Cancelled
        As `load_model`.
    """
    if kind not in UNIT_KINDS:
        raise InputError(f"The units are {', '.join(UNIT_KINDS)}; got {kind!r}.")
    policy = FeedbackPolicy(threshold=threshold)
    scene = recorded_scene(code, model, control)
    attention = scene.attention
    table_of_units = feedback_table(
        attention,
        scene.units(kind),
        policy,
        settings=ScoreSettings(
            layer=layer,
            head=head,
            rows=scene.rows,
            reduction=reduction,  # type: ignore[arg-type]  # checked there
            normalisation=normalisation,  # type: ignore[arg-type]  # checked there
        ),
    )
    layer = None if layer is None else layer % attention.n_layers
    head = None if head is None else head % attention.n_heads
    layers = "mean of all layers" if layer is None else f"layer {layer}"
    heads = "mean of all heads" if head is None else f"head {head}"
    title = f"{scene.model}: {layers}, {heads}"
    weights = attention.weights(layer, head)
    return CodeView(scene, title, weights, table_of_units, layer, head)


def recorded_scene(code: str, model: str | None, control: RunControl) -> CodeScene:
    """Return the text with its tokens and attention.

    Raises
    ------
    InputError
        The code is empty.
    ModelError, Cancelled
        As `load_model`.
    """
    from explorer.models import DEFAULT_MODEL, load_model
    from explorer.source import detect_language

    name = DEFAULT_MODEL if model is None else model
    loaded = load_model(name, progress=control.progress, cancel=control.cancel)
    tokenized = loaded.tokenize(code)
    return CodeScene(
        text=tokenized.text,
        tokens=tokenized.tokens,
        offsets=tokenized.offsets,
        special=tokenized.special,
        attention=loaded.record(tokenized, control.cancel),
        model=loaded.name,
        language=detect_language(code),
        start=tokenized.start,
        stop=tokenized.stop,
        n_total=tokenized.n_total,
    )


_STYLE = """
:root { color-scheme: light dark; }
body { margin: 0 auto; max-width: 960px; padding: 24px 20px 60px;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  color: #24292f; background: #fff; }
h1 { font-size: 20px; margin: 0 0 4px; overflow-wrap: anywhere; }
.sub { color: #5b636c; margin: 0 0 18px; }
pre { font: 12.5px/1.6 ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid #d8dce1; padding: 12px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; }
caption { text-align: left; color: #5b636c; padding-bottom: 4px; }
th, td { text-align: left; padding: 3px 14px 3px 0; border-bottom: 1px solid #d8dce1; }
.number { text-align: right; }
@media (prefers-color-scheme: dark) {
  body { color: #e2e4e9; background: #111418; } .sub, caption { color: #a3aab3; }
  pre, th, td { border-color: #30363d; } figure { background: #fff; }
}
"""

_SCRIPT = """
const specs = JSON.parse(document.getElementById("figures").textContent);
for (const [name, spec] of Object.entries(specs)) {
  Plotly.newPlot(name, spec.data, spec.layout, {responsive: true, displaylogo: false});
}
"""


def code_page(view: CodeView) -> str:
    """Return one HTML page: heatmap, code tinted by attention, bars and table of the units.

    It loads nothing; the content security policy allows its two scripts alone.
    """
    from explorer.figures import feedback_bars, heatmap, three_digits
    from explorer.figures._style.plotly_js import plotly_js

    tokens = view.scene.tokens
    drawn = {
        "heatmap": heatmap(view.weights, tokens, tokens, scaling="sqrt"),
        "bars": feedback_bars(view.units),
    }
    specs = ",".join(f"{json.dumps(name)}:{one.to_json()}" for name, one in drawn.items())
    figures = "{" + specs + "}"
    for sign in "<>&":
        figures = figures.replace(sign, f"\\u{ord(sign):04x}")
    scripts = [plotly_js().decode().replace("\r\n", "\n").replace("\r", "\n"), _SCRIPT]
    digests = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'"
        for one in scripts
    )
    policy = (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src {digests}; base-uri 'none'; form-action 'none'"
    )
    rows = [
        [row.unit, row.text, row.tokens, three_digits(row.score), row.verdict]
        for row in view.units.itertuples()
    ]
    note = (
        "The model reads the beginning only; the rest is left out. " if view.scene.truncated else ""
    )
    body = joined(
        [
            tag("h1", view.title),
            paragraph(
                f"{note}Rows attend, columns are attended to; the threshold is "
                f"{view.units.attrs['threshold']:g}.",
                class_="sub",
            ),
            tag("figure", id="heatmap"),
            tinted_code(view),
            tag("figure", id="bars"),
            table(
                ["unit", "text", "tokens", "score", "verdict"],
                rows,
                caption="Units",
                texts=(0, 1, 4),
            ),
        ]
    )
    head = joined(
        [
            tag("meta", charset="utf-8"),
            tag("meta", http_equiv="Content-Security-Policy", content=policy),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("title", view.title),
        ]
    )
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}<style>{_STYLE}</style></head>\n'
        f'<body>{body}\n<script type="application/json" id="figures">{figures}</script>\n'
        f"<script>{scripts[0]}</script>\n<script>{scripts[1]}</script></body></html>\n"
    )


def tinted_code(view: CodeView) -> Any:
    """Return the code; the background of each token is what it receives from the others."""
    scene = view.scene
    found = scene.attention.received_from_others(view.layer, view.head)
    received = np.where(found.enough, found.weights, 0.0).astype(np.float64)
    shown = np.flatnonzero(~scene.special)
    # The first token takes what a head has no use for, so it does not set the scale.
    top = float(received[shown[1:]].max(initial=0.0)) or 1.0
    parts: list[object] = []
    end = 0
    for index in shown.tolist():
        start, stop = (int(place) for place in scene.offsets[index])
        start = max(start, end)
        if stop <= start:
            continue
        parts.append(scene.text[end:start])
        share = round(min(1.0, received[index] / top), 3)
        parts.append(
            tag(
                "span",
                scene.text[start:stop],
                style=f"background: rgb(234 88 12 / {0.6 * share:.3f})",
                title=f"{received[index]:.3g}",
            )
        )
        end = stop
    parts.append(scene.text[end:])
    return tag("pre", *parts)
