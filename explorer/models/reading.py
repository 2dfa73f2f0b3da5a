"""Answering a question from hyperedges and recording how much attention each of them got."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from explorer.errors import InputError, ModelError
from explorer.models.generation import (
    continue_ids,
    decoder_start,
    prompt_ids,
    require_generation,
)
from explorer.models.progress import Reporter
from explorer.models.prompts import FactPrompt, answer_in_place, fact_prompt
from explorer.models.tokens import checked_text, encode, shown_tokens, special_affixes

if TYPE_CHECKING:
    from explorer.attention import AttentionMap, UnitAttention
    from explorer.models.model import Model

TOP_K = 3
# Token attention of all heads is kept for this many bytes at most; beyond, only units are.
_TOKEN_BYTES = 256_000_000


@dataclass(frozen=True)
class Reading:
    """A question answered from hyperedges, with the attention that they received.

    Attributes
    ----------
    answer
        Given or generated.
    generated
        Whether the model wrote it.
    attention
        Mass per hyperedge, of shape (layers, heads, rows, hyperedges) with `keep_rows`, else
        (layers, heads, hyperedges); with the top-3 of every hyperedge. One row per answer token:
        the position that predicts it (for an encoder the token itself).
    answer_tokens
        The rows: source text of each answer token.
    unit_tokens
        The tokens of every hyperedge.
    prompt
        What the model read, without the answer.
    tokens
        The tokens that could be looked at (the columns of `token_attention`).
    unit_of_token
        int64 (tokens,): which hyperedge a token belongs to, -1 for none.
    spans
        Half-open token spans of every hyperedge; none for one that has no tokens.
    token_attention
        The answer rows over single tokens (layers, heads, rows, tokens), or None when it was not
        asked for or would take more than 256 MB.
    notes
        Plain sentences that the user must know.
    """

    answer: str
    generated: bool
    attention: UnitAttention
    answer_tokens: tuple[str, ...]
    unit_tokens: tuple[tuple[str, ...], ...]
    prompt: str
    tokens: tuple[str, ...]
    unit_of_token: NDArray[np.int64]
    spans: tuple[tuple[tuple[int, int], ...], ...]
    token_attention: AttentionMap | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Sequence:
    """What goes into the recorded pass."""

    inputs: dict[str, Any]
    tokens: tuple[str, ...]
    spans: tuple[tuple[tuple[int, int], ...], ...]
    rows: NDArray[np.int64]
    answer_tokens: tuple[str, ...]


def read(
    model: Model,
    query: str,
    hyperedges: Sequence[str],
    answer: str | None = None,
    *,
    reporter: Reporter,
    on_text: Callable[[str], None] | None = None,
    keep_rows: bool = True,
    keep_tokens: bool = True,
    max_new_tokens: int = 48,
) -> Reading:
    """See `Model.read`."""
    query = checked_text(query, "question")
    facts = _checked_hyperedges(hyperedges)
    if answer is None:
        require_generation(model)
    else:
        answer = checked_text(answer, "answer").strip()
    prompt = fact_prompt(model.tokenizer, query, facts)
    ids = prompt_ids(model, prompt.text, add_special=not prompt.is_chat)
    _check_length(model, len(ids), 1)
    generated = answer is None
    if answer is None:
        reporter.report("generating", None, f"{model.label} is answering ...")
        answer = continue_ids(
            model,
            ids,
            max_new_tokens=max_new_tokens,
            on_text=on_text,
            reporter=reporter,
            one_line=not prompt.is_chat,
        )
        if not answer:
            raise ModelError(
                f"{model.label} gave no answer to this question. Ask in another way, give the "
                "answer yourself, or choose another model."
            )
    reporter.report("recording", None, "Recording attention ...")
    sequence = _sequence(model, prompt, answer)
    attention, token_attention, notes = _record(
        model, sequence, facts, reporter, keep_rows=keep_rows, keep_tokens=keep_tokens
    )
    owner = np.full(len(sequence.tokens), -1, dtype=np.int64)
    for unit, spans in enumerate(sequence.spans):
        for start, stop in spans:
            owner[start:stop] = unit
    return Reading(
        answer=answer,
        generated=generated,
        attention=attention,
        answer_tokens=sequence.answer_tokens,
        unit_tokens=tuple(
            tuple(token for start, stop in spans for token in sequence.tokens[start:stop])
            for spans in sequence.spans
        ),
        prompt=prompt.text,
        tokens=sequence.tokens,
        unit_of_token=owner,
        spans=sequence.spans,
        token_attention=token_attention,
        notes=notes,
    )


def _checked_hyperedges(hyperedges: Sequence[str]) -> list[str]:
    if isinstance(hyperedges, str | bytes) or not hyperedges:
        raise InputError("Give the hyperedges as a list with at least one text in it.")
    facts = []
    for number, hyperedge in enumerate(hyperedges, start=1):
        if not isinstance(hyperedge, str):
            raise InputError(
                f"Hyperedge {number} must be a string, but it is a {type(hyperedge).__name__}."
            )
        # An empty hyperedge is kept: it is one of the units, with no tokens.
        facts.append(checked_text(hyperedge, f"hyperedge {number}") if hyperedge.strip() else "")
    return facts


def _sequence(model: Model, prompt: FactPrompt, answer: str) -> _Sequence:
    """Token ids of prompt and answer, the place of every hyperedge, and the answer's rows."""
    tokenizer = model.tokenizer
    if model.kind == "encoder-decoder":
        return _two_sequences(model, prompt, answer)
    lead = prompt.text + answer_in_place(tokenizer, prompt, answer)
    text = lead + answer
    ids, offsets = encode(tokenizer, text)
    if not prompt.is_chat:
        prefix, suffix = special_affixes(tokenizer, text)
        suffix = suffix if model.kind == "encoder" else []
        ids = np.concatenate([prefix, ids, suffix]).astype(np.int64)
        offsets = np.concatenate(
            [np.zeros((len(prefix), 2)), offsets, np.zeros((len(suffix), 2))]
        ).astype(np.int64)
    _check_length(model, len(ids), 0)
    positions = np.flatnonzero(offsets[:, 1] > len(lead))
    if not positions.size:
        raise InputError("The answer has no tokens. Give an answer that the model can read.")
    tokens = shown_tokens(tokenizer, text, ids, offsets)
    return _Sequence(
        inputs=model.tensors(ids),
        tokens=tokens,
        spans=_token_spans(prompt, offsets, int(positions[0])),
        # The position before a token predicts it; an encoder has read the token itself.
        rows=positions if model.kind == "encoder" else positions - 1,
        answer_tokens=tuple(tokens[position] for position in positions),
    )


def _two_sequences(model: Model, prompt: FactPrompt, answer: str) -> _Sequence:
    """For an encoder-decoder: the prompt is looked at by the decoder, which writes the answer."""
    import torch

    tokenizer = model.tokenizer
    ids, offsets = encode(tokenizer, prompt.text)
    prefix, suffix = ([], []) if prompt.is_chat else special_affixes(tokenizer, prompt.text)
    ids = np.concatenate([prefix, ids, suffix]).astype(np.int64)
    offsets = np.concatenate(
        [np.zeros((len(prefix), 2)), offsets, np.zeros((len(suffix), 2))]
    ).astype(np.int64)
    labels, label_offsets = encode(tokenizer, answer)
    if not len(labels):
        raise InputError("The answer has no tokens. Give an answer that the model can read.")
    _check_length(model, max(len(ids), len(labels)), 0)
    inputs = model.tensors(ids)
    inputs["decoder_input_ids"] = torch.as_tensor(
        [[decoder_start(model), *labels[:-1].tolist()]], device=model.torch_model.device
    )
    return _Sequence(
        inputs=inputs,
        tokens=shown_tokens(tokenizer, prompt.text, ids, offsets),
        spans=_token_spans(prompt, offsets, len(ids)),
        rows=np.arange(len(labels)),
        answer_tokens=shown_tokens(tokenizer, answer, labels, label_offsets),
    )


def _token_spans(
    prompt: FactPrompt, offsets: NDArray[np.int64], before: int
) -> tuple[tuple[tuple[int, int], ...], ...]:
    """Token spans of every hyperedge: the tokens that share a character with it."""
    spans: list[tuple[tuple[int, int], ...]] = []
    for place in prompt.char_spans:
        if place is None or place[0] == place[1]:
            spans.append(())
            continue
        inside = np.flatnonzero((offsets[:before, 0] < place[1]) & (offsets[:before, 1] > place[0]))
        spans.append(((int(inside[0]), int(inside[-1]) + 1),) if inside.size else ())
    return tuple(spans)


def _record(
    model: Model,
    sequence: _Sequence,
    units: Sequence[str],
    reporter: Reporter,
    *,
    keep_rows: bool,
    keep_tokens: bool,
) -> tuple[UnitAttention, AttentionMap | None, tuple[str, ...]]:
    """One recorded pass, reduced to units, and to the answer's rows where they are wanted."""
    from explorer.attention import DenseAttention, UnitAttention
    from explorer.attention.recorder import record, reduce_units

    n_rows = len(sequence.rows)
    size = model.n_layers * model.n_heads * n_rows * len(sequence.tokens) * 4
    notes: tuple[str, ...] = ()
    if keep_tokens and size > _TOKEN_BYTES:
        keep_tokens = False
        note = (
            f"Attention to single tokens would take {size / 1e6:,.0f} MB and was not kept; "
            "attention to hyperedges was."
        )
        notes = (note,)
    with model.run(reporter) as torch_model:
        if not keep_tokens:
            reduced = reduce_units(
                torch_model,
                sequence.inputs,
                sequence.spans,
                sequence.rows,
                k=TOP_K,
                keep_rows=keep_rows,
                names=units,
                cancel=reporter.cancel,
            )
            unit_attention = UnitAttention(
                reduced.array,
                units,
                reduced.topk,
                rows=sequence.rows.tolist(),
                row_tokens=sequence.answer_tokens if keep_rows else None,
                k=TOP_K,
            )
            return unit_attention, None, notes
        recorded = record(torch_model, sequence.inputs, cancel=reporter.cancel)
        if model.kind == "encoder-decoder" and recorded.cross is not None:
            recorded = recorded.cross
        rows = np.stack(  # (layers, heads, rows, tokens)
            [recorded.layer_weights(layer, sequence.rows) for layer in range(recorded.n_layers)]
        )
    tokens = DenseAttention(rows, sequence.tokens, sequence.answer_tokens)
    mass = np.stack([tokens.span_mass(sequence.spans, [row]) for row in range(n_rows)], axis=2)
    unit_attention = UnitAttention(
        mass if keep_rows else mass.mean(axis=2),
        units,
        tokens.span_topk(sequence.spans, k=TOP_K),
        rows=sequence.rows.tolist(),
        row_tokens=sequence.answer_tokens if keep_rows else None,
        k=TOP_K,
    )
    return unit_attention, tokens, (*notes, *recorded.notes)


def _check_length(model: Model, needed: int, answer: int) -> None:
    if needed + answer > model.max_tokens:
        raise InputError(
            f"The question with its hyperedges takes {needed:,} tokens, but {model.label} has room "
            f"for {model.max_tokens:,}. Use fewer or shorter hyperedges, or a model with a longer "
            "window."
        )
