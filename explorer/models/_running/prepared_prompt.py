"""A question with its hyperedges and an answer, given or generated, as token ids."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from explorer.errors import InputError
from explorer.models._loaded_model import LoadedModel
from explorer.models._running.generation import continue_ids, prompt_ids, require_generation
from explorer.models._text.prompt_encoding import (
    EncodedPrompt,
    check_length,
    encode_generated_answer,
    encode_given_answer,
)
from explorer.models._text.prompts import FactPrompt, fact_prompt
from explorer.models._text.tokens import checked_text
from explorer.run_control import RunControl


@dataclass(frozen=True)
class PreparedPrompt:
    """Prompt and answer of one trace, ready to be read by a model.

    Attributes
    ----------
    prompt
        Question and hyperedges in the model's chat format.
    facts
        The texts of the hyperedges.
    answer
        Given or generated.
    generated
        Whether the model generated it.
    encoded
        Prompt and answer as token ids.
    """

    prompt: FactPrompt
    facts: tuple[str, ...]
    answer: str
    generated: bool
    encoded: EncodedPrompt


def prepare_prompt(
    model: LoadedModel,
    query: str,
    hyperedges: Sequence[str],
    answer: str | None = None,
    *,
    control: RunControl,
    on_text: Callable[[str], None] | None = None,
    max_new_tokens: int = 48,
) -> PreparedPrompt:
    """Return the encoded prompt and answer; the model generates the answer if none is given.

    Raises
    ------
    InputError, ModelCapabilityError, ModelError, Cancelled
        As `Model.read`.
    """
    query = checked_text(query, "question")
    facts = _checked_hyperedges(hyperedges)
    if answer is None:
        require_generation(model)
    else:
        answer = checked_text(answer, "answer").strip()
    prompt = fact_prompt(model.tokenizer, query, facts)
    if answer is not None:
        return PreparedPrompt(
            prompt, facts, answer, False, encode_given_answer(model, prompt, answer)
        )
    ids = prompt_ids(model, prompt.text, add_special=not prompt.is_chat)
    check_length(model, len(ids) + 1)
    control.report("generating", None, f"{model.label} is answering ...")
    generated = continue_ids(
        model,
        ids,
        max_new_tokens=max_new_tokens,
        on_text=on_text,
        control=control,
        one_line=not prompt.is_chat,
    )
    return PreparedPrompt(
        prompt, facts, generated.text, True, encode_generated_answer(model, prompt, generated)
    )


def _checked_hyperedges(hyperedges: Sequence[str]) -> tuple[str, ...]:
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
    return tuple(facts)
