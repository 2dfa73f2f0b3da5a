"""``-`` for stdin and stdout, and output as JSON or as a table."""

from __future__ import annotations

import contextlib
import json
import math
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from explorer.errors import InputError

STREAM = "-"


@contextlib.contextmanager
def sources(names: Sequence[str]) -> Iterator[list[str]]:
    """Yield paths; ``-`` becomes a temporary file with the contents of stdin.

    Raises
    ------
    InputError
        ``-`` is given twice.
    """
    if STREAM not in names:
        yield list(names)
        return
    if list(names).count(STREAM) > 1:
        raise InputError("Stdin can be read once: give - once.")
    with tempfile.TemporaryDirectory(prefix="attention-explorer-") as folder:
        path = Path(folder) / "stdin"
        with path.open("wb") as stream:
            shutil.copyfileobj(sys.stdin.buffer, stream)
        yield [str(path) if name == STREAM else name for name in names]


@contextlib.contextmanager
def target(name: str) -> Iterator[Path]:
    """Yield the path to write to; for ``-``, a temporary file that is copied to stdout."""
    if name != STREAM:
        yield Path(name)
        return
    with tempfile.TemporaryDirectory(prefix="attention-explorer-") as folder:
        path = Path(folder) / "stdout.jsonl"
        yield path
        if path.exists():
            with path.open("rb") as stream:
                shutil.copyfileobj(stream, sys.stdout.buffer)
            sys.stdout.buffer.flush()


def read_text(name: str, most: int = 2**24) -> str:
    """Return the text of a file, or of stdin for ``-``.

    Raises
    ------
    InputError
        It cannot be read, is larger than `most` bytes, or not UTF-8.
    """
    try:
        if name == STREAM:
            raw = sys.stdin.buffer.read(most + 1)
        else:
            with Path(name).open("rb") as stream:
                raw = stream.read(most + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{name} cannot be read ({reason}).") from None
    if len(raw) > most:
        raise InputError(f"{name} is larger than {most >> 20} MB; give a smaller file.")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is not UTF-8 (byte {error.start + 1}).") from None


def print_json(value: Any) -> None:
    """Write a value to stdout as JSON; numbers that are not finite become null."""
    print(json.dumps(_finite(value), indent=2, ensure_ascii=False))


def print_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Write rows to stdout as an aligned table; numbers have three significant digits."""
    shown = [[_cell(row.get(column)) for column in columns] for row in rows]
    widths = [
        max(len(column), *(len(row[place]) for row in shown), 0)
        for place, column in enumerate(columns)
    ]
    for cells in [list(columns), ["-" * width for width in widths], *shown]:
        print(
            "  ".join(
                f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)
            ).rstrip()
        )


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        from explorer._number_format import three_digits

        return three_digits(value)
    return "" if value is None else str(value)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    if hasattr(value, "tolist"):
        return _finite(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
