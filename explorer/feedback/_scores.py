"""Scores from attention: one number per unit, for one head, for the mean, or for every head."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.errors import InputError
from explorer.feedback._normalisations import Normalisation, normalisation_rule
from explorer.feedback._reductions import (
    Attention,
    Reduction,
    check_k,
    reduction_rule,
    token_counts,
)
from explorer.feedback._score_settings import ScoreSettings, check_index, score_settings
from explorer.feedback._unit_pieces import UnitPieces
from explorer.feedback._units import Unit, check_in_range

# Rows are averaged in blocks of about this many weights, so that a long input never needs its
# whole queries x keys matrix in memory.
_BLOCK_WEIGHTS = 1 << 24


def score_units(
    attention: Attention,
    units: Sequence[Unit],
    rows: Any = None,
    layer: int | None = None,
    head: int | None = None,
    *,
    reduction: Reduction = "mean",
    normalisation: Normalisation = "raw",
    k: int = 3,
    settings: ScoreSettings | None = None,
) -> NDArray[np.float64]:
    """Return one score per unit.

    With ``a[k]`` the attention of key column ``k`` averaged over `rows`, and over layers and heads
    where those are None:

    * ``mass`` is the sum of ``a`` over the unit's positions, ``mean`` is mass / tokens, ``top-k``
      the mean of its min(k, tokens) largest ``a``;
    * ``raw`` is that number, ``share`` is it divided by its sum over all units, ``lift`` is
      ``(m / sum of m) / (tokens / sum of tokens)``, shown as lift / (1 + lift). Here ``m`` is the
      unit's mass; for top-k it is top-k x tokens, as if all its tokens received that much.

    A unit with parts is reduced part by part: the mean over them of weight x reduced attention.

    Parameters
    ----------
    attention : AttentionMap
    units : sequence of Unit
    rows : int array, slice or None
        Query rows to average over; None for all.
    layer, head : int or None
        None for the mean; negative numbers count from the end.
    reduction : {"mean", "mass", "top-k"}
    normalisation : {"raw", "share", "lift"}
    k : int, default 3
        For top-k.
    settings : ScoreSettings, optional
        All of these in one object, instead of the single parameters.

    Returns
    -------
    ndarray of float64, shape (units,)
        0 for an empty unit; NaN for an unknown one and for infinite attention. Where all units
        together receive nothing, shares and lifts are NaN.

    Raises
    ------
    InputError
        When a span, layer or head is out of range, no row is left, a name or `k` is wrong, or
        `settings` comes together with single parameters.

    Notes
    -----
    Where a key column represents a whole unit instead of a token, top-k was taken head by head
    when the attention was recorded; a mean over heads is then the mean of those numbers.
    """
    chosen = score_settings(
        settings,
        layer=layer,
        head=head,
        rows=rows,
        reduction=reduction,
        normalisation=normalisation,
        k=k,
    )
    return unit_scores(attention, units, chosen)


def unit_scores(
    attention: Attention, units: Sequence[Unit], settings: ScoreSettings
) -> NDArray[np.float64]:
    """Return what `score_units` returns, for settings in one object."""
    rule = reduction_rule(settings.reduction)
    scale = normalisation_rule(settings.normalisation)
    rows, k = settings.rows, settings.k
    _check_kinds(attention, units)
    check_in_range(units, attention.n_keys)
    layer = check_index("layer", settings.layer, attention.n_layers)
    head = check_index("head", settings.head, attention.n_heads)
    filled = [unit for unit in units if unit.filled]
    scores = _unscored(units)
    if not filled:
        return scores
    tokens = token_counts(filled)
    pieces = UnitPieces.of(filled)
    if rule.name == "top-k" and not _columns_are_tokens(pieces.units):
        heads = rule.all_heads(attention, pieces.spans, token_counts(pieces.units), rows, k)
        by_piece = _select(heads, layer, head)
    else:
        received = _received(attention, rows, layer, head)
        by_piece = np.array([rule.columns(received, piece, k) for piece in pieces.units])
    reduced = pieces.joined(by_piece)
    scores[_filled_mask(units)] = scale.scores(reduced, rule.mass(reduced, tokens), tokens)
    scores[np.isinf(scores)] = np.nan
    return scores


def score_all_heads(
    attention: Attention,
    units: Sequence[Unit],
    rows: Any = None,
    *,
    reduction: Reduction = "mean",
    normalisation: Normalisation = "raw",
    k: int = 3,
    settings: ScoreSettings | None = None,
) -> NDArray[np.float32]:
    """Return the score of every unit in every head: `score_units` for all (layer, head) at once.

    Parameters
    ----------
    attention, units, rows, reduction, normalisation, k
        As in `score_units`.
    settings : ScoreSettings, optional
        All of these in one object, instead of the single parameters; without a layer or head.

    Returns
    -------
    ndarray of float32, shape (layers, heads, units)

    Raises
    ------
    InputError
        As in `score_units`, or when the settings name a layer or a head.
    """
    chosen = score_settings(
        settings, rows=rows, reduction=reduction, normalisation=normalisation, k=k
    )
    if chosen.layer is not None or chosen.head is not None:
        raise InputError(
            f"Every layer and head is scored, but the settings choose one: {chosen!r}. "
            "settings.replace(layer=None, head=None) chooses none."
        )
    rule, scale = reduction_rule(chosen.reduction), normalisation_rule(chosen.normalisation)
    rows, k = chosen.rows, chosen.k
    _check_kinds(attention, units)
    check_in_range(units, attention.n_keys)
    shape = (attention.n_layers, attention.n_heads, len(units))
    scores = np.broadcast_to(_unscored(units), shape).astype(np.float32)
    filled = [unit for unit in units if unit.filled]
    if not filled:
        return scores
    tokens = token_counts(filled)
    pieces = UnitPieces.of(filled)
    by_piece = rule.all_heads(attention, pieces.spans, token_counts(pieces.units), rows, k)
    reduced = pieces.joined(by_piece)
    scores[:, :, _filled_mask(units)] = scale.scores(reduced, rule.mass(reduced, tokens), tokens)
    scores[np.isinf(scores)] = np.nan
    return scores


def reachable_scores(
    units: Sequence[Unit],
    reduction: Reduction = "mean",
    normalisation: Normalisation = "raw",
    k: int = 3,
) -> NDArray[np.float64]:
    """Return the largest score that each unit can get when each row of attention sums to 1.

    For mean 1/tokens, for mass 1, for top-k 1/min(k, tokens); for share 1; for lift T/(T + tokens)
    with T the tokens of all units. An empty unit reaches 0.

    Returns
    -------
    ndarray of float64, shape (units,)
    """
    rule, scale = reduction_rule(reduction), normalisation_rule(normalisation)
    check_k(k)
    reachable = np.zeros(len(units), dtype=np.float64)
    filled = [unit for unit in units if unit.filled]
    if filled:
        tokens = token_counts(filled)
        pieces = UnitPieces.of(filled)
        # All attention on the part that gives the largest score.
        by_piece = rule.reachable(token_counts(pieces.units), k) * pieces.weights
        reduced = np.maximum.reduceat(by_piece, pieces.starts)
        reachable[_filled_mask(units)] = scale.reachable(reduced, tokens)
    return reachable


def _check_kinds(attention: object, units: Sequence[object]) -> None:
    """Raise InputError unless the attention is a map and each unit is a Unit."""
    if not hasattr(attention, "n_keys"):
        raise InputError(
            f"The attention must be an AttentionMap, but it is a {type(attention).__name__}. "
            "DenseAttention(array) makes one of an array."
        )
    odd = next((unit for unit in units if not isinstance(unit, Unit)), None)
    if odd is not None:
        raise InputError(
            f"Each unit must be a Unit, but one is a {type(odd).__name__}. "
            "Unit.from_spans(name, text, [(start, stop)]) makes one."
        )


def _filled_mask(units: Sequence[Unit]) -> NDArray[np.bool_]:
    return np.array([unit.filled for unit in units], dtype=bool)


def _unscored(units: Sequence[Unit]) -> NDArray[np.float64]:
    """Return the scores of units without columns: 0, or NaN for unknown ones; (units,)."""
    return np.array([np.nan if unit.unknown else 0.0 for unit in units], dtype=np.float64)


def _columns_are_tokens(units: Sequence[Unit]) -> bool:
    # A unit with more tokens than columns has a column that is already a sum over its tokens.
    return all(unit.tokens == sum(stop - start for start, stop in unit.spans) for unit in units)


def _select(heads: NDArray[np.float64], layer: int | None, head: int | None) -> NDArray[np.float64]:
    layers = heads.mean(axis=0) if layer is None else heads[layer]
    selected: NDArray[np.float64] = layers.mean(axis=0) if head is None else layers[head]
    return selected


def _received(
    attention: Attention, rows: Any, layer: int | None, head: int | None
) -> NDArray[np.float64]:
    """Return the attention of every key column, averaged over the rows; (keys,)."""
    total = np.zeros(attention.n_keys, dtype=np.float64)
    count = 0
    # A map that can be read without a copy says so; any other map has `weights`.
    read = getattr(attention, "weights_view", attention.weights)
    for block in _row_blocks(attention, rows):
        weights = read(layer=layer, head=head, rows=block)
        total += weights.sum(axis=0, dtype=np.float64)
        count += weights.shape[0]
    if count == 0:
        raise InputError("There are no query rows to average over: choose at least one row.")
    return total / count


def _row_blocks(attention: Attention, rows: Any) -> Iterator[Any]:
    per_block = max(1, _BLOCK_WEIGHTS // attention.n_keys)
    if rows is None:
        if attention.n_queries <= per_block:
            yield None
            return
        indices = np.arange(attention.n_queries)
    elif isinstance(rows, slice):
        indices = np.arange(attention.n_queries)[rows]
    else:
        indices = np.asarray(rows)
        if indices.dtype == bool:
            indices = np.flatnonzero(indices)
    for start in range(0, len(indices), per_block):
        yield indices[start : start + per_block]
