"""The attention of each head to each hyperedge, by the readings of a model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from explorer.errors import EvidenceError, InputError
from explorer.feedback import Reduction, score_all_heads
from explorer.feedback._head_combination import CONTENT_FREE
from explorer.traces._evidence.evidence_arrays import array_of
from explorer.traces._evidence.evidence_finder import evidence
from explorer.traces._evidence.evidence_map import whole_number
from explorer.traces._evidence.reduced_attention import token_counts
from explorer.traces._model.trace import Trace

_FIELDS = {
    "answer": ("unit_attention", "unit_topk"),
    "question": ("question_attention", "question_topk"),
    CONTENT_FREE: ("content_free_attention", "content_free_topk"),
}
"""Reading -> the metadata with its mass, and with the mean of its largest token attentions."""


def head_readings(
    trace: Trace, reduction: Reduction = "mass", k: int = 3
) -> dict[str, NDArray[np.float32]]:
    """Return the reduced attention of every hyperedge in every head, for each group of rows.

    Parameters
    ----------
    trace
        A trace of `score_traces`, or one with an attention matrix of its own, which is a reading of
        the answer.
    reduction, k
        Reduction of the tokens of a hyperedge to one number.

    Returns
    -------
    dict of str to ndarray of float32, shape (layers, heads, hyperedges)
        ``"answer"``, ``"question"`` and ``"content_free"``, as far as the trace has them in this
        reduction; separate rows are averaged. NaN for a hyperedge that was cut from the prompt and
        for infinite attention.

    Raises
    ------
    EvidenceError
        An array has another shape, the readings differ in layers and heads, or the largest token
        attentions were recorded for another `k`.
    """
    counts = token_counts(trace)
    if reduction == "mean" and counts is None:
        return _of_matrix(trace, reduction, k)
    if reduction == "top-k":
        _check_recorded_k(trace, k)
    found: dict[str, NDArray[np.float32]] = {}
    for name, fields in _FIELDS.items():
        field = fields[1 if reduction == "top-k" else 0]
        if trace.metadata.get(field) is None:
            continue
        reduced = array_of(trace, field)
        if reduced.ndim == 4:
            reduced = reduced.mean(axis=2)
        if reduced.ndim != 3 or reduced.shape[-1] != len(trace.hyperedges) or 0 in reduced.shape:
            raise EvidenceError(
                f"`{field}` of trace {trace.id} has shape {reduced.shape}; expected (layers, "
                f"heads, {len(trace.hyperedges)}), one column for each hyperedge."
            )
        with np.errstate(over="ignore"):  # numbers beyond float32 become infinite
            found[name] = np.array(reduced, dtype=np.float32)
        found[name][np.isinf(found[name])] = np.nan
        if counts is not None:
            found[name][..., [place for place, count in enumerate(counts) if not count]] = np.nan
            if reduction == "mean":
                found[name] /= np.maximum(np.array(counts, dtype=np.float32), 1.0)
    if len({reduced.shape for reduced in found.values()}) > 1:
        shapes = ", ".join(f"{name} {reduced.shape}" for name, reduced in found.items())
        raise EvidenceError(f"The readings of trace {trace.id} differ in shape: {shapes}.")
    return found or _of_matrix(trace, reduction, k)


def _check_recorded_k(trace: Trace, k: int) -> None:
    recorded = whole_number(trace.metadata.get("unit_topk_k", k))
    if recorded != k:
        raise EvidenceError(
            f"Trace {trace.id} was recorded with the {recorded} largest token attentions of each "
            f"hyperedge, not {k}."
        )


def _of_matrix(trace: Trace, reduction: Reduction, k: int) -> dict[str, NDArray[np.float32]]:
    """Return the attention of the answer's rows of the trace's own matrix."""
    if trace.metadata.get("attention_matrix") is None:
        return {}
    found = evidence(trace)
    if found.kind != "matrix" or found.attention is None:
        return {}
    try:
        reduced = score_all_heads(
            found.attention, found.units, found.rows, reduction=reduction, k=k
        )
    except InputError as error:
        raise EvidenceError(f"The attention of trace {trace.id} cannot be used: {error}") from error
    return {"answer": reduced}
