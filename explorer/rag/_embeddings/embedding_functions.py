"""Embedding functions of the user, called safely and checked."""

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
"""A function from a list of texts to one vector for each: an array, a tensor or lists."""


class Embedded(NamedTuple):
    """Embeddings float64 (texts, width), all finite, and the texts that were cut to fit."""

    array: NDArray[np.float64]
    cut: frozenset[str] = frozenset()


class Embedder(Protocol):
    """An async function from texts to vectors."""

    async def __call__(
        self,
        texts: Sequence[str],
        control: RunControl | None = None,
    ) -> Embedded:
        """Return the embeddings of one or more texts, none of them blank.

        Raises
        ------
        EmbeddingError
            The function failed, or did not return embeddings.
        Cancelled
            The job was stopped.
        """


class FunctionEmbedder:
    """An embedder that calls a user's function, plain or async; a plain one runs in a thread.

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
        """Return the embeddings of texts; see `Embedder`."""
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
        except StopIteration as error:  # a future cannot raise it: the caller would wait for ever
            raise failed_embedding(error) from error


def checked_embeddings(value: Any, count: int) -> NDArray[np.float64]:
    """Convert the value of an embedding function to a finite array (count, width).

    Raises
    ------
    EmbeddingError
        It is not one vector of finite numbers for each text; the message describes the value.
    """
    if value is None:
        raise EmbeddingError("The embedding function returned None.")
    if isinstance(value, list | tuple) and value and hasattr(value[0], "detach"):
        value = [_numbers(row) for row in value]
    try:
        array = np.asarray(_numbers(value))
        if array.dtype.kind == "O":
            array = array.astype(np.float64)
    except (ValueError, TypeError, OverflowError):
        raise EmbeddingError(
            "The embedding function returned vectors of different widths, or values that are not "
            f"numbers ({type(value).__name__})."
        ) from None
    if array.dtype.kind not in "iuf":
        raise EmbeddingError(f"The embedding function must return numbers, not {array.dtype}.")
    if array.ndim != 2 or array.shape[1:] == (0,):
        raise EmbeddingError(
            f"The embedding function returned an array of shape {array.shape}; expected ({count}, "
            "width), one vector for each text."
        )
    if len(array) != count:
        raise EmbeddingError(
            f"The embedding function returned {len(array)} vectors for {count} texts."
        )
    with np.errstate(over="ignore"):  # overflow gives infinity, which is reported below
        array = array.astype(np.float64)
    if not np.isfinite(array).all():
        odd = int(np.flatnonzero(~np.isfinite(array).all(axis=1))[0])
        raise EmbeddingError(f"The embedding function returned NaN or infinity for text {odd + 1}.")
    return array


def _numbers(value: Any) -> Any:
    """Return a tensor as an array, and other values unchanged; torch is not imported."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        value = (value.double() if value.is_floating_point() else value).numpy()
    return value


def failed_embedding(error: BaseException) -> EmbeddingError:
    """Return the error of a failed embedding, with the type and first line of its cause."""
    lines = str(error).strip().splitlines()
    reason = f": {lines[0][:200]}" if lines else ""
    return EmbeddingError(f"The embedding failed with {type(error).__name__}{reason}.")
