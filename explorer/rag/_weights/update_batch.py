"""Batches of feedback: checked pairs of id and feedback, and their updates run together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any

from explorer.errors import InputError, UpdateError
from explorer.rag._weights.update_rule import checked_feedback

_TOGETHER = 16
"""Number of hyperedges of one batch that are updated concurrently."""

FeedbackBatch = Mapping[Any, float] | Iterable[tuple[Any, float]] | Iterable[Mapping[Any, float]]
"""Feedback of many hyperedges; one may occur several times."""


async def run_together(work: Callable[[Hashable], Any], items: Iterable[Hashable]) -> None:
    """Run `work` for every item, a few concurrently, started in order."""
    waiting = iter(list(items))

    async def worker() -> None:
        for item in waiting:
            await work(item)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(_TOGETHER):
            tasks.create_task(worker())


def checked_id(hyperedge_id: Any) -> Hashable:
    """Return an id; raise InputError unless it can be one."""
    if hyperedge_id is None or not isinstance(hyperedge_id, Hashable):
        raise InputError(f"A hyperedge is named by its id, such as 'he1', not {hyperedge_id!r}.")
    return hyperedge_id


def checked_batch(feedback: object) -> list[tuple[Hashable, float]]:
    """Return a batch as checked pairs, in order; raise InputError if it is not valid."""
    if isinstance(feedback, str | bytes) or not isinstance(feedback, Iterable):
        raise InputError(
            "A batch is a mapping of hyperedge id to feedback, or (id, feedback) pairs, but it is "
            f"of type {type(feedback).__name__}."
        )
    pairs: list[tuple[Hashable, float]] = []
    for item in [feedback] if isinstance(feedback, Mapping) else feedback:
        several = list(item.items()) if isinstance(item, Mapping) else [item]
        for pair in several:
            if isinstance(pair, str | bytes) or not isinstance(pair, Iterable):
                raise InputError(f"A batch holds (id, feedback) pairs, but it also holds {pair!r}.")
            both = tuple(pair)
            if len(both) != 2:
                raise InputError(f"A batch holds (id, feedback) pairs, but it also holds {both!r}.")
            pairs.append((checked_id(both[0]), checked_feedback(both[1], both[0])))
    return pairs


def raise_failed(
    asked: list[tuple[Hashable, float]],
    done: set[int],
    reasons: Mapping[Hashable, Exception],
    what: str = "updated",
) -> None:
    """Raise the UpdateError of a batch in which some hyperedges failed."""
    first = next(iter(reasons))
    failed = [pair for place, pair in enumerate(asked) if place not in done]
    kept = [pair for place, pair in enumerate(asked) if place in done]
    raise UpdateError(
        f"{len(reasons)} of {len({name for name, _ in asked})} hyperedges could not be {what}; "
        f"{first!r} because: {type(reasons[first]).__name__}: {reasons[first]} "
        "The others were. The error's `failed` holds the missing ones, to try again.",
        done=kept,
        failed=failed,
        reasons=reasons,
    ) from reasons[first]
