"""The packaged embedding model."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from explorer.errors import Cancelled
from explorer.models import load_model
from explorer.rag._embeddings.embedding_functions import Embedded, failed_embedding
from explorer.run_control import RunControl

_KEPT = 20_000  # of 384 float32: 30 MB
_BATCH_TEXTS = 64
_BATCH_TOKENS = 8192


class MiniLM:
    """The packaged all-MiniLM-L6-v2: mean over the tokens, length 1, as it was trained.

    It is loaded when it is first used, and keeps the embeddings that were used last.

    Parameters
    ----------
    name
        Any encoder that `load_model` takes.
    kept
        Number of texts whose embeddings are kept.
    """

    def __init__(self, name: str = "all-MiniLM-L6-v2", kept: int = _KEPT) -> None:
        self.name = name
        self._memory: LRUCache[str, tuple[NDArray[np.float32], bool]] = LRUCache(kept)
        self._lock = threading.Lock()

    async def __call__(
        self,
        texts: Sequence[str],
        control: RunControl | None = None,
    ) -> Embedded:
        """Return the embeddings of texts, computed in a thread; see `Embedder`."""
        control = control or RunControl()
        stop = _Linked(control.cancel)
        try:
            return await asyncio.to_thread(self.embed, texts, replace(control, cancel=stop))
        except asyncio.CancelledError:
            stop.set()  # the thread itself cannot be cancelled
            raise

    def embed(
        self,
        texts: Sequence[str],
        control: RunControl | None = None,
    ) -> Embedded:
        """Return the embeddings of texts.

        Returns
        -------
        Embedded
            Rows of length 1.

        Raises
        ------
        EmbeddingError
            The model cannot be found or run.
        Cancelled
            The job was stopped.
        """
        found, missing = self._remembered(texts)
        if missing:
            try:
                for text, vector, cut in self._run(missing, control or RunControl()):
                    found[text] = (vector, cut)
                    self._remember(text, vector, cut)
            except Cancelled:
                raise
            except Exception as error:
                raise failed_embedding(error) from error
        array = np.array([found[text][0] for text in texts], dtype=np.float64)
        return Embedded(array, frozenset(text for text in texts if found[text][1]))

    def _run(
        self, texts: list[str], control: RunControl
    ) -> Iterator[tuple[str, NDArray[np.float32], bool]]:
        """Yield each text with its vector, and whether it was cut."""
        import torch

        model = load_model(self.name, progress=control.progress, cancel=control.cancel)
        limit = model.max_tokens
        with model.run(control):  # one thread at a time: tokenizers are not thread-safe
            clean = [text.encode("utf-8", "replace").decode() for text in texts]
            ids = model.tokenizer(clean, verbose=False)["input_ids"]
        order = sorted(range(len(texts)), key=lambda place: len(ids[place]))
        done = 0
        for batch in _batches(order, [min(len(one), limit) for one in ids]):
            control.report("embedding", done / len(texts), f"Embedding {len(texts)} texts ...")
            # The last token is the separator, which stays.
            cut = [_cut(ids[place], limit) for place in batch]
            width = max(map(len, cut))
            padded = torch.zeros((len(cut), width), dtype=torch.long)
            mask = torch.zeros((len(cut), width), dtype=torch.long)
            for row, one in enumerate(cut):
                padded[row, : len(one)] = torch.as_tensor(one)
                mask[row, : len(one)] = 1
            with model.run(control) as torch_model:
                device = torch_model.device
                hidden = torch_model(
                    input_ids=padded.to(device), attention_mask=mask.to(device)
                ).last_hidden_state.cpu()
                seen = mask[:, :, None].to(hidden.dtype)
                mean = (hidden * seen).sum(dim=1) / seen.sum(dim=1)
                unit = torch.nn.functional.normalize(mean, dim=1).numpy()
            for place, vector in zip(batch, unit, strict=True):
                yield texts[place], vector.copy(), len(ids[place]) > limit
            done += len(batch)

    def _remembered(
        self, texts: Sequence[str]
    ) -> tuple[dict[str, tuple[NDArray[np.float32], bool]], list[str]]:
        found: dict[str, tuple[NDArray[np.float32], bool]] = {}
        missing: dict[str, None] = {}
        with self._lock:
            for text in texts:
                known = self._memory.get(text)
                if known is None:
                    missing[text] = None
                else:
                    found[text] = known
        return found, list(missing)

    def _remember(self, text: str, vector: NDArray[np.float32], cut: bool) -> None:
        with self._lock:
            self._memory[text] = (vector, cut)


class _Linked(threading.Event):
    """An event that also counts as set when the caller's event is set."""

    def __init__(self, other: threading.Event | None) -> None:
        super().__init__()
        self._other = other

    def is_set(self) -> bool:
        return super().is_set() or (self._other is not None and self._other.is_set())


def _cut(ids: list[int], limit: int) -> list[int]:
    return ids if len(ids) <= limit else [*ids[: limit - 1], ids[-1]]


def _batches(order: Sequence[int], lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield indices, ordered by length, in batches that fit in memory."""
    batch: list[int] = []
    for place in order:
        if batch and (
            len(batch) == _BATCH_TEXTS or (len(batch) + 1) * lengths[place] > _BATCH_TOKENS
        ):
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch
