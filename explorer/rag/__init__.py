"""From RAG traces to feedback for every hyperedge, and from feedback to hyperedge weights.

Importing this package imports neither torch nor networkx: each name is loaded when it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from explorer.rag.comparing import agreement
    from explorer.rag.config import METHODS, ExtractorConfig
    from explorer.rag.entities import entities_of, with_entities
    from explorer.rag.extractor import FeedbackExtractor
    from explorer.rag.graphs import DictGraph, NetworkXGraph, as_graph
    from explorer.rag.scoring import score_traces
    from explorer.rag.trajectory import weight_trajectory
    from explorer.rag.updater import WeightUpdater
    from explorer.rag.weights import UpdateConfig

_HOME = {
    "METHODS": "config",
    "DictGraph": "graphs",
    "ExtractorConfig": "config",
    "FeedbackExtractor": "extractor",
    "NetworkXGraph": "graphs",
    "UpdateConfig": "weights",
    "WeightUpdater": "updater",
    "agreement": "comparing",
    "as_graph": "graphs",
    "entities_of": "entities",
    "score_traces": "scoring",
    "weight_trajectory": "trajectory",
    "with_entities": "entities",
}

__all__ = [
    "METHODS",
    "DictGraph",
    "ExtractorConfig",
    "FeedbackExtractor",
    "NetworkXGraph",
    "UpdateConfig",
    "WeightUpdater",
    "agreement",
    "as_graph",
    "entities_of",
    "score_traces",
    "weight_trajectory",
    "with_entities",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
