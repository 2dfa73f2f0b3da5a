"""What each tab shows: text, tokens, attention and units together, without any widget."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.attention import AttentionMap
from explorer.errors import InputError
from explorer.feedback import Unit
from explorer.source import find_units, units_on_tokens
from explorer.widgets._state.choices import UNIT_KINDS

TEXT, SPECIAL, LINE_BREAK = 0, 1, 2

Part = tuple[str, int, int]
"""Text, token index (-1 for text of no token) and one of TEXT, SPECIAL, LINE_BREAK."""

Line = tuple[int | None, list[Part]]
"""Line number from 1 (None for a line of special tokens) and its parts."""


@dataclass(frozen=True, eq=False)
class CodeScene:
    """A text, its tokens and their attention.

    Parameters
    ----------
    text
        The whole text.
    tokens
        What each token shows; n of them.
    offsets
        Half-open character spans in the text, int64 (n, 2); (0, 0) for special tokens.
    special
        Tokens that the tokenizer added, bool (n,).
    attention
        The map, n x n.
    model
        Name of the model that was recorded; None for a user's own matrix.
    language
        Programming language; None where none is known, whose units are lines and tokens.
    found
        The language that parsing found, whatever was chosen.
    start, stop, n_total
        The window of the text's tokens that is shown, and how many the whole text has.
    notes
        Sentences the user must know about this attention.
    """

    text: str
    tokens: tuple[str, ...]
    offsets: NDArray[np.int64]
    special: NDArray[np.bool_]
    attention: AttentionMap
    model: str | None = None
    language: str | None = None
    start: int = 0
    stop: int = 0
    n_total: int = 0
    notes: tuple[str, ...] = ()
    found: str | None = None
    measured: dict[str, NDArray[np.float32]] = field(default_factory=dict, init=False, repr=False)
    _units: dict[str, list[Unit]] = field(default_factory=dict, init=False, repr=False)
    _unit_notes: dict[str, tuple[str, ...]] = field(default_factory=dict, init=False, repr=False)

    @property
    def truncated(self) -> bool:
        """Whether the text has more tokens than are shown."""
        return self.n_total > self.stop - self.start

    @property
    def n_tokens(self) -> int:
        """Number of tokens, special ones included."""
        return len(self.tokens)

    @cached_property
    def rows(self) -> NDArray[np.intp]:
        """Query rows that say something about the text: all but those of special tokens."""
        rows = np.flatnonzero(~self.special)
        return rows if rows.size else np.arange(self.n_tokens)

    def units(self, kind: str) -> list[Unit]:
        """Units of one kind: ``"line"``, ``"identifier"``, ``"node"`` or ``"token"``."""
        if kind not in self._units:
            self._units[kind] = self._token_units() if kind == "token" else self._source_units(kind)
        return self._units[kind]

    @property
    def unit_kinds(self) -> tuple[str, ...]:
        """The kinds of units that there are: text has neither identifiers nor nodes."""
        return UNIT_KINDS if self.language is not None else ("line", "token")

    def unit_names(self, kind: str) -> list[str]:
        """Names of the units of a kind."""
        return [unit.name for unit in self.units(kind)]

    def unit_notes(self, kind: str) -> tuple[str, ...]:
        """Sentences about how the units of a kind were found."""
        self.units(kind)
        return self._unit_notes.get(kind, ())

    def _source_units(self, kind: str) -> list[Unit]:
        units = find_units(self.text, kind=kind, language=self.language or "text")  # type: ignore[arg-type]
        self._unit_notes[kind] = tuple(units.notes)
        found = units.units
        placed = units_on_tokens(found, self.offsets, self.special)
        return [
            Unit.from_positions(unit.name, unit.text, positions)
            for unit, positions in zip(found, placed, strict=True)
            if len(positions)
        ]

    def _token_units(self) -> list[Unit]:
        return [
            Unit(f"{index}", self.tokens[index], ((index, index + 1),), 1)
            for index in np.flatnonzero(~self.special).tolist()
        ]

    def line_of(self, token: int) -> int | None:
        """Line of a token, from 1; None for a special token."""
        if self.special[token]:
            return None
        return self.text.count("\n", 0, int(self.offsets[token, 0])) + 1

    @cached_property
    def lines(self) -> list[Line]:
        """The text line by line, cut at the edges of tokens."""
        return _token_lines(self)


def matrix_scene(attention: AttentionMap, tokens: list[str] | None = None) -> CodeScene:
    """Return a scene for a user's own square matrix; tokens are joined to a text.

    Raises
    ------
    InputError
        The map is not square, or the number of tokens does not fit it.
    """
    n = attention.n_keys
    if attention.n_queries != n:
        raise InputError(
            f"The code tab needs a square map, and this one has {attention.n_queries} query rows "
            f"and {n} key columns. For answer rows x context columns, write a trace with "
            "`attention_matrix` and use Explorer.from_traces."
        )
    if tokens is None:
        shown = list(attention.tokens) if attention.tokens is not None else None
    else:
        shown = [str(token) for token in tokens]
        if len(shown) != n:
            raise InputError(f"There must be one token for each of {n} columns; got {len(shown)}.")
    names = shown if shown is not None else [str(index) for index in range(n)]
    separator = " " if all(name and not name[0].isspace() for name in names) else ""
    pieces: list[tuple[int, int]] = []
    text = ""
    for name in names:
        if text and not name.startswith("##"):
            text += separator
        pieces.append((len(text), len(text) + len(name)))
        text += name
    return CodeScene(
        text=text,
        tokens=tuple(names),
        offsets=np.array(pieces, dtype=np.int64).reshape(-1, 2),
        special=np.zeros(n, dtype=bool),
        attention=attention,
        stop=n,
        n_total=n,
        notes=tuple(attention.notes),
    )


def _token_lines(scene: CodeScene) -> list[Line]:
    lines: list[Line] = []
    inside = np.flatnonzero(~scene.special)
    first = int(inside[0]) if inside.size else scene.n_tokens
    last = int(inside[-1]) if inside.size else -1
    head = [_special_part(scene, index) for index in range(first)]
    if head:
        lines.append((None, head))
    begin = int(scene.offsets[first, 0]) if inside.size else 0
    end = int(scene.offsets[inside, 1].max()) if inside.size else 0
    number = scene.text.count("\n", 0, begin) + 1
    current: list[Part] = []
    position = begin

    def put(text: str, token: int) -> None:
        nonlocal number, current
        for at, piece in enumerate(text.split("\n")):
            if at:
                current.append(("", token, LINE_BREAK))
                lines.append((number, current))
                number, current = number + 1, []
            if piece:
                current.append((piece, token, TEXT))

    for token in range(first, last + 1):
        if scene.special[token]:
            current.append(_special_part(scene, token))
            continue
        start, stop = (int(x) for x in scene.offsets[token])
        if start > position:
            put(scene.text[position:start], -1)
        if stop > position:
            put(scene.text[max(start, position) : stop], token)
            position = stop
        else:
            # One character split over several tokens: the later ones get a mark of their own.
            current.append(("·", token, SPECIAL))
    if inside.size and end > position:
        put(scene.text[position:end], -1)
    if current:
        lines.append((number, current))
    tail = [
        _special_part(scene, index) for index in range(last + 1, scene.n_tokens) if index >= first
    ]
    if tail:
        lines.append((None, tail))
    return lines


def _special_part(scene: CodeScene, token: int) -> Part:
    return (scene.tokens[token], token, SPECIAL)


def visible_positions(scene: Any, *, hide_special: bool, hide_sink: bool) -> tuple[
    NDArray[np.intp], NDArray[np.intp]
]:  # fmt: skip
    """Query rows and key columns of a code scene that the heatmap shows.

    The sink is the first key column: a model that has nothing to look at looks there (Xiao et al.
    2023, "Efficient streaming language models with attention sinks").
    """
    rows = np.ones(scene.n_tokens, dtype=bool)
    columns = np.ones(scene.n_tokens, dtype=bool)
    if hide_special and not scene.special.all():
        rows &= ~scene.special
        columns &= ~scene.special
    if hide_sink and scene.n_tokens > 1:
        columns[0] = False
    if not columns.any():
        columns[-1] = True
    return np.flatnonzero(rows), np.flatnonzero(columns)
