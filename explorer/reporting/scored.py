"""The scores that a report judges, in whatever form they were brought, and how they came to be."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from explorer.errors import InputError, ValidationError
from explorer.models.progress import ProgressCallback
from explorer.rag import ExtractorConfig, FeedbackExtractor
from explorer.rag.extractor import extractor_alone
from explorer.traces import Trace
from explorer.validation import Judged, judge

if TYPE_CHECKING:
    import pandas as pd

    from explorer.validation import Recommendation

THRESHOLD_OF = {
    "attention": "attention_threshold",
    "logprobs": "attention_threshold",
    "embedding": "similarity_threshold",
    "citation": "citation_threshold",
}
"""The methods whose scores are held against one threshold, and its name in a config."""

_REDUCTIONS = {
    "mean": "the mean over a hyperedge's tokens",
    "mass": "the sum over a hyperedge's tokens",
    "top-k": "the mean of a hyperedge's {k} strongest tokens",
}
_NORMALISATIONS = {
    "raw": "as it is",
    "share": "as a share of what all hyperedges of the trace get",
    "lift": "as lift: the share of attention held against the share of tokens",
}
_METHODS = {
    "embedding": "similarity of hyperedge and answer by the embedding model",
    "citation": "how much of the hyperedge the answer repeats",
    "logprobs": "log-probabilities of the answer's words",
}
_SETTINGS = frozenset(one.name for one in fields(ExtractorConfig))


@dataclass(frozen=True, eq=False)
class Scored:
    """Scores put together with their labels.

    Attributes
    ----------
    judged
        Score and label of every labelled hyperedge.
    table
        What `FeedbackExtractor.explain_traces` gave; None for scores that came otherwise.
    config
        How they were made, where that is known.
    held_out
        Whether each trace was scored by heads and weights that the other traces chose.
    """

    judged: Judged
    table: pd.DataFrame | None
    config: ExtractorConfig | None
    held_out: bool = False

    @property
    def threshold(self) -> float | None:
        """The threshold that the config holds these scores against."""
        if self.config is None:
            return None
        return float(getattr(self.config, THRESHOLD_OF[self.config.method]))

    @property
    def called(self) -> str:
        """A few words for the scores, to stand beside baselines."""
        if self.held_out:
            return "these scores, held out"
        return "these scores" if self.config is None else named(self.config)


def scored(
    traces: Sequence[Trace],
    scores: Any,
    config: ExtractorConfig | Mapping[str, Any] | None = None,
    recommendation: Recommendation | None = None,
    *,
    progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
    **truth: Any,
) -> Scored:
    """Put scores of any form together with the labels; see `threshold_report` for the forms.

    Raises
    ------
    ValidationError
        There are no labels, or the method has no one threshold.
    InputError, ShapeError
        The scores are of no known form, or about other traces.
    Cancelled
        If `cancel` was set.
    """
    if scores is None and recommendation is not None and config is None:
        judged = _of_these(recommendation.scores, traces)
        return Scored(judged, None, _checked(recommendation.config), held_out=True)
    if isinstance(scores, Judged):
        return Scored(_of_these(scores, traces), None, None if config is None else _checked(config))
    extractor = _extractor(scores, config)
    if extractor is not None:
        _checked(extractor.config)

        def explain() -> pd.DataFrame:
            return asyncio.run(extractor.explain_traces(traces, progress=progress, cancel=cancel))

        # In a thread of its own: a notebook's own thread has a loop that runs already.
        with ThreadPoolExecutor(1) as thread:
            table = thread.submit(explain).result()
        return Scored(judge(traces, table, **truth), table, extractor.config)
    known = None if config is None else _checked(config)
    judged = judge(traces, scores, **truth)
    return Scored(judged, scores if hasattr(scores, "columns") else None, known)


def named(config: ExtractorConfig) -> str:
    """Name scores in a few words."""
    if config.method != "attention":
        return str(config.method)
    if config.heads is not None:
        return "set of heads" if len(config.heads.terms) > 1 else "one head"
    if config.layer is None and config.head is None:
        return "attention, mean"
    layer, head = ("mean" if one is None else one for one in (config.layer, config.head))
    return f"layer {layer}, head {head}"


def told(config: ExtractorConfig) -> str:
    """Say in a sentence how a score is made."""
    if config.method != "attention":
        return _METHODS[config.method]
    if config.heads is not None:
        heads = config.heads
        rows = sorted({term.rows for term in heads.terms})
        many = f"{len(heads.terms)} heads" if len(heads.terms) > 1 else "one head"
        less = ", less what a question without content attracts" if heads.content_free else ""
        return f"attention of {many}, weighted; rows of the {' and the '.join(rows)}{less}"
    layer = "the mean over all layers" if config.layer is None else f"layer {config.layer}"
    head = "the mean over all heads" if config.head is None else f"head {config.head}"
    reduction = _REDUCTIONS[config.reduction].format(k=config.top_k)
    return f"attention, {layer}, {head}; {reduction}, {_NORMALISATIONS[config.normalisation]}"


def _extractor(scores: Any, config: Any) -> FeedbackExtractor | None:
    """Return what makes the scores, unless they are there."""
    if isinstance(scores, FeedbackExtractor):
        return scores
    is_config = isinstance(scores, ExtractorConfig) or (
        isinstance(scores, Mapping) and bool(scores) and set(scores) <= _SETTINGS
    )
    if not is_config and scores is not None:
        return None
    if scores is None:
        scores = {"method": "attention"} if config is None else config
    return extractor_alone(_checked(scores))


def _checked(config: ExtractorConfig | Mapping[str, Any]) -> ExtractorConfig:
    known = ExtractorConfig.of(config)
    if known.method not in THRESHOLD_OF:
        raise ValidationError(
            f"The {known.method} method mixes scores that have thresholds of their own, so there "
            f"is no one threshold to judge. Choose one of its parts: attention, embedding or "
            "citation."
        )
    return known


def _of_these(judged: Judged, traces: Sequence[Trace]) -> Judged:
    unknown = set(judged.traces) - {trace.id for trace in traces}
    if unknown:
        raise InputError(
            f"The scores are about traces that are not given, such as {min(unknown)!r:.80}. Give "
            "the traces that they were judged on."
        )
    return judged
