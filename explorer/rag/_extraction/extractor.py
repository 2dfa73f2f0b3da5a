"""The extractor of feedback: from an answer and its hyperedges to a signal for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Sized
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from explorer._deprecation import old_parameters
from explorer.errors import InputError
from explorer.feedback import Diagnostic
from explorer.rag._embeddings.embedders import embedder
from explorer.rag._embeddings.embedding_functions import EmbeddingFunction
from explorer.rag._extraction.explanation import (
    ExplanationTask,
    TraceExplanation,
    explain_all,
    explanation_table,
    feedback_by_id,
    warn_of_failures,
)
from explorer.rag._extraction.method_comparison import COMPARED, checked_methods, comparison_table
from explorer.rag._extraction.retrieved import build_trace, list_per_answer, validated_trace
from explorer.rag._methods.extractor_config import ExtractorConfig
from explorer.run_control import RunControl
from explorer.traces import Trace

if TYPE_CHECKING:
    import pandas as pd

_TOGETHER = 2000
"""Number of traces whose texts are embedded together."""


class _Notes(dict[str, tuple[Diagnostic, ...]]):
    """Diagnostics by trace; not copied, since pandas deep-copies `attrs` with every column."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


class FeedbackExtractor:
    """Computes how much each retrieved hyperedge contributed to an answer, as a signal in [0, 1].

    ``docs/rag.md`` describes the methods, their formulas and their limits.

    Parameters
    ----------
    embedding_func
        A plain or async function from a list of texts to one vector for each (array, tensor or
        lists). The default is the packaged all-MiniLM-L6-v2, loaded when it is first needed.
    config
        An `ExtractorConfig`, or a mapping of its attributes such as ``{"method": "attention"}``.

    Attributes
    ----------
    config : ExtractorConfig

    Raises
    ------
    InputError
        When the config has an unknown key or value, or the function is not callable.

    Examples
    --------
    >>> import asyncio
    >>> extractor = FeedbackExtractor(config={"method": "attention"})
    >>> retrieved = [{"id": "he1", "hyperedge": "The Nile is the longest river."},
    ...              {"id": "he2", "hyperedge": "The Rhine flows through Cologne."}]
    >>> metadata = {"hyperedge_attention": {"he1": 0.45}}
    >>> asyncio.run(extractor.extract_feedback("the Nile", retrieved, metadata))
    {'he1': 1.0, 'he2': 0.3}
    """

    def __init__(
        self,
        embedding_func: EmbeddingFunction | None = None,
        config: ExtractorConfig | Mapping[str, Any] | None = None,
    ) -> None:
        self.config = ExtractorConfig.of(config)
        self._embedder = embedder(embedding_func)

    def __repr__(self) -> str:
        return f"FeedbackExtractor(method={self.config.method!r})"

    async def extract_feedback(
        self,
        answer: str | Trace | None,
        retrieved_hyperedges: Iterable[Any] = (),
        metadata: Mapping[str, Any] | None = None,
    ) -> dict[str, float]:
        """Return the feedback of every hyperedge.

        Parameters
        ----------
        answer
            The answer of the system, or None; or a whole `Trace` and no further argument.
        retrieved_hyperedges
            `Hyperedge` objects, or mappings with ``id`` and ``hyperedge`` (or ``text``, or
            ``content``), as the retriever returned them.
        metadata
            Evidence of the system: attention in any form of ``docs/traces.md``, or ``logprobs``.

        Returns
        -------
        dict of str to float
            By id, in [0, 1]; of two hyperedges with one id the larger. Unknown feedback is neutral,
            never NaN; `explain` gives the reasons.

        Raises
        ------
        InputError
            When the answer is not a text, the metadata are not a mapping, or a hyperedge has no id.

        Warns
        -----
        ExtractionWarning
            When an embedding failed, so that feedback is neutral.
        """
        trace = build_trace("1", answer, retrieved_hyperedges, metadata)
        (explained,) = await self._explained([trace])
        warn_of_failures([explained])
        return feedback_by_id(explained)

    async def batch_extract_feedback(
        self,
        answers: Sequence[str | None],
        retrieved_hyperedges_list: Sequence[Iterable[Any]],
        metadata_list: Sequence[Mapping[str, Any] | None] | None = None,
    ) -> list[dict[str, float]]:
        """Return the feedback for many answers; their texts are embedded together.

        Parameters
        ----------
        answers, retrieved_hyperedges_list, metadata_list
            As for `extract_feedback`, one of each for every answer.

        Raises
        ------
        InputError
            As `extract_feedback`, or when the lists differ in length.

        Warns
        -----
        ExtractionWarning
            As `extract_feedback`.
        """
        answers = list_per_answer(answers, "answers", "texts")
        retrieved = list_per_answer(
            retrieved_hyperedges_list, "retrieved_hyperedges_list", "lists of hyperedges"
        )
        metadata = (
            [None] * len(answers)
            if metadata_list is None
            else list_per_answer(metadata_list, "metadata_list", "mappings")
        )
        if not len(answers) == len(retrieved) == len(metadata):
            raise InputError(
                "There must be one list of hyperedges, and one of metadata, for every answer, but "
                f"there are {len(answers)} answers, {len(retrieved)} lists of hyperedges and "
                f"{len(metadata)} of metadata."
            )
        traces = []
        for place, (answer, edges, notes) in enumerate(
            zip(answers, retrieved, metadata, strict=True), start=1
        ):
            try:
                traces.append(build_trace(str(place), answer, edges, notes))
            except InputError as error:
                raise InputError(f"Answer {place}: {error}") from None
        explained = await self._explained(traces)
        warn_of_failures(explained)
        return [feedback_by_id(one) for one in explained]

    async def explain(
        self,
        answer: str | Trace | None,
        retrieved_hyperedges: Iterable[Any] = (),
        metadata: Mapping[str, Any] | None = None,
    ) -> pd.DataFrame:
        """Return the feedback of every hyperedge with its evidence.

        Parameters
        ----------
        answer, retrieved_hyperedges, metadata
            As for `extract_feedback`.

        Returns
        -------
        pandas.DataFrame
            One row for each hyperedge, in order: ``unit``, ``text``; ``method`` that gave the
            number and its kind of ``evidence``; ``tokens`` of attention (int64, 0 without
            attention); ``score``, ``threshold``, ``feedback`` (float64, the score NaN when
            unknown); ``verdict``; ``matched_to`` in words; ``diagnostics`` (tuple of Diagnostic).
            Combined methods add the feedback of each part, NaN where it is left out:
            ``attention``, ``embedding``, ``citation``. ``attrs["notes"]`` holds the diagnostics
            of the whole trace, ``attrs["method"]`` the method of the config. With the threshold
            ``"auto"``, ``attrs["threshold_mode"]`` is ``"auto"``, ``attrs["threshold"]`` what was
            found, and a note says how.

        Raises
        ------
        InputError
            As `extract_feedback`.
        """
        trace = build_trace("1", answer, retrieved_hyperedges, metadata)
        (explained,) = await self._explained([trace])
        table = explanation_table([explained])
        table.attrs["notes"] = explained.notes
        found = [one.threshold for one in explained.results if one.method == self.config.method]
        if self.config.attention_policy.is_auto and found:
            table.attrs["threshold"] = found[0]
        table.attrs["method"] = self.config.method
        if self.config.attention_policy.is_auto:
            table.attrs["threshold_mode"] = "auto"
        return table

    @old_parameters(control=(RunControl, ("progress", "cancel")))
    async def explain_traces(
        self, traces: Iterable[Trace], *, control: RunControl | None = None
    ) -> pd.DataFrame:
        """Return the feedback of every hyperedge of many traces with its evidence, as `explain`.

        Parameters
        ----------
        traces
            From `load_traces`, or any other traces.
        control
            Progress callback and cancel event.

        Returns
        -------
        pandas.DataFrame
            As `explain`, with the id of the trace as first column ``trace``. ``attrs["notes"]``
            maps the id of every trace that has notes to them.

        Raises
        ------
        TraceError
            When one of them is not a trace.
        Cancelled
            The job was stopped.
        """
        given = iter(traces if isinstance(traces, Iterable) else [traces])
        total = len(traces) if isinstance(traces, Sized) else None
        explained: list[TraceExplanation] = []
        # In parts: the metadata of a file larger than memory are never loaded together.
        while listed := [validated_trace(trace) for trace in islice(given, _TOGETHER)]:
            explained += await explain_all(
                [ExplanationTask(trace, self.config) for trace in listed],
                self._embedder,
                control,
                before=len(explained),
                total=total,
            )
        table = explanation_table(explained, traces=True)
        table.attrs["notes"] = _Notes({one.name: one.notes for one in explained if one.notes})
        table.attrs["method"] = self.config.method
        if self.config.attention_policy.is_auto:
            table.attrs["threshold_mode"] = "auto"
        return table

    async def compare(self, trace: Trace, methods: Sequence[str] = COMPARED) -> pd.DataFrame:
        """Return the feedback of several methods for one trace.

        Returns
        -------
        pandas.DataFrame
            As `comparison_table`; `explorer.rag.agreement` measures how far the methods agree.

        Raises
        ------
        TraceError, InputError
            When the trace or a method is not valid.
        """
        sound = validated_trace(trace)
        names = checked_methods(methods)
        jobs = [ExplanationTask(sound, replace(self.config, method=name)) for name in names]
        return comparison_table(await explain_all(jobs, self._embedder), names)

    async def _explained(self, traces: Sequence[Trace]) -> list[TraceExplanation]:
        return await explain_all(
            [ExplanationTask(trace, self.config) for trace in traces], self._embedder
        )


def extractor_alone(config: ExtractorConfig | Mapping[str, Any]) -> FeedbackExtractor:
    """Return an extractor that does not use the embedding for missing attention or logprobs.

    `FeedbackExtractor` falls back on the embedding. The evaluation of a single method leaves such
    rows out, so thousands of texts would be embedded for nothing.
    """
    known = ExtractorConfig.of(config)
    quiet = known.method in ("attention", "logprobs")
    return FeedbackExtractor(_no_direction if quiet else None, known)


def _no_direction(texts: list[str]) -> NDArray[np.float64]:
    """Return zero vectors: embeddings without a direction."""
    return np.zeros((len(texts), 1))
