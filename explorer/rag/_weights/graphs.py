"""Graphs that store weights: an object with `get_node` and `upsert_node`, a dict, or NetworkX.

A graph of yours needs two methods, plain or async::

    async def get_node(self, node_id): ...  # the node's fields as a mapping, None if there is none
    async def upsert_node(self, node_id, node_data): ...  # keep these fields, make the node if new

The storages of HyperGraphRAG and LightRAG have them. A hyperedge is a node there, named by its text
in quotes or by a prefix such as ``<hyperedge>``; to an updater such a name is just an id.
"""

from __future__ import annotations

from collections.abc import Awaitable, Hashable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from explorer.errors import InputError

if TYPE_CHECKING:
    import networkx as nx


@runtime_checkable
class Graph(Protocol):
    """The two methods that an updater calls."""

    def get_node(
        self, node_id: Any, /
    ) -> Mapping[str, Any] | Awaitable[Mapping[str, Any] | None] | None:
        """Return the fields of a node, or None when there is no such node."""

    def upsert_node(self, node_id: Any, node_data: dict[str, Any], /) -> Awaitable[Any] | Any:
        """Write these fields to a node; the graph decides about its other fields."""


class DictGraph:
    """A plain dict of nodes: id to a dict of fields.

    Parameters
    ----------
    nodes : mutable mapping of id to mapping
        Not copied: updates change it.

    Examples
    --------
    >>> graph = DictGraph({"he1": {"weight": 1.0, "quality_score": 0.8}})
    """

    def __init__(self, nodes: MutableMapping[Any, Any]) -> None:
        if not isinstance(nodes, MutableMapping):
            raise InputError(
                "DictGraph takes a dict of nodes such as {'he1': {'weight': 1.0}}, not "
                f"{type(nodes).__name__}."
            )
        self.nodes = nodes

    async def get_node(self, node_id: Hashable) -> Any:
        """Return a copy of a node's fields, or None when there is no such node."""
        return _copied(self.nodes.get(node_id))

    async def upsert_node(self, node_id: Hashable, node_data: Mapping[str, Any]) -> None:
        """Write these fields to a node; other fields stay."""
        node = self.nodes.get(node_id)
        if isinstance(node, MutableMapping):
            node.update(node_data)
        else:
            self.nodes[node_id] = dict(node_data)


class NetworkXGraph:
    """The nodes of a NetworkX graph: directed or not, with parallel edges or without.

    Parameters
    ----------
    graph : networkx.Graph
        Not copied: updates change it. Values are plain numbers and text, so that the graph can
        still be written as GraphML.
    """

    def __init__(self, graph: nx.Graph[Any]) -> None:
        if not _is_networkx(graph):
            raise InputError(f"NetworkXGraph takes a NetworkX graph, not {type(graph).__name__}.")
        self.graph = graph

    async def get_node(self, node_id: Hashable) -> Any:
        """Return a copy of a node's attributes, or None when there is no such node."""
        return _copied(self.graph.nodes[node_id]) if node_id in self.graph else None

    async def upsert_node(self, node_id: Hashable, node_data: Mapping[str, Any]) -> None:
        """Write these attributes to a node; other attributes stay."""
        self.graph.add_node(node_id)
        self.graph.nodes[node_id].update(node_data)


def as_graph(graph: object) -> Graph:
    """Return an object as a graph for `WeightUpdater`, with an adapter where it needs one.

    Parameters
    ----------
    graph : object
        With `get_node` and `upsert_node`; or a dict of nodes; or a NetworkX graph.

    Returns
    -------
    Graph
        The object itself where it has both methods.

    Raises
    ------
    InputError
        When the object has none of these forms.
    """
    missing = [
        name for name in ("get_node", "upsert_node") if not callable(getattr(graph, name, None))
    ]
    if not missing and not isinstance(graph, type):
        return graph  # type: ignore[return-value]  # duck-typed: that is the protocol
    if isinstance(graph, MutableMapping):
        return DictGraph(graph)
    if _is_networkx(graph):
        return NetworkXGraph(graph)  # type: ignore[arg-type]
    if isinstance(graph, type):
        raise InputError(
            f"{graph.__name__} is a class, not a graph; make one with {graph.__name__}(…)."
        )
    raise InputError(
        "A graph is a dict of nodes, a NetworkX graph, or an object with the methods get_node and "
        f"upsert_node. {type(graph).__name__} has no {' and no '.join(missing)}."
    )


def _is_networkx(graph: object) -> bool:
    # A NetworkX graph exists only if networkx was imported: do not import it otherwise.
    import sys

    module = sys.modules.get("networkx")
    return module is not None and isinstance(graph, module.Graph)


def _copied(node: Any) -> Any:
    """Return a shallow copy, so that fields change only when they are written."""
    return dict(node) if isinstance(node, Mapping) else node
