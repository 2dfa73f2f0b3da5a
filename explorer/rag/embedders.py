"""Texts to vectors: the packaged MiniLM, or a function of the user's."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from explorer.errors import Cancelled, EmbeddingError, InputError
from explorer.models import load_model
from explorer.models.progress import ProgressCallback, Reporter

EmbeddingFunction = Callable[[list[str]], Any] | Callable[[list[str]], Awaitable[Any]]
"""Takes a list of texts and gives one vector for each: an array, a tensor or lists."""

_KEPT = 20_000  # of 384 float32: 30 MB
_BATCH_TEXTS = 64
_BATCH_TOKENS = 8192


class Embedded(NamedTuple):
    """Embeddings float64 (texts, width), all finite, and the texts that were cut to fit."""

    array: NDArray[np.float64]
    cut: frozenset[str] = frozenset()


class Embedder(Protocol):
    """Texts to vectors; what `explaining` works with."""

    async def __call__(
        self,
        texts: Sequence[str],
        *,
        progress: ProgressCallback | None = None,
        cancel: threading.Event | None = None,
    ) -> Embedded:
        """Embed texts, of which none is blank and there is at least one.

        Raises
        ------
        EmbeddingError
            The function failed, or what it gave are no embeddings.
        Cancelled
            `cancel` was set.
        """


def embedder(function: object) -> Embedder:
    """Return an embedder of a user's function; of the packaged MiniLM for None.

    Raises
    ------
    InputError
        It is no function.
    """
    if function is None:
        return packaged_embedder()
    if not callable(function):
        raise InputError(
            "The embedding function must take a list of texts and give one vector for each, but "
            f"it is a {type(function).__name__}."
        )
    return FunctionEmbedder(function)


@cache
def packaged_embedder() -> MiniLM:
    """Return the packaged embedder; one for all, so that all share what it has embedded."""
    return MiniLM()


class FunctionEmbedder:
    """A user's function, plain or async. A plain one runs in a thread of its own.

    Parameters
    ----------
    function
        Takes a list of texts.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        call = getattr(type(function), "__call__", None)  # noqa: B004 - its kind, not whether
        self._async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)

    async def __call__(
        self,
        texts: Sequence[str],
        *,
        progress: ProgressCallback | None = None,
        cancel: threading.Event | None = None,
    ) -> Embedded:
        """Embed texts; see `Embedder`."""
        reporter = Reporter(progress, cancel)
        reporter.report("embedding", None, f"Embedding {len(texts)} texts ...")
        try:
            if self._async:
                value = await self._function(list(texts))
            else:
                value = await asyncio.to_thread(self._call, list(texts))
                if inspect.isawaitable(value):
                    value = await value
            array = checked_embeddings(value, len(texts))
        except (Cancelled, EmbeddingError):
            raise
        except Exception as error:
            raise _failed(error) from error
        reporter.check()
        return Embedded(array)

    def _call(self, texts: list[str]) -> Any:
        try:
            return self._function(texts)
        except (
            StopIteration
        ) as error:  # a future cannot carry it: whoever waits would wait for ever
            raise _failed(error) from error


class MiniLM:
    """The packaged all-MiniLM-L6-v2: mean over the tokens, length 1, as it was trained.

    It is loaded when it is first asked. What it has embedded it keeps, up to a bound.

    Parameters
    ----------
    name
        Any encoder that `load_model` takes.
    kept
        How many texts to remember.
    """

    def __init__(self, name: str = "all-MiniLM-L6-v2", kept: int = _KEPT) -> None:
        self.name = name
        self._kept = kept
        self._memory: OrderedDict[str, tuple[NDArray[np.float32], bool]] = OrderedDict()
        self._lock = threading.Lock()

    async def __call__(
        self,
        texts: Sequence[str],
        *,
        progress: ProgressCallback | None = None,
        cancel: threading.Event | None = None,
    ) -> Embedded:
        """Embed texts in a thread; see `Embedder`."""
        stop = _Linked(cancel)
        try:
            return await asyncio.to_thread(self.embed, texts, progress=progress, cancel=stop)
        except asyncio.CancelledError:
            stop.set()  # the thread itself cannot be cancelled
            raise

    def embed(
        self,
        texts: Sequence[str],
        *,
        progress: ProgressCallback | None = None,
        cancel: threading.Event | None = None,
    ) -> Embedded:
        """Embed texts.

        Returns
        -------
        Embedded
            Rows of length 1.

        Raises
        ------
        EmbeddingError
            The model is not there or cannot be run.
        Cancelled
            `cancel` was set.
        """
        found, missing = self._remembered(texts)
        if missing:
            reporter = Reporter(progress, cancel)
            try:
                for text, vector, cut in self._run(missing, reporter):
                    found[text] = (vector, cut)
                    self._remember(text, vector, cut)
            except Cancelled:
                raise
            except Exception as error:
                raise _failed(error) from error
        array = np.array([found[text][0] for text in texts], dtype=np.float64)
        return Embedded(array, frozenset(text for text in texts if found[text][1]))

    def _run(
        self, texts: list[str], reporter: Reporter
    ) -> Iterator[tuple[str, NDArray[np.float32], bool]]:
        """Yield each text with its vector, and whether it was cut."""
        import torch

        model = load_model(self.name, progress=reporter.callback, cancel=reporter.cancel)
        limit = model.max_tokens
        with model.run(reporter):  # one thread at a time: tokenizers do not bear several
            clean = [text.encode("utf-8", "replace").decode() for text in texts]
            ids = model.tokenizer(clean, verbose=False)["input_ids"]
        order = sorted(range(len(texts)), key=lambda place: len(ids[place]))
        done = 0
        for batch in _batches(order, [min(len(one), limit) for one in ids]):
            reporter.report("embedding", done / len(texts), f"Embedding {len(texts)} texts ...")
            # The last token is the separator, which stays.
            cut = [_cut(ids[place], limit) for place in batch]
            width = max(map(len, cut))
            padded = torch.zeros((len(cut), width), dtype=torch.long)
            mask = torch.zeros((len(cut), width), dtype=torch.long)
            for row, one in enumerate(cut):
                padded[row, : len(one)] = torch.as_tensor(one)
                mask[row, : len(one)] = 1
            with model.run(reporter) as torch_model:
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
                if text in self._memory:
                    self._memory.move_to_end(text)
                    found[text] = self._memory[text]
                else:
                    missing[text] = None
        return found, list(missing)

    def _remember(self, text: str, vector: NDArray[np.float32], cut: bool) -> None:
        with self._lock:
            self._memory[text] = (vector, cut)
            while len(self._memory) > self._kept:
                self._memory.popitem(last=False)


class _Linked(threading.Event):
    """Set when it is set itself, or the caller's event is."""

    def __init__(self, other: threading.Event | None) -> None:
        super().__init__()
        self._other = other

    def is_set(self) -> bool:
        return super().is_set() or (self._other is not None and self._other.is_set())


def checked_embeddings(value: Any, count: int) -> NDArray[np.float64]:
    """Return what an embedding function gave as an array (count, width) of finite numbers.

    Raises
    ------
    EmbeddingError
        It is something else; the message says what.
    """
    if value is None:
        raise EmbeddingError("The embedding function gave nothing (None).")
    if isinstance(value, list | tuple) and value and hasattr(value[0], "detach"):
        value = [_numbers(row) for row in value]
    try:
        array = np.asarray(_numbers(value))
        if array.dtype.kind == "O":
            array = array.astype(np.float64)
    except (ValueError, TypeError, OverflowError):
        raise EmbeddingError(
            "The embedding function gave vectors of different widths, or things that are no "
            f"numbers ({type(value).__name__})."
        ) from None
    if array.dtype.kind not in "iuf":
        raise EmbeddingError(f"The embedding function gave no numbers, but {array.dtype}.")
    if array.ndim != 2 or array.shape[1:] == (0,):
        raise EmbeddingError(
            f"The embedding function gave an array of shape {array.shape}; expected ({count}, "
            "width), one vector for each text."
        )
    if len(array) != count:
        raise EmbeddingError(f"The embedding function gave {len(array)} vectors for {count} texts.")
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        odd = int(np.flatnonzero(~np.isfinite(array).all(axis=1))[0])
        raise EmbeddingError(f"The embedding function gave NaN or infinity for text {odd + 1}.")
    return array


def _numbers(value: Any) -> Any:
    """Return a tensor as an array, told without importing torch."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        value = (value.double() if value.is_floating_point() else value).numpy()
    return value


def _failed(error: BaseException) -> EmbeddingError:
    lines = str(error).strip().splitlines()
    said = f": {lines[0][:200]}" if lines else ""
    return EmbeddingError(f"The embedding failed with {type(error).__name__}{said}.")


def _cut(ids: list[int], limit: int) -> list[int]:
    return ids if len(ids) <= limit else [*ids[: limit - 1], ids[-1]]


def _batches(order: Sequence[int], lengths: Sequence[int]) -> Iterator[list[int]]:
    """Cut places, ordered by length, into batches that fit in memory."""
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
