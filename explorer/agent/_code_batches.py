"""Pieces of code in batches of like length, and what is read from a recorded pass."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from explorer.agent._analysis_results import AttentionAnalysis, CodeAnalysis, FailedAnalysis
from explorer.errors import Cancelled
from explorer.models._model_argument import from_zero
from explorer.models._running.batches import default_batch_tokens, plan_texts
from explorer.run_control import RunControl

if TYPE_CHECKING:
    from explorer.models import Model, RecordedText, TokenizedText


class CodeBatch:
    """Pieces of code on their way through a model."""

    def __init__(
        self,
        model: Model,
        codes: Sequence[Any],
        layer: int | None,
        head: int | None,
        attention: bool,
    ) -> None:
        self._model = model
        self._codes = codes
        self._layer = layer
        self._head = head
        self._attention = attention
        self._found: dict[int, CodeAnalysis | FailedAnalysis] = {}
        self._seconds: dict[int, float] = {}  # of tokenization

    @property
    def choice(self) -> tuple[int | None, int | None]:
        """Layer and head, counted from 0."""
        model = self._model
        return from_zero(self._layer, model.n_layers), from_zero(self._head, model.n_heads)

    def run(
        self, batch_size: int | None, control: RunControl
    ) -> list[CodeAnalysis | FailedAnalysis]:
        """Return the results in the order of the codes."""
        texts = self._tokenized(control)
        places = list(texts)
        lengths = [len(texts[place]) for place in places]
        plan = plan_texts(lengths, default_batch_tokens(self._model), batch_size)
        for number, batch in enumerate(plan):
            message = f"Analysing code, pass {number + 1} of {len(plan)} ..."
            control.report("recording", number / len(plan), message)
            self._pass({places[one]: texts[places[one]] for one in batch}, control)
        return [self._found[place] for place in range(len(self._codes))]

    def _tokenized(self, control: RunControl) -> dict[int, TokenizedText]:
        texts: dict[int, TokenizedText] = {}
        for place, code in enumerate(self._codes):
            control.check()
            began = time.perf_counter()
            try:
                texts[place] = self._model.tokenize(code)
            except Exception as error:  # noqa: BLE001 - one entry must not lose the others
                self._fail(place, error)
            self._seconds[place] = time.perf_counter() - began
        return texts

    def _pass(self, texts: dict[int, TokenizedText], control: RunControl) -> None:
        """Analyse texts in one pass; if it fails, each by itself to find which one it was."""
        began = time.perf_counter()
        try:
            recorded = self._model.record_batch(list(texts.values()), control=control)
            shared = (time.perf_counter() - began) / len(texts)
            for place, one in zip(texts, recorded, strict=True):
                spent = self._seconds[place] + shared
                self._found[place] = self._analysis(one, time.perf_counter() - spent)
        except Cancelled:
            raise
        except Exception as error:  # noqa: BLE001 - as above, and too little memory for the batch
            if len(texts) > 1:
                for place, text in texts.items():
                    self._pass({place: text}, control)
            else:
                self._fail(next(iter(texts)), error)

    def _analysis(self, recorded: RecordedText, began: float) -> CodeAnalysis:
        return read_analysis(self._model, recorded, self._layer, self._head, self._attention, began)

    def _fail(self, place: int, error: Exception) -> None:
        code = self._codes[place]
        length = len(code) if isinstance(code, str) else 0
        self._found[place] = FailedAnalysis(str(error), type(error).__name__, length)


def read_analysis(
    model: Model,
    recorded: RecordedText,
    layer: int | None,
    head: int | None,
    attention: bool,
    began: float,
) -> CodeAnalysis:
    """Return what is read from a recorded pass; `began` is its start on the performance counter."""
    text, found = recorded.tokenized, recorded.attention
    embedding = recorded.embedding()
    weights = found.weights(layer, head) if attention else None
    importance = found.received(layer, head) if attention else None
    shared: dict[str, Any] = {
        "embedding": embedding,
        "latency_ms": (time.perf_counter() - began) * 1000,
        "model": model.name,
        "layer": from_zero(layer, found.n_layers),
        "head": from_zero(head, found.n_heads),
        "code_length": len(text.text),
        "n_tokens": text.n_total,
        "truncated": text.truncated,
    }
    if weights is None or importance is None:
        return CodeAnalysis(**shared)
    return AttentionAnalysis(**shared, tokens=text.tokens, attention=weights, importance=importance)
