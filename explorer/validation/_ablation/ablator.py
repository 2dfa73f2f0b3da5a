"""A model that measures how probable an answer is without some of its hyperedges."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from explorer.errors import InputError, ModelCapabilityError, ModelError
from explorer.models._running.answer_scorer import AnswerScorer
from explorer.models._running.prepared_prompt import PreparedPrompt
from explorer.models._text.prompt_encoding import EncodedPrompt, encode_given_answer
from explorer.models._text.prompts import fact_prompt
from explorer.rag._scoring.stand_in import prepare_trace
from explorer.rag._scoring.trace_task import digest, model_digest
from explorer.run_control import RunControl
from explorer.traces import Trace
from explorer.validation._ablation.ablation_record import MARK, AblationRecord, texts_digest
from explorer.validation._ablation.ablation_settings import AblationSettings
from explorer.validation._ablation.prompt_masks import (
    Masks,
    random_masks,
    reading_order,
    without_each,
)
from explorer.validation._ablation.surrogate import fit_surrogate

if TYPE_CHECKING:
    from explorer.models import Model


class Ablator:
    """Measures the probability of answers with a causal or encoder-decoder model.

    Parameters
    ----------
    model
        The model.
    settings
        Which hyperedges to leave out.
    batch_tokens
        Largest number of tokens of a forward pass of several prompts; None for a default that suits
        the device.

    Attributes
    ----------
    key
        Digest of everything that affects how this model reads.

    Raises
    ------
    ModelCapabilityError
        The model is an encoder, or has no language head.
    """

    def __init__(
        self, model: Model, settings: AblationSettings, batch_tokens: int | None = None
    ) -> None:
        if model.kind == "encoder":
            raise ModelCapabilityError(
                f"{model.label} is an encoder, which gives answers no probability. Choose a causal "
                "model such as SmolLM2-135M-Instruct, or an encoder-decoder."
            )
        self.model = model
        self.settings = settings
        self.key = model_digest(model)
        self._answers = AnswerScorer(model)
        self._batch_tokens = batch_tokens

    @property
    def prepares_meanwhile(self) -> bool:
        """False: a trace is prepared in a moment, beside many passes over it."""
        return False

    def fingerprint(self, trace: Trace) -> str:
        """Return a digest of the texts and labels of a trace and of the settings that affect it."""
        given = isinstance(trace.answer, str) and bool(trace.answer.strip())
        new_tokens = None if given else self.settings.max_new_tokens
        asked = [trace.query, trace.answer, trace.hyperedges]
        return digest([asked, self.settings.digest(trace), new_tokens])

    def mark(self, trace: Trace, **more: Any) -> dict[str, Any]:
        """Return the part of the record that identifies this ablation."""
        mark = {"model": self.model.name, "reader": self.key, "trace": self.fingerprint(trace)}
        return mark | more

    def ask(self, trace: Trace, control: RunControl) -> PreparedPrompt:
        """Prepare a trace; let the model answer if there is no answer.

        Raises
        ------
        InputError
            A text is missing, the trace is too long for the model, or a set names an unknown
            hyperedge.
        ModelError, Cancelled
            As `Model.read`.
        """
        known = {edge.id for edge in trace.hyperedges}
        for one in self.settings.sets_of(trace):
            unknown = [name for name in one if name not in known]
            if unknown:
                raise InputError(
                    f"A set names the hyperedge {unknown[0]!r}, which the trace does not have."
                )
        return prepare_trace(
            self.model,
            trace,
            control,
            generate=self.settings.generate,
            max_new_tokens=self.settings.max_new_tokens,
        )

    def plan(self, ready: Sequence[PreparedPrompt]) -> list[list[int]]:
        """Return each trace by itself: the prompts of one trace fill the passes."""
        return [[place] for place in range(len(ready))]

    def read(
        self,
        traces: Sequence[Trace],
        ready: Sequence[PreparedPrompt],
        control: RunControl,
        partly: Callable[[float], None],
    ) -> list[Trace]:
        """Read all prompts of each trace, and return it with the result.

        Raises
        ------
        ModelError
            A log-probability is not a number.
        Cancelled
            The cancel event was set.
        """
        return [
            self._ablated(trace, asked, control, partly)
            for trace, asked in zip(traces, ready, strict=True)
        ]

    def _ablated(
        self,
        trace: Trace,
        asked: PreparedPrompt,
        control: RunControl,
        partly: Callable[[float], None],
    ) -> Trace:
        trace = msgspec.structs.replace(trace, answer=asked.answer)
        n_units = len(asked.facts)
        free = np.array([bool(fact.strip()) for fact in asked.facts])
        ids = [edge.id for edge in trace.hyperedges]
        sets = self.settings.sets_of(trace)
        random = random_masks(free, int(self.settings.masks), _generator(trace, self.settings.seed))
        parts = [
            np.ones((1, n_units), dtype=np.bool_),
            ~free[None],
            without_each(n_units)[free],
            random,
            np.array([[name not in one for name in ids] for one in sets], dtype=np.bool_).reshape(
                -1, n_units
            ),
        ]
        logprobs = self._logprobs(np.concatenate(parts), trace, asked, control, partly)
        full, none, each, by_mask, by_set = np.split(
            logprobs, np.cumsum([len(part) for part in parts])[:-1]
        )
        effects = np.full(n_units, np.nan)
        effects[free] = full - each
        found = AblationRecord(
            **self.mark(trace),
            texts=texts_digest(trace),
            settings=self.settings.digest(trace),
            answer_tokens=len(asked.encoded.answer_ids),
            full_logprob=float(full[0]),
            none_logprob=float(none[0]),
            leave_one_out=_listed(effects),
            seed=int(self.settings.seed),
            masks=random.astype(int).tolist(),
            mask_logprobs=_listed(by_mask),
            sets=[list(one) for one in sets],
            set_logprobs=_listed(by_set),
            generated=asked.generated,
            notes=self._notes(trace, asked, free),
        )
        if len(random):
            self._fit(found, random, by_mask, free)
        return msgspec.structs.replace(
            trace, metadata={**trace.metadata, MARK: msgspec.to_builtins(found)}
        )

    def _logprobs(
        self,
        masks: Masks,
        trace: Trace,
        asked: PreparedPrompt,
        control: RunControl,
        partly: Callable[[float], None],
    ) -> NDArray[np.float64]:
        """Return the log-probability of the answer to the prompt of each mask."""
        unique, places = reading_order(masks)
        tokenizer = self.model.tokenizer
        sequences: list[EncodedPrompt] = []
        # Equal texts of hyperedges make equal prompts, which are read once.
        numbers: dict[tuple[str, ...], int] = {}
        of_mask = []
        for mask in unique:
            control.check()
            kept = tuple(fact for fact, stays in zip(asked.facts, mask, strict=True) if stays)
            if kept not in numbers:
                numbers[kept] = len(sequences)
                prompt = fact_prompt(tokenizer, trace.query, kept)
                sequences.append(encode_given_answer(self.model, prompt, asked.answer))
            of_mask.append(numbers[kept])
        found = self._answers.logprobs(
            sequences,
            control,
            batch_tokens=self._batch_tokens,
            before=lambda done: partly(done / len(sequences)),
        )
        # float32 has no more digits than these.
        logprobs = np.array([round(float(one.sum()), 6) for one in found])[of_mask][places]
        if not np.isfinite(logprobs).all():
            raise ModelError(
                f"The probability that {self.model.label} gives to the answer is not a number "
                "here. Load the model in float32, in which nothing overflows."
            )
        return logprobs

    def _fit(
        self,
        found: AblationRecord,
        masks: Masks,
        logprobs: NDArray[np.float64],
        free: NDArray[np.bool_],
    ) -> None:
        """Add the surrogate, or a note on why there is none."""
        try:
            surrogate = fit_surrogate(
                masks, logprobs, found.answer_tokens, alpha=self.settings.alpha
            )
        except InputError as error:
            found.notes = [*found.notes, f"There is no surrogate. {error}"]
            return
        found.surrogate = _listed(np.where(free, surrogate.weights.round(6), np.nan))
        found.surrogate_intercept = round(surrogate.intercept, 6)
        found.surrogate_alpha = surrogate.alpha
        (found.surrogate_held_out,) = _listed(np.array([surrogate.held_out]).round(6))

    def _notes(self, trace: Trace, asked: PreparedPrompt, free: NDArray[np.bool_]) -> list[str]:
        notes = list(self._answers.notes)
        edges = list(zip(trace.hyperedges, free, asked.encoded.spans, strict=True))
        empty = [edge.id for edge, has_text, _ in edges if not has_text]
        lost = [edge.id for edge, has_text, spans in edges if has_text and not spans]
        if empty:
            notes.append(f"Never left out, because they have no text: {', '.join(empty)}.")
        if lost:
            notes.append(f"The model's chat template leaves out: {', '.join(lost)}.")
        return notes


def _generator(trace: Trace, seed: int) -> np.random.Generator:
    """Return a random generator that depends on the id of the trace, not on its position."""
    own = hashlib.sha256(trace.id.encode("utf-8", "surrogatepass")).digest()[:8]
    return np.random.default_rng([int(seed), int.from_bytes(own)])


def _listed(values: NDArray[np.float64]) -> list[Any]:
    return [None if np.isnan(value) else float(f"{value:.9g}") for value in values.tolist()]
