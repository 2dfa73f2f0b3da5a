"""The updater that changes the weights of a graph's hyperedges by feedback."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Hashable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from weakref import WeakValueDictionary

from explorer.errors import InputError, UpdateError
from explorer.rag._weights.change_log import ChangeLog, WeightChange
from explorer.rag._weights.graph_nodes import (
    GraphError,
    Nodes,
    feedback_count,
    node_quality,
    node_weight,
)
from explorer.rag._weights.graphs import as_graph
from explorer.rag._weights.update_batch import (
    FeedbackBatch,
    checked_batch,
    checked_id,
    raise_failed,
    run_together,
)
from explorer.rag._weights.update_rule import (
    UpdateConfig,
    checked_feedback,
    next_weights,
    weight_bounds,
)


class WeightUpdater:
    """Changes the weights of hyperedges by their feedback.

    A weight ``w`` is a node's ``dynamic_weight``, else its ``weight``, else 1. Feedback ``f``
    changes it by the strategy, the decay factor multiplies it, and it is clipped to
    ``quality_score`` times 0.5 and 2 (`explorer.rag.UpdateConfig`). A node without a quality score
    has 0.5; with quality 0 the weight is 0.

    An update writes ``dynamic_weight``, ``feedback_count`` (the number of feedback values so far)
    and ``last_updated`` (ISO 8601, UTC) to the node; its other fields are written back unchanged.
    The updater keeps the history, since a list in a node could not be written as GraphML.

    Parameters
    ----------
    graph : dict, networkx.Graph, or object with `get_node` and `upsert_node`
        See `explorer.rag._weights.graphs`; the methods may be async or plain.
    config : mapping or UpdateConfig, optional
        ``strategy``, ``update_alpha``, ``decay_factor``, ``min_weight_ratio``,
        ``max_weight_ratio``, ``max_history_length``.
    clock : callable, optional
        Returns the time of an update; the current time in UTC by default.

    Raises
    ------
    InputError
        When the graph is not valid, or a setting is unknown or out of range.

    Notes
    -----
    Updates of one hyperedge wait for each other, so that no concurrent update is lost.
    That holds within one updater and one event loop: use one updater for a graph.

    Examples
    --------
    >>> nodes = {"he1": {"quality_score": 0.8}}
    >>> asyncio.run(WeightUpdater(nodes).update_weights("he1", 1.0))
    0.99
    """

    def __init__(
        self,
        graph: object,
        config: Mapping[str, Any] | UpdateConfig | None = None,
        *,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self._nodes = Nodes(as_graph(graph))
        self.config = UpdateConfig.of(config)
        self._clock = clock or (lambda: datetime.now(UTC))
        self._log = ChangeLog(self.config.max_history_length)
        # A lock is kept as long as it is held or awaited.
        self._locks: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()

    async def update_weights(self, hyperedge_id: Hashable, feedback: float) -> float:
        """Change the weight of one hyperedge, and return the new weight.

        Parameters
        ----------
        hyperedge_id : str
            Id of its node.
        feedback : float
            From 0 to 1; 0.5 is neutral.

        Returns
        -------
        float
            The new weight, as it was written.

        Raises
        ------
        InputError
            When the feedback is not a number in [0, 1], no node has the id, or its weight or
            quality is not valid. Nothing was written.
        UpdateError
            When the graph failed; the weight and the history are as before.
        """
        signal = checked_feedback(feedback, hyperedge_id)
        checked_id(hyperedge_id)
        try:
            return (await self._updated(hyperedge_id, signal)).after
        except GraphError as error:
            raise UpdateError(
                f"{error} The weight of this hyperedge was not updated; try again.",
                failed=[(hyperedge_id, signal)],
                reasons={hyperedge_id: error.cause},
            ) from error.cause

    async def batch_update(self, feedback: FeedbackBatch) -> dict[Any, float]:
        """Change the weights of many hyperedges, and return the new weights.

        All feedback of one hyperedge is applied, in the order given. Different hyperedges are
        updated concurrently.

        Parameters
        ----------
        feedback : mapping of id to feedback, iterable of (id, feedback), or iterable of mappings
            For example what `FeedbackExtractor` returns for one answer or for several.

        Returns
        -------
        dict of id to float
            The new weights, in the order of the first occurrence of the ids.

        Raises
        ------
        InputError
            When a feedback is not a number in [0, 1]. Nothing was written.
        UpdateError
            When some could not be updated: an id that the graph does not have, a weight that is not
            a number, a graph that failed. The others were updated. Its `done` and `failed` hold
            (id, feedback); ``batch_update(error.failed)`` tries the missing ones again.
        """
        asked = checked_batch(feedback)
        places: dict[Hashable, list[int]] = {}
        for place, (hyperedge_id, _) in enumerate(asked):
            places.setdefault(hyperedge_id, []).append(place)
        done: set[int] = set()
        weights: dict[Any, float] = {}
        reasons: dict[Hashable, Exception] = {}

        async def update(hyperedge_id: Hashable) -> None:
            for place in places[hyperedge_id]:
                try:
                    change = await self._updated(hyperedge_id, asked[place][1])
                except GraphError as error:
                    reasons[hyperedge_id] = error.cause
                    return  # later feedback of this hyperedge must not be applied first
                except Exception as error:  # noqa: BLE001 - what a node or a clock may raise
                    reasons[hyperedge_id] = error
                    return
                weights[hyperedge_id] = change.after
                done.add(place)

        await run_together(update, places)
        for hyperedge_id in places.keys() - weights.keys() - reasons.keys():
            reasons[hyperedge_id] = RuntimeError("the graph cancelled its own work")
        if reasons:
            raise_failed(asked, done, reasons)
        return {hyperedge_id: weights[hyperedge_id] for hyperedge_id in places}

    async def reset(self, ids: Iterable[Hashable] | None = None) -> dict[Any, float]:
        """Restore the weights from before this updater's first update, and return them.

        History and counts of these hyperedges are removed. A hyperedge that was never updated keeps
        its weight.

        Parameters
        ----------
        ids : iterable of ids, optional
            All updated hyperedges by default.

        Returns
        -------
        dict of id to float
            The restored weights.

        Raises
        ------
        UpdateError
            When some could not be restored: no node has the id, or the graph failed. The others
            were. Its `done` and `failed` hold (id, weight before the first update), NaN without an
            update.
        """
        if ids is not None and (isinstance(ids, str | bytes) or not isinstance(ids, Iterable)):
            raise InputError(f"reset takes a list of ids; write reset([{ids!r}]).")
        names = list(dict.fromkeys(self._log.ids() if ids is None else map(checked_id, ids)))
        weights: dict[Any, float] = {}
        reasons: dict[Hashable, Exception] = {}
        starts = {name: self._log.start_of(name) for name in names}

        async def put_back(name: Hashable) -> None:
            try:
                weights[name] = await self._put_back(name)
            except GraphError as error:
                reasons[name] = error.cause
            except Exception as error:  # noqa: BLE001 - as in `batch_update`
                reasons[name] = error

        await run_together(put_back, names)
        if reasons:
            asked = [
                (name, math.nan if (start := starts[name]) is None else start.weight)
                for name in names
            ]
            done = {place for place, name in enumerate(names) if name in weights}
            raise_failed(asked, done, reasons, what="put back")
        return {name: weights[name] for name in names}

    def history(self, hyperedge_id: Hashable | None = None) -> list[WeightChange]:
        """Return the changes, oldest first: of one hyperedge, or of all.

        At most ``max_history_length`` changes of each hyperedge are kept.
        """
        return self._log.changes(hyperedge_id)

    def statistics(self, hyperedge_id: Hashable | None = None) -> dict[str, float]:
        """Return statistics of the updates of one hyperedge, or of all.

        Returns
        -------
        dict
            ``hyperedges``, ``updates``, ``raised``, ``lowered``, ``unchanged``, ``at_lower`` and
            ``at_upper`` (updates that ended at a bound), and, NaN when there are no updates,
            ``mean_feedback``, ``mean_weight``, ``min_weight`` and ``max_weight`` of the current
            weights. All updates count, also those that the history no longer holds.
        """
        return self._log.statistics(hyperedge_id)

    def __repr__(self) -> str:
        count = len(self._log.ids())
        return f"<WeightUpdater: {self.config.strategy}, {count} hyperedges updated>"

    def _lock(self, hyperedge_id: Hashable) -> asyncio.Lock:
        lock = self._locks.get(hyperedge_id)
        if lock is None:
            lock = self._locks[hyperedge_id] = asyncio.Lock()
        return lock

    async def _updated(self, hyperedge_id: Hashable, feedback: float) -> WeightChange:
        async with self._lock(hyperedge_id):
            node = await self._nodes.read(hyperedge_id)
            before, quality = node_weight(node, hyperedge_id), node_quality(node, hyperedge_id)
            lower, upper = weight_bounds(quality, self.config)
            after = float(next_weights(before, feedback, lower, upper, self.config))
            when = self._clock()
            count = feedback_count(node)  # `node` may be the graph's own, and change
            fields = {
                "dynamic_weight": after,
                "feedback_count": count + 1,
                "last_updated": when.isoformat(),
            }
            await self._nodes.write(hyperedge_id, node, fields)
            change = WeightChange(
                hyperedge_id, before, feedback, after, lower, upper, self.config.strategy, when
            )
            self._log.add(change, count)
            return change

    async def _put_back(self, hyperedge_id: Hashable) -> float:
        async with self._lock(hyperedge_id):
            node = await self._nodes.read(hyperedge_id)
            start = self._log.start_of(hyperedge_id)
            if start is None:
                return node_weight(node, hyperedge_id)
            # A graph that merges fields cannot remove one, so the weight is written even where the
            # node had no dynamic weight.
            fields = {
                "dynamic_weight": start.weight,
                "feedback_count": start.feedback_count,
                "last_updated": self._clock().isoformat(),
            }
            await self._nodes.write(hyperedge_id, node, fields)
            self._log.forget(hyperedge_id)
            return start.weight
