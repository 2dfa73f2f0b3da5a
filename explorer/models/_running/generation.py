"""Greedy text generation, streamed token by token."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from explorer.errors import InputError, ModelCapabilityError
from explorer.models._loaded_model import LoadedModel
from explorer.models._text.prompt_encoding import GeneratedText, decoder_start, forced_first
from explorer.models._text.prompts import Message, render_messages
from explorer.models._text.tokens import checked_text, encode, special_affixes
from explorer.run_control import RunControl

_HALF_CHARACTER = "�"  # decoded from an incomplete character


def generate(
    model: LoadedModel,
    prompt: str | Sequence[Message],
    *,
    max_new_tokens: int = 64,
    on_text: Callable[[str], None] | None = None,
    control: RunControl,
) -> str:
    """Return the text that `Model.generate` documents."""
    require_generation(model)
    if isinstance(prompt, str):
        ids, chat = prompt_ids(model, checked_text(prompt, "prompt"), add_special=True), False
    else:
        rendered = render_messages(model.tokenizer, prompt)
        chat = rendered.is_chat
        ids = prompt_ids(model, rendered.text, add_special=not chat)
    return continue_ids(
        model,
        ids,
        max_new_tokens=max_new_tokens,
        on_text=on_text,
        control=control,
        one_line=not isinstance(prompt, str) and not chat,
    ).text


def require_generation(model: LoadedModel) -> None:
    """Raise `ModelCapabilityError` if the model is an encoder, which cannot generate."""
    if model.kind == "encoder" or not hasattr(model.torch_model, "generate"):
        raise ModelCapabilityError(
            f"{model.label} is an encoder: it reads text but cannot generate an answer. Choose a "
            "causal model such as SmolLM2-135M-Instruct, or give the answer yourself."
        )


def prompt_ids(model: LoadedModel, text: str, *, add_special: bool) -> list[int]:
    """Return the token ids of a prompt; that of an encoder-decoder ends with its special tokens."""
    ids: list[int] = encode(model.tokenizer, text)[0].tolist()
    if not add_special:
        return ids
    prefix, suffix = special_affixes(model.tokenizer, text)
    return [*prefix, *ids, *(suffix if model.kind == "encoder-decoder" else [])]


def continue_ids(
    model: LoadedModel,
    ids: list[int],
    *,
    max_new_tokens: int,
    on_text: Callable[[str], None] | None,
    control: RunControl,
    one_line: bool,
) -> GeneratedText:
    """Generate greedily from token ids.

    Parameters
    ----------
    on_text
        Called with each new piece of text.
    one_line
        Stop at the first line break after text.

    Raises
    ------
    InputError
        `max_new_tokens` is not a whole number of at least 1, or the prompt does not fit.
    Cancelled
        The cancel event of `control` was set.
    """
    from transformers import StoppingCriteriaList

    if isinstance(max_new_tokens, bool) or not isinstance(max_new_tokens, int | np.integer):
        raise InputError(f"max_new_tokens must be a whole number, but it is {max_new_tokens!r}.")
    if max_new_tokens < 1:
        raise InputError(f"max_new_tokens must be at least 1, but it is {max_new_tokens}.")
    room = model.max_tokens - (0 if model.kind == "encoder-decoder" else len(ids))
    if room < 1 or len(ids) > model.max_tokens:
        raise InputError(
            f"The prompt has {len(ids):,} tokens, but {model.label} takes {model.max_tokens:,}. "
            "Shorten it, or choose a model with a longer window."
        )
    streamed = ""
    before = 1 if model.kind == "encoder-decoder" else len(ids)

    def text_of(sequence: Any) -> str:
        return str(model.tokenizer.decode(sequence[before:], skip_special_tokens=True))

    def after_token(sequences: Any, *_: Any, **__: Any) -> Any:
        nonlocal streamed
        import torch

        control.check()
        text = text_of(sequences[0])
        shown = text.lstrip().rstrip(_HALF_CHARACTER)
        if one_line:
            shown = shown.partition("\n")[0]
        # A token may still complete a character before it; the text then begins differently.
        if on_text is not None and len(shown) > len(streamed) and shown.startswith(streamed):
            on_text(shown[len(streamed) :])
            streamed = shown
        done = one_line and "\n" in text.lstrip()
        return torch.tensor([done], device=sequences.device)

    with model.run(control) as torch_model:
        sequences = torch_model.generate(
            **model.tensors(ids),
            generation_config=_greedy(model, min(int(max_new_tokens), room)),
            stopping_criteria=StoppingCriteriaList([after_token]),
        )
    raw = text_of(sequences[0])
    text = raw.strip()
    if one_line:
        text = text.partition("\n")[0].rstrip()
    return GeneratedText(text, raw, sequences[0][before:].tolist())


def _greedy(model: LoadedModel, max_new_tokens: int) -> Any:
    """Return a greedy generation config with the model's own special tokens."""
    from transformers import GenerationConfig

    own = getattr(model.torch_model, "generation_config", None) or model.torch_model.config
    tokenizer = model.tokenizer
    writes = model.kind == "encoder-decoder"
    end = _first_of(own, tokenizer, "eos_token_id")
    first_end = end[0] if isinstance(end, list) and end else end
    pad = _first_of(own, tokenizer, "pad_token_id")
    greedy: Callable[..., Any] = GenerationConfig  # untyped in transformers
    return greedy(
        max_new_tokens=max_new_tokens,
        do_sample=False,
        # Neutral values: transformers would take omitted ones from the model's settings, and warn
        # that greedy search does not use them.
        temperature=1.0,
        top_k=50,
        top_p=1.0,
        num_beams=1,
        use_cache=True,
        eos_token_id=end,
        pad_token_id=pad if pad is not None else first_end,
        bos_token_id=_first_of(own, tokenizer, "bos_token_id"),
        decoder_start_token_id=decoder_start(model) if writes else None,
        forced_bos_token_id=forced_first(model) if writes else None,
    )


def _first_of(own: Any, tokenizer: Any, name: str) -> Any:
    """Return a token id from the model's settings, else from its tokenizer."""
    value = getattr(own, name, None)
    return value if value is not None else getattr(tokenizer, name, None)
