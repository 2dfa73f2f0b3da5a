"""Batches of sequences: which share a forward pass, and how they are padded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from explorer.errors import InputError
from explorer.models._loaded_model import LoadedModel
from explorer.models._text.prompt_encoding import EncodedPrompt
from explorer.run_control import RunControl

if TYPE_CHECKING:
    from explorer.attention._recorder import ReducedText

TOP_K = 3

# Tokens of a pass, padding included. Measured with SmolLM2-135M on two cores: texts of 60 tokens
# are a quarter faster in batches of about 1,000, texts of 120 to 500 about 5 to 10 %, and batches
# of 2,000 tokens and more are slower. On a busy machine batches gain more. The GPU value was not
# measured: a GPU is idle between short texts, and has the memory.
_CPU_TOKENS = 1024
_GPU_TOKENS = 16_384
LOGITS = 1 << 26
"""Most logits of one pass, summed over the answer rows of its texts: 256 MB."""

# Smallest share of text in a batch; the rest is padding.
_LEAST_FILL = 0.9


def default_batch_tokens(model: LoadedModel) -> int:
    """Return the number of tokens per forward pass that suits the model's device."""
    return _CPU_TOKENS if model.torch_model.device.type == "cpu" else _GPU_TOKENS


def plan_batches(
    sequences: Sequence[EncodedPrompt], batch_tokens: int, vocabulary: int = 1
) -> list[list[int]]:
    """Return batches of sequences of similar length.

    Parameters
    ----------
    sequences
        In any order.
    batch_tokens
        Most tokens of a batch, padding included; a longer sequence is a batch of its own.
    vocabulary
        Logits per answer row; their number in a batch is bounded too.

    Returns
    -------
    list of list of int
        Positions in `sequences`, each once. The longest come first, so that too little memory
        shows at the start.

    Raises
    ------
    InputError
        `batch_tokens` is not a whole number of at least 1.
    """
    _check_batch_tokens(batch_tokens)
    rows = [len(one.rows) for one in sequences]
    lengths = [len(one) for one in sequences]
    return _of_like_length(lengths, rows, batch_tokens, LOGITS // vocabulary)


def plan_texts(
    lengths: Sequence[int], batch_tokens: int, most_texts: int | None = None
) -> list[list[int]]:
    """Return batches of texts of similar length, as `plan_batches` does for prompts.

    Parameters
    ----------
    lengths
        Tokens of each text.
    batch_tokens
        Most tokens of a batch, padding included; a longer text is a batch of its own.
    most_texts
        Most texts of a batch; None for no limit.
    """
    _check_batch_tokens(batch_tokens)
    most = len(lengths) if most_texts is None else most_texts
    return _of_like_length(lengths, [1] * len(lengths), batch_tokens, most)


def _check_batch_tokens(batch_tokens: Any) -> None:
    """Raise `InputError` if `batch_tokens` is not a whole number of at least 1."""
    whole = isinstance(batch_tokens, int | np.integer) and not isinstance(batch_tokens, bool)
    if not whole or batch_tokens < 1:
        raise InputError(
            f"batch_tokens must be a whole number of at least 1, the most tokens of one forward "
            f"pass, but it is {batch_tokens!r}."
        )


def _of_like_length(
    lengths: Sequence[int], rows: Sequence[int], batch_tokens: int, most_rows: int
) -> list[list[int]]:
    """Return places of texts in batches, within bounds of tokens and of rows with logits."""
    batches: list[list[int]] = []
    tokens = taken = 0
    for place in sorted(range(len(lengths)), key=lambda one: -lengths[one]):
        if batches:
            batch = batches[-1]
            filled = (len(batch) + 1) * lengths[batch[0]]
            full = filled > batch_tokens or taken + rows[place] > most_rows
            if not full and tokens + lengths[place] >= _LEAST_FILL * filled:
                batch.append(place)
                tokens += lengths[place]
                taken += rows[place]
                continue
        batches.append([place])
        tokens, taken = lengths[place], rows[place]
    return batches


def batch_tensors(model: LoadedModel, sequences: Sequence[EncodedPrompt]) -> dict[str, Any]:
    """Return the inputs of a model for several sequences, padded on the right.

    Positions then count from the first token of each sequence. A causal model needs no mask,
    because no token attends to later ones, and without a mask attention is fastest. Padding repeats
    the last token, because models with a pad token search for that token.
    """
    import torch

    device = model.torch_model.device
    texts = [one.ids for one in sequences]
    inputs = {"input_ids": torch.as_tensor(padded(texts), device=device)}
    if len(texts) == 1 or not only_looks_back(model):
        inputs["attention_mask"] = torch.as_tensor(not_padding(texts), device=device)
    decoder = [one.decoder_ids for one in sequences if one.decoder_ids is not None]
    if decoder:
        inputs["decoder_input_ids"] = torch.as_tensor(padded(decoder), device=device)
    return inputs


def run_batch(
    model: LoadedModel,
    torch_model: Any,
    sequences: Sequence[EncodedPrompt],
    names: Sequence[Sequence[str]],
    *,
    question: bool = False,
    k: int = TOP_K,
    keep_rows: bool = False,
    logprobs: bool = False,
    control: RunControl | None = None,
) -> list[ReducedText]:
    """Return the attention of several sequences to their units, from one forward pass.

    Parameters
    ----------
    torch_model
        The torch model, as `Model.run` lends it.
    sequences
        Prompts with their answers.
    names
        For each sequence, the names of its hyperedges.
    question
        Reduce the question's rows too; they are in `more` under ``"question"``.
    k, keep_rows, control
        As for `reduce_texts`.
    logprobs
        Compute the log-probability of each answer token too.
    """
    from explorer.attention._recorder import TextUnits, reduce_texts

    texts = [
        TextUnits(
            one.spans,
            one.rows,
            units,
            one.answer_ids if logprobs else None,
            {"question": one.question_rows} if question else {},
        )
        for one, units in zip(sequences, names, strict=True)
    ]
    inputs = batch_tensors(model, sequences)
    return reduce_texts(torch_model, inputs, texts, k=k, keep_rows=keep_rows, control=control)


def padded(texts: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return texts as rows of one array: int64 (texts, tokens), padded with their last token."""
    longest = max(len(ids) for ids in texts)
    return np.stack([np.pad(ids, (0, longest - len(ids)), mode="edge") for ids in texts])


def not_padding(texts: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return the mask of texts that `padded` padded: int64 (texts, tokens), 0 at the pads."""
    lengths = np.array([len(ids) for ids in texts])
    return (np.arange(lengths.max()) < lengths[:, None]).astype(np.int64)


def only_looks_back(model: LoadedModel) -> bool:
    """Return whether a model is causal in all of its attention modules."""
    if model.kind != "causal":
        return False
    config = model.torch_model.config
    if getattr(config, "use_bidirectional_attention", None):
        return False
    return all(getattr(part, "is_causal", True) for part in model.torch_model.modules())
