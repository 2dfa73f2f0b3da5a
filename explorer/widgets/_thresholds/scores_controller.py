"""The scores of all loaded traces for a way to score: worked out once, for whoever asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

import numpy as np

from explorer.run_control import RunControl
from explorer.widgets._jobs.job_manager import JobManager
from explorer.widgets._jobs.job_runner import Job
from explorer.widgets._jobs.model_controller import pass_on
from explorer.widgets._traces.controller import TracesController
from explorer.widgets._traces.methods_controller import MethodsController

if TYPE_CHECKING:
    import pandas as pd

LANE = "scores"
MOST_KEYS = 4
"""So many ways to score are remembered, the latest asked for."""
MOST_ROWS = 400_000
"""So many hyperedges all of them together may have; the latest is kept whatever it has."""

Key = tuple[Any, ...]
"""The traces, how many of them (None is all), and the settings that their scores depend on."""
Thing = TypeVar("Thing")

_THRESHOLDS = frozenset({"attention_threshold", "similarity_threshold", "citation_threshold"})
_OF_ATTENTION = frozenset({"layer", "head", "reduction", "normalisation", "heads"})
MIXED = ("hybrid", "ensemble")
"""Methods that mix scores with thresholds of their own."""
_WITHOUT_ATTENTION = ("embedding", "citation", "logprobs")


def what_scores_depend_on(config: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the settings that scores depend on.

    A threshold is one of them only where it is part of a mixture; a layer and a head only where
    attention is looked at.
    """
    left_out = frozenset() if config["method"] in MIXED else _THRESHOLDS
    if config["method"] in _WITHOUT_ATTENTION:
        left_out |= _OF_ATTENTION
    return tuple((name, value) for name, value in config.items() if name not in left_out)


def same_key(key: Key, other: Key | None) -> bool:
    """Whether two keys are about the same traces and the same settings."""
    return other is not None and key[0] is other[0] and key[1:] == other[1:]


class Recent(Generic[Thing]):
    """The few things that were asked for last, by key.

    Parameters
    ----------
    most
        How many are kept.
    most_size
        What the sizes of all of them may sum to; the latest stays even if it alone is larger.
    """

    def __init__(self, most: int = MOST_KEYS, most_size: int = MOST_ROWS) -> None:
        self._most, self._most_size = most, most_size
        self._kept: list[tuple[Key, Thing, int]] = []  # the latest last

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Key) -> Thing | None:
        """Return what is kept under the key, which is then the latest asked for."""
        for place, entry in enumerate(self._kept):
            if same_key(key, entry[0]):
                self._kept.append(self._kept.pop(place))
                return entry[1]
        return None

    def put(self, key: Key, thing: Thing, size: int = 0) -> None:
        """Keep this; what was asked for longest ago makes room."""
        self._kept = [entry for entry in self._kept if not same_key(key, entry[0])]
        self._kept.append((key, thing, size))
        while len(self._kept) > 1 and (
            len(self._kept) > self._most or sum(entry[2] for entry in self._kept) > self._most_size
        ):
            del self._kept[0]

    def clear(self) -> None:
        """Keep nothing."""
        self._kept.clear()


class _Asked(NamedTuple):
    key: Key
    then: Callable[[pd.DataFrame], None]
    failed: Callable[[], None]


class ScoresController:
    """Explains all loaded traces as the state says, once for all who ask, and remembers it.

    What is under way for one is joined by others that want the same. Labels and, but for mixtures,
    thresholds change no score. A run that is stopped leaves everything as it was.
    """

    def __init__(
        self, jobs: JobManager, traces: TracesController, methods: MethodsController
    ) -> None:
        self.jobs = jobs
        self.traces = traces
        self.methods = methods
        self._tables: Recent[pd.DataFrame] = Recent()
        self._asked: dict[str, _Asked] = {}
        self._under_way: Key | None = None
        self._stopped: Key | None = None
        traces.observe(lambda _: self._tables.clear(), names="loaded")

    def key(self, first: int | None = None) -> Key:
        """Return what the scores of the state are known by; of the first traces alone, or of all.

        Raises
        ------
        ValueError
            No traces are loaded.
        """
        traces = self.traces.loaded
        if traces is None:
            raise ValueError("No traces are loaded, so there are no scores to know.")
        part = first if first is not None and first < len(traces) else None
        return (traces, part, *what_scores_depend_on(self.methods.config()))

    def known(self, key: Key) -> pd.DataFrame | None:
        """Return the table of a key where it is remembered, perhaps as part of that of all."""
        table = self._tables.get(key)
        whole = self._tables.get(_of_all(key)) if table is None else None
        if whole is None:
            return table
        import pandas as pd

        numbers, _ = pd.factorize(whole["trace"])
        table = whole.iloc[: int(np.searchsorted(numbers, key[1]))]
        self._tables.put(key, table)  # a view: it takes no room of its own
        return table

    def ask(
        self,
        who: str,
        then: Callable[[pd.DataFrame], None],
        *,
        failed: Callable[[], None] = lambda: None,
        first: int | None = None,
        insist: bool = False,
    ) -> None:
        """Hand the scores of what is chosen to `then`: at once where they are known, else later.

        Parameters
        ----------
        who
            Who asks; a newer question of theirs takes the place of the older.
        then
            Called on the UI thread with the table of `FeedbackExtractor.explain_traces`.
        failed
            Called where there will be no table; what went wrong has been said in the app.
        first
            Of so many traces only; None is all.
        insist
            Ask also for what the user stopped a moment ago.
        """
        key = self.key(first)
        table = self.known(key)
        if table is not None:
            self.leave(who)
            then(table)
            return
        if not insist and same_key(key, self._stopped):
            return
        joins = self._covers(key)
        if not joins:
            # Who waits for what is given up has to ask anew; all follow the same state.
            self._asked.clear()
        self._asked[who] = _Asked(key, then, failed)
        if not joins:
            self._start(key)

    def leave(self, who: str) -> None:
        """Want nothing more; a run that nobody waits for ends."""
        self._asked.pop(who, None)
        if not any(self._covers(asked.key) for asked in self._asked.values()):
            self.jobs.runner.cancel(LANE)

    def stopped(self) -> None:
        """Take note that the user stopped what was under way: drags do not ask for it again."""
        if self._asked and not self.jobs.runner.running(LANE):
            self._stopped = self._under_way
            self._asked.clear()

    def _covers(self, key: Key) -> bool:
        """Whether what is under way answers this, being the same or about all traces."""
        under_way = self._under_way
        return (
            under_way is not None
            and self.jobs.runner.running(LANE)
            and (same_key(key, under_way) or same_key(_of_all(key), under_way))
        )

    def _start(self, key: Key) -> None:
        traces = key[0] if key[1] is None else key[0][: key[1]]
        extractor = self.methods.extractor(dict(key[2:])["method"], alone=True)
        self._under_way, self._stopped = key, None

        def work(job: Job) -> pd.DataFrame:
            return asyncio.run(
                extractor.explain_traces(
                    traces, control=RunControl(lambda p: pass_on(job, p), job.cancel)
                )
            )

        def done(table: pd.DataFrame) -> None:
            self._tables.put(key, table, len(table))
            waiting, self._asked = self._asked, {}
            for asked in waiting.values():
                known = self.known(asked.key)
                if known is not None:
                    asked.then(known)

        def failed(error: BaseException) -> None:
            asked, self._asked = self._asked, {}
            self.jobs.tell(error)
            for one in asked.values():
                one.failed()

        self.jobs.runner.start(LANE, work, done=done, failed=failed, message="scoring all traces")


def _of_all(key: Key) -> Key:
    return (key[0], None, *key[2:])
