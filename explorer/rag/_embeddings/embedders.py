"""The embedder in use: a function of the user, or the packaged MiniLM."""

from __future__ import annotations

from functools import cache

from explorer.errors import InputError
from explorer.rag._embeddings.embedding_functions import Embedder, FunctionEmbedder
from explorer.rag._embeddings.minilm import MiniLM


def embedder(function: object) -> Embedder:
    """Return an embedder of a user's function, or the packaged MiniLM for None.

    Raises
    ------
    InputError
        The value is not callable.
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
    """Return the packaged embedder: one object for the process, so that its cache is shared."""
    return MiniLM()
