"""Feedback of known scores at another threshold."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from explorer.rag._methods.citation_feedback import cited_feedback
from explorer.rag._methods.extractor_config import ExtractorConfig


def rethreshold(scores: ArrayLike, method: str, config: ExtractorConfig) -> NDArray[np.float64]:
    """Return the feedback that a `FeedbackExtractor` with this config gives for known scores.

    A threshold does not change scores, so no method has to run again.

    Parameters
    ----------
    scores
        Of any shape; NaN where unknown.
    method
        ``"attention"``, ``"logprobs"``, ``"embedding"`` or ``"citation"``.
    config
        The thresholds and feedback values; its method is ignored.

    Returns
    -------
    ndarray of float64
        Of the same shape; NaN for NaN.
    """
    known = np.asarray(scores, dtype=np.float64)
    if method == "citation":
        return np.where(np.isnan(known), np.nan, cited_feedback(known, config))
    policy = config.similarity_policy if method == "embedding" else config.attention_policy
    return policy.convert(known)
