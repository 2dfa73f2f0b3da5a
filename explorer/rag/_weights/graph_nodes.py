"""Nodes of hyperedges, read from a graph, checked, and written back."""

from __future__ import annotations

import inspect
from collections.abc import Hashable, Mapping
from typing import Any

from explorer.errors import InputError
from explorer.rag._weights.graphs import Graph
from explorer.rag._weights.update_rule import DEFAULT_QUALITY, DEFAULT_WEIGHT, checked_number


class GraphError(Exception):
    """A method of the graph raised an error, which is `cause`."""

    def __init__(self, doing: str, hyperedge_id: Hashable, cause: Exception) -> None:
        super().__init__(
            f"The graph could not {doing} hyperedge {hyperedge_id!r} "
            f"({type(cause).__name__}: {cause})."
        )
        self.cause = cause


class Nodes:
    """Reads and writes the nodes of a graph whose methods may be async or plain."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    async def read(self, hyperedge_id: Hashable) -> Mapping[str, Any]:
        """Return the fields of a node.

        Raises
        ------
        InputError
            When there is no such node, or it is not a mapping.
        GraphError
            When the graph raised.
        """
        try:
            node: object = await _awaited(self.graph.get_node(hyperedge_id))
        except Exception as error:
            raise GraphError("read", hyperedge_id, error) from error
        if node is None:
            raise InputError(
                f"The graph has no hyperedge {hyperedge_id!r}. Ids must equal those of its nodes "
                "exactly, with quotes and prefixes."
            )
        if not isinstance(node, Mapping):
            raise InputError(
                f"A node is a mapping of fields, but the graph returned {type(node).__name__} for "
                f"hyperedge {hyperedge_id!r}."
            )
        return node

    async def write(
        self, hyperedge_id: Hashable, node: Mapping[str, Any], fields: Mapping[str, Any]
    ) -> None:
        """Write some fields of a node; its other fields are written back unchanged.

        If the graph raises, the node is read again: a graph may raise after it has written, and a
        repeated update would count the feedback twice.

        Raises
        ------
        GraphError
            When the graph raised and the fields were not written.
        """
        before = {name: node.get(name) for name in fields}  # `node` may be the graph's own
        try:
            await _awaited(self.graph.upsert_node(hyperedge_id, {**node, **fields}))
        except Exception as error:
            if not await self._landed(hyperedge_id, before, fields):
                raise GraphError("write", hyperedge_id, error) from error

    async def _landed(
        self, hyperedge_id: Hashable, before: Mapping[str, Any], fields: Mapping[str, Any]
    ) -> bool:
        try:
            node = await self.read(hyperedge_id)
        except (GraphError, InputError):  # the caller raises the first error
            return False
        # At a bound the weight stays the same, but the count changes.
        moved = before["dynamic_weight"] != fields["dynamic_weight"]
        name = "dynamic_weight" if moved else "feedback_count"
        try:
            return bool(node.get(name) == fields[name] != before[name])
        except ValueError:  # comparing an array, which an updater does not write
            return False


def node_weight(node: Mapping[str, Any], hyperedge_id: Hashable) -> float:
    """Return the weight of a node: its dynamic weight, else its first weight, else 1.

    Raises
    ------
    InputError
        When it is not a finite number of at least 0.
    """
    for name in ("dynamic_weight", "weight"):
        if node.get(name) is not None:
            return checked_number(f"The {name} of hyperedge {hyperedge_id!r}", node[name])
    return DEFAULT_WEIGHT


def node_quality(node: Mapping[str, Any], hyperedge_id: Hashable) -> float:
    """Return the quality score of a node, 0.5 without one.

    Raises
    ------
    InputError
        When it is not a finite number of at least 0.
    """
    value = node.get("quality_score")
    if value is None:
        return DEFAULT_QUALITY
    return checked_number(f"The quality_score of hyperedge {hyperedge_id!r}", value)


def feedback_count(node: Mapping[str, Any]) -> int:
    """Return the feedback count of a node, 0 where it is missing or not valid."""
    value = node.get("feedback_count")
    if isinstance(value, int) and not isinstance(value, bool):
        return max(0, value)
    return 0


async def _awaited(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value
