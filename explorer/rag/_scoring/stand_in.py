"""A stand-in: a model that reads a trace instead of the one that answered, with its attention."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from explorer.errors import InputError, ModelCapabilityError, RecordingError
from explorer.models._running.batches import TOP_K, default_batch_tokens, plan_batches, run_batch
from explorer.models._running.prepared_prompt import PreparedPrompt, prepare_prompt
from explorer.models._text.prompt_encoding import EncodedPrompt, encode_question
from explorer.models._text.prompts import fact_prompt
from explorer.rag._scoring.stand_in_settings import QUESTION, StandInSettings
from explorer.rag._scoring.trace_task import model_digest
from explorer.run_control import RunControl
from explorer.traces import Trace
from explorer.traces._evidence.evidence_finder import PRECEDENCE

if TYPE_CHECKING:
    from explorer.attention import UnitAttention
    from explorer.attention._recorder import ReducedText
    from explorer.models import Model

MARK = "stand_in"
"""Key of the metadata that describes the reading of a stand-in."""

BLANK = "content_free"
"""The reading of a question without content, in the metadata of a trace."""

NO_QUESTION = "N/A"
"""A question without content (Zhao et al. 2021)."""

_EVIDENCE = frozenset(name for reader in PRECEDENCE for name in reader.needs)
_OWN = frozenset(
    {"unit_topk", "unit_topk_k", "unit_tokens", "answer_tokens", "answer_rows", "answer_logprob"}
    | {f"{of}_{what}" for of in (QUESTION, BLANK) for what in ("attention", "topk", "rows")}
)


def brings_attention(trace: Trace) -> bool:
    """Return True when a trace has evidence of any kind."""
    return any(
        all(trace.metadata.get(name) is not None for name in reader.needs) for reader in PRECEDENCE
    )


@dataclass(frozen=True)
class PreparedTrace:
    """A trace that is prepared for a forward pass.

    Attributes
    ----------
    asked
        The prompt of question, hyperedges and answer.
    blank
        The same hyperedges with a question without content; None if that is not read.
    """

    asked: PreparedPrompt
    blank: EncodedPrompt | None = None


def prepare_trace(
    model: Model, trace: Trace, control: RunControl, *, generate: bool, max_new_tokens: int
) -> PreparedPrompt:
    """Return the prompt of a trace; the model answers first if `generate` and there is no answer.

    Raises
    ------
    InputError
        A part of the trace is missing, or the trace is too long for the model.
    ModelError, Cancelled
        As `Model.read`.
    """
    answer = trace.answer if isinstance(trace.answer, str) else ""
    if not trace.hyperedges:
        raise InputError("It has no hyperedges, so there is nothing to score.")
    if not answer.strip() and not generate:
        raise InputError("It has no answer to read. Give it an answer, or generate=True.")
    texts = [edge.hyperedge for edge in trace.hyperedges]
    if not any(isinstance(text, str) and text.strip() for text in texts):
        raise InputError("None of its hyperedges has text, so there is nothing to read.")
    asked = prepare_prompt(
        model,
        trace.query,
        texts,
        answer if answer.strip() else None,
        control=control,
        max_new_tokens=max_new_tokens,
    )
    if not any(asked.encoded.spans):
        raise InputError("The model's chat template leaves out all of its hyperedges.")
    return asked


class StandIn:
    """A causal or encoder-decoder model that reads traces.

    Parameters
    ----------
    model
        The model.
    settings
        What is read, and which attention is kept.
    batch_tokens
        Largest number of tokens of a forward pass; None for the default of the device.

    Attributes
    ----------
    key
        Digest that identifies the model: its name, form and chat template, and some of its weights.

    Raises
    ------
    ModelCapabilityError
        The model is an encoder, or an encoder-decoder while question rows are to be kept.
    """

    def __init__(
        self, model: Model, settings: StandInSettings, batch_tokens: int | None = None
    ) -> None:
        if model.kind == "encoder":
            raise ModelCapabilityError(
                f"{model.label} is an encoder: no row of its attention predicts a token of the "
                "answer. Choose a causal model such as SmolLM2-135M-Instruct, or an "
                "encoder-decoder."
            )
        if model.kind != "causal" and (settings.question or settings.content_free):
            raise ModelCapabilityError(
                f"The decoder of {model.label} does not read the question, so the question has no "
                'rows. Leave rows at ("answer",) and content_free at False, or choose a causal '
                "model."
            )
        self.model = model
        self.settings = settings
        self.key = model_digest(model)
        self._batch_tokens = batch_tokens

    @property
    def prepares_meanwhile(self) -> bool:
        """Whether the next traces are prepared while the model, on another device, reads."""
        return not self.settings.generate and self.model.torch_model.device.type != "cpu"

    def fingerprint(self, trace: Trace) -> str:
        """Return a digest of everything but the model that the attention of a trace depends on."""
        return self.settings.digest_for(trace)

    def mark(self, trace: Trace, **more: Any) -> dict[str, Any]:
        """Return the entry of the metadata that describes this reading."""
        mark = {"model": self.model.name, "reader": self.key, "trace": self.fingerprint(trace)}
        return mark | more

    def ask(self, trace: Trace, control: RunControl) -> PreparedTrace:
        """Return a prepared trace; the model answers first where the settings say so.

        Raises
        ------
        InputError
            A part of the trace is missing, or the trace is too long for the model.
        ModelError, Cancelled
            As `Model.read`.
        """
        asked = prepare_trace(
            self.model,
            trace,
            control,
            generate=self.settings.generate,
            max_new_tokens=self.settings.max_new_tokens,
        )
        blank = None
        if self.settings.content_free:
            prompt = fact_prompt(self.model.tokenizer, NO_QUESTION, asked.facts)
            blank = encode_question(self.model, prompt)
        wanted = [asked.encoded] if self.settings.question else []
        if any(not one.question_rows.size for one in [*wanted, *([blank] if blank else [])]):
            raise InputError("The model's chat template leaves out the question.")
        return PreparedTrace(asked, blank)

    def plan(self, ready: Sequence[PreparedTrace]) -> list[list[int]]:
        """Return the traces of each pass, of similar length, as lists of indices."""
        tokens = self._batch_tokens or default_batch_tokens(self.model)
        vocabulary = int(getattr(self.model.torch_model.config, "vocab_size", None) or 1)
        return plan_batches([one.asked.encoded for one in ready], tokens, vocabulary)

    def read(
        self,
        traces: Sequence[Trace],
        ready: Sequence[PreparedTrace],
        control: RunControl,
        partly: Callable[[float], None],
    ) -> list[Trace]:
        """Return traces with the attention of one pass, and of a second one without content.

        Raises
        ------
        RecordingError
            The attention is not a number.
        Cancelled
            The job was stopped.
        """
        facts = [one.asked.facts for one in ready]
        with self.model.run(control) as torch_model:
            found = run_batch(
                self.model,
                torch_model,
                [one.asked.encoded for one in ready],
                facts,
                question=self.settings.question,
                keep_rows=self.settings.keep_rows,
                logprobs=True,
                control=control,
            )
        more = [dict(one.more) for one in found]
        blanks = [one.blank for one in ready if one.blank is not None]
        if blanks:
            with self.model.run(control) as torch_model:
                empty = run_batch(self.model, torch_model, blanks, facts, control=control)
            for attention, one in zip(more, empty, strict=True):
                attention[BLANK] = one.attention
        return [self._scored(*one) for one in zip(traces, ready, found, more, strict=True)]

    def _scored(
        self,
        trace: Trace,
        ready: PreparedTrace,
        read: ReducedText,
        more_rows: dict[str, UnitAttention],
    ) -> Trace:
        asked, attention, sequence = ready.asked, read.attention, ready.asked.encoded
        if not all(np.isfinite(one.array).all() for one in (attention, *more_rows.values())):
            raise RecordingError(
                f"The attention of {self.model.label} is not a number here. Load the model in "
                "float32, in which nothing overflows."
            )
        counts = [sum(stop - start for start, stop in spans) for spans in sequence.spans]
        notes = [*attention.notes]
        lost = [edge.id for edge, count in zip(trace.hyperedges, counts, strict=True) if not count]
        if lost:
            notes.append(f"Without tokens in the prompt, so not scored: {', '.join(lost)}.")
        if read.logprobs is None:
            notes.append("The model has no language head, so the answer has no log-probability.")
        others = {
            name: value
            for name, value in trace.metadata.items()
            if name not in _EVIDENCE | _OWN | {MARK}
        }
        more: dict[str, Any] = {"tokens": len(sequence), "generated": asked.generated}
        if others.get("model") not in (None, self.model.name):
            more["model_before"] = others["model"]  # possibly the model of the system itself
        if notes:
            more["notes"] = notes
        metadata = {
            **others,
            "model": self.model.name,
            "unit_attention": attention.array,
            "unit_tokens": counts,
            "answer_tokens": list(sequence.answer_tokens),
            "answer_rows": len(sequence.rows),
            MARK: self.mark(trace, **more),
        }
        if self.settings.keep_topk:
            metadata |= {"unit_topk": attention.topk, "unit_topk_k": TOP_K}
        for name, kept in more_rows.items():
            metadata[f"{name}_attention"] = kept.array
            metadata[f"{name}_rows"] = len(kept.rows or ())
            if self.settings.keep_topk:
                metadata[f"{name}_topk"] = kept.topk
        if read.logprobs is not None:
            metadata["answer_logprob"] = float(read.logprobs.sum())
        return msgspec.structs.replace(trace, answer=asked.answer, metadata=metadata)
