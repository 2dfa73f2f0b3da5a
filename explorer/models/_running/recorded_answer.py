"""Answering a question from hyperedges and recording how much attention each of them got."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from explorer.models._loaded_model import LoadedModel
from explorer.models._running.batches import TOP_K, batch_tensors, run_batch
from explorer.models._running.prepared_prompt import prepare_prompt
from explorer.models._text.prompt_encoding import EncodedPrompt
from explorer.run_control import RunControl

if TYPE_CHECKING:
    from explorer.attention import AttentionMap, UnitAttention

# Token attention of all heads is kept for this many bytes at most; beyond, only units are.
_TOKEN_BYTES = 256_000_000


@dataclass(frozen=True)
class RecordedAnswer:
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
    question
        Mass and top-3 of every hyperedge, (layers, heads, hyperedges), over the rows of the
        question's own tokens, from the same pass; None where no such row has read the hyperedges:
        for encoders, encoder-decoders, and templates that leave out the question.
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
    question: UnitAttention | None = None


def record_answer(
    model: LoadedModel,
    query: str,
    hyperedges: Sequence[str],
    answer: str | None = None,
    *,
    control: RunControl,
    on_text: Callable[[str], None] | None = None,
    keep_rows: bool = True,
    keep_tokens: bool = True,
    max_new_tokens: int = 48,
) -> RecordedAnswer:
    """See `Model.read`."""
    asked = prepare_prompt(
        model,
        query,
        hyperedges,
        answer,
        control=control,
        on_text=on_text,
        max_new_tokens=max_new_tokens,
    )
    sequence = asked.encoded
    control.report("recording", None, "Recording attention ...")
    attention, token_attention, notes, question = _record(
        model, sequence, asked.facts, control, keep_rows=keep_rows, keep_tokens=keep_tokens
    )
    owner = np.full(len(sequence.tokens), -1, dtype=np.int64)
    for unit, spans in enumerate(sequence.spans):
        for start, stop in spans:
            owner[start:stop] = unit
    return RecordedAnswer(
        answer=asked.answer,
        generated=asked.generated,
        attention=attention,
        answer_tokens=sequence.answer_tokens,
        unit_tokens=tuple(
            tuple(token for start, stop in spans for token in sequence.tokens[start:stop])
            for spans in sequence.spans
        ),
        prompt=asked.prompt.text,
        tokens=sequence.tokens,
        unit_of_token=owner,
        spans=sequence.spans,
        token_attention=token_attention,
        notes=notes,
        question=question,
    )


def _record(
    model: LoadedModel,
    sequence: EncodedPrompt,
    units: Sequence[str],
    control: RunControl,
    *,
    keep_rows: bool,
    keep_tokens: bool,
) -> tuple[UnitAttention, AttentionMap | None, tuple[str, ...], UnitAttention | None]:
    """One recorded pass, reduced to units, and to the answer's rows where they are wanted."""
    from explorer.attention import DenseAttention, UnitAttention
    from explorer.attention._recorder import record

    n_rows = len(sequence.rows)
    size = model.n_layers * model.n_heads * n_rows * len(sequence.tokens) * 4
    asks = model.kind == "causal" and len(sequence.question_rows) > 0
    notes: tuple[str, ...] = ()
    if keep_tokens and size > _TOKEN_BYTES:
        keep_tokens = False
        note = (
            f"Attention to single tokens would take {size / 1e6:,.0f} MB and was not kept; "
            "attention to hyperedges was."
        )
        notes = (note,)
    with model.run(control) as torch_model:
        if not keep_tokens:
            (read_once,) = run_batch(
                model,
                torch_model,
                [sequence],
                [units],
                question=asks,
                keep_rows=keep_rows,
                control=control,
            )
            reduced = read_once.attention
            unit_attention = UnitAttention(
                reduced.array,
                units,
                reduced.topk,
                rows=sequence.rows.tolist(),
                row_tokens=sequence.answer_tokens if keep_rows else None,
                k=TOP_K,
            )
            return unit_attention, None, (*notes, *reduced.notes), read_once.more.get("question")
        recorded = record(torch_model, batch_tensors(model, [sequence]), control=control)
        if model.kind == "encoder-decoder" and recorded.cross is not None:
            recorded = recorded.cross
        rows = np.stack(  # (layers, heads, rows, tokens)
            [recorded.layer_weights(layer, sequence.rows) for layer in range(recorded.n_layers)]
        )
        question: UnitAttention | None = None
        if asks:
            question = UnitAttention(
                recorded.span_mass(sequence.spans, sequence.question_rows),
                units,
                recorded.span_topk(sequence.spans, sequence.question_rows, k=TOP_K),
                rows=sequence.question_rows.tolist(),
                k=TOP_K,
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
    return unit_attention, tokens, (*notes, *recorded.notes), question
