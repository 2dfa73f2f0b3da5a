"""Attention of selected rows to units, from one forward pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from explorer.attention._indexing import IntArray, KeySpans, Positions, some_rows
from explorer.attention._recorder._eager.eager_attention import run_eager
from explorer.attention._recorder._units.unit_reducer import TextUnits, UnitReducer
from explorer.attention._recorder.forward_pass import (
    checked_inputs,
    n_texts,
    run_recorded,
    with_items,
)
from explorer.attention._recorder.language_head import LanguageHead
from explorer.attention._recorder.model_preparation import unwrap
from explorer.attention._recorder.token_positions import TokenPositions
from explorer.attention._unit_attention import UnitAttention
from explorer.errors import InputError
from explorer.run_control import RunControl


@dataclass(frozen=True)
class ReducedText:
    """Results of one text of a batch.

    Attributes
    ----------
    attention
        Mass and top-k of its units.
    logprobs
        float64 (rows,): natural logarithms of the probabilities of the targets; None without
        targets, or if the model has no language head.
    more
        Mass and top-k over the text's further sets of rows, by name.
    """

    attention: UnitAttention
    logprobs: NDArray[np.float64] | None = None
    more: Mapping[str, UnitAttention] = field(default_factory=dict)


def record_units(
    model: Any,
    spans: Sequence[KeySpans],
    rows: Positions,
    *,
    k: int = 3,
    keep_rows: bool = False,
    names: Sequence[str] | None = None,
    **inputs: Any,
) -> UnitAttention:
    """Return the attention of some rows to some units, from one forward pass of a model.

    Each layer is reduced as soon as it has run: neither its queries and keys nor an n x n matrix is
    stored. The numbers equal `span_mass` and `span_topk` of `record_attention`.

    Parameters
    ----------
    model, **inputs
        As for `record_attention`, with one text. Of an encoder-decoder model the cross-attention
        is recorded: rows are decoder positions, spans encoder positions.
    spans
        One entry per unit: (start, stop), half open, or a sequence of such pairs.
    rows
        The query rows to reduce, such as those that predict the answer; None for all.
    k
        Number of positions of the top-k reduction.
    keep_rows
        Return the mass of every row; otherwise the mean over rows.
    names
        One name per unit; by default "unit 0", "unit 1" ...

    Returns
    -------
    UnitAttention
        Mass (layers, heads, units), or (layers, heads, rows, units) with `keep_rows`, and `topk`.

    Raises
    ------
    InputError
        A span or row lies outside the text, or the batch holds several texts.
    RecordingError
        The model ran but returned no attention.
    """
    return reduce_units(model, inputs, spans, rows, k=k, keep_rows=keep_rows, names=names)


def reduce_units(
    model: Any,
    inputs: dict[str, Any],
    spans: Sequence[KeySpans],
    rows: Positions,
    *,
    k: int = 3,
    keep_rows: bool = False,
    names: Sequence[str] | None = None,
    control: RunControl | None = None,
) -> UnitAttention:
    """Do what `record_units` does; `control` can stop it before the next layer."""
    if n_texts(checked_inputs(inputs)) != 1:
        raise InputError("record_units takes one text at a time: pass a batch of one.")
    units = [f"unit {number}" for number in range(len(spans))] if names is None else list(names)
    text = TextUnits(spans, rows, units)
    return reduce_texts(model, inputs, [text], k=k, keep_rows=keep_rows, control=control)[
        0
    ].attention


def reduce_texts(
    model: Any,
    inputs: dict[str, Any],
    texts: Sequence[TextUnits],
    *,
    k: int = 3,
    keep_rows: bool = False,
    control: RunControl | None = None,
) -> list[ReducedText]:
    """Return each text's attention to its own units, from one forward pass over a batch.

    Parameters
    ----------
    model
        As for `record_attention`.
    inputs
        Arguments of the model's `forward`. With an attention mask, rows and spans count the
        positions that are not padding; without one, all positions.
    texts
        Units and rows of each text of the batch. If all have targets, the same pass gives their
        log-probabilities; the language head runs on those rows only. `keep_rows` applies to
        `rows`; of `more_rows` the mean is returned.
    k, keep_rows
        As for `record_units`.
    control
        Its cancel event stops the pass before the next layer.

    Raises
    ------
    InputError
        The batch has another number of texts, a span or row lies outside its text, or targets and
        rows differ in number.
    RecordingError
        The model ran but returned no attention.
    Cancelled
        The cancel event of `control` was set.
    """
    control = control or RunControl()
    module, arguments = unwrap(model), checked_inputs(inputs)
    if n_texts(arguments) != len(texts):
        raise InputError(
            f"The batch holds {n_texts(arguments)} texts, but units were given for {len(texts)}."
        )
    head = _head(module, arguments, texts)
    positions = TokenPositions(module, arguments)
    reducer = UnitReducer(module, positions, texts, k=k, keep_rows=keep_rows)
    reason = run_recorded(
        module, arguments, reducer.add, control, positions=positions, head=head, holds=False
    )
    if reason is not None:
        maps = run_eager(module, arguments, reason, control, positions=positions, head=head)
        reducer.add_maps(with_items(maps))
    found = None if head is None else head.logprobs
    reduced = []
    for item, by_name in enumerate(reducer.results()):
        more = {name: attention for name, attention in by_name.items() if name is not None}
        reduced.append(ReducedText(by_name[None], None if found is None else found[item], more))
    return reduced


def _head(
    module: nn.Module, arguments: dict[str, Any], texts: Sequence[TextUnits]
) -> LanguageHead | None:
    """Return the language head if all texts have targets and the model has one, else None."""
    written = "decoder_input_ids" in arguments
    ids = arguments.get("decoder_input_ids" if written else "input_ids")
    mask = "decoder_attention_mask" if written else "attention_mask"
    if ids is None:
        return None
    tokens = TokenPositions(module, arguments)
    rows: list[IntArray] = []
    targets: list[IntArray] = []
    for item, text in enumerate(texts):
        if text.targets is None:
            return None
        kept = tokens.kept(mask, ids.shape[1], item)
        kept = np.arange(ids.shape[1]) if kept is None else kept
        rows.append(kept[some_rows(text.rows, len(kept))])
        targets.append(np.asarray(text.targets, dtype=np.int64))
        if len(targets[-1]) != len(rows[-1]):
            raise InputError(
                f"Text {item} has {len(rows[-1])} rows but {len(targets[-1])} targets: give one "
                "vocabulary id for each row."
            )
    return LanguageHead.of(module, rows, targets, ids.shape[1])
