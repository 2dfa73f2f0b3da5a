"""Feedback of known scores at another threshold."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from explorer.rag._methods.citation_feedback import cited_feedback
from explorer.rag._methods.extractor_config import ExtractorConfig


def rethreshold(
    scores: ArrayLike,
    method: str,
    config: ExtractorConfig,
    traces: NDArray[Any] | None = None,
) -> NDArray[np.float64]:
    """Return the feedback that a `FeedbackExtractor` with this config gives for known scores.

    A threshold does not change scores, so no method has to run again.

    Parameters
    ----------
    scores
        Of any shape; NaN where unknown.
    method
        ``"attention"``, ``"logprobs"``, ``"embedding"``, ``"lexical"`` or ``"citation"``.
    config
        The thresholds and feedback values; its method is ignored.
    traces
        The id of the trace of each score, of the same shape: the threshold ``"auto"`` is found in
        each trace on its own. When left out, all scores are of one trace.

    Returns
    -------
    ndarray of float64
        Of the same shape; NaN for NaN.
    """
    known = np.asarray(scores, dtype=np.float64)
    if method == "citation":
        return np.where(np.isnan(known), np.nan, cited_feedback(known, config))
    policies = {"embedding": config.similarity_policy, "lexical": config.lexical_policy}
    policy = policies.get(method, config.attention_policy)
    if not policy.is_auto:
        return policy.convert(known)
    of_attention = method == "attention" and config.heads is None
    normalisation = config.normalisation if of_attention else "raw"
    if traces is None:
        return policy.for_scores(known, normalisation).convert(known)
    feedback = np.empty(known.shape)
    _, groups = np.unique(traces.astype(str), return_inverse=True)
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order])) + 1
    for rows in np.split(order, starts):
        of_trace = known[rows]
        feedback[rows] = policy.for_scores(of_trace, normalisation).convert(of_trace)
    return feedback
