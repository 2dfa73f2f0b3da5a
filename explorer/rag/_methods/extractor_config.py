"""The settings of a `FeedbackExtractor`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from numbers import Real
from pprint import pformat
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from explorer.errors import InputError
from explorer.feedback import FeedbackPolicy, HeadCombination, Normalisation, Reduction
from explorer.feedback._auto_threshold import AUTO, Auto
from explorer.feedback._normalisations import normalisation_rule
from explorer.feedback._reductions import check_k, reduction_rule
from explorer.rag._options import did_you_mean, settings_of

Method = Literal["embedding", "attention", "citation", "lexical", "hybrid", "logprobs", "ensemble"]

METHODS: tuple[Method, ...] = (
    "embedding",
    "attention",
    "citation",
    "lexical",
    "hybrid",
    "logprobs",
    "ensemble",
)
"""Every method of feedback; the first is the default."""

ENSEMBLE = MappingProxyType({"attention": 0.5, "embedding": 0.3, "citation": 0.2})
"""Default weights of the ensemble: attention counts most, citation least."""


@dataclass(frozen=True)
class ExtractorConfig:
    """The settings of a `FeedbackExtractor`: method, thresholds, and what attention is read.

    Attributes
    ----------
    method
        One of `METHODS`.
    attention_threshold, similarity_threshold, citation_threshold, lexical_threshold
        Scores from which a hyperedge counts as used, in [0, 1]. Log-probabilities are compared with
        the attention's, which may also be ``"auto"``: found in the scores of each trace, by
        `explorer.feedback.auto_threshold`.
    positive_feedback, negative_feedback, neutral_feedback
        As in `explorer.feedback.FeedbackPolicy`.
    layer, head
        Layer and head whose attention is read; None for the mean over all.
    reduction, normalisation, top_k
        As in `explorer.feedback.feedback_table`.
    heads
        A `HeadCombination`, or a mapping of its attributes. It overrides layer, head, reduction and
        normalisation; `explorer.validation.calibrate` makes one.
    ensemble_weights
        Weight of ``"attention"``, ``"embedding"`` and ``"citation"``; one that is left out is 0.
        For each hyperedge, methods without a number are left out and the other weights scaled.
    hybrid_citation
        The smallest feedback of the citation that `hybrid` keeps.
    note
        What a person should know of these settings, such as what the threshold was chosen for; it
        changes nothing.

    Raises
    ------
    InputError
        When a value is not valid.

    Examples
    --------
    >>> ExtractorConfig.of({"method": "attention", "attention_threshold": 0.2}).method
    'attention'
    """

    method: Method = "embedding"
    attention_threshold: float | Auto = 0.1
    similarity_threshold: float = 0.7
    citation_threshold: float = 0.8
    lexical_threshold: float = 0.2
    positive_feedback: float = 1.0
    negative_feedback: float = 0.3
    neutral_feedback: float = 0.5
    layer: int | None = None
    head: int | None = None
    reduction: Reduction = "mean"
    normalisation: Normalisation = "raw"
    top_k: int = 3
    heads: HeadCombination | None = None
    ensemble_weights: Mapping[str, float] = field(default_factory=lambda: ENSEMBLE, hash=False)
    hybrid_citation: float = 0.7
    note: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.method, str) or self.method not in METHODS:
            known = ", ".join(repr(name) for name in METHODS)
            raise InputError(
                f"There is no method {self.method!r}.{did_you_mean(self.method, METHODS)} "
                f"Choose one of {known}."
            )
        object.__setattr__(self, "attention_threshold", self.attention_policy.threshold)
        for name in (
            "similarity_threshold",
            "citation_threshold",
            "lexical_threshold",
            "hybrid_citation",
        ):
            object.__setattr__(self, name, self._policy(name).threshold)
        if not isinstance(self.note, str):
            raise InputError(f"`note` must be a text, not {self.note!r:.80}.")
        for name in ("layer", "head"):
            value = getattr(self, name)
            whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
            if value is not None and not whole:
                raise InputError(
                    f"`{name}` must be a whole number, or None for the mean, not {value!r}."
                )
        reduction_rule(self.reduction)
        normalisation_rule(self.normalisation)
        check_k(self.top_k)
        if self.heads is not None:
            object.__setattr__(self, "heads", HeadCombination.of(self.heads))
        object.__setattr__(self, "ensemble_weights", _weights(self.ensemble_weights))

    @classmethod
    def of(cls, value: ExtractorConfig | Mapping[str, Any] | None) -> ExtractorConfig:
        """Return a config from a mapping of its attributes; None gives the defaults.

        Raises
        ------
        InputError
            When a key is unknown; the message names the nearest that is known.
        """
        return settings_of(cls, value, "An extractor")

    @property
    def attention_policy(self) -> FeedbackPolicy:
        """The policy for attention and log-probabilities."""
        return self._policy("attention_threshold")

    @property
    def similarity_policy(self) -> FeedbackPolicy:
        """The policy for similarities."""
        return self._policy("similarity_threshold")

    @property
    def lexical_policy(self) -> FeedbackPolicy:
        """The policy for the overlap of words."""
        return self._policy("lexical_threshold")

    def _policy(self, name: str) -> FeedbackPolicy:
        auto = name == "attention_threshold"
        or_auto = ' or "auto"' if auto else ""
        try:
            value = getattr(self, name)
            return FeedbackPolicy(
                # Only attention has "auto": None is refused.
                None if value == AUTO and not auto else value,  # type: ignore[arg-type]
                self.positive_feedback,
                self.negative_feedback,
                self.neutral_feedback,
            )
        except InputError as error:
            if not str(error).startswith("Threshold"):
                raise
            raise InputError(
                f"`{name}` must be a number from 0 to 1{or_auto}, but it is "
                f"{getattr(self, name)!r}."
            ) from None


def as_python(settings: Mapping[str, Any], comment: str = "") -> str:
    """Return Python code that makes a `FeedbackExtractor` of these settings.

    Examples
    --------
    >>> print(as_python({"method": "attention", "layer": 20}), end="")
    from explorer import FeedbackExtractor
    <BLANKLINE>
    config = {'method': 'attention', 'layer': 20}
    extractor = FeedbackExtractor(config=config)
    """
    first_line = f"# {comment}\n" if comment else ""
    shown = pformat(dict(settings), width=96, compact=True, sort_dicts=False)
    return (
        f"from explorer import FeedbackExtractor\n\n{first_line}config = {shown}\n"
        "extractor = FeedbackExtractor(config=config)\n"
    )


def _weights(value: object) -> Mapping[str, float]:
    """Return a weight for each method of the ensemble; raise InputError if they are not valid."""
    if not isinstance(value, Mapping) or any(name not in ENSEMBLE for name in value):
        raise InputError(
            "`ensemble_weights` must be a mapping with some of the keys "
            f"{', '.join(ENSEMBLE)}, but it is {str(value)[:80]}."
        )
    weights = dict.fromkeys(ENSEMBLE, 0.0)
    for name, weight in value.items():
        number = float(weight) if isinstance(weight, Real) and _fits(weight) else -1.0
        if isinstance(weight, bool) or not isfinite(number) or number < 0.0:
            raise InputError(
                f"The ensemble's weight of {name} must be a number of 0 or more, not {weight!r}."
            )
        weights[name] = number
    if not 0.0 < sum(weights.values()) < float("inf"):
        raise InputError("At least one of the `ensemble_weights` must be above 0.")
    return MappingProxyType(weights)


def _fits(number: Real) -> bool:
    try:
        float(number)
    except OverflowError:
        return False
    return True
