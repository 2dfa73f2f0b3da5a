"""Prompt and answer as token ids, with the positions of hyperedges, question and answer."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from explorer.errors import InputError, ModelError
from explorer.models._loaded_model import LoadedModel
from explorer.models._text.alignment import align
from explorer.models._text.prompts import FactPrompt, answer_in_place
from explorer.models._text.tokens import encode, shown_tokens, special_affixes, vocabulary_entries


@dataclass(frozen=True)
class GeneratedText:
    """Text that a model generated.

    Attributes
    ----------
    text
        The text to show, stripped.
    raw
        All that was generated, special tokens left out.
    ids
        Vocabulary ids of the generated tokens.
    """

    text: str
    raw: str
    ids: list[int]


@dataclass(frozen=True)
class EncodedPrompt:
    """Prompt and answer as token ids: the input of one recorded forward pass.

    Attributes
    ----------
    ids
        int64 (tokens,): the tokens that can be attended to. For an encoder-decoder the prompt, else
        prompt and answer.
    decoder_ids
        int64: input of the decoder of an encoder-decoder; None for other models.
    tokens
        Source text of each token of `ids`.
    spans
        Half-open token spans of each hyperedge.
    rows
        int64 (answer tokens,): the query rows that predict the answer.
    answer_ids
        int64 (answer tokens,): vocabulary ids of the answer's tokens, one for each row.
    answer_tokens
        Source text of each answer token.
    question_rows
        int64: positions of the question's tokens, which come after all hyperedges. Empty for an
        encoder-decoder, whose decoder does not read the question.
    """

    ids: NDArray[np.int64]
    decoder_ids: NDArray[np.int64] | None
    tokens: tuple[str, ...]
    spans: tuple[tuple[tuple[int, int], ...], ...]
    rows: NDArray[np.int64]
    answer_ids: NDArray[np.int64]
    answer_tokens: tuple[str, ...]
    question_rows: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def __len__(self) -> int:
        """Number of tokens that the model reads."""
        return len(self.ids) + (0 if self.decoder_ids is None else len(self.decoder_ids))


def encode_given_answer(model: LoadedModel, prompt: FactPrompt, answer: str) -> EncodedPrompt:
    """Return prompt and given answer, tokenized together: a token may span the boundary.

    Raises
    ------
    InputError
        The answer has no tokens, or the model takes fewer tokens.
    """
    tokenizer = model.tokenizer
    if model.kind == "encoder-decoder":
        ids, offsets = encode(tokenizer, answer)
        shown = np.ones(len(ids), dtype=np.bool_)
        first = forced_first(model)
        if first is not None:
            ids = np.concatenate([[first], ids])
            offsets = np.concatenate([np.zeros((1, 2), dtype=np.int64), offsets])
            shown = np.concatenate([[False], shown])
        return _two_sequences(model, prompt, answer, ids, offsets, shown)
    lead = prompt.text + answer_in_place(tokenizer, prompt, answer)
    text = lead + answer
    ids, offsets = _with_special(model, text, add=not prompt.is_chat)
    return _one_sequence(
        model, prompt, text, ids, offsets, np.flatnonzero(offsets[:, 1] > len(lead))
    )


def encode_generated_answer(
    model: LoadedModel, prompt: FactPrompt, generated: GeneratedText
) -> EncodedPrompt:
    """Return prompt and the generated tokens, which the tokenizer might split otherwise.

    Raises
    ------
    ModelError
        The model generated no text.
    InputError
        The model takes fewer tokens.
    """
    answer_ids = np.asarray(generated.ids, dtype=np.int64)
    spans = align(generated.raw, vocabulary_entries(model.tokenizer, answer_ids))
    first = generated.raw.find(generated.text)
    shown = (spans[:, 1] > first) & (spans[:, 0] < first + len(generated.text))
    if not generated.text or not shown.any():
        raise ModelError(
            f"{model.label} gave no answer to this question. Change the question, give the "
            "answer yourself, or choose another model."
        )
    end = int(np.flatnonzero(shown)[-1]) + 1  # without the end-of-text token
    answer_ids, spans, shown = answer_ids[:end], spans[:end], shown[:end]
    if model.kind == "encoder-decoder":
        return _two_sequences(model, prompt, generated.raw, answer_ids, spans, shown)
    ids, offsets = _with_special(model, prompt.text, add=not prompt.is_chat)
    return _one_sequence(
        model,
        prompt,
        prompt.text + generated.raw,
        np.concatenate([ids, answer_ids]),
        np.concatenate([offsets, spans + len(prompt.text)]),
        len(ids) + np.flatnonzero(shown),
    )


def _one_sequence(
    model: LoadedModel,
    prompt: FactPrompt,
    text: str,
    ids: NDArray[np.int64],
    offsets: NDArray[np.int64],
    positions: NDArray[np.int64],
) -> EncodedPrompt:
    """Return prompt and answer as one sequence; `positions` are those of the answer."""
    check_length(model, len(ids))
    _check_answer(positions)
    tokens = shown_tokens(model.tokenizer, text, ids, offsets)
    return EncodedPrompt(
        ids=ids,
        decoder_ids=None,
        tokens=tokens,
        spans=_token_spans(prompt, offsets, int(positions[0])),
        # The position before a token predicts it; of an encoder the token's own row is used.
        rows=positions if model.kind == "encoder" else positions - 1,
        answer_ids=ids[positions],
        answer_tokens=tuple(tokens[position] for position in positions),
        question_rows=_tokens_within(prompt.query_span, offsets[: int(positions[0])]),
    )


def encode_question(model: LoadedModel, prompt: FactPrompt) -> EncodedPrompt:
    """Return a prompt without an answer, for a causal model; its rows are the question's tokens."""
    ids, offsets = _with_special(model, prompt.text, add=not prompt.is_chat)
    check_length(model, len(ids))
    rows = _tokens_within(prompt.query_span, offsets)
    return EncodedPrompt(
        ids=ids,
        decoder_ids=None,
        tokens=shown_tokens(model.tokenizer, prompt.text, ids, offsets),
        spans=_token_spans(prompt, offsets, len(ids)),
        rows=rows,
        answer_ids=np.zeros(0, dtype=np.int64),
        answer_tokens=(),
        question_rows=rows,
    )


def _two_sequences(
    model: LoadedModel,
    prompt: FactPrompt,
    answer: str,
    answer_ids: NDArray[np.int64],
    answer_offsets: NDArray[np.int64],
    shown: NDArray[np.bool_],
) -> EncodedPrompt:
    """Return prompt and answer of an encoder-decoder: inputs of encoder and decoder."""
    ids, offsets = _with_special(model, prompt.text, add=not prompt.is_chat)
    rows = np.flatnonzero(shown)
    _check_answer(rows)
    check_length(model, max(len(ids), len(answer_ids)))
    answer_tokens = shown_tokens(model.tokenizer, answer, answer_ids, answer_offsets)
    return EncodedPrompt(
        ids=ids,
        # Each answer token is predicted where the decoder has read the one before it.
        decoder_ids=np.array([decoder_start(model), *answer_ids[:-1]], dtype=np.int64),
        tokens=shown_tokens(model.tokenizer, prompt.text, ids, offsets),
        spans=_token_spans(prompt, offsets, len(ids)),
        rows=rows,
        answer_ids=np.asarray(answer_ids, dtype=np.int64)[rows],
        answer_tokens=tuple(answer_tokens[row] for row in rows),
    )


def _with_special(
    model: LoadedModel, text: str, *, add: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return ids and offsets of a text, with the model's special tokens if `add`."""
    ids, offsets = encode(model.tokenizer, text)
    if not add:
        return ids, offsets
    prefix, suffix = special_affixes(model.tokenizer, text)
    if model.kind == "causal":
        suffix = []  # the answer follows
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
    """Return the token spans of each hyperedge: the tokens that share a character with it."""
    spans: list[tuple[tuple[int, int], ...]] = []
    for char_span in prompt.char_spans:
        inside = _tokens_within(char_span, offsets[:before])
        spans.append(((int(inside[0]), int(inside[-1]) + 1),) if inside.size else ())
    return tuple(spans)


def _tokens_within(
    char_span: tuple[int, int] | None, offsets: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the tokens that share a character with a stretch of text."""
    if char_span is None or char_span[0] == char_span[1]:
        return np.zeros(0, dtype=np.int64)
    return np.flatnonzero((offsets[:, 0] < char_span[1]) & (offsets[:, 1] > char_span[0]))


def check_length(model: LoadedModel, needed: int) -> None:
    """Raise `InputError` if prompt and answer need more tokens than the model takes."""
    if needed > model.max_tokens:
        raise InputError(
            f"The question with its hyperedges takes {needed:,} tokens, but {model.label} has room "
            f"for {model.max_tokens:,}. Use fewer or shorter hyperedges, or a model with a longer "
            "window."
        )


def decoder_start(model: LoadedModel) -> int:
    """Return the token that an encoder-decoder's answer begins with."""
    torch_model = model.torch_model
    for source in (getattr(torch_model, "generation_config", None), torch_model.config):
        for name in ("decoder_start_token_id", "bos_token_id", "pad_token_id"):
            value = getattr(source, name, None)
            if isinstance(value, int):
                return value
    return 0


def forced_first(model: LoadedModel) -> int | None:
    """Return the token that generation puts first in an encoder-decoder's answer, or None.

    BART begins every answer with ``<s>``, and translation models with the code of the language.
    """
    torch_model = model.torch_model
    for source in (getattr(torch_model, "generation_config", None), torch_model.config):
        value = getattr(source, "forced_bos_token_id", None)
        if isinstance(value, int):
            return value
    language = getattr(model.tokenizer, "tgt_lang", None)
    if not isinstance(language, str):
        return None
    code = model.tokenizer.convert_tokens_to_ids(language)
    unknown = getattr(model.tokenizer, "unk_token_id", None)
    return code if isinstance(code, int) and code != unknown else None
