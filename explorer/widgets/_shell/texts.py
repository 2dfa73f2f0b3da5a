"""Texts of the parts that all tabs share: header, toolbar, head selector, status line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from explorer.attention._head_name import head_name

_OVERRIDDEN: Final = "A head set overrides this setting. Changing the setting removes the head set."

PAGE_TEXTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "header": {
        "name": "explorer",
        "tabs": "Views",
        "model": "Model",
        "other_model": "folder or hub id…",
        "model_input": "Folder of a model, or its id on the hub",
        "model_placeholder": "folder or hub id, then Enter",
        "copy": "copy",
        "copy_title": "Copy Python code that shows this view again",
        "copied": "copied",
        "link": "copy link",
        "link_title": "Copy a link to this view; the code is part of it and stays in the browser",
        "link_copied": "link copied",
        "link_without_code": "link copied without the code, which is too long",
        "save": "save",
        "save_title": "Save this view",
        "saved": "saved {name}",
        "save_table": "Feedback table (CSV)",
        "save_html": "Page (HTML, interactive)",
        "save_png": "Picture (PNG)",
        "save_traces": "Traces with labels (JSON Lines)",
        "save_settings": "Settings (JSON)",
        "help": "Help",
        "help_title": "Mouse, keyboard, and how to read the heatmap",
        "reading": "Reading the heatmap",
        "reading_text": (
            "Rows are the positions that attend (queries), columns the positions they attend to "
            "(keys). Each row of a head sums to 1; hidden columns keep their share."
        ),
        "keys": "Mouse and keyboard",
        "keys_list": [
            ["click", "pin a token, a cell or a unit in every view"],
            ["Esc", "unpin"],
            ["drag in the heatmap", "zoom in; double click to see all"],
            ["Ctrl+wheel in the heatmap", "zoom; the wheel alone after a click in it"],
            ["Shift+drag in the heatmap", "move the part in view"],
            ["arrows on the grid of heads", "up, down: layer; left, right: head"],
            ["drag the line in the bars", "move the threshold"],
            ["PgUp, PgDn on the traces", "previous, next trace"],
            ["Ctrl+Enter in the editor", "run the code"],
        ],
        "caution": (
            "High attention does not prove that a text was used. Check a threshold against labels "
            "before you act on it."
        ),
        "gone": "The kernel is gone. Run the cell again.",
    },
    "toolbar": {
        "threshold": "Threshold",
        "threshold_typed": "Threshold, typed",
        "reachable": "Scores range from {low} to {high} (the dark part of the slider)",
        "scale": "Scale of the threshold",
        "log": "log",
        "log_title": "Logarithmic scale: most scores are small",
        "linear": "lin",
        "linear_title": "Linear scale",
        "auto": "auto",
        "auto_title": "Find the threshold in the scores in view, anew for each view",
        "view": "view \u25be",
        "view_title": "What is scored and how it is drawn; the menu stays as you leave it",
        "axis": "score axis",
        "hide": "hide",
        "score": "unit score",
        "reduction": "Reduction",
        "reduction_title": "How the attention of a unit's tokens becomes one number",
        "normalised": "scored as",
        "normalisation": "Normalisation",
        "normalisation_title": "Raw score, share of all units, or lift (compared with length)",
        "overridden": _OVERRIDDEN,
        "units": "Units",
        "units_title": "Units of the code that are scored",
        "order": "order of bars",
        "order_title": "Order of the bars",
        "colours": "colours",
        "colour_scale": "Colour scale",
        "colour_scale_title": "Colour scale of attention",
        "colour_range": "Colour range",
        "colour_range_title": (
            "The end of the colours: 1, so that equal colours are equal weights, or the largest "
            "weight in view"
        ),
        "scaling": "Colour scaling",
        "scaling_title": "How an attention weight maps to a colour",
        "hide_special": "special tokens",
        "hide_special_title": "Hide the model's special tokens",
        "hide_sink": "first token (sink)",
        "hide_sink_title": "Hide the first key column, which attracts attention whatever its token",
        "verdicts": "Verdicts",
    },
    "head_selector": {
        "layer": "Layer",
        "head": "Head",
        "mean": "mean",
        "layer_mean": "Mean over all layers",
        "head_mean": "Mean over all heads",
        "previous_layer": "Previous layer",
        "next_layer": "Next layer",
        "previous_head": "Previous head",
        "next_head": "Next head",
        "overridden": _OVERRIDDEN,
        "remove_set": "Remove the head set",
        "remove_set_title": "Remove the head set and use layer and head again (Esc)",
        "grid": "grid",
        "grid_role": "grid of heads",
        "grid_label": "Layer {layer} of {layers}, head {head} of {heads}. Arrow keys move.",
        "grid_caption": "layer {layer}, head {head}",
        "measure_title": "Measure that colours the grid",
        "layer_axis": "layer ↓",
        "head_axis": "head →",
    },
    "status": {
        "cancel": "cancel",
        "dismiss": "dismiss",
        "dismiss_label": "Dismiss the message",
    },
}
"""Part of the page -> its texts by their keys in `frontend/src/protocol/texts.ts`."""

PAGE_KEYS: Final = [
    ["type in the code", "the attention follows"],
    ["click, Ctrl+Enter in the code", "pin the token at the cursor, then arrows walk"],
    ["click a cell or a bar", "pin it in every view"],
    ["Esc", "unpin; in the code, Esc and then Tab leaves it"],
    ["drag in the heatmap", "zoom in; double click to see all"],
    ["arrows on the grid of heads", "up, down: layer; left, right: head"],
    ["drag the line in the bars", "move the threshold"],
]
"""Mouse and keyboard on a page of its own."""

# Texts of the contents that the page draws.

TABS: Final = [["code", "Code"], ["traces", "RAG traces"], ["thresholds", "Thresholds"]]

NO_MODEL: Final = ("(no model)", "Your own matrix is shown.")
INSTALLED_MODELS: Final = "On this machine"
HUB_MODELS: Final = "From the model hub"

UNIT_KINDS: Final = {
    "line": "lines",
    "identifier": "identifiers",
    "node": "syntax nodes",
    "token": "tokens",
}
BAR_ORDERS: Final = [["order", "order"], ["score", "score"]]
COLOUR_RANGES: Final = [["fixed", "0 to 1"], ["window", "largest in view"]]
SCALINGS: Final = [["linear", "linear"], ["sqrt", "square root"], ["log", "log"]]

MEASURING: Final = "measuring heads"
NO_ATTENTION: Final = "No attention yet, so there is no layer or head to choose."
ONE_HEAD: Final = "This map has one layer and one head."
ONE_NUMBER: Final = (
    "This trace has one number per hyperedge or token, so there is no layer or head to choose."
)
SET_WEIGHTS: Final = "● by weight in the set"

ABOUT_ATTENTION: Final = "about this attention"
ABOUT_UNITS: Final = "units"


def set_caption(layer: int | None, head: int | None) -> str:
    """Return the caption of the grid of heads while the heatmap shows this layer and head."""
    return f"heatmap: {head_name(layer, head)}"


def sink_note(unit: str) -> list[str]:
    """Return the note that the hidden sink has no part in the scores."""
    hidden = (
        "The first token, which attracts attention whatever it is, is hidden in the heatmap and "
        f"has no part in the scores: “{unit}” is scored without it. Show the sink to count it."
    )
    return ["sink left out", hidden]


def bars_note(shown: int, count: int) -> list[str]:
    """Return the note that only some units have bars."""
    return [
        f"{shown} of {count} units",
        f"The bars show the {shown} units with the highest scores; app.feedback has all {count}.",
    ]
