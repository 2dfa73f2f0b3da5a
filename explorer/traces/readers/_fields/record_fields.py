"""The fields of a record, taken one by one, and the trace made of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from explorer.errors import TraceError
from explorer.traces._model.native_format import kind_of
from explorer.traces._model.trace import Hyperedge, Trace
from explorer.traces.readers._fields.fact_columns import FactColumns
from explorer.traces.readers._fields.literals import parsed, seems_printed
from explorer.traces.readers._read_context import ReadContext

# Fields of the native format: a field of another tool with the same name is renamed.
_TRACE_NAMES = frozenset({"id", "query", "answer", "hyperedges", "metadata"})
_HYPEREDGE_NAMES = frozenset({"id", "hyperedge", "entities", "label"})


class Fields:
    """The fields of one record. Fields that are not taken go to `extra`, so nothing is lost.

    Parameters
    ----------
    value
        The record.
    place
        Position of the record in its file, from 1; its name if it has none.
    context, line
        The wishes of the caller, and the line of the record.

    Attributes
    ----------
    notes
        Problems that did not prevent the record from being read, in sentences that can follow
        "line 7: ".
    kept
        For each fact, its position in the record's list of facts; None if none was left out.
    """

    def __init__(
        self,
        value: Mapping[str, Any],
        place: int = 1,
        context: ReadContext | None = None,
        line: int = 0,
    ) -> None:
        self.place = place
        self.context = context or ReadContext()
        self.line = line
        self.notes: list[str] = []
        self.kept: list[int] | None = None
        self._left = dict(value)

    def take(self, *names: str) -> tuple[str, Any]:
        """Remove and return the first of these fields that is not empty.

        Null, and the NaN of an empty pandas cell, are empty.

        Returns
        -------
        tuple of str and object
            Its name and value; the first name and None if all are empty.
        """
        for name in names:
            value = self._left.get(name)
            if is_missing(value):
                self._left.pop(name, None)
            else:
                return name, self._left.pop(name)
        return names[0], None

    def put_back(self, name: str, value: Any) -> None:
        """Put a taken field back, unless it is None."""
        if value is not None:
            self._left[name] = value

    def text(self, *names: str) -> str | None:
        """Remove and return a text, or a number as its digits.

        Raises
        ------
        TraceError
            The field is not a text.
        """
        name, value = self.take(*names)
        found = text_of(value)
        if found is None and value is not None:
            raise TraceError(f"`{name}` must be text, and here it is {kind_of(value)}.")
        return found

    def needed_text(self, *names: str) -> str:
        """Remove and return a required text.

        Raises
        ------
        TraceError
            It is missing or not a text.
        """
        found = self.text(*names)
        if found is None:
            raise TraceError(f"it needs `{names[0]}`, a text, which is missing.")
        return found

    def name(self, *names: str) -> str | None:
        """Remove and return an identifier: a text that is not empty, or a whole number."""
        for name in names:
            found = identifier(self._left.get(name))
            if found is not None:
                del self._left[name]
                return found
        return None

    def items(self, *names: str) -> list[Any] | None:
        """Remove and return a list, or the list in a text.

        Raises
        ------
        TraceError
            The field is not a list.
        """
        name, value = self.take(*names)
        found = structure(value)
        if value is None:
            return None
        if not isinstance(found, list):
            raise TraceError(f"`{name}` must be a list, and here it is {kind_of(value)}.")
        return found

    def note(self, message: str) -> None:
        """Add a sentence to the notes."""
        self.notes.append(message)

    def trace(
        self,
        source: str,
        query: str,
        hyperedges: list[Hyperedge],
        answer: str | None,
        reference: Any = None,
        *,
        identified: Sequence[str] = ("id",),
    ) -> Trace:
        """Return the trace, after all fields that belong into it were taken.

        Parameters
        ----------
        source
            Name of the format; kept as ``metadata["source"]``.
        query, hyperedges
            As in `Trace`.
        answer
            The answer of the system. If it is None and there is a reference answer, that one is
            used, and ``metadata["answer_from"]`` is ``"gold"``.
        reference
            The right answer, or several; kept as ``metadata["reference"]`` unless it is the answer.
        identified
            Fields that may hold the id of the record.
        """
        identity = self.name(*identified) or f"q{self.place}"
        metadata: dict[str, Any] = {"source": source}
        if answer is None and (gold := _first_text(reference)) is not None:
            answer = gold
            metadata["answer_from"] = "gold"
        if reference is not None and reference is not answer:
            metadata["reference"] = reference
        theirs = self._left.get("metadata")
        if isinstance(structure(theirs), dict):
            metadata.update(renamed_fields(metadata, structure(self._left.pop("metadata"))))
        beside = FactColumns(self._left, hyperedges, self.kept, self.context, self.line, self.note)
        beside.take_all(metadata)
        return Trace(
            id=identity,
            query=query,
            hyperedges=hyperedges,
            answer=answer or "",
            metadata=metadata,
            extra=renamed_fields(_TRACE_NAMES, self._left),
        )


def extra_of(value: Mapping[str, Any], taken: Iterable[str]) -> dict[str, Any]:
    """Return the remaining fields of an object that became a hyperedge."""
    gone = set(taken)
    return renamed_fields(
        _HYPEREDGE_NAMES, {key: item for key, item in value.items() if key not in gone}
    )


def renamed_fields(taken: Iterable[str], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return `given` with an underscore appended to each name that is in `taken`."""
    used = set(taken)
    fitted = {}
    for name in sorted(given, key=lambda key: key in used):
        free = name
        while free in used:
            free = f"{free}_"
        fitted[free] = given[name]
        used.add(free)
    return fitted


def structure(value: Any) -> Any:
    """Return a value; a text that holds a list or an object is parsed."""
    if isinstance(value, str):
        found = parsed(value)
        return value if found is None else found
    if isinstance(value, tuple):
        return list(value)
    return value


def told_structure(value: Any, what: str, context: ReadContext, line: int) -> Any:
    """Return `structure`; a text that only seems to be a printed list is reported."""
    found = structure(value)
    if isinstance(found, str) and seems_printed(found):
        context.unread(what, found, line)
    return found


def is_missing(value: object) -> bool:
    """Return True for an empty cell: null, or the NaN of pandas."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def text_of(value: object) -> str | None:
    """Return a text, or a number as its digits; None for any other value."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and not is_missing(value):
        try:
            return str(value)
        except ValueError:  # a number of thousands of digits
            return None
    return None


def identifier(value: object) -> str | None:
    """Return a text that is not empty, or a whole number, as an id; also alone in a list."""
    if isinstance(value, list | tuple) and len(value) == 1 and not isinstance(value[0], list):
        value = value[0]
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else None
    return text_of(value) or None


def titled(title: str | None, text: str) -> str:
    """Return a paragraph with its title in front.

    Many paragraphs cannot be understood without their title. One that begins with its title is
    returned unchanged.

    Examples
    --------
    >>> titled("Marta Oll", "She was born in Brek.")
    'Marta Oll: She was born in Brek.'
    """
    if not title or not text or text.casefold().startswith(title.casefold()):
        return text
    return f"{title}: {text}"


def places(numbers: Sequence[int]) -> str:
    """Return numbers as text: "2, 5, 9 and 3 more"."""
    shown_ones = ", ".join(str(number) for number in numbers[:3])
    return shown_ones + (f" and {len(numbers) - 3} more" if len(numbers) > 3 else "")


def shown(text: object) -> str:
    """Return a text of a file in quotes for a message, shortened to a readable length."""
    written = text if isinstance(text, str) else kind_of(text)
    return repr(written if len(written) <= 60 else f"{written[:57]}...")


def _first_text(value: object) -> str | None:
    """Return a text, or the first text of a list."""
    if isinstance(value, list):
        return next((item for item in value if isinstance(item, str)), None)
    return value if isinstance(value, str) else None
