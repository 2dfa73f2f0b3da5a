"""Ways to score that have one threshold: which they are, and what they are called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.errors import ValidationError
from explorer.rag import ExtractorConfig

THRESHOLD_NAMES = {
    "attention": "attention_threshold",
    "embedding": "similarity_threshold",
    "citation": "citation_threshold",
    "logprobs": "attention_threshold",
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


def single_threshold_config(config: ExtractorConfig | Mapping[str, Any]) -> ExtractorConfig:
    """Return a config whose scores are held against one threshold.

    Raises
    ------
    ValidationError
        The method mixes scores.
    InputError
        It is no config.
    """
    known = ExtractorConfig.of(config)
    if known.method not in THRESHOLD_NAMES:
        *parts, last = THRESHOLD_NAMES
        raise ValidationError(
            f"The {known.method} method mixes scores that have thresholds of their own, so there "
            f"is no one threshold to judge. Choose one of its parts: {', '.join(parts)} or {last}."
        )
    return known


def score_name(config: ExtractorConfig) -> str:
    """Name scores in a few words.

    Examples
    --------
    >>> named(ExtractorConfig(method="attention", layer=20, head=3))
    'layer 20, head 3'
    """
    if config.method != "attention":
        return str(config.method)
    if config.heads is not None:
        return config.heads.name
    if config.layer is None and config.head is None:
        return "attention, mean"
    layer, head = ("mean" if one is None else one for one in (config.layer, config.head))
    return f"layer {layer}, head {head}"


def score_description(config: ExtractorConfig) -> str:
    """Say in a sentence how a score is made."""
    if config.method != "attention":
        return _METHODS[config.method]
    if config.heads is not None:
        heads = config.heads
        less = ", less what a question without content attracts" if heads.content_free else ""
        return f"attention of {heads.description}, weighted{less}"
    layer = "the mean over all layers" if config.layer is None else f"layer {config.layer}"
    head = "the mean over all heads" if config.head is None else f"head {config.head}"
    reduction = _REDUCTIONS[config.reduction].format(k=config.top_k)
    return f"attention, {layer}, {head}; {reduction}, {_NORMALISATIONS[config.normalisation]}"
