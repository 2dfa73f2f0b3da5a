"""What the candidates of a calibration look at, read from the traces once."""

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
    """Read what every labelled unit got in every head.

    A setting or a reading counts when all traces bring it. What is unknown of a single unit (it was
    cut from the prompt, a head gives all units nothing to share) is 0: nothing looked better for
    being unknown.

    Parameters
    ----------
    traces
        With attention: scores or a matrix of their own, or as `score_traces` leaves them.
    places
        For each trace, which of its hyperedges are wanted.
    check
        Called before each trace; may raise `Cancelled`.

    Raises
    ------
    ValidationError
        A trace brings no attention, or one that cannot be used, or they come from models of
        different shapes.
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
                    f"Trace {trace.id} brings no attention, from which a head could be chosen. "
                    "score_traces(traces) records it."
                )
            shapes[found.attention.n_layers, found.attention.n_heads] += 1
            settings = _plain(found)
            shape, standard = _standardised(trace)
        except EvidenceError as error:
            raise ValidationError(
                f"The attention cannot be used: {error} Mend that, or leave the trace out."
            ) from error
        plain.append({name: scores[..., wanted] for name, scores in settings.items()})
        blocks.append({name: scores[..., wanted] for name, scores in standard.items()})
        read[shape] += 1
    for found_shapes in (shapes, read):
        if len(found_shapes) != 1:
            raise ValidationError(
                "The traces were read by models of different shapes (layers, heads): "
                f"{', '.join(map(str, sorted(found_shapes)))}. Calibrate on those of one model."
            )
    return CandidateFeatures(
        _distinct(_together(plain)), _together(blocks), next(iter(shapes)), next(iter(read))
    )


def _plain(found: Evidence) -> dict[PlainScores, NDArray[np.float32]]:
    """Scores in every setting, (columns, units): every head, and means over them."""
    assert found.attention is not None  # noqa: S101 - the caller looked
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
        # The mean over heads of sums is the sum of the mean; that of the largest is not.
        if reduction != "top-k" and len(columns) > 1:
            columns = np.concatenate([columns, heads.mean(axis=1), columns.mean(axis=0)[None]])
        reduced = columns[:, filled]
        for normalisation, scale in NORMALISATIONS.items():
            scores = columns.astype(np.float32)
            if filled.any():
                scores[:, filled] = scale.scores(reduced, rule.mass(reduced, tokens), tokens)
            # A policy takes scores as clipped to [0, 1], and no threshold lies beyond.
            scored[PlainScores(reduction, normalisation)] = np.clip(
                np.nan_to_num(scores, nan=0.0, posinf=0.0, neginf=0.0), 0.0, 1.0
            )
    return scored


def _standardised(
    trace: Trace,
) -> tuple[tuple[int, int], dict[StandardisedAttention, NDArray[np.float32]]]:
    """Layers and heads, and the standardised attention (layers x heads, units) of every reading.

    Nothing where there are none, or one number for each unit: there is no set to be made.
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
            looked = {False: readings[rows]}
            if CONTENT_FREE in readings:
                looked[True] = readings[rows] - readings[CONTENT_FREE]
            for free, reduced in looked.items():
                standard = standardised(reduced).astype(np.float32)
                found[StandardisedAttention(rows, free, reduction)] = np.nan_to_num(
                    standard, nan=0.0
                ).reshape(layers * heads, -1)
    return shape, found


def _together(parts: Sequence[_Arrays]) -> dict[Any, NDArray[np.float32]]:
    """What all traces bring, float32 (units, columns)."""
    return {
        name: np.concatenate([part[name] for part in parts], axis=-1).T.copy()
        for name in parts[0]
        if all(name in part for part in parts)
    }


def _distinct(
    plain: dict[PlainScores, NDArray[np.float32]],
) -> dict[PlainScores, NDArray[np.float32]]:
    """The settings without those that give the same scores as an earlier one."""
    kept: dict[PlainScores, NDArray[np.float32]] = {}
    for name, scores in plain.items():
        if not any(
            other.shape == scores.shape and np.allclose(other, scores, rtol=1e-5, atol=1e-9)
            for other in kept.values()
        ):
            kept[name] = scores
    return kept
