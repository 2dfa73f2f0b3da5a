"""Answering a question from hyperedges and recording how much attention each of them got."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from explorer.errors import InputError, ModelError
from explorer.models.alignment import align
from explorer.models.generation import (
    Written,
    continue_ids,
    decoder_start,
    prompt_ids,
    require_generation,
)
from explorer.models.progress import Reporter
from explorer.models.prompts import FactPrompt, answer_in_place, fact_prompt
from explorer.models.tokens import (
    checked_text,
    encode,
    shown_tokens,
    special_affixes,
    vocabulary_entries,
)

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
    _check_length(model, len(ids) + 1)
    generated = answer is None
    if answer is None:
        reporter.report("generating", None, f"{model.label} is answering ...")
        written = continue_ids(
            model,
            ids,
            max_new_tokens=max_new_tokens,
            on_text=on_text,
            reporter=reporter,
            one_line=not prompt.is_chat,
        )
        answer = written.text
        sequence = _written_sequence(model, prompt, written)
    else:
        sequence = _given_sequence(model, prompt, answer)
    reporter.report("recording", None, "Recording attention ...")
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


def _given_sequence(model: Model, prompt: FactPrompt, answer: str) -> _Sequence:
    """Prompt and given answer as the tokenizer cuts them: tokens may reach over the boundary."""
    tokenizer = model.tokenizer
    if model.kind == "encoder-decoder":
        ids, offsets = encode(tokenizer, answer)
        return _two_sequences(model, prompt, answer, ids, offsets)
    lead = prompt.text + answer_in_place(tokenizer, prompt, answer)
    text = lead + answer
    ids, offsets = _with_special(model, text, add=not prompt.is_chat)
    return _one_sequence(
        model, prompt, text, ids, offsets, np.flatnonzero(offsets[:, 1] > len(lead))
    )


def _written_sequence(model: Model, prompt: FactPrompt, written: Written) -> _Sequence:
    """Prompt and the very tokens that the model wrote, which a tokenizer might cut otherwise."""
    answer_ids = np.asarray(written.ids, dtype=np.int64)
    spans = align(written.raw, vocabulary_entries(model.tokenizer, answer_ids))
    first = written.raw.find(written.text)
    shown = (spans[:, 1] > first) & (spans[:, 0] < first + len(written.text))
    if not written.text or not shown.any():
        raise ModelError(
            f"{model.label} gave no answer to this question. Ask in another way, give the "
            "answer yourself, or choose another model."
        )
    end = int(np.flatnonzero(shown)[-1]) + 1  # without the token that says "the end"
    answer_ids, spans, shown = answer_ids[:end], spans[:end], shown[:end]
    if model.kind == "encoder-decoder":
        return _two_sequences(model, prompt, written.raw, answer_ids, spans, shown)
    ids, offsets = _with_special(model, prompt.text, add=not prompt.is_chat)
    return _one_sequence(
        model,
        prompt,
        prompt.text + written.raw,
        np.concatenate([ids, answer_ids]),
        np.concatenate([offsets, spans + len(prompt.text)]),
        len(ids) + np.flatnonzero(shown),
    )


def _one_sequence(
    model: Model,
    prompt: FactPrompt,
    text: str,
    ids: NDArray[np.int64],
    offsets: NDArray[np.int64],
    positions: NDArray[np.int64],
) -> _Sequence:
    """Prompt and answer in one sequence; `positions` are those of the answer."""
    _check_length(model, len(ids))
    _check_answer(positions)
    tokens = shown_tokens(model.tokenizer, text, ids, offsets)
    return _Sequence(
        inputs=model.tensors(ids),
        tokens=tokens,
        spans=_token_spans(prompt, offsets, int(positions[0])),
        # The position before a token predicts it; an encoder has read the token itself.
        rows=positions if model.kind == "encoder" else positions - 1,
        answer_tokens=tuple(tokens[position] for position in positions),
    )


def _two_sequences(
    model: Model,
    prompt: FactPrompt,
    answer: str,
    answer_ids: NDArray[np.int64],
    answer_offsets: NDArray[np.int64],
    shown: NDArray[np.bool_] | None = None,
) -> _Sequence:
    """For an encoder-decoder: the prompt is looked at by the decoder, which writes the answer."""
    import torch

    ids, offsets = _with_special(model, prompt.text, add=not prompt.is_chat)
    rows = np.arange(len(answer_ids)) if shown is None else np.flatnonzero(shown)
    _check_answer(rows)
    _check_length(model, max(len(ids), len(answer_ids)))
    inputs = model.tensors(ids)
    # Each answer token is predicted where the decoder has read the one before it.
    inputs["decoder_input_ids"] = torch.as_tensor(
        [[decoder_start(model), *answer_ids[:-1].tolist()]], device=model.torch_model.device
    )
    answer_tokens = shown_tokens(model.tokenizer, answer, answer_ids, answer_offsets)
    return _Sequence(
        inputs=inputs,
        tokens=shown_tokens(model.tokenizer, prompt.text, ids, offsets),
        spans=_token_spans(prompt, offsets, len(ids)),
        rows=rows,
        answer_tokens=tuple(answer_tokens[row] for row in rows),
    )


def _with_special(
    model: Model, text: str, *, add: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ids and offsets of a text, with the model's special tokens around it if `add`."""
    ids, offsets = encode(model.tokenizer, text)
    if not add:
        return ids, offsets
    prefix, suffix = special_affixes(model.tokenizer, text)
    if model.kind == "causal":
        suffix = []  # the text goes on
    empty = np.zeros((1, 2), dtype=np.int64)
    return (
        np.concatenate([prefix, ids, suffix]).astype(np.int64),
        np.concatenate([empty.repeat(len(prefix), 0), offsets, empty.repeat(len(suffix), 0)]),
    )


def _check_answer(rows: NDArray[np.int64]) -> None:
    if not rows.size:
        raise InputError("The answer has no tokens. Give an answer that the model can read.")


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


def _check_length(model: Model, needed: int) -> None:
    if needed > model.max_tokens:
        raise InputError(
            f"The question with its hyperedges takes {needed:,} tokens, but {model.label} has room "
            f"for {model.max_tokens:,}. Use fewer or shorter hyperedges, or a model with a longer "
            "window."
        )
