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
    whole = isinstance(batch_tokens, int | np.integer) and not isinstance(batch_tokens, bool)
    if not whole or batch_tokens < 1:
        raise InputError(
            f"batch_tokens must be a whole number of at least 1, the most tokens of one forward "
            f"pass, but it is {batch_tokens!r}."
        )
    batches: list[list[int]] = []
    tokens = rows = 0
    for place in sorted(range(len(sequences)), key=lambda one: -len(sequences[one])):
        one = sequences[place]
        if batches:
            batch = batches[-1]
            filled = (len(batch) + 1) * len(sequences[batch[0]])
            logits = (rows + len(one.rows)) * vocabulary
            full = filled > batch_tokens or logits > LOGITS
            if not full and tokens + len(one) >= _LEAST_FILL * filled:
                batch.append(place)
                tokens += len(one)
                rows += len(one.rows)
                continue
        batches.append([place])
        tokens, rows = len(one), len(one.rows)
    return batches


def batch_tensors(model: LoadedModel, sequences: Sequence[EncodedPrompt]) -> dict[str, Any]:
    """Return the inputs of a model for several sequences, padded on the right.

    Positions then count from the first token of each sequence. A causal model needs no mask,
    because no token attends to later ones, and without a mask attention is fastest. Padding repeats
    the last token, because models with a pad token search for that token.
    """
    import torch

    device = model.torch_model.device
    inputs = {"input_ids": torch.as_tensor(padded([one.ids for one in sequences]), device=device)}
    if len(sequences) == 1 or not only_looks_back(model):
        longest = max(len(one.ids) for one in sequences)
        mask = [[1] * len(one.ids) + [0] * (longest - len(one.ids)) for one in sequences]
        inputs["attention_mask"] = torch.as_tensor(mask, device=device)
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


def only_looks_back(model: LoadedModel) -> bool:
    """Return whether a model is causal in all of its attention modules."""
    if model.kind != "causal":
        return False
    config = model.torch_model.config
    if getattr(config, "use_bidirectional_attention", None):
        return False
    return all(getattr(part, "is_causal", True) for part in model.torch_model.modules())
