"""The result of an ablation, as stored in the metadata of a trace."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from explorer.errors import EvidenceError
from explorer.rag._scoring.trace_task import digest
from explorer.traces import Trace
from explorer.validation._ablation.prompt_masks import Masks
from explorer.validation._ablation.surrogate import Surrogate

MARK = "ablation"
"""Key of the result in the metadata of a trace."""


class AblationRecord(msgspec.Struct, omit_defaults=True):
    """`metadata["ablation"]` of a trace, as in JSON; null is unknown."""

    model: str
    reader: str
    trace: str
    texts: str
    settings: str
    answer_tokens: int
    full_logprob: float
    none_logprob: float
    leave_one_out: list[float | None]
    seed: int = 0
    masks: list[list[int]] = []
    mask_logprobs: list[float] = []
    surrogate: list[float | None] | None = None
    surrogate_intercept: float = 0.0
    surrogate_alpha: float = 0.0
    surrogate_held_out: float | None = None
    sets: list[list[str]] = []
    set_logprobs: list[float] = []
    generated: bool = False
    notes: list[str] = []


@dataclass(frozen=True, eq=False)
class Ablation:
    """Log-probabilities of an answer without some of the hyperedges, in natural logarithms.

    Attributes
    ----------
    model
        Name of the model that read the prompts.
    full_logprob, none_logprob
        Log-probability of the whole answer with all hyperedges, and without any.
    answer_tokens
        Number of tokens of the answer.
    effects
        float64 (hyperedges,): `full_logprob` minus the log-probability without this hyperedge
        alone; positive if the answer needs it. NaN for a hyperedge without text.
    masks
        bool (masks, hyperedges): random prompts, True for each kept hyperedge.
    mask_logprobs
        float64 (masks,).
    surrogate
        The sparse linear model of the masks; None without masks. Its weights are NaN for a
        hyperedge without text.
    sets, set_drops
        Sets of hyperedge ids that were left out together, and `full_logprob` minus the
        log-probability without them.
    generated
        Whether the model wrote the answer.
    notes
        Sentences that belong to the numbers.
    """

    model: str
    full_logprob: float
    none_logprob: float
    answer_tokens: int
    effects: NDArray[np.float64]
    masks: Masks
    mask_logprobs: NDArray[np.float64]
    surrogate: Surrogate | None
    sets: tuple[tuple[str, ...], ...]
    set_drops: NDArray[np.float64]
    generated: bool
    notes: tuple[str, ...]


def ablation_of(trace: Trace) -> Ablation | None:
    """Return the result of `ablate` for a trace.

    Returns
    -------
    Ablation or None
        None for a trace that was not ablated, for a failed ablation (its reason is in
        `metadata["ablation"]["problem"]`), and if question, answer or hyperedges have changed
        since.

    Raises
    ------
    EvidenceError
        The metadata were not written by `ablate`.
    """
    found = ablation_record(trace)
    if found is None or found.texts != texts_digest(trace):
        return None
    n_units = len(trace.hyperedges)
    fits = (
        {n_units} == {len(found.leave_one_out), *map(len, found.masks)}
        and len(found.mask_logprobs) == len(found.masks)
        and len(found.set_logprobs) == len(found.sets)
        and (found.surrogate is None or len(found.surrogate) == n_units)
    )
    if not fits:
        raise _foreign(trace, "its lists have other lengths than the hyperedges or the masks")
    if found.answer_tokens < 1 or not isfinite(found.full_logprob + found.none_logprob):
        raise _foreign(trace, "its answer has no tokens, or a log-probability that is not a number")
    masks = np.array(found.masks, dtype=np.bool_).reshape(len(found.masks), n_units)
    surrogate = None
    if found.surrogate is not None:
        held_out = found.surrogate_held_out
        surrogate = Surrogate(
            _floats(found.surrogate),
            found.surrogate_intercept,
            found.surrogate_alpha,
            float("nan") if held_out is None else held_out,
        )
    return Ablation(
        model=found.model,
        full_logprob=found.full_logprob,
        none_logprob=found.none_logprob,
        answer_tokens=found.answer_tokens,
        effects=_floats(found.leave_one_out),
        masks=masks,
        mask_logprobs=_floats(found.mask_logprobs),
        surrogate=surrogate,
        sets=tuple(tuple(one) for one in found.sets),
        set_drops=found.full_logprob - _floats(found.set_logprobs),
        generated=found.generated,
        notes=tuple(found.notes),
    )


def ablation_record(trace: Trace) -> AblationRecord | None:
    """Return the record in the metadata; None without one, or if the ablation failed.

    Raises
    ------
    EvidenceError
        The metadata hold something else.
    """
    value = trace.metadata.get(MARK)
    if value is None or (isinstance(value, dict) and "problem" in value):
        return None
    try:
        return msgspec.convert(value, AblationRecord)
    except msgspec.ValidationError as error:
        raise _foreign(trace, str(error)) from None


def texts_digest(trace: Trace) -> str:
    """Return a digest of the texts of a trace that a model reads."""
    edges = [[edge.id, edge.hyperedge] for edge in trace.hyperedges]
    return digest([trace.query, trace.answer, edges])


def _floats(values: list[Any]) -> NDArray[np.float64]:
    return np.array([np.nan if one is None else one for one in values], dtype=np.float64)


def _foreign(trace: Trace, reason: str) -> EvidenceError:
    return EvidenceError(
        f"The `{MARK}` of trace {trace.id} was not written by ablate ({reason}). Remove it from "
        "the metadata, and ablate again."
    )
