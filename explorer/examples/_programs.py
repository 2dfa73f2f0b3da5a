"""The packaged programs, and the attention that was recorded over them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from explorer.attention import DenseAttention

# The files end in .txt so that no formatter or linter takes them for code of ours.
_FOLDER = Path(__file__).with_name("code")
RECORDINGS = Path(__file__).with_name("programs.npz")
"""Recorded attention of every program; written by `explorer.examples.record`."""

RECORDED_MODEL = "SmolLM2-135M-Instruct"
"""The model that was recorded."""

STEPS = 255
"""Weights are stored as whole multiples of 1/255."""

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
    """A short program to look at.

    Attributes
    ----------
    name
        File name, such as ``"fibonacci.py"``.
    language
        ``"python"``, ``"javascript"`` or ``"sql"``.
    code
        The source, without a line end at its end.
    title
        What is interesting about it, in a few words.
    """

    name: str
    language: str
    code: str
    title: str


@dataclass(frozen=True, eq=False)
class RecordedProgram:
    """A packaged program with the attention of one model over it.

    Attributes
    ----------
    name, language, code
        As in `Program`.
    model
        Name of the model.
    tokens
        Exact source text of every token.
    offsets
        int64 (tokens, 2): half-open character spans in `code`.
    special
        bool (tokens,): tokens that the tokenizer added.
    attention
        All layers and heads. Its `notes` say that the weights were rounded to multiples of 1/255.
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
    """Attention that was stored in steps, and says so."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What the base class says, and that the weights are rounded."""
        rounded = (
            f"This attention was recorded beforehand and rounded to steps of 1/{STEPS}; "
            "run the model for exact weights."
        )
        return (*super().notes, rounded)


def example_programs() -> list[Program]:
    """Return the six packaged programs, two each in Python, JavaScript and SQL."""
    return list(_programs())


def recorded_program(code: str, model: str = RECORDED_MODEL) -> RecordedProgram | None:
    """Return what was recorded over a packaged program, or None for any other code or model.

    Parameters
    ----------
    code
        The code of a program, exactly.
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
    """Round causal attention to steps of 1/255 and keep its lower triangle, column by column.

    The steps of a row add up to 255: all are rounded down, then those that lost most are raised.
    So the mass of a row, and very nearly that of a unit, survives.

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
    # Place of every weight in its row when ordered by what rounding down took, largest first.
    order = np.argsort(np.argsort(steps - exact, axis=-1, kind="stable"), axis=-1, kind="stable")
    steps += order < lacking
    keys, queries = np.triu_indices(weights.shape[-1])
    return steps[:, :, queries, keys].astype(np.uint8)


def unpacked(steps: npt.NDArray[np.uint8], n_tokens: int) -> npt.NDArray[np.float32]:
    """Turn what `packed` returned into weights again: float32 (layers, heads, tokens, tokens)."""
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
