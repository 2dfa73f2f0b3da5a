"""Methods with a single threshold, and names of their scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.attention._head_name import head_name
from explorer.errors import ValidationError
from explorer.rag import ExtractorConfig

THRESHOLD_NAMES = {
    "attention": "attention_threshold",
    "embedding": "similarity_threshold",
    "citation": "citation_threshold",
    "lexical": "lexical_threshold",
    "logprobs": "attention_threshold",
}
"""Methods with a single threshold, and the name of that threshold in a config."""

GIVEN = "the given scores"
"""Name of scores that the traces give, one for each hyperedge."""

_REDUCTIONS = {
    "mean": "mean over a hyperedge's tokens",
    "mass": "sum over a hyperedge's tokens",
    "top-k": "mean of a hyperedge's {k} strongest tokens",
}
_NORMALISATIONS = {
    "raw": "not normalised",
    "share": "as a share of the sum over all hyperedges of the trace",
    "lift": "as lift (attention compared with length)",
}
_METHODS = {
    "embedding": "similarity of hyperedge and answer by the embedding model",
    "citation": "share of the hyperedge that the answer repeats",
    "lexical": "words shared with question and answer, rare ones counting more (IDF)",
    "logprobs": "log-probabilities of the answer's words",
}


def single_threshold_config(config: ExtractorConfig | Mapping[str, Any]) -> ExtractorConfig:
    """Return a config, if its method has a single threshold.

    Raises
    ------
    ValidationError
        The method combines scores with several thresholds, or the threshold is ``"auto"``.
    InputError
        The value is not a config.
    """
    known = ExtractorConfig.of(config)
    if known.method not in THRESHOLD_NAMES:
        *parts, last = THRESHOLD_NAMES
        raise ValidationError(
            f"The {known.method} method combines scores that have their own thresholds, so there "
            "is no single threshold to judge. Choose one of its parts: "
            f"{', '.join(parts)} or {last}."
        )
    if getattr(known, THRESHOLD_NAMES[known.method]) == "auto":
        raise ValidationError(
            'The threshold is "auto", which finds another one for each trace, but one threshold is '
            "judged for all traces together. Give a number, or let calibrate find one."
        )
    return known


def are_given(table: Any) -> bool:
    """Whether all scores of a table of `explain_traces` came with the traces, one per hyperedge.

    A layer, a head and a reduction then say nothing: there is one number.
    """
    if table is None or "evidence" not in table or not len(table):
        return False
    kinds = set(table["evidence"]) - {"none"}
    return kinds == {"direct"}


def score_name(config: ExtractorConfig, *, given: bool = False) -> str:
    """Return a short name of the scores; `given` if the traces give them.

    Examples
    --------
    >>> named(ExtractorConfig(method="attention", layer=20, head=3))
    'layer 20, head 3'
    """
    if config.method != "attention":
        return str(config.method)
    if given:
        return GIVEN
    if config.heads is not None:
        return config.heads.name
    if config.layer is None and config.head is None:
        return "attention, mean"
    layer, head = ("mean" if one is None else one for one in (config.layer, config.head))
    return f"layer {layer}, head {head}"


def score_description(config: ExtractorConfig, *, given: bool = False) -> str:
    """Return how a score is made, in a sentence; `given` if the traces give them."""
    if config.method != "attention":
        return _METHODS[config.method]
    if given:
        return f"the scores that the traces give, {_NORMALISATIONS[config.normalisation]}"
    if config.heads is not None:
        heads = config.heads
        less = ", minus the attention of a content-free question" if heads.content_free else ""
        return f"weighted attention of {heads.description}{less}"
    head = head_name(config.layer, config.head)
    reduction = _REDUCTIONS[config.reduction].format(k=config.top_k)
    return f"attention, {head}; {reduction}, {_NORMALISATIONS[config.normalisation]}"
