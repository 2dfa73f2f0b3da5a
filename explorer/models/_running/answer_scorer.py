"""Log-probabilities of answers to many prompts that begin alike: what they share is read once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from explorer.errors import Cancelled, ModelCapabilityError
from explorer.models._loaded_model import LoadedModel
from explorer.models._running.batches import (
    LOGITS,
    batch_tensors,
    default_batch_tokens,
    only_looks_back,
    padded,
    plan_batches,
)
from explorer.models._running.blockwise import blockwise
from explorer.models._text.prompt_encoding import EncodedPrompt
from explorer.run_control import RunControl

if TYPE_CHECKING:
    from torch import nn


# What a forward pass costs before its first token, in tokens. On a CPU it is the reading of the
# weights; on a GPU the launching of kernels, where this is an estimate.
_CALL_ON_CPU = 24
_CALL_ON_GPU = 2048
# A batch copies what its texts share for each of them: at most so many bytes of keys and values.
_COPIES_ON_CPU = 1 << 29
_COPIES_ON_GPU = 1 << 32
# Tokens of the text on which a model's cache is tried, and the largest difference that is rounding.
_PROBE = 48
_ROUNDING = 1e-3
_ROUNDING_HALF = 0.25
# Rotations that change with the length of the text: keys of a short text are no use in a long one.
_LENGTH_DEPENDENT = frozenset({"dynamic", "longrope"})


@dataclass(frozen=True)
class Pass:
    """Some neighbouring sequences that are read in one forward pass, from a common place on.

    Attributes
    ----------
    first, stop
        Which sequences, half open.
    start
        The first token that is read; those before it are in the cache.
    """

    first: int
    stop: int
    start: int


def plan_passes(
    sequences: Sequence[EncodedPrompt],
    call: int,
    batch_tokens: int,
    *,
    most: int = 1 << 62,
    held_tokens: int = 1 << 62,
) -> list[Pass]:
    """Decide what to read when; each sequence goes on from what it shares with the one before.

    Neighbours share a pass where padding, and reading again what only some of them share, cost
    less than another call of the model.

    Parameters
    ----------
    sequences
        In an order in which neighbours begin alike.
    call
        What a forward pass costs before its first token, in tokens.
    batch_tokens
        Most tokens of a pass of several texts.
    most
        Most texts of a pass.
    held_tokens
        Most tokens of a pass of several texts, those in the cache included.
    """
    starts = [0]
    for before, one in pairwise(sequences):
        starts.append(min(shared(before.ids, one.ids), int(one.rows.min())))
    passes: list[Pass] = []
    first = 0
    while first < len(sequences):
        stop, start, longest = first + 1, starts[first], len(sequences[first].ids)
        cost = call + longest - start
        while stop < len(sequences) and stop - first < most:
            one = sequences[stop]
            from_here, longest_yet = min(start, starts[stop]), max(longest, len(one.ids))
            together = (stop + 1 - first) * (longest_yet - from_here)
            held = (stop + 1 - first) * longest_yet
            apart = cost + call + len(one.ids) - starts[stop]
            if together > batch_tokens or held > held_tokens:
                break
            if call + together > apart:
                break
            stop, start, longest, cost = stop + 1, from_here, longest_yet, call + together
        passes.append(Pass(first, stop, start))
        first = stop
    return passes


def shared(one: NDArray[np.int64], other: NDArray[np.int64]) -> int:
    """Return how many tokens two texts have in common at the beginning."""
    length = min(len(one), len(other))
    differ = np.flatnonzero(one[:length] != other[:length])
    return int(differ[0]) if differ.size else length


class AnswerScorer:
    """Reads the answers of many prompts with one model.

    Where the model keeps keys and values of each token apart, what neighbouring prompts share is
    read once. That this gives what separate passes give is tried on a short text first. All other
    models read each prompt anew, and `notes` say why.

    Parameters
    ----------
    model
        Causal or encoder-decoder.

    Attributes
    ----------
    notes
        Sentences to tell with the numbers that came last.

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
        self._was_tried = False
        self._reason: str | None = None
        if not self._has_head():
            raise ModelCapabilityError(
                f"{model.label} has no language head, so it gives no answer a probability. Load "
                "the whole model, such as one of the class AutoModelForCausalLM."
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
            Prompts with their answers, in an order in which neighbours begin alike.
        control
            Asked for a stop before every layer.
        reuse
            False to read every prompt anew.
        batch_tokens
            Most tokens of a forward pass of several texts; None for what suits the device.
        before
            Called before each pass with the number of sequences that are done.

        Returns
        -------
        list of float64 (answer tokens,)
            For each sequence, within rounding what a forward pass of its own gives.

        Raises
        ------
        Cancelled
            The caller asked to stop.
        """
        if not sequences:
            return []
        tokens = batch_tokens or default_batch_tokens(self.model)
        told = before or (lambda _: None)
        self.notes = ()
        if reuse:
            reason = self._why_anew(sequences[0], control)
            if reason is None:
                try:
                    return list(self._continued(sequences, tokens, control, told))
                except Cancelled:
                    raise
                except Exception as error:  # noqa: BLE001 - for lack of memory, or of a long cache
                    reason = f"going on from a cache failed ({type(error).__name__})"
            self.notes = (f"Every prompt was read from its first token on: {reason}.",)
        if _length_dependent(self.model):
            tokens = 1  # padding would change the numbers
        found: dict[int, NDArray[np.float64]] = {}
        for places in plan_batches(sequences, tokens, self._vocabulary()):
            told(len(found))
            some = [sequences[place] for place in places]
            found |= zip(places, self._whole(some, control), strict=True)
        return [found[place] for place in range(len(sequences))]

    # -- one pass ----------------------------------------------------------------------------------

    def _whole(
        self, sequences: Sequence[EncodedPrompt], control: RunControl
    ) -> list[NDArray[np.float64]]:
        """Read sequences from their first tokens on."""
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
        told: Callable[[int], None],
    ) -> Iterator[NDArray[np.float64]]:
        import torch

        device = self.model.torch_model.device
        on_cpu = device.type == "cpu"
        call = _CALL_ON_CPU if on_cpu else _CALL_ON_GPU
        held = (_COPIES_ON_CPU if on_cpu else _COPIES_ON_GPU) // self._cached_bytes()
        cache: Any = None
        rows = max(len(text.rows) for text in sequences)
        most = max(1, LOGITS // (rows * self._vocabulary()))
        for one in plan_passes(sequences, call, batch_tokens, most=most, held_tokens=held):
            told(one.first)
            some = sequences[one.first : one.stop]
            cache = cropped(cache, one.start, len(some))
            ids = padded([text.ids[one.start :] for text in some])
            inputs = {
                "input_ids": torch.as_tensor(ids, device=device),
                "past_key_values": cache,
                "use_cache": True,
            }
            asked = [text.rows - one.start for text in some]
            yield from self._forward(inputs, asked, [text.answer_ids for text in some], control)
            _keep_last(cache, len(some[-1].ids))

    def _forward(
        self,
        inputs: dict[str, Any],
        rows: Sequence[NDArray[np.int64]],
        targets: Sequence[NDArray[np.int64]],
        control: RunControl,
    ) -> list[NDArray[np.float64]]:
        """Run the model once; its language head sees the answers' rows alone."""
        from explorer.attention._recorder.language_head import LanguageHead

        head = LanguageHead.of(self._module, rows, targets)
        assert head is not None  # noqa: S101 - seen when this was made
        # Without gradients, but not torch.inference_mode: what a model puts aside in that, such as
        # its rotations, could never take part in training again.
        goes_on = "past_key_values" in inputs and blockwise(self._module)
        with self.model.run(control), goes_on or nullcontext(), head.reduced_to_rows():
            outputs = self._module(**inputs)
            head.take(outputs)
        if head.logprobs is None:
            raise ModelCapabilityError(
                f"{self.model.label} gives no logits, so its answers have no probability. Choose "
                "another model."
            )
        return head.logprobs

    def _has_head(self) -> bool:
        from explorer.attention._recorder.language_head import LanguageHead

        nothing = [np.zeros(0, dtype=np.int64)]
        return LanguageHead.of(self._module, nothing, nothing) is not None

    def _vocabulary(self) -> int:
        return int(getattr(self.model.torch_model.config, "vocab_size", None) or 1)

    def _cached_bytes(self) -> int:
        """Return what the keys and values of one token take; at most, where heads share them."""
        config = self.model.torch_model.config
        config = config.get_text_config() if hasattr(config, "get_text_config") else config
        heads = getattr(config, "num_key_value_heads", None) or self.model.n_heads
        width = getattr(config, "head_dim", None) or config.hidden_size // self.model.n_heads
        itemsize = self.model.torch_model.dtype.itemsize
        return int(2 * self.model.n_layers * np.max(heads) * np.max(width) * itemsize)

    # -- whether the cache may be used -------------------------------------------------------------

    def _why_anew(self, sequence: EncodedPrompt, control: RunControl) -> str | None:
        """Return why every prompt must be read anew, or None; found out once."""
        if not self._was_tried:
            self._reason = self._why_not() or self._tried(sequence, control)
            self._was_tried = True
        return self._reason

    def _why_not(self) -> str | None:
        """Return why a model cannot go on from what it has read, as far as its config tells."""
        label = self.model.label
        if self.model.kind != "causal":
            return f"{label} reads prompts with an encoder, which looks ahead"
        if not only_looks_back(self.model):
            return f"not all attention of {label} is causal"
        accepted = inspect.signature(type(self._module).forward).parameters
        if "past_key_values" not in accepted:
            return f"{label} takes no cache of keys and values"
        config = self.model.torch_model.config
        config = config.get_text_config() if hasattr(config, "get_text_config") else config
        kinds = set(getattr(config, "layer_types", None) or ())
        odd = kinds - {"full_attention", "sliding_attention"}
        if odd:
            return f"{label} has layers whose cache cannot be cut ({', '.join(sorted(odd))})"
        if _length_dependent(self.model):
            return f"the rotary embedding of {label} depends on the length of the text"
        return None

    def _tried(self, sequence: EncodedPrompt, control: RunControl) -> str | None:
        """Read the beginning of a text in one go and in pieces; return what speaks against it."""
        ids = sequence.ids[:_PROBE]
        half = max(1, len(ids) // 2)
        rows = np.arange(half, len(ids) - 1)
        text = replace(sequence, ids=ids, rows=rows, answer_ids=ids[rows + 1])
        # From the second on nothing is new: three texts from a common place, one of them shorter.
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
        except Exception as error:  # noqa: BLE001 - a cache of another make fails in any way
            return f"{self.model.label} does not go on from a cache ({type(error).__name__})"
        exact = str(self.model.torch_model.dtype) in {"torch.float32", "torch.float64"}
        off = max(float(np.abs(piece - whole).max()) for piece in pieces[1:])
        if not off <= (_ROUNDING if exact else _ROUNDING_HALF):
            return f"with its cache {self.model.label} gives other numbers (off by {off:.2g})"
        return None


# -- caches ----------------------------------------------------------------------------------------


def cropped(cache: Any, length: int, texts: int) -> Any:
    """Return the first tokens of a cache of one text, for some texts that begin so.

    Nothing is copied. No config is given to the cache, so that layers with a sliding window keep
    all of their keys as well; the mask still hides those outside the window.
    """
    from transformers.cache_utils import DynamicCache, DynamicLayer

    found = DynamicCache()
    if cache is None or length == 0:
        return found
    for layer in cache.layers:
        part: Any = DynamicLayer()  # type: ignore[no-untyped-call]
        part.dtype, part.device = layer.keys.dtype, layer.keys.device
        part.keys = layer.keys[:, :, :length].expand(texts, -1, -1, -1)
        part.values = layer.values[:, :, :length].expand(texts, -1, -1, -1)
        part.is_initialized = True
        found.layers.append(part)
    return found


def _keep_last(cache: Any, length: int) -> None:
    """Let go of all texts of a cache but the last, and of its padding.

    Raises
    ------
    ValueError
        The model did not put its keys and values there.
    """
    if not cache.layers:
        raise ValueError("the model left the cache empty")
    for layer in cache.layers:
        if layer.keys is None or layer.keys.shape[2] < length:
            raise ValueError("the model keeps keys of some tokens only")
        layer.keys = layer.keys[-1:, :, :length]
        layer.values = layer.values[-1:, :, :length]


def _length_dependent(model: LoadedModel) -> bool:
    """Whether a rotary embedding of the model changes with the length of the text."""
    config = model.torch_model.config
    config = config.get_text_config() if hasattr(config, "get_text_config") else config
    waiting = [getattr(config, "rope_parameters", None), getattr(config, "rope_scaling", None)]
    found: set[str] = set()
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += one.values()
            found |= {str(one[name]) for name in ("rope_type", "type") if name in one}
    return bool(found & _LENGTH_DEPENDENT)
