"""Log-probabilities of target tokens, computed only at selected positions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from explorer.attention._indexing import IntArray
from explorer.attention._recorder.model_preparation import transformers_model
from explorer.attention._recorder.token_positions import virtual_tokens

# Most logits that are turned into log-probabilities at once: 64 MB.
_BLOCK_VALUES = 1 << 24


class LanguageHead:
    """Log-probabilities of target tokens at selected rows of a forward pass.

    Logits of a whole text would take (tokens x vocabulary) numbers. A hook reduces the hidden
    states to the selected rows before the head; later steps of the model, such as soft caps and
    scales, are unchanged.

    Parameters
    ----------
    layer
        The model's output embeddings.
    rows
        For each text, the selected positions.
    targets
        For each text, one vocabulary id per position.
    n_tokens
        Number of tokens that go in, padding included.
    n_learned
        Number of learned positions that an adapter may put before the tokens; the selected
        positions do not count these.

    Attributes
    ----------
    logprobs
        For each text, float64 (rows,): natural logarithms of the probabilities of the targets;
        None before `take`, and if the model returned no logits.
    """

    def __init__(
        self,
        layer: nn.Module,
        rows: Sequence[IntArray],
        targets: Sequence[IntArray],
        n_tokens: int,
        n_learned: int = 0,
    ) -> None:
        self._layer = layer
        self._texts = np.concatenate(
            [np.full(len(one), text, dtype=np.int64) for text, one in enumerate(rows)]
        )
        self._rows = np.concatenate([np.asarray(one, dtype=np.int64) for one in rows])
        self._targets = np.concatenate([np.asarray(one, dtype=np.int64) for one in targets])
        self._ends = np.cumsum([len(one) for one in rows])
        self._n_tokens = n_tokens
        self._n_learned = n_learned
        self._cut = 0
        self.logprobs: list[NDArray[np.float64]] | None = None

    @classmethod
    def of(
        cls,
        module: nn.Module,
        rows: Sequence[IntArray],
        targets: Sequence[IntArray],
        n_tokens: int,
    ) -> LanguageHead | None:
        """Return the language head of a model, or None if it has none."""
        inner: Any = transformers_model(module)
        try:
            layer = None if inner is None else inner.get_output_embeddings()
        except (AttributeError, NotImplementedError):
            layer = None
        if not isinstance(layer, nn.Module):
            return None
        return cls(layer, rows, targets, n_tokens, virtual_tokens(module))

    @contextmanager
    def reduced_to_rows(self) -> Iterator[None]:
        """Reduce the input of the head to the selected rows: (1, rows of all texts, size)."""
        self._cut = 0
        handle = self._layer.register_forward_pre_hook(self._choose)
        try:
            yield
        finally:
            handle.remove()

    def take(self, outputs: Any) -> None:
        """Compute the log-probabilities from the outputs of the model."""
        logits = outputs.get("logits") if isinstance(outputs, Mapping) else None
        if not isinstance(logits, Tensor) or logits.ndim != 3:
            return
        if self._cut == 1 and logits.shape[:2] == (1, len(self._rows)):
            logits = logits[0]
        elif self._cut == 0 and self._knows(
            logits
        ):  # the head was not called as a module, so all rows are present
            logits = self._selected(logits)
        else:
            return
        found = np.split(_logprobs(logits, self._index(self._targets, logits)), self._ends[:-1])
        self.logprobs = list(found)

    def _choose(self, _: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...] | None:
        hidden = inputs[0] if inputs else None
        if not isinstance(hidden, Tensor) or not self._knows(hidden):
            return None
        self._cut += 1
        return (self._selected(hidden)[None], *inputs[1:])

    def _knows(self, values: Tensor) -> bool:
        """Return whether these are (texts, positions, size), with positions that are known."""
        return values.ndim == 3 and values.shape[1] - self._n_tokens in (0, self._n_learned)

    def _selected(self, values: Tensor) -> Tensor:
        """Return the selected positions of (texts, positions, size): (rows of all texts, size)."""
        before = values.shape[1] - self._n_tokens  # learned positions of an adapter
        return values[self._index(self._texts, values), self._index(self._rows + before, values)]

    @staticmethod
    def _index(numbers: NDArray[np.int64], like: Tensor) -> Tensor:
        return torch.as_tensor(numbers, device=like.device)


def _logprobs(logits: Tensor, targets: Tensor) -> NDArray[np.float64]:
    """Return log softmax(logits)[row, target]: float64 (rows,)."""
    step = max(1, _BLOCK_VALUES // logits.shape[-1])
    parts = []
    for start in range(0, len(logits), step):
        some = logits[start : start + step].float()
        picked = some.gather(1, targets[start : start + step, None])[:, 0]
        parts.append((picked - some.logsumexp(dim=-1)).cpu().numpy().astype(np.float64))
    return np.concatenate(parts)
