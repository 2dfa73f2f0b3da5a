"""Log-probabilities of answers to many prompts, with shared prefixes read once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from explorer.errors import Cancelled, ModelCapabilityError
from explorer.models._loaded_model import LoadedModel
from explorer.models._running.batches import (
    LOGITS,
    batch_tensors,
    default_batch_tokens,
    padded,
    plan_batches,
)
from explorer.models._running.blockwise import blockwise
from explorer.models._running.pass_plan import plan_passes
from explorer.models._running.prefix_cache import (
    cache_obstacle,
    cached_bytes_per_token,
    cropped_cache,
    depends_on_length,
    keep_last_text,
)
from explorer.models._text.prompt_encoding import EncodedPrompt
from explorer.run_control import RunControl

if TYPE_CHECKING:
    from torch import nn

# Fixed cost of a forward pass, in tokens. On a CPU it is the reading of the weights (measured); on
# a GPU the launching of kernels (estimated).
_CALL_ON_CPU = 24
_CALL_ON_GPU = 2048
# A batch copies the shared prefix for each of its texts: most bytes of keys and values.
_COPIES_ON_CPU = 1 << 29
_COPIES_ON_GPU = 1 << 32
# Tokens of the text on which a model's cache is tested, and the largest difference that counts as
# rounding, in float32 and in half precision.
_PROBE = 48
_ROUNDING = 1e-3
_ROUNDING_HALF = 0.25


class AnswerScorer:
    """Log-probabilities of answers, for many prompts of one model.

    If the model stores keys and values per token, prefixes that neighbouring prompts share are read
    once. A short text tests first that this gives the numbers of separate passes. Other models read
    each prompt from its first token, and `notes` give the reason.

    Parameters
    ----------
    model
        A causal model or an encoder-decoder.

    Attributes
    ----------
    notes
        Sentences to show with the most recent numbers.

    Raises
    ------
    ModelCapabilityError
        The model has no language head.
    """

    def __init__(self, model: LoadedModel) -> None:
        from explorer.attention._recorder.model_preparation import unwrap

        self.model = model
        self.notes: tuple[str, ...] = ()
        self._module: nn.Module = unwrap(model)
        self._was_tested = False
        self._obstacle: str | None = None
        if not self._has_head():
            raise ModelCapabilityError(
                f"{model.label} has no language head, so it gives no probability of an answer. "
                "Load the whole model, such as one of the class AutoModelForCausalLM."
            )

    def logprobs(
        self,
        sequences: Sequence[EncodedPrompt],
        control: RunControl,
        *,
        reuse: bool = True,
        batch_tokens: int | None = None,
        before: Callable[[int], None] | None = None,
    ) -> list[NDArray[np.float64]]:
        """Return natural logarithms of the probabilities of the answers' tokens.

        Parameters
        ----------
        sequences
            Prompts with their answers, in an order in which neighbours share prefixes.
        control
            Its cancel event is checked before each layer.
        reuse
            False to read each prompt from its first token.
        batch_tokens
            Most tokens of a forward pass over several texts; None for the default of the device.
        before
            Called before each pass with the number of finished sequences.

        Returns
        -------
        list of float64 (answer tokens,)
            For each sequence, equal to a forward pass of its own within rounding.

        Raises
        ------
        Cancelled
            The cancel event was set.
        """
        if not sequences:
            return []
        tokens = batch_tokens or default_batch_tokens(self.model)
        report = before or (lambda _: None)
        self.notes = ()
        if reuse:
            reason = self._cache_obstacle(sequences[0], control)
            if reason is None:
                try:
                    return list(self._continued(sequences, tokens, control, report))
                except Cancelled:
                    raise
                except Exception as error:  # noqa: BLE001 - too little memory, or a cache that fails late
                    reason = f"going on from a cache failed ({type(error).__name__})"
            self.notes = (f"Every prompt was read from its first token on: {reason}.",)
        if depends_on_length(self.model):
            tokens = 1  # padding would change the numbers
        found: dict[int, NDArray[np.float64]] = {}
        for places in plan_batches(sequences, tokens, self._vocabulary()):
            report(len(found))
            some = [sequences[place] for place in places]
            found |= zip(places, self._whole(some, control), strict=True)
        return [found[place] for place in range(len(sequences))]

    # -- one pass ----------------------------------------------------------------------------------

    def _whole(
        self, sequences: Sequence[EncodedPrompt], control: RunControl
    ) -> list[NDArray[np.float64]]:
        """Score sequences in one pass that begins at their first tokens."""
        inputs = batch_tensors(self.model, sequences)
        return self._forward(
            inputs,
            [one.rows for one in sequences],
            [one.answer_ids for one in sequences],
            control,
        )

    def _continued(
        self,
        sequences: Sequence[EncodedPrompt],
        batch_tokens: int,
        control: RunControl,
        report: Callable[[int], None],
    ) -> Iterator[NDArray[np.float64]]:
        """Score sequences in passes that continue from cached prefixes."""
        import torch

        device = self.model.torch_model.device
        on_cpu = device.type == "cpu"
        call = _CALL_ON_CPU if on_cpu else _CALL_ON_GPU
        copies = _COPIES_ON_CPU if on_cpu else _COPIES_ON_GPU
        held = copies // cached_bytes_per_token(self.model)
        cache: Any = None
        rows = max(len(text.rows) for text in sequences)
        most = max(1, LOGITS // (rows * self._vocabulary()))
        for one in plan_passes(sequences, call, batch_tokens, most=most, held_tokens=held):
            report(one.first)
            some = sequences[one.first : one.stop]
            cache = cropped_cache(cache, one.start, len(some))
            ids = padded([text.ids[one.start :] for text in some])
            inputs = {
                "input_ids": torch.as_tensor(ids, device=device),
                "past_key_values": cache,
                "use_cache": True,
            }
            in_pass = [text.rows - one.start for text in some]
            yield from self._forward(inputs, in_pass, [text.answer_ids for text in some], control)
            keep_last_text(cache, len(some[-1].ids))

    def _forward(
        self,
        inputs: dict[str, Any],
        rows: Sequence[NDArray[np.int64]],
        targets: Sequence[NDArray[np.int64]],
        control: RunControl,
    ) -> list[NDArray[np.float64]]:
        """Run the model once, with its language head on the answers' rows only."""
        from explorer.attention._recorder.language_head import LanguageHead

        read = inputs.get("decoder_input_ids", inputs["input_ids"])
        head = LanguageHead.of(self._module, rows, targets, read.shape[1])
        assert head is not None  # noqa: S101 - checked by __init__
        # Model.run disables gradients without torch.inference_mode: tensors that a model caches in
        # that mode, such as its rotations, could never take part in training.
        continues = "past_key_values" in inputs and blockwise(self._module)
        with self.model.run(control), continues or nullcontext(), head.reduced_to_rows():
            outputs = self._module(**inputs)
            head.take(outputs)
        if head.logprobs is None:
            raise ModelCapabilityError(
                f"{self.model.label} returns no logits, so its answers have no probability. Choose "
                "another model."
            )
        return head.logprobs

    def _has_head(self) -> bool:
        from explorer.attention._recorder.language_head import LanguageHead

        nothing = [np.zeros(0, dtype=np.int64)]
        return LanguageHead.of(self._module, nothing, nothing, 0) is not None

    def _vocabulary(self) -> int:
        return int(getattr(self.model.torch_model.config, "vocab_size", None) or 1)

    # -- test of the cache -------------------------------------------------------------------------

    def _cache_obstacle(self, sequence: EncodedPrompt, control: RunControl) -> str | None:
        """Return why prefixes cannot be reused, or None; determined once per model."""
        if not self._was_tested:
            obstacle = cache_obstacle(self.model, self._module)
            self._obstacle = obstacle or self._failed_test(sequence, control)
            self._was_tested = True
        return self._obstacle

    def _failed_test(self, sequence: EncodedPrompt, control: RunControl) -> str | None:
        """Compare one pass over a short text with passes over its pieces; return any difference."""
        ids = sequence.ids[:_PROBE]
        half = max(1, len(ids) // 2)
        rows = np.arange(half, len(ids) - 1)
        text = replace(sequence, ids=ids, rows=rows, answer_ids=ids[rows + 1])
        # Three texts from a common position, one of them shorter; all pass through the cache.
        beginning = replace(
            text, ids=ids[: half + 1], rows=rows[:1], answer_ids=ids[half + 1 :][:1]
        )
        if len(rows) < 2:
            return None
        try:
            (whole,) = self._whole([text], control)
            tokens = len(ids) * len(ids)
            pieces = list(self._continued([beginning, text, text], tokens, control, lambda _: None))
        except Cancelled:
            raise
        except Exception as error:  # noqa: BLE001 - a model with another kind of cache fails in any way
            return f"{self.model.label} does not go on from a cache ({type(error).__name__})"
        exact = str(self.model.torch_model.dtype) in {"torch.float32", "torch.float64"}
        off = max(float(np.abs(piece - whole).max()) for piece in pieces[1:])
        if not off <= (_ROUNDING if exact else _ROUNDING_HALF):
            return f"with its cache {self.model.label} gives other numbers (off by {off:.2g})"
        return None
