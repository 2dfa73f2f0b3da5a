"""The packaged programs and their recorded attention."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from explorer.attention import DenseAttention

# The files end in .txt so that formatters and linters ignore them.
_FOLDER = Path(__file__).with_name("code")
RECORDINGS = Path(__file__).with_name("programs.npz")
"""File of the recorded attention of all programs, written by `explorer.examples.record`."""

RECORDED_MODEL = "SmolLM2-135M-Instruct"
"""The model whose attention was recorded."""

STEPS = 255
"""Weights are stored as multiples of 1 / STEPS."""

_PROGRAMS = (
    ("fibonacci.py", "python", "Recursion with a memory"),
    ("remove_negatives.py", "python", "A loop that skips"),
    ("counter.js", "javascript", "A closure"),
    ("fetch_all.js", "javascript", "Async with retries"),
    ("top_customers.sql", "sql", "A join with a CTE"),
    ("running_total.sql", "sql", "A window function"),
)


@dataclass(frozen=True)
class Program:
    """A packaged program.

    Attributes
    ----------
    name
        File name, such as ``"fibonacci.py"``.
    language
        ``"python"``, ``"javascript"`` or ``"sql"``.
    code
        The source, without a final line end.
    title
        Its topic in a few words.
    """

    name: str
    language: str
    code: str
    title: str


@dataclass(frozen=True, eq=False)
class RecordedProgram:
    """A packaged program with the recorded attention of one model.

    Attributes
    ----------
    name, language, code
        As in `Program`.
    model
        Name of the model.
    tokens
        Source text of each token.
    offsets
        int64 (tokens, 2): half-open character spans in `code`.
    special
        bool (tokens,): tokens that the tokenizer added.
    attention
        All layers and heads; its `notes` say that the weights are rounded to multiples of 1/255.
    """

    name: str
    language: str
    code: str
    model: str
    tokens: tuple[str, ...]
    offsets: npt.NDArray[np.int64]
    special: npt.NDArray[np.bool_]
    attention: DenseAttention


class RoundedAttention(DenseAttention):
    """Attention rounded to steps for storage, with a note about it."""

    @property
    def notes(self) -> tuple[str, ...]:
        """The notes of `DenseAttention`, and a note about the rounding."""
        rounded = (
            f"This attention was recorded in advance and rounded to steps of 1/{STEPS}; "
            "run the model for exact weights."
        )
        return (*super().notes, rounded)


def example_programs() -> list[Program]:
    """Return the six packaged programs, two each in Python, JavaScript and SQL."""
    return list(_programs())


def recorded_program(code: str, model: str = RECORDED_MODEL) -> RecordedProgram | None:
    """Return the recorded attention of a packaged program; None for other code or models.

    Parameters
    ----------
    code
        The exact code of a packaged program.
    model
        Name of a model.
    """
    if model != RECORDED_MODEL or not RECORDINGS.exists():
        return None
    for program in _programs():
        if program.code == code:
            return _recorded(program)
    return None


def packed(weights: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Return the lower triangle of causal attention in steps of 1/255, column by column.

    The steps of a row sum to 255: all are rounded down, then those with the largest remainder are
    raised. So the mass of a row is exact, and that of a unit nearly so.

    Parameters
    ----------
    weights
        ``(layers, heads, tokens, tokens)``, rows sum to 1, zero above the diagonal.

    Returns
    -------
    ndarray of uint8, shape (layers, heads, tokens * (tokens + 1) / 2)
    """
    exact = weights.astype(np.float64)
    exact *= STEPS / exact.sum(axis=-1, keepdims=True)
    steps = np.floor(exact)
    lacking = np.rint(STEPS - steps.sum(axis=-1, keepdims=True))
    # Rank of each weight in its row by the remainder of rounding down, largest first.
    order = np.argsort(np.argsort(steps - exact, axis=-1, kind="stable"), axis=-1, kind="stable")
    steps += order < lacking
    keys, queries = np.triu_indices(weights.shape[-1])
    return steps[:, :, queries, keys].astype(np.uint8)


def unpacked(steps: npt.NDArray[np.uint8], n_tokens: int) -> npt.NDArray[np.float32]:
    """Return the weights of `packed` steps: float32 (layers, heads, tokens, tokens)."""
    weights = np.zeros((*steps.shape[:2], n_tokens, n_tokens), dtype=np.float32)
    keys, queries = np.triu_indices(n_tokens)
    weights[:, :, queries, keys] = steps
    weights /= STEPS
    return weights


@lru_cache(maxsize=1)
def _programs() -> tuple[Program, ...]:
    return tuple(
        Program(name, language, _source(name), title) for name, language, title in _PROGRAMS
    )


def _source(name: str) -> str:
    return (_FOLDER / f"{name}.txt").read_text(encoding="utf-8").rstrip("\n")


@lru_cache(maxsize=2)
def _recorded(program: Program) -> RecordedProgram:
    with np.load(RECORDINGS, allow_pickle=False) as arrays:
        offsets = arrays[f"{program.name}/offsets"].astype(np.int64)
        special = arrays[f"{program.name}/special"]
        weights = unpacked(arrays[f"{program.name}/attention"], len(offsets))
    tokens = tuple(program.code[start:stop] for start, stop in offsets)
    return RecordedProgram(
        name=program.name,
        language=program.language,
        code=program.code,
        model=RECORDED_MODEL,
        tokens=tokens,
        offsets=offsets,
        special=special,
        attention=RoundedAttention(weights, tokens=tokens),
    )
