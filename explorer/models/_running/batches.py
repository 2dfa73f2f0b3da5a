"""Several sequences in one forward pass: which go together, and how they are padded."""

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

# What fits a pass: tokens, pads included. Measured with SmolLM2-135M on two cores: texts of 60
# tokens gain a quarter in a batch of about 1,000, texts of 120 to 500 about 5 to 10 %, and from
# 2,000 tokens a pass on something is lost; where other programs want the cores too, batches gain
# more. On a GPU nothing was measured: it is idle between short texts, and has the memory.
_CPU_TOKENS = 1024
_GPU_TOKENS = 16_384
LOGITS = 1 << 26
"""Most logits of the answers' rows of a pass, all its texts together: 256 MB."""

# A batch is filled with text at least to this share; the rest is padding.
_LEAST_FILL = 0.9


def default_batch_tokens(model: LoadedModel) -> int:
    """Tokens of one forward pass for which this model's device was found to work best."""
    return _CPU_TOKENS if model.torch_model.device.type == "cpu" else _GPU_TOKENS


def plan_batches(
    sequences: Sequence[EncodedPrompt], batch_tokens: int, vocabulary: int = 1
) -> list[list[int]]:
    """Put sequences of like length together.

    Parameters
    ----------
    sequences
        In any order.
    batch_tokens
        Most tokens of a batch, padding included; a longer sequence is a batch of its own.
    vocabulary
        Logits of each answer row, which are bounded as well.

    Returns
    -------
    list of list of int
        Places in `sequences`, each once; the longest come first, so that memory that does not
        suffice is noticed at the start.

    Raises
    ------
    InputError
        `batch_tokens` is no whole number of at least 1.
    """
    whole = isinstance(batch_tokens, int | np.integer) and not isinstance(batch_tokens, bool)
    if not whole or batch_tokens < 1:
        raise InputError(
            f"batch_tokens is a whole number of at least 1, the most tokens of one forward pass; "
            f"got {batch_tokens!r}."
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
    """Return what a model takes for several sequences, padded on the right.

    Positions then count from the first token of each, whatever a model makes of them. A causal
    model needs no mask for that: no token looks at what comes after it; and without a mask
    attention takes its fastest way. Pads are the last token again, because models with a pad token
    look for it.
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
    """Read sequences in one pass that is reduced to units while it runs.

    Parameters
    ----------
    torch_model
        The model's own, as `Model.run` lends it.
    names
        For each sequence, the names of its hyperedges.
    question
        Reduce the question's rows too, as the further rows called ``"question"``.
    logprobs
        Ask for the log-probability of each answer token as well.
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
    """Return texts as rows of one array, each filled up with its last token."""
    longest = max(len(ids) for ids in texts)
    return np.stack([np.pad(ids, (0, longest - len(ids)), mode="edge") for ids in texts])


def only_looks_back(model: LoadedModel) -> bool:
    """Return whether every attention module of a causal model says that it is causal."""
    if model.kind != "causal":
        return False
    config = model.torch_model.config
    if getattr(config, "use_bidirectional_attention", None):
        return False
    return all(getattr(part, "is_causal", True) for part in model.torch_model.modules())
