"""Streams of text to pieces: one line, or one value of a JSON array, at a time."""

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
# quantifiers are possessive: hostile text must not make the search go back and forth.
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{}"]', re.DOTALL)
_QUOTE = ord('"')


class Piece(NamedTuple):
    """A run of text that should be one JSON value.

    `line` is where it begins, from 1, and `offset` its first byte in the stream.
    """

    line: int
    offset: int
    raw: bytes


class BrokenJSON(TraceError):
    """The structure of a JSON text breaks, so that nothing after this place can be told apart."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line

    def problem(self) -> TraceProblem:
        """Return what the user is told."""
        return TraceProblem(self.line, str(self))


def size_of(count: int) -> str:
    """Write a number of bytes for people."""
    for unit, scale in (("GB", 2**30), ("MB", 2**20), ("KB", 2**10)):
        if count >= scale:
            return f"{count / scale:.1f} {unit}"
    return f"{count} bytes"


def lines(stream: BufferedIOBase, limit: int) -> Iterator[Piece | TraceProblem]:
    """Go through the lines of a stream; one longer than `limit` is skipped and reported."""
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
    """Walks over the structure of JSON text without decoding it, in bounded memory.

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
        """Return the place in the stream."""
        return self._base + self._at

    def peek(self) -> bytes:
        """Skip white space and return the byte that follows, which is not consumed."""
        while True:
            match = _SPACE.match(self._buffer, self._at)
            self._advance(match.end() if match else self._at)
            if self._at < len(self._buffer):
                return self._buffer[self._at : self._at + 1]
            if not self._more():
                return b""

    def take(self, expected: bytes, otherwise: str) -> None:
        """Consume one byte that must come now.

        Raises
        ------
        BrokenJSON
            Another comes; `otherwise` is the reason.
        """
        if self.peek() != expected:
            raise BrokenJSON(self.line, otherwise)
        self._advance(self._at + 1)

    def value(self) -> Piece:
        """Return the text of the value that begins here; whether it is JSON is not looked at.

        Raises
        ------
        BrokenJSON
            There is no value, or no end to it, or it is longer than the limit.
        """
        first = self.peek()
        length = self._bracketed() if first in (b"{", b"[", b'"') and first else self._bare()
        piece = Piece(self.line, self.offset, self._buffer[self._at : self._at + length])
        self._advance(self._at + length)
        return piece

    def items(self) -> Iterator[Piece]:
        """Go through the values of the array that begins here.

        Raises
        ------
        BrokenJSON
            The array breaks off, or has something else than commas between its values.
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
        """Go through the names of the fields of the object that begins here.

        Whoever asks for the next must have consumed the value of the last.

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
        depth, done = 0, 0  # `done` bytes from here on have been looked at
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
        """Refuse a value that is too long."""
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
        """Move on in the buffer, and count the lines passed."""
        self.line += self._buffer.count(b"\n", self._at, place)
        self._at = place

    def _more(self) -> bool:
        """Read on; what was consumed is let go. False at the end of the stream."""
        rest = self._buffer[self._at :]
        # As much again as is waiting, so that a long value is not copied once for each chunk.
        # One read only: where a compressed file is cut off, the next may fail.
        chunk = self._stream.read1(max(_CHUNK, len(rest)))
        if not chunk:
            return False
        beginning = self._base + len(self._buffer) == 0
        self._base += self._at
        self._buffer = rest + chunk
        self._at = len(BOM) if beginning and chunk.startswith(BOM) else 0
        return True
