"""A notebook instrument for transformer attention.

Look at attention, set a threshold, and see one feedback signal per unit: a hyperedge of a RAG
trace, or a line, name or syntax node of code.

    >>> from explorer import Explorer
    >>> Explorer()  # doctest: +SKIP

Importing this package is cheap. Every public name is looked up the first time somebody asks for it
(PEP 562), so torch, transformers, plotly and pandas are loaded when they are needed, not before.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from explorer import errors
    from explorer.analysis import analyze_code_attention, get_attention, plot_attention
    from explorer.attention import AttentionMap, DenseAttention, record_attention
    from explorer.feedback import FeedbackPolicy, feedback_table
    from explorer.models import available_models, load_model
    from explorer.rag import FeedbackExtractor, WeightUpdater, score_traces
    from explorer.reporting import threshold_report
    from explorer.traces import load_traces, save_traces
    from explorer.widgets import Explorer

    __version__: str

__all__ = [
    "AttentionMap",
    "DenseAttention",
    "Explorer",
    "FeedbackExtractor",
    "FeedbackPolicy",
    "WeightUpdater",
    "__version__",
    "analyze_code_attention",
    "available_models",
    "errors",
    "feedback_table",
    "get_attention",
    "load_model",
    "load_traces",
    "plot_attention",
    "record_attention",
    "save_traces",
    "score_traces",
    "threshold_report",
]

_HOME = {
    "AttentionMap": "explorer.attention",
    "DenseAttention": "explorer.attention",
    "Explorer": "explorer.widgets",
    "FeedbackExtractor": "explorer.rag",
    "FeedbackPolicy": "explorer.feedback",
    "WeightUpdater": "explorer.rag",
    "analyze_code_attention": "explorer.analysis",
    "available_models": "explorer.models",
    "feedback_table": "explorer.feedback",
    "get_attention": "explorer.analysis",
    "load_model": "explorer.models",
    "load_traces": "explorer.traces",
    "plot_attention": "explorer.analysis",
    "record_attention": "explorer.attention",
    "save_traces": "explorer.traces",
    "score_traces": "explorer.rag",
    "threshold_report": "explorer.reporting",
}
"""The module in which each public name lives."""


def __getattr__(name: str) -> object:
    """Look up a public name on first use, and remember it."""
    if name in _HOME:
        value = getattr(import_module(_HOME[name]), name)
    elif name == "__version__":
        from importlib.metadata import version

        value = version("attention-explorer")
    elif name == "errors":
        value = import_module("explorer.errors")
    else:
        raise AttributeError(f"module 'explorer' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """All public names, loaded or not, so that tab completion shows them."""
    return sorted({*globals(), *__all__})
