"""The log of an updater: its latest changes, and statistics of all changes."""

from __future__ import annotations

import math
import sys
from collections import deque
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

from explorer.errors import InputError


@dataclass(frozen=True)
class WeightChange:
    """One update of one hyperedge.

    Attributes
    ----------
    hyperedge_id : str
    before, after : float
        The weight before and after.
    feedback : float
    lower, upper : float
        The bounds of the weight, set by the quality.
    strategy : str
    when : datetime
    """

    hyperedge_id: Hashable
    before: float
    feedback: float
    after: float
    lower: float
    upper: float
    strategy: str
    when: datetime


@dataclass(frozen=True)
class Start:
    """Weight and feedback count of a node before its first update."""

    weight: float
    feedback_count: int


@dataclass
class _Tally:
    """Statistics of the updates of one hyperedge."""

    start: Start
    weight: float = math.nan
    feedback: float = 0.0
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(
            ("updates", "raised", "lowered", "unchanged", "at_lower", "at_upper"), 0
        )
    )

    def add(self, change: WeightChange) -> None:
        self.weight = change.after
        self.feedback += change.feedback
        self.counts["updates"] += 1
        way = (change.after > change.before) - (change.after < change.before)
        self.counts[("unchanged", "raised", "lowered")[way]] += 1
        self.counts["at_lower"] += change.after <= change.lower
        self.counts["at_upper"] += change.after >= change.upper


class ChangeLog:
    """The latest changes of each hyperedge, and statistics of all changes.

    Parameters
    ----------
    most : int or None
        Largest number of changes kept for each hyperedge; None for all.
    """

    def __init__(self, most: int | None) -> None:
        # A number larger than a deque accepts means all.
        self._most = most if most is None or most <= sys.maxsize else None
        self._tallies: dict[Hashable, _Tally] = {}
        self._changes: dict[Hashable, deque[tuple[int, WeightChange]]] = {}
        self._numbers = count()

    def add(self, change: WeightChange, feedback_count: int) -> None:
        """Add a change of a node; `feedback_count` is the node's count before the change."""
        name = change.hyperedge_id
        if name not in self._tallies:
            self._tallies[name] = _Tally(Start(change.before, feedback_count))
            self._changes[name] = deque(maxlen=self._most)
        self._tallies[name].add(change)
        self._changes[name].append((next(self._numbers), change))

    def forget(self, name: Hashable) -> None:
        """Remove all changes of a hyperedge."""
        self._tallies.pop(name, None)
        self._changes.pop(name, None)

    def ids(self) -> list[Hashable]:
        """Return the ids of updated hyperedges, in the order of their first update."""
        return list(self._tallies)

    def start_of(self, name: Hashable) -> Start | None:
        """Return the state of a hyperedge before its first update, or None without an update."""
        tally = self._tallies.get(name)
        return None if tally is None else tally.start

    def changes(self, name: Hashable | None) -> list[WeightChange]:
        """Return the changes that are kept, oldest first: of one hyperedge, or of all."""
        if name is not None:
            return [change for _, change in self._changes.get(name, ())]
        numbered = [pair for changes in self._changes.values() for pair in changes]
        return [change for _, change in sorted(numbered, key=lambda pair: pair[0])]

    def statistics(self, name: Hashable | None) -> dict[str, float]:
        """Return counts and means over all changes of one hyperedge, or of all.

        Raises
        ------
        InputError
            When the hyperedge was not updated.
        """
        tallies: Iterable[_Tally] = self._tallies.values()
        if name is not None:
            if name not in self._tallies:
                raise InputError(f"Hyperedge {name!r} was not updated, so it has no statistics.")
            tallies = [self._tallies[name]]
        chosen = list(tallies)
        counts = {
            key: sum(tally.counts[key] for tally in chosen)
            for key in ("updates", "raised", "lowered", "unchanged", "at_lower", "at_upper")
        }
        weights = [tally.weight for tally in chosen] or [math.nan]
        feedback = sum(tally.feedback for tally in chosen)
        return {
            "hyperedges": len(chosen),
            **counts,
            "mean_feedback": feedback / counts["updates"] if chosen else math.nan,
            "mean_weight": sum(weights) / len(weights),
            "min_weight": min(weights),
            "max_weight": max(weights),
        }
