"""Recording a text again and again while it is typed: only what changed is computed."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from explorer.models._running.prefix_cache import cache_obstacle, cropped_cache
from explorer.run_control import RunControl

if TYPE_CHECKING:
    from explorer.attention import AttentionMap
    from explorer.attention._recorder import RecordedAttention
    from explorer.models._running.model import Model
    from explorer.models._text.tokens import TokenizedText

# Largest accepted difference between a continued recording and a whole one, by precision.
_ROUNDING, _ROUNDING_HALF = 1e-4, 2e-2
# Tokens of the text that tests, once per recorder, whether the model can be continued.
_PROBE = 24
# Tokens of the shortest text that can test it; shorter ones are recorded as a whole.
_LEAST = 6


class LiveRecorder:
    """Records successive versions of a text, and reuses the unchanged beginning.

    A causal model's keys, values and queries of a token depend on the tokens before it only. The
    recorder keeps those of the last text; a new text is computed from its first changed token on.
    An encoder looks ahead, so its texts are recorded as a whole, as with `Model.record`.

    Parameters
    ----------
    model
        The model. Several recorders may share it; each keeps its own text.

    Attributes
    ----------
    model
        The model.
    obstacle
        Why beginnings cannot be reused, as a sentence part; None if they can, or if no text has
        been recorded yet.

    Notes
    -----
    Memory is that of one text: queries, keys (twice) and values of each layer.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.obstacle: str | None = None
        self._tested = False
        self._ids: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._cache: Any = None
        self._recorded: RecordedAttention | None = None
        self._lock = threading.Lock()

    def record(
        self, tokenized: TokenizedText, cancel: threading.Event | None = None
    ) -> AttentionMap:
        """Return the attention of a text; equal to `Model.record` up to rounding.

        Parameters
        ----------
        tokenized
            From `Model.tokenize`.
        cancel
            Set it to stop before the next layer; the text before stays known.

        Raises
        ------
        Cancelled
            If `cancel` was set.
        """
        control = RunControl(cancel=cancel)
        with self._lock:
            if not self._tested and len(tokenized) >= _LEAST:
                self.obstacle = self._find_obstacle(tokenized, control)
                self._tested = True
            if self._tested and self.obstacle is None:
                return self._continued(tokenized.ids, control).with_tokens(tokenized.tokens)
        return self.model.record(tokenized, cancel)

    def reused(self, tokenized: TokenizedText) -> int:
        """Return how many tokens of a text would not be computed again."""
        continues = self._tested and self.obstacle is None
        return self._common(tokenized.ids) if continues else 0

    def _common(self, ids: NDArray[np.int64]) -> int:
        """Return the length of the beginning that a text shares with the last one.

        At least the last token is left, because a pass needs one.
        """
        n = min(len(ids) - 1, len(self._ids))
        differs = np.flatnonzero(self._ids[:n] != ids[:n])
        return int(differs[0]) if differs.size else max(0, n)

    def _continued(self, ids: NDArray[np.int64], control: RunControl) -> RecordedAttention:
        from explorer.attention._recorder import record_continued

        kept = self._common(ids)
        cache = cropped_cache(self._cache, kept, 1)
        with self.model.run(control) as torch_model:
            inputs = {
                "input_ids": self.model.tensors(ids[kept:])["input_ids"],
                "past_key_values": cache,
                "use_cache": True,
            }
            recorded = record_continued(torch_model, inputs, self._recorded, kept, control)
        self._ids, self._cache, self._recorded = ids.copy(), cache, recorded
        return recorded

    def _find_obstacle(self, tokenized: TokenizedText, control: RunControl) -> str | None:
        """Return why this model's recordings cannot be continued, or None; by a short test."""
        from explorer.attention._recorder import CannotContinueError
        from explorer.attention._recorder.model_preparation import transformers_model
        from explorer.errors import Cancelled

        label, module = self.model.label, self.model.torch_model
        obstacle = cache_obstacle(self.model, transformers_model(module) or module)
        if obstacle is not None:
            return obstacle
        ids = tokenized.ids[:_PROBE]
        try:
            # A single token and several, after a beginning that is cut back.
            for stop in (max(1, len(ids) // 2), max(1, len(ids) - 1), len(ids)):
                found = self._continued(ids[:stop], control)
            other = np.concatenate([ids[: max(1, len(ids) // 3)], ids[-2:]])
            again = self._continued(other, control)
            off = max(
                self._difference(found, ids, control), self._difference(again, other, control)
            )
        except Cancelled:
            raise
        except CannotContinueError as reason:
            return f"{label} cannot be continued: {reason}"
        except Exception as error:  # noqa: BLE001 - a model with another kind of cache fails in any way
            return f"{label} does not go on from a cache ({type(error).__name__})"
        exact = str(module.dtype) in {"torch.float32", "torch.float64"}
        if not off <= (_ROUNDING if exact else _ROUNDING_HALF):
            return f"{label} gives other numbers with its cache (off by {off:.2g})"
        return None

    def _difference(
        self, found: AttentionMap, ids: NDArray[np.int64], control: RunControl
    ) -> float:
        """Return the largest difference between a map and that of one pass over the whole text."""
        from explorer.attention._recorder import record

        with self.model.run(control) as torch_model:
            whole = record(torch_model, self.model.tensors(ids), control=control)
        if _shape(whole) != _shape(found):
            return float("inf")
        return max(
            float(np.abs(found.weights(layer, head) - whole.weights(layer, head)).max())
            for layer in range(whole.n_layers)
            for head in (0, None)
        )


def _shape(attention: AttentionMap) -> tuple[int, int, int, int]:
    return attention.n_layers, attention.n_heads, attention.n_queries, attention.n_keys
