"""Pieces of a text stream: one line, or one value of a JSON array, at a time.

ijson and similar parsers give neither the line of a value nor a bound on its size, which problems
in a file and hostile files need; so the structure is scanned here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BufferedIOBase
from typing import NamedTuple

from explorer.errors import TraceError
from explorer.traces._model.trace import TraceProblem

BOM = b"\xef\xbb\xbf"

_CHUNK = 2**18
_SPACE = re.compile(rb"[ \t\r\n]*+")
_PLAIN = re.compile(rb"[^\s,:\[\]{}\"]*+")
# A whole string, a bracket, or the quote of a string whose end is not in the buffer yet. The
# quantifiers are possessive, so that hostile text cannot cause backtracking.
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{}"]', re.DOTALL)
_QUOTE = ord('"')


class Piece(NamedTuple):
    """A part of the text that should be one JSON value.

    `line` is its first line, from 1, and `offset` its first byte in the stream.
    """

    line: int
    offset: int
    raw: bytes


class BrokenJSON(TraceError):
    """The structure of a JSON text is broken, so that nothing after this place can be read."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line

    def problem(self) -> TraceProblem:
        """Return the problem to report."""
        return TraceProblem(self.line, str(self))


def size_of(count: int) -> str:
    """Return a number of bytes with its unit, as text."""
    for unit, scale in (("GB", 2**30), ("MB", 2**20), ("KB", 2**10)):
        if count >= scale:
            return f"{count / scale:.1f} {unit}"
    return f"{count} bytes"


def lines(stream: BufferedIOBase, limit: int) -> Iterator[Piece | TraceProblem]:
    """Yield the lines of a stream; a line longer than `limit` is skipped, with a problem."""
    offset, number = 0, 0
    while raw := stream.readline(limit + 1):
        begin, number = offset, number + 1
        offset += len(raw)
        if number == 1 and raw.startswith(BOM):
            begin, raw = len(BOM), raw[len(BOM) :]
        if len(raw) <= limit or raw.endswith(b"\n"):
            yield Piece(number, begin, raw)
            continue
        while rest := stream.readline(_CHUNK):
            offset += len(rest)
            if rest.endswith(b"\n"):
                break
        yield TraceProblem(number, f"it is longer than {size_of(limit)}.")


class Scanner:
    """Scans the structure of JSON text without decoding it, in bounded memory.

    Parameters
    ----------
    stream
        Bytes of UTF-8 text.
    limit
        Longest value, in bytes, that `value` returns.
    """

    def __init__(self, stream: BufferedIOBase, limit: int) -> None:
        self._stream = stream
        self._limit = limit
        self._buffer = b""
        self._base = 0  # offset in the stream of the first byte of the buffer
        self._at = 0  # place in the buffer
        self.line = 1

    @property
    def offset(self) -> int:
        """Position in the stream."""
        return self._base + self._at

    def peek(self) -> bytes:
        """Skip white space and return the next byte without consuming it."""
        while True:
            match = _SPACE.match(self._buffer, self._at)
            self._advance(match.end() if match else self._at)
            if self._at < len(self._buffer):
                return self._buffer[self._at : self._at + 1]
            if not self._more():
                return b""

    def take(self, expected: bytes, otherwise: str) -> None:
        """Consume the next byte, which must be `expected`.

        Raises
        ------
        BrokenJSON
            It is another byte; `otherwise` is the reason.
        """
        if self.peek() != expected:
            raise BrokenJSON(self.line, otherwise)
        self._advance(self._at + 1)

    def value(self) -> Piece:
        """Return the text of the value that begins here, which may not be valid JSON.

        Raises
        ------
        BrokenJSON
            There is no value, its end is missing, or it is longer than the limit.
        """
        first = self.peek()
        length = self._bracketed() if first in (b"{", b"[", b'"') and first else self._bare()
        piece = Piece(self.line, self.offset, self._buffer[self._at : self._at + length])
        self._advance(self._at + length)
        return piece

    def items(self) -> Iterator[Piece]:
        """Yield the values of the array that begins here.

        Raises
        ------
        BrokenJSON
            The array breaks off, or a comma is missing.
        """
        self.take(b"[", "a list is missing.")
        while (following := self.peek()) != b"]":
            if not following:
                raise BrokenJSON(self.line, "the array has no end: the file was probably cut off.")
            yield self.value()
            if self.peek() == b",":
                self._advance(self._at + 1)
            elif self.peek() not in (b"]", b""):
                raise BrokenJSON(
                    self.line, "a comma is missing. Nothing after this place could be read."
                )
        self._advance(self._at + 1)

    def names(self) -> Iterator[Piece]:
        """Yield the names of the fields of the object that begins here.

        The caller consumes each value before it takes the next name.

        Raises
        ------
        BrokenJSON
            The object breaks off, or a comma or colon is missing.
        """
        cut = "the object has no end: the file was probably cut off."
        self.take(b"{", "an object is missing.")
        while self.peek() != b"}":
            if self.peek() != b'"':
                raise BrokenJSON(self.line, cut)
            key = self.value()
            self.take(b":", "a colon is missing. Nothing after this place could be read.")
            yield key
            if self.peek() == b",":
                self._advance(self._at + 1)
            elif self.peek() != b"}":
                raise BrokenJSON(self.line, cut)
        self._advance(self._at + 1)

    def _bracketed(self) -> int:
        """Return the length of the string, list or object that begins here."""
        depth, done = 0, 0  # `done` bytes from here on have been scanned
        while True:
            for match in _TOKEN.finditer(self._buffer, self._at + done):
                kind = self._buffer[match.start()]
                if kind == _QUOTE:
                    if match.end() - match.start() == 1:
                        done = match.start() - self._at
                        break
                elif kind in b"[{":
                    depth += 1
                else:
                    depth -= 1
                if depth <= 0:
                    return self._allowed(match.end() - self._at)
            else:
                done = len(self._buffer) - self._at
            self._allowed(len(self._buffer) - self._at)
            if not self._more():
                reason = "the JSON breaks off here: the file was probably cut off."
                raise BrokenJSON(self.line, reason)

    def _allowed(self, length: int) -> int:
        """Return the length; raise BrokenJSON if it is above the limit."""
        if length > self._limit:
            reason = f"it is longer than {size_of(self._limit)}."
            raise BrokenJSON(self.line, f"{reason} Nothing after this place could be read.")
        return length

    def _bare(self) -> int:
        """Return the length of the number, true, false or null that begins here."""
        while True:
            match = _PLAIN.match(self._buffer, self._at)
            length = match.end() - self._at if match else 0
            if self._at + length < len(self._buffer) or length > 8192 or not self._more():
                break
        if not 0 < length <= 8192:
            reason = "the JSON breaks off here. Nothing after this place could be read."
            raise BrokenJSON(self.line, reason)
        return length

    def _advance(self, place: int) -> None:
        """Move forward in the buffer, and count the lines."""
        self.line += self._buffer.count(b"\n", self._at, place)
        self._at = place

    def _more(self) -> bool:
        """Read more and drop what was consumed; return False at the end of the stream."""
        rest = self._buffer[self._at :]
        # At least as much as is in the buffer, so that a long value is not copied for each chunk.
        # A single read: in a truncated compressed file, the next may fail.
        chunk = self._stream.read1(max(_CHUNK, len(rest)))
        if not chunk:
            return False
        beginning = self._base + len(self._buffer) == 0
        self._base += self._at
        self._buffer = rest + chunk
        self._at = len(BOM) if beginning and chunk.startswith(BOM) else 0
        return True
