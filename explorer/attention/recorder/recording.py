"""Recording the attention of a transformers model at the cost of a plain forward pass.

The stock way, `output_attentions=True`, forces eager attention and stores layers x heads x n x n
numbers. Here the model runs with SDPA, and only queries and keys are kept: the weights are
softmax(query key^T * scaling + mask), worked out for the window that somebody looks at.
"""

from __future__ import annotations

import inspect
import threading
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor, nn

from explorer.attention.dense import DenseAttention
from explorer.attention.maps import AttentionMap
from explorer.attention.recorder.capturing import IMPLEMENTATION, NeedsEagerError, Tape, taping
from explorer.attention.recorder.recorded import Capture, RecordedAttention
from explorer.attention.recorder.reduction import UnitReducer
from explorer.attention.recorder.running import (
    follows_interface,
    prepared,
    transformers_model,
    unwrap,
    without_head,
)
from explorer.attention.recorder.stacks import Stack, Stacks, find_stacks, kept_positions
from explorer.attention.selection import Positions, Span
from explorer.attention.units import UnitAttention
from explorer.errors import AttentionFallbackWarning, Cancelled, InputError, RecordingError

# Asked for by callers who know the stock way; recording needs none of it.
_OUTPUT_SWITCHES = ("output_attentions", "output_hidden_states", "return_dict")


def record_attention(model: Any, **inputs: Any) -> AttentionMap:
    """Run a model once and return its attention.

    Parameters
    ----------
    model
        A transformers model, or an object that holds one as `torch_model`. It is left as it was
        found, also after an error.
    **inputs
        What the model's forward takes: `input_ids`, `attention_mask`, `inputs_embeds`,
        `decoder_input_ids` ... as tensors with a batch dimension.

    Returns
    -------
    AttentionMap
        For several texts, the first: `.batch(i)` gives each. Pad positions are dropped. For an
        encoder-decoder model it is the decoder's self-attention, with `.encoder` and `.cross`.

    Raises
    ------
    InputError
        There are no inputs, no batch dimension, or no tokens.
    RecordingError
        The model ran but gave no attention.

    Warns
    -----
    AttentionFallbackWarning
        The model has no attention interface (DeBERTa), so eager attention was used.
    """
    return record(model, inputs)


def record_units(
    model: Any,
    spans: Sequence[Span],
    rows: Positions,
    *,
    k: int = 3,
    keep_rows: bool = False,
    names: Sequence[str] | None = None,
    **inputs: Any,
) -> UnitAttention:
    """Run a model once and return only the attention of some rows to some units.

    Each layer is reduced as soon as it has run: neither its queries and keys nor anything of size
    n x n is held. The numbers are those of `span_mass` and `span_topk` on `record_attention`.

    Parameters
    ----------
    model, **inputs
        As for `record_attention`, with one text. An encoder-decoder model is read by its
        cross-attention: rows are decoder positions, spans encoder positions.
    spans
        One entry per unit: (start, stop), half open, or a sequence of such pairs.
    rows
        The query rows that count, such as those that predict the answer; None for all.
    k
        For the top-k reduction.
    keep_rows
        Keep the mass of every row, not only their mean.
    names
        One name per unit; "unit 0", "unit 1" ... if left out.

    Returns
    -------
    UnitAttention
        Mass (layers, heads, units), or (layers, heads, rows, units) with `keep_rows`, and `topk`.

    Raises
    ------
    InputError
        A span or row lies outside the text, or the batch holds several texts.
    RecordingError
        The model ran but gave no attention.
    """
    return reduce_units(model, inputs, spans, rows, k=k, keep_rows=keep_rows, names=names)


def record(
    model: Any, inputs: dict[str, Any], *, cancel: threading.Event | None = None
) -> AttentionMap:
    """Do what `record_attention` does; `cancel`, once set, stops it before the next layer.

    Raises
    ------
    Cancelled
        `cancel` was set.
    """
    module, arguments = unwrap(model), _checked(inputs)
    captures: list[tuple[nn.Module, Capture]] = []
    reason = _tape(module, arguments, lambda part, kept: captures.append((part, kept)), cancel)
    if reason is not None:
        return _eager(module, arguments, reason, cancel)
    stacks = find_stacks(module, captures)
    return _assemble(stacks, arguments)


def reduce_units(
    model: Any,
    inputs: dict[str, Any],
    spans: Sequence[Span],
    rows: Positions,
    *,
    k: int = 3,
    keep_rows: bool = False,
    names: Sequence[str] | None = None,
    cancel: threading.Event | None = None,
) -> UnitAttention:
    """Do what `record_units` does; `cancel`, once set, stops it before the next layer."""
    module, arguments = unwrap(model), _checked(inputs)
    if _n_texts(arguments) != 1:
        raise InputError("record_units takes one text at a time: pass a batch of one.")
    units = [f"unit {number}" for number in range(len(spans))] if names is None else list(names)
    reducer = UnitReducer(module, arguments, spans, rows, k=k, keep_rows=keep_rows)
    reason = _tape(module, arguments, reducer.add, cancel)
    if reason is not None:
        dense = _eager(module, arguments, reason, cancel)
        reducer.add_map(dense.cross if dense.cross is not None else dense)
    return reducer.result(units)


def _checked(inputs: dict[str, Any]) -> dict[str, Any]:
    """Return the inputs without switches that recording decides itself."""
    arguments = {name: value for name, value in inputs.items() if name not in _OUTPUT_SWITCHES}
    tensors = {name: value for name, value in arguments.items() if isinstance(value, Tensor)}
    for name in ("input_ids", "inputs_embeds", "decoder_input_ids"):
        if arguments.get(name) is not None and name not in tensors:
            raise InputError(
                f"{name} must be a torch tensor, but it is a {type(arguments[name]).__name__}. "
                f"Try torch.as_tensor({name})."
            )
    if not tensors:
        raise InputError(
            "There is nothing to run: pass what the model takes, such as "
            "record_attention(model, **tokenizer(text, return_tensors='pt'))."
        )
    for name in ("input_ids", "inputs_embeds", "decoder_input_ids"):
        value = tensors.get(name)
        if value is None:
            continue
        if value.ndim != (3 if name == "inputs_embeds" else 2):
            raise InputError(
                f"{name} needs a batch dimension, (texts, tokens{', size' * (value.ndim == 2)}); "
                f"got shape {tuple(value.shape)}. Try {name}[None]."
            )
        if 0 in value.shape:
            raise InputError(f"{name} holds no tokens: its shape is {tuple(value.shape)}.")
    return arguments


def _n_texts(arguments: dict[str, Any]) -> int:
    for name in ("input_ids", "inputs_embeds", "decoder_input_ids"):
        if isinstance(arguments.get(name), Tensor):
            return int(arguments[name].shape[0])
    return 1


def _tape(
    module: nn.Module,
    arguments: dict[str, Any],
    keep: Any,
    cancel: threading.Event | None,
) -> str | None:
    """Run the model with recording attention; return why that is impossible, or None."""
    inner = transformers_model(module)
    if inner is None:
        raise InputError(
            f"{type(module).__name__} holds no transformers model, and only those can be recorded."
        )
    if not follows_interface(inner):
        return f"{type(inner).__name__} has no attention interface"
    calls = 0

    def counted(part: nn.Module, capture: Capture) -> None:
        nonlocal calls
        calls += 1
        keep(part, capture)

    tape = Tape(counted, cancel, copy_keys=arguments.get("past_key_values") is not None)
    tape.check_cancelled()
    try:
        with prepared(module, IMPLEMENTATION, cancel), taping(tape):
            _forward(module, arguments)
    except NeedsEagerError as reason:
        return f"{type(inner).__name__} cannot be recorded: {reason}"
    return None if calls else f"{type(inner).__name__} did not call the attention interface"


def _forward(module: nn.Module, arguments: dict[str, Any], **switches: Any) -> Any:
    """Run the model, without its language head where no attention comes from it."""
    runner = without_head(module, arguments)
    call = dict(arguments)
    if "past_key_values" not in call:
        call.setdefault("use_cache", False)
    if not isinstance(call.get("use_cache"), bool) or not _takes(runner, "use_cache"):
        call.pop("use_cache", None)
    try:
        return runner(**call, **switches)
    except ValueError as error:
        inner = transformers_model(module)
        writes = inner is not None and bool(getattr(inner.config, "is_encoder_decoder", False))
        given = any(name.startswith("decoder_") or name == "labels" for name in arguments)
        if writes and not given and "input_ids" in str(error):
            raise InputError(
                "This model writes its answer with a decoder: pass decoder_input_ids too, "
                "the tokens it has written so far."
            ) from error
        raise


def _takes(module: nn.Module, name: str) -> bool:
    return name in inspect.signature(type(module).forward).parameters


def _assemble(stacks: Stacks, arguments: dict[str, Any]) -> AttentionMap:
    """Make one map per text, with its encoder and cross-attention."""
    n_texts = stacks.main.captures[0].query.shape[0]
    notes = stacks.notes
    if n_texts > 1:
        notes += (f"The batch holds {n_texts} texts: each map is one of them, see batch().",)
    items = []
    for item in range(n_texts):
        attention = _one_map(stacks.main, arguments, item, stacks.query_mask, notes=notes)
        if stacks.encoder is not None:
            attention.encoder = _one_map(stacks.encoder, arguments, item, stacks.key_mask)
        if stacks.cross is not None:
            attention.cross = _one_map(
                stacks.cross, arguments, item, stacks.query_mask, stacks.key_mask
            )
        items.append(attention)
    return _with_items(items)


def _with_items(items: Sequence[AttentionMap]) -> AttentionMap:
    if len(items) > 1:
        for attention in items:
            attention._items = tuple(items)  # noqa: SLF001 - set once, by its maker
    return items[0]


def _one_map(
    stack: Stack,
    arguments: dict[str, Any],
    item: int,
    query_mask: str,
    key_mask: str | None = None,
    notes: Sequence[str] = (),
) -> RecordedAttention:
    """Make the map of one text from a stack; a `key_mask` of its own means cross-attention."""
    _, n_queries, n_keys = stack.captures[0].shape
    kept_queries = kept_positions(arguments, query_mask, n_queries, item)
    kept_keys = kept_positions(arguments, key_mask or query_mask, n_keys, item)
    offset = None
    if key_mask is None:
        before = np.arange(n_keys - n_queries)  # keys that a cache held already
        offset = len(before) if kept_keys is None else int(np.isin(kept_keys, before).sum())
    return RecordedAttention(
        stack.captures,
        item=item,
        kept_queries=kept_queries,
        kept_keys=kept_keys,
        query_offset=offset,
        layer_numbers=stack.layer_numbers,
        notes=notes,
    )


def _eager(
    module: nn.Module, arguments: dict[str, Any], reason: str, cancel: threading.Event | None
) -> AttentionMap:
    """Run the stock way, eager attention with `output_attentions`, and say so."""
    note = (
        f"{reason}, so eager attention was used: the same weights, but slower and with all of "
        "them in memory."
    )
    warnings.warn(note, AttentionFallbackWarning, stacklevel=4)
    with prepared(module, "eager", cancel):
        outputs = _forward(module, arguments, output_attentions=True)
    if cancel is not None and cancel.is_set():
        raise Cancelled("Recording was stopped.")
    cross = _layers(outputs, "cross_attentions")
    main = _layers(outputs, "decoder_attentions") or _layers(outputs, "attentions")
    encoder = _layers(outputs, "encoder_attentions")
    main, encoder = (main, encoder) if main else (encoder, ())
    if not main:
        raise RecordingError(
            f"{type(module).__name__} gave no attention. Load it with attn_implementation='eager' "
            "and try again."
        )
    queries, keys = "attention_mask", "encoder_attention_mask"
    if cross and encoder:
        queries, keys = "decoder_attention_mask", "attention_mask"
    items: list[AttentionMap] = []
    for item in range(len(main[0])):
        attention = _dense(main, arguments, item, queries, queries, (note,))
        if encoder:
            attention.encoder = _dense(encoder, arguments, item, keys, keys, (note,))
        if cross:
            attention.cross = _dense(cross, arguments, item, queries, keys, (note,))
        items.append(attention)
    return _with_items(items)


def _layers(outputs: Any, name: str) -> tuple[Tensor, ...]:
    """Return the attention tensors of a model output: one (texts, heads, queries, keys) a layer."""
    values = getattr(outputs, name, None) or ()
    return tuple(value for value in values if isinstance(value, Tensor) and value.ndim == 4)


def _dense(
    layers: Sequence[Tensor],
    arguments: dict[str, Any],
    item: int,
    query_mask: str,
    key_mask: str,
    notes: Sequence[str],
) -> DenseAttention:
    queries = kept_positions(arguments, query_mask, layers[0].shape[2], item)
    keys = kept_positions(arguments, key_mask, layers[0].shape[3], item)
    picked = []
    for layer in layers:
        one = layer[item].float().cpu().numpy()  # (heads, queries, keys)
        one = one if queries is None else one[:, queries]
        picked.append(one if keys is None else one[:, :, keys])
    return DenseAttention(np.stack(picked), notes=notes)
