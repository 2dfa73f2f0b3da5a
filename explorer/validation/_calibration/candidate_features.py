"""Features of the candidates of a calibration, read from the traces once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from explorer.errors import EvidenceError, InputError, ValidationError
from explorer.feedback import NORMALISATIONS, REDUCTIONS, Reduction, score_all_heads
from explorer.feedback._head_combination import CONTENT_FREE, RowGroup, standardised
from explorer.traces import Evidence, Trace, evidence, head_readings
from explorer.validation._calibration.head_candidates import (
    TOP_K,
    CandidateFeatures,
    PlainScores,
    StandardisedAttention,
)

_ROWS: Final[tuple[RowGroup, ...]] = ("answer", "question")
_Arrays = dict[Any, NDArray[np.float32]]


def features_of(
    traces: Iterable[Trace],
    places: Sequence[Sequence[int]],
    check: Callable[[], None] = lambda: None,
) -> CandidateFeatures:
    """Return the attention of every head to the labelled units.

    A setting or a reading is kept if all traces have it. An unknown value of a single unit (it was
    cut from the prompt, or a head gives no unit any attention) is 0, so an unknown value never
    improves a score.

    Parameters
    ----------
    traces
        With attention: given scores or a given matrix, or as `score_traces` returns them.
    places
        For each trace, the indices of its labelled hyperedges.
    check
        Called before each trace; may raise `Cancelled`.

    Raises
    ------
    ValidationError
        A trace has no attention or attention that cannot be used, or the traces were read by models
        of different shapes.
    """
    plain: list[_Arrays] = []
    blocks: list[_Arrays] = []
    shapes: Counter[tuple[int, int]] = Counter()
    read: Counter[tuple[int, int]] = Counter()
    for trace, wanted in zip(traces, places, strict=True):
        check()
        try:
            found = evidence(trace)
            if found.attention is None:
                raise ValidationError(
                    f"Trace {trace.id} has no attention, so no head can be chosen. "
                    "score_traces(traces) records it."
                )
            shapes[found.attention.n_layers, found.attention.n_heads] += 1
            settings = _plain(found)
            shape, standard = _standardised(trace)
        except EvidenceError as error:
            raise ValidationError(
                f"The attention cannot be used: {error} Correct it, or leave the trace out."
            ) from error
        plain.append({name: scores[..., wanted] for name, scores in settings.items()})
        blocks.append({name: scores[..., wanted] for name, scores in standard.items()})
        read[shape] += 1
    for found_shapes in (shapes, read):
        if len(found_shapes) != 1:
            raise ValidationError(
                "The traces were read by models of different shapes (layers, heads): "
                f"{', '.join(map(str, sorted(found_shapes)))}. Calibrate on traces of one model."
            )
    return CandidateFeatures(
        _distinct(_together(plain)), _together(blocks), next(iter(shapes)), next(iter(read))
    )


def _plain(found: Evidence) -> dict[PlainScores, NDArray[np.float32]]:
    """Return scores in every setting, (columns, units): every head, and means over them."""
    assert found.attention is not None  # noqa: S101 - checked by the caller
    shape = found.attention.n_layers, found.attention.n_heads
    filled = np.array([unit.filled for unit in found.units], dtype=bool)
    tokens = np.array([unit.tokens for unit in found.units], dtype=np.int64)[filled]
    scored: dict[PlainScores, NDArray[np.float32]] = {}
    for reduction, rule in REDUCTIONS.items():
        try:
            heads = score_all_heads(
                found.attention, found.units, found.rows, reduction=reduction, k=TOP_K
            ).astype(np.float64)
        except InputError:  # the largest token attentions were not recorded
            continue
        columns = heads.reshape(shape[0] * shape[1], -1)
        # Reducing the mean over heads equals the mean of reduced heads, except for top-k.
        if reduction != "top-k" and len(columns) > 1:
            columns = np.concatenate([columns, heads.mean(axis=1), columns.mean(axis=0)[None]])
        reduced = columns[:, filled]
        for normalisation, scale in NORMALISATIONS.items():
            scores = columns.astype(np.float32)
            if filled.any():
                scores[:, filled] = scale.scores(reduced, rule.mass(reduced, tokens), tokens)
            # A policy clips scores to [0, 1], and thresholds lie there too.
            scored[PlainScores(reduction, normalisation)] = np.clip(
                np.nan_to_num(scores, nan=0.0, posinf=0.0, neginf=0.0), 0.0, 1.0
            )
    return scored


def _standardised(
    trace: Trace,
) -> tuple[tuple[int, int], dict[StandardisedAttention, NDArray[np.float32]]]:
    """Return layers and heads, and standardised attention (layers x heads, units) of every reading.

    Empty if there are no readings, or one number for each unit: there are no heads to combine.
    """
    found: dict[StandardisedAttention, NDArray[np.float32]] = {}
    shape = (1, 1)
    reductions: tuple[Reduction, ...] = ("mass", "mean", "top-k")
    for reduction in reductions:
        try:
            readings = head_readings(trace, reduction, TOP_K)
        except EvidenceError:
            if reduction == "mass":
                raise
            continue
        for rows in _ROWS:
            if rows not in readings or readings[rows].shape[:2] == (1, 1):
                continue
            layers, heads = readings[rows].shape[:2]
            shape = (layers, heads)
            readings_by_kind = {False: readings[rows]}
            if CONTENT_FREE in readings:
                readings_by_kind[True] = readings[rows] - readings[CONTENT_FREE]
            for free, reduced in readings_by_kind.items():
                standard = standardised(reduced).astype(np.float32)
                found[StandardisedAttention(rows, free, reduction)] = np.nan_to_num(
                    standard, nan=0.0
                ).reshape(layers * heads, -1)
    return shape, found


def _together(parts: Sequence[_Arrays]) -> dict[Any, NDArray[np.float32]]:
    """Return the arrays that all traces have, float32 (units, columns)."""
    return {
        name: np.concatenate([part[name] for part in parts], axis=-1).T.copy()
        for name in parts[0]
        if all(name in part for part in parts)
    }


def _distinct(
    plain: dict[PlainScores, NDArray[np.float32]],
) -> dict[PlainScores, NDArray[np.float32]]:
    """Return the settings without those that give the same scores as an earlier one."""
    kept: dict[PlainScores, NDArray[np.float32]] = {}
    for name, scores in plain.items():
        if not any(
            other.shape == scores.shape and np.allclose(other, scores, rtol=1e-5, atol=1e-9)
            for other in kept.values()
        ):
            kept[name] = scores
    return kept
