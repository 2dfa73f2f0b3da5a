"""Results of a `CodeAnalysisAgent`; all of them can be written as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class CodeAnalysis:
    """The embedding of a piece of code.

    Attributes
    ----------
    embedding
        float32 (width,): mean of the last hidden states over the tokens that are not special.
    latency_ms
        Milliseconds for tokenization, the forward pass and what is read from it. For
        `analyze_many` the time of the pass is shared equally by its pieces of code.
    model
        Name of the model.
    layer, head
        What attention was chosen, counted from 0; None for the mean.
    code_length
        Characters of the code.
    n_tokens
        Tokens of the whole code, special tokens not counted.
    truncated
        Whether only the beginning of the code was read, because the model takes fewer tokens.
    error
        None: the analysis succeeded. See `FailedAnalysis`.
    """

    embedding: NDArray[np.float32]
    latency_ms: float
    model: str
    layer: int | None
    head: int | None
    code_length: int
    n_tokens: int
    truncated: bool

    error: ClassVar[None] = None

    def to_dict(self) -> dict[str, Any]:
        """Return the values with types of JSON: arrays as lists, ``error`` too."""
        return {
            "embedding": self.embedding.tolist(),
            "latency_ms": self.latency_ms,
            "model": self.model,
            "layer": self.layer,
            "head": self.head,
            "code_length": self.code_length,
            "n_tokens": self.n_tokens,
            "truncated": self.truncated,
            "error": None,
        }


@dataclass(frozen=True, eq=False)
class AttentionAnalysis(CodeAnalysis):
    """The embedding of a piece of code and the attention between its tokens, from the same pass.

    Attributes
    ----------
    tokens
        Source text of each token that was read; special tokens by name.
    attention
        float32 (tokens, tokens): a row attends, a column is attended to.
    importance
        float32 (tokens,): the attention that each token receives, averaged over the positions that
        can attend to it.
    """

    tokens: tuple[str, ...]
    attention: NDArray[np.float32]
    importance: NDArray[np.float32]

    def to_dict(self) -> dict[str, Any]:
        """Return the values with types of JSON: arrays as lists, ``error`` too."""
        return {
            **super().to_dict(),
            "tokens": list(self.tokens),
            "attention": self.attention.tolist(),
            "importance": self.importance.tolist(),
        }


@dataclass(frozen=True)
class FailedAnalysis:
    """An entry of `analyze_many` that has no analysis.

    Attributes
    ----------
    error
        The message, which says what to change.
    kind
        Class of the error, such as ``"InputError"``.
    code_length
        Characters of the code; 0 if the entry is no string.
    """

    error: str
    kind: str
    code_length: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return the values with types of JSON."""
        return {"error": self.error, "kind": self.kind, "code_length": self.code_length}
