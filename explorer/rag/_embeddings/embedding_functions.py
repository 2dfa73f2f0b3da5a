"""Embedding functions of the user's: how they are called, and what they may give."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from explorer.errors import Cancelled, EmbeddingError
from explorer.run_control import RunControl

EmbeddingFunction = Callable[[list[str]], Any] | Callable[[list[str]], Awaitable[Any]]
"""Takes a list of texts and gives one vector for each: an array, a tensor or lists."""


class Embedded(NamedTuple):
    """Embeddings float64 (texts, width), all finite, and the texts that were cut to fit."""

    array: NDArray[np.float64]
    cut: frozenset[str] = frozenset()


class Embedder(Protocol):
    """Texts to vectors; what `explaining` works with."""

    async def __call__(
        self,
        texts: Sequence[str],
        control: RunControl | None = None,
    ) -> Embedded:
        """Embed texts, of which none is blank and there is at least one.

        Raises
        ------
        EmbeddingError
            The function failed, or what it gave are no embeddings.
        Cancelled
            The job was stopped.
        """


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
        control: RunControl | None = None,
    ) -> Embedded:
        """Embed texts; see `Embedder`."""
        control = control or RunControl()
        control.report("embedding", None, f"Embedding {len(texts)} texts ...")
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
            raise failed_embedding(error) from error
        control.check()
        return Embedded(array)

    def _call(self, texts: list[str]) -> Any:
        try:
            return self._function(texts)
        except (
            StopIteration
        ) as error:  # a future cannot carry it: whoever waits would wait for ever
            raise failed_embedding(error) from error


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
    with np.errstate(over="ignore"):  # told below
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


def failed_embedding(error: BaseException) -> EmbeddingError:
    """The error of an embedding that failed, with the kind and first line of what went wrong."""
    lines = str(error).strip().splitlines()
    said = f": {lines[0][:200]}" if lines else ""
    return EmbeddingError(f"The embedding failed with {type(error).__name__}{said}.")
