"""Scores of all loaded traces, computed once for all that ask for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from explorer.widgets._base.controller import Controller
from explorer.widgets._base.result_cache import ResultCache
from explorer.widgets._jobs.job_manager import JobManager
from explorer.widgets._jobs.job_runner import Job
from explorer.widgets._state import ExplorerState
from explorer.widgets._traces import texts
from explorer.widgets._traces._feedback.methods_controller import MethodsController
from explorer.widgets._traces.controller import TracesController

if TYPE_CHECKING:
    import pandas as pd

    from explorer.feedback import HeadCombination
    from explorer.run_control import RunControl
    from explorer.traces import Trace

MOST_TABLES = 4
"""Number of score tables that are remembered."""
MOST_ROWS = 400_000
"""Number of hyperedges in all of them together."""

Key = tuple[Any, ...]
"""The traces, how many of them (None for all), and the settings that their scores depend on."""

_THRESHOLDS = frozenset(
    {"attention_threshold", "similarity_threshold", "citation_threshold", "lexical_threshold"}
)
_OF_ATTENTION = frozenset({"layer", "head", "reduction", "normalisation", "heads"})
MIXED = ("hybrid", "ensemble")
"""Methods whose scores depend on thresholds."""
_WITHOUT_ATTENTION = ("embedding", "citation", "lexical", "logprobs")


def score_settings_of(config: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the settings that scores depend on.

    A threshold is one of them only in a mixture; layer and head only if attention is used.
    """
    left_out = frozenset() if config["method"] in MIXED else _THRESHOLDS
    if config["method"] in _WITHOUT_ATTENTION:
        left_out |= _OF_ATTENTION
    return tuple((name, value) for name, value in config.items() if name not in left_out)


class _Request(NamedTuple):
    key: Key
    then: Callable[[pd.DataFrame], None]
    failed: Callable[[], None]


class ScoresController(Controller):
    """Explains all loaded traces with the settings of the state, and remembers the tables.

    A request for scores that are under way joins that job. Labels change no score, and thresholds
    only those of mixtures. A job that is stopped leaves everything as it was.
    """

    JOB = "scores"

    def __init__(
        self,
        state: ExplorerState,
        jobs: JobManager,
        traces: TracesController,
        methods: MethodsController,
    ) -> None:
        super().__init__(state, jobs)
        self.traces = traces
        self.methods = methods
        self._tables: ResultCache[pd.DataFrame] = ResultCache(MOST_TABLES, MOST_ROWS, len)
        self._parts: ResultCache[pd.DataFrame] = ResultCache(MOST_TABLES)
        self._requests: dict[str, _Request] = {}
        self._under_way: Key | None = None
        self._stopped: Key | None = None
        self.follow(traces, lambda _: self._clear(), "loaded")

    def key(self, first: int | None = None) -> Key:
        """Return the key of the scores in view: of the first traces alone, or of all.

        Raises
        ------
        ValueError
            No traces are loaded.
        """
        traces = self.traces.loaded
        if traces is None:
            raise ValueError("No traces are loaded, so there are no scores to know.")
        part = first if first is not None and first < len(traces) else None
        return (traces, part, *score_settings_of(self.config()))

    def config(self) -> dict[str, Any]:
        """Return the settings of the scores of all traces.

        With the packaged recommendation `heads` is the recommendation: every trace is scored by the
        set that was chosen without it, whichever trace is open.
        """
        config, packaged = self.methods.config(), self.state.packaged
        if packaged is None or config["heads"] is None:
            return config
        return config | {"heads": packaged}

    def known(self, key: Key) -> pd.DataFrame | None:
        """Return the remembered table of a key, perhaps as a part of that of all traces."""
        table = self._tables.get(key)
        if table is None:
            table = self._parts.get(key)
        whole = self._tables.get(_of_all(key)) if table is None else None
        if whole is None:
            return table
        import pandas as pd

        numbers, _ = pd.factorize(whole["trace"])
        part: pd.DataFrame = whole.iloc[: int(np.searchsorted(numbers, key[1]))]
        self._parts[key] = part
        return part

    def ask(
        self,
        who: str,
        then: Callable[[pd.DataFrame], None],
        *,
        failed: Callable[[], None] = lambda: None,
        first: int | None = None,
        insist: bool = False,
    ) -> None:
        """Call `then` with the scores in view: at once if they are known, otherwise later.

        Parameters
        ----------
        who
            Name of who asks; a newer request of theirs replaces the older.
        then
            Called on the UI thread with the table of `FeedbackExtractor.explain_traces`.
        failed
            Called if there will be no table; the app shows why.
        first
            Number of traces to score, from the first on; None for all.
        insist
            Also score what the user stopped a moment ago.
        """
        key = self.key(first)
        table = self.known(key)
        if table is not None:
            self.leave(who)
            then(table)
            return
        if not insist and key == self._stopped:
            return
        joins = self._answers(key)
        if not joins:
            # The other requests are dropped: all follow the same state and will ask again.
            self._requests.clear()
        self._requests[who] = _Request(key, then, failed)
        if not joins:
            self._start(key)

    def leave(self, who: str) -> None:
        """Withdraw a request; a job that nothing waits for is cancelled."""
        self._requests.pop(who, None)
        if not any(self._answers(request.key) for request in self._requests.values()):
            self.cancel()

    def stopped(self) -> None:
        """Remember that the user stopped the job, so that a drag does not start it again."""
        if self._requests and not self.running:
            self._stopped = self._under_way
            self._requests.clear()

    def _clear(self) -> None:
        self._tables.clear()
        self._parts.clear()

    def _answers(self, key: Key) -> bool:
        """Return whether the job under way answers a request: it is the same, or of all traces."""
        return self.running and self._under_way in (key, _of_all(key))

    def _start(self, key: Key) -> None:
        traces = key[0] if key[1] is None else key[0][: key[1]]
        settings = dict(key[2:])
        config = self.methods.config(settings["method"])
        by_trace = getattr(settings.get("heads"), "heads_for", None)
        self._under_way, self._stopped = key, None

        def work(job: Job) -> pd.DataFrame:
            if by_trace is None:
                from explorer.rag._extraction.extractor import extractor_alone

                extractor = extractor_alone(config)
                return asyncio.run(extractor.explain_traces(traces, control=job.control))
            return scores_by_own_heads(traces, config, by_trace, job.control)

        def done(table: pd.DataFrame) -> None:
            self._tables[key] = table
            requests, self._requests = self._requests, {}
            for request in requests.values():
                known = self.known(request.key)
                if known is not None:
                    request.then(known)

        def failed(error: BaseException) -> None:
            requests, self._requests = self._requests, {}
            self.jobs.tell(error)
            for request in requests.values():
                request.failed()

        self.run(work, done, failed=failed, message=texts.SCORING)


def scores_by_own_heads(
    traces: Sequence[Trace],
    config: Mapping[str, Any],
    heads_for: Callable[[str], HeadCombination | None],
    control: RunControl,
) -> pd.DataFrame:
    """Return the table of `explain_traces`, each trace scored by a set of heads of its own.

    Parameters
    ----------
    traces
        The traces, in the order of the rows.
    config
        The settings; their heads are those of a trace for which there is no set.
    heads_for
        Gives the set of heads for the id of a trace, or None.
    control
        Progress callback and cancel event.
    """
    import pandas as pd

    from explorer.rag._extraction.extractor import extractor_alone

    of_heads: dict[HeadCombination | None, list[int]] = {}
    for place, trace in enumerate(traces):
        of_heads.setdefault(heads_for(trace.id), []).append(place)
    tables: list[pd.DataFrame] = []
    for heads, places in of_heads.items():
        extractor = extractor_alone({**config, "heads": heads or config["heads"]})
        some = [traces[place] for place in places]
        table = asyncio.run(extractor.explain_traces(some, control=control))
        counts = [len(trace.hyperedges) for trace in some]
        tables.append(table.assign(place=np.repeat(places, counts)))
    joined = pd.concat(tables, ignore_index=True).sort_values("place", kind="stable")
    return joined.drop(columns="place").reset_index(drop=True)


def _of_all(key: Key) -> Key:
    return (key[0], None, *key[2:])
