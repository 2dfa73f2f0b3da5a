"""An answer to a question from hyperedges, and the attention that each hyperedge received."""

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

# Most bytes of token attention; beyond, only attention to units is kept.
_TOKEN_BYTES = 256_000_000


@dataclass(frozen=True)
class RecordedAnswer:
    """An answer to a question, with the attention that each hyperedge received.

    Attributes
    ----------
    answer
        Given or generated.
    generated
        Whether the model generated it.
    attention
        Mass per hyperedge, (layers, heads, rows, hyperedges) with `keep_rows`, else
        (layers, heads, hyperedges), and the top-3 of each hyperedge. One row per answer token: the
        position that predicts it (for an encoder the token itself).
    answer_tokens
        Source text of each answer token (the rows).
    unit_tokens
        The tokens of each hyperedge.
    prompt
        The text that the model read, without the answer.
    tokens
        The tokens that can be attended to (the columns of `token_attention`).
    unit_of_token
        int64 (tokens,): the hyperedge that a token belongs to; -1 if it belongs to none.
    spans
        Half-open token spans of each hyperedge; empty for one without tokens.
    token_attention
        Attention of the answer rows to single tokens, (layers, heads, rows, tokens); None if it was
        not requested or would take more than 256 MB.
    notes
        Sentences that the user must know.
    question
        Mass and top-3 of each hyperedge, (layers, heads, hyperedges), averaged over the rows of the
        question's tokens, from the same pass. None if those rows cannot attend to the hyperedges:
        for encoders, encoder-decoders, and chat templates that omit the question.
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
    """Return what `Model.read` documents."""
    prepared = prepare_prompt(
        model,
        query,
        hyperedges,
        answer,
        control=control,
        on_text=on_text,
        max_new_tokens=max_new_tokens,
    )
    sequence = prepared.encoded
    control.report("recording", None, "Recording attention ...")
    attention, token_attention, notes, question = _record(
        model, sequence, prepared.facts, control, keep_rows=keep_rows, keep_tokens=keep_tokens
    )
    owner = np.full(len(sequence.tokens), -1, dtype=np.int64)
    for unit, spans in enumerate(sequence.spans):
        for start, stop in spans:
            owner[start:stop] = unit
    return RecordedAnswer(
        answer=prepared.answer,
        generated=prepared.generated,
        attention=attention,
        answer_tokens=sequence.answer_tokens,
        unit_tokens=tuple(
            tuple(token for start, stop in spans for token in sequence.tokens[start:stop])
            for spans in sequence.spans
        ),
        prompt=prepared.prompt.text,
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
    """Return attention to units, attention to tokens, notes, and the question's attention."""
    from explorer.attention import DenseAttention, UnitAttention
    from explorer.attention._recorder import record

    n_rows = len(sequence.rows)
    size = model.n_layers * model.n_heads * n_rows * len(sequence.tokens) * 4
    has_question = model.kind == "causal" and len(sequence.question_rows) > 0
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
            (found,) = run_batch(
                model,
                torch_model,
                [sequence],
                [units],
                question=has_question,
                keep_rows=keep_rows,
                control=control,
            )
            reduced = found.attention
            unit_attention = UnitAttention(
                reduced.array,
                units,
                reduced.topk,
                rows=sequence.rows.tolist(),
                row_tokens=sequence.answer_tokens if keep_rows else None,
                k=TOP_K,
            )
            return unit_attention, None, (*notes, *reduced.notes), found.more.get("question")
        recorded = record(torch_model, batch_tensors(model, [sequence]), control=control)
        if model.kind == "encoder-decoder" and recorded.cross is not None:
            recorded = recorded.cross
        rows = np.stack(  # (layers, heads, rows, tokens)
            [recorded.layer_weights(layer, sequence.rows) for layer in range(recorded.n_layers)]
        )
        question: UnitAttention | None = None
        if has_question:
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
