"""A model that reads a trace in place of the one that answered it, and the attention it pays."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from explorer.errors import InputError, ModelCapabilityError, RecordingError
from explorer.models.asking import Asked, ask
from explorer.models.batching import TOP_K, run_batch
from explorer.models.progress import Reporter
from explorer.models.prompts import INSTRUCTION
from explorer.traces import Trace
from explorer.traces.finding import PRECEDENCE

if TYPE_CHECKING:
    from explorer.attention.recorder import ReducedText
    from explorer.models import Model

MARK = "stand_in"
"""Where a trace's metadata tells of the model that read it."""

_EVIDENCE = frozenset(name for reader in PRECEDENCE for name in reader.needs)
_OWN = frozenset(
    {"unit_topk", "unit_topk_k", "unit_tokens", "answer_tokens", "answer_rows", "answer_logprob"}
)


def brings_attention(trace: Trace) -> bool:
    """Whether a trace has evidence of any kind."""
    return any(
        all(trace.metadata.get(name) is not None for name in reader.needs) for reader in PRECEDENCE
    )


@dataclass(frozen=True)
class Settings:
    """What the caller of `score_traces` wants to be kept.

    Attributes
    ----------
    generate, max_new_tokens
        Let the model answer where a trace has no answer.
    keep_topk, keep_rows
        Keep the top-k attention; keep each answer row.
    """

    generate: bool = False
    max_new_tokens: int = 48
    keep_topk: bool = True
    keep_rows: bool = False


class StandIn:
    """A causal or encoder-decoder model that reads traces.

    Parameters
    ----------
    model
        The model.
    settings
        What to keep.

    Attributes
    ----------
    key
        Digest of all that decides how this model reads: its name, form and chat template, and a
        few of its weights.

    Raises
    ------
    ModelCapabilityError
        The model is an encoder.
    """

    def __init__(self, model: Model, settings: Settings) -> None:
        if model.kind == "encoder":
            raise ModelCapabilityError(
                f"{model.label} is an encoder: no row of its attention predicts a token of the "
                "answer. Choose a causal model such as SmolLM2-135M-Instruct, or an "
                "encoder-decoder."
            )
        self.model = model
        self.settings = settings
        self.key = _model_digest(model)

    def fingerprint(self, trace: Trace) -> str:
        """Return a digest of all that the attention of a trace depends on, but the model."""
        asked = [trace.query, trace.answer, trace.hyperedges]
        return _digest([asked, _wanted(self.settings, trace)])

    def mark(self, trace: Trace, **more: Any) -> dict[str, Any]:
        """Return what a trace's metadata tells of this reading."""
        mark = {"model": self.model.name, "reader": self.key, "trace": self.fingerprint(trace)}
        return mark | more

    def ask(self, trace: Trace, reporter: Reporter) -> Asked:
        """Make a trace ready to be read; let the model answer where nobody has.

        Raises
        ------
        InputError
            Something that is needed is missing, or the trace is too long for the model.
        ModelError, Cancelled
            As `Model.read`.
        """
        answer = trace.answer if isinstance(trace.answer, str) else ""
        if not trace.hyperedges:
            raise InputError("It has no hyperedges, so there is nothing to score.")
        if not answer.strip() and not self.settings.generate:
            raise InputError("It has no answer to read. Give it an answer, or generate=True.")
        texts = [edge.hyperedge for edge in trace.hyperedges]
        if not any(isinstance(text, str) and text.strip() for text in texts):
            raise InputError("None of its hyperedges has text, so there is nothing to look at.")
        asked = ask(
            self.model,
            trace.query,
            texts,
            answer if answer.strip() else None,
            reporter=reporter,
            max_new_tokens=self.settings.max_new_tokens,
        )
        if not any(asked.sequence.spans):
            raise InputError("The model's chat template leaves out all of its hyperedges.")
        return asked

    def read(
        self, traces: Sequence[Trace], asked: Sequence[Asked], reporter: Reporter
    ) -> list[Trace]:
        """Read traces in one pass and return them with their attention.

        Raises
        ------
        RecordingError
            The attention is no number.
        Cancelled
            The caller asked to stop.
        """
        with self.model.run(reporter) as torch_model:
            found = run_batch(
                self.model,
                torch_model,
                [one.sequence for one in asked],
                [one.facts for one in asked],
                keep_rows=self.settings.keep_rows,
                logprobs=True,
                cancel=reporter.cancel,
            )
        return [self._scored(*one) for one in zip(traces, asked, found, strict=True)]

    def _scored(self, trace: Trace, asked: Asked, read: ReducedText) -> Trace:
        attention, sequence = read.attention, asked.sequence
        if not np.isfinite(attention.array).all():
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
            more["model_before"] = others["model"]  # that of the system itself, it may be
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
        if read.logprobs is not None:
            metadata["answer_logprob"] = float(read.logprobs.sum())
        return msgspec.structs.replace(trace, answer=asked.answer, metadata=metadata)


class _Wanted(msgspec.Struct):
    """Of the settings, those that change what is kept of one trace."""

    keep_topk: bool
    keep_rows: bool
    max_new_tokens: int | None


def _wanted(settings: Settings, trace: Trace) -> _Wanted:
    given = isinstance(trace.answer, str) and bool(trace.answer.strip())
    new_tokens = None if given else settings.max_new_tokens
    return _Wanted(settings.keep_topk, settings.keep_rows, new_tokens)


def _digest(value: Any) -> str:
    # json and not msgspec: it can write half a character, which a trace in memory may hold.
    encoded = json.dumps(msgspec.to_builtins(value, enc_hook=repr), sort_keys=True)
    return hashlib.sha256(encoded.encode()).hexdigest()[:24]


def _model_digest(model: Model) -> str:
    """Tell models apart, those of one name too: somebody may have trained it on."""
    torch_model = model.torch_model
    weights = [
        [name, list(parameter.shape), _few(parameter)]
        for name, parameter in torch_model.named_parameters()
    ]
    template = getattr(model.tokenizer, "chat_template", None)
    return _digest([model.name, INSTRUCTION, repr(template), str(torch_model.dtype), weights])


def _few(parameter: Any) -> list[float]:
    """Return some weights of a parameter, from all over it."""
    if parameter.device.type == "meta" or not parameter.numel():
        return []
    flat = parameter.detach().reshape(-1)
    found: list[float] = flat[:: max(1, len(flat) // 8)][:8].float().tolist()
    return found
