"""Character offsets for tokenizers that do not report them.

Tokenizers written in Python return token strings only. The source of each token is found by
matching text and tokens in parallel, byte by byte, so that a character that was split over several
tokens belongs to all of them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from explorer.source._byte_level import byte_alphabet

_BYTE_TOKEN = re.compile(r"^<0x([0-9A-Fa-f]{2})>$")
_WORD_START = "▁"  # SentencePiece
# How far after the cursor a piece is searched: more than dropped white space or an unknown word
# takes up, less than the usual distance to the next use of the same word.
_LOOK_AHEAD_BYTES = 64


def align(text: str, pieces: Sequence[str]) -> NDArray[np.int64]:
    """Return the source characters of each token.

    Parameters
    ----------
    text
        The tokenized text.
    pieces
        Vocabulary entries in order (as ``convert_ids_to_tokens`` gives them), without the special
        tokens that the tokenizer added. Byte-level alphabets, byte tokens (``<0xF0>``),
        WordPiece's ``##``, SentencePiece's ``▁`` and ``</w>`` endings are understood, and so are
        tokenizers that lower the case or strip accents.

    Returns
    -------
    numpy.ndarray
        int64 of shape (tokens, 2): half-open character spans. Tokens that share a character all
        have its span; a token with no source (such as a lone ``▁``) has an empty span.
    """
    exact = _bytes_of(text, normalise=False)
    spans, lost = _walk(exact, [_surfaces(piece, normalise=False) for piece in pieces])
    if lost:
        folded = _bytes_of(text, normalise=True)
        second, lost_folded = _walk(folded, [_surfaces(piece, normalise=True) for piece in pieces])
        if lost_folded < lost:
            spans = second
    return spans


def _walk(
    source: tuple[bytes, NDArray[np.int64]], surfaces: Sequence[tuple[bytes, ...]]
) -> tuple[NDArray[np.int64], int]:
    """Match surfaces in order; return the spans and the number of tokens without a source."""
    stream, owner = source  # owner[i] is the character that byte i comes from
    found = _matches(stream, surfaces)
    spans = np.zeros((len(surfaces), 2), dtype=np.int64)
    lost = 0
    before = 0
    for position, candidates in enumerate(surfaces):
        start, stop = (int(bound) for bound in found[position])
        if start < 0 and any(candidate.strip() for candidate in candidates):
            start, stop = _gap(stream, before, found[position + 1 :, 0])
            lost += 1
        elif start < 0:
            start = stop = before
        before = stop
        if stop > start:
            spans[position] = owner[start], owner[stop - 1] + 1
        else:
            spans[position] = owner[start] if start < len(owner) else _length(owner)
    return spans, lost


def _matches(stream: bytes, surfaces: Sequence[tuple[bytes, ...]]) -> NDArray[np.int64]:
    """Return half-open byte spans of the surfaces: (tokens, 2), (-1, -1) if not found."""
    found = np.full((len(surfaces), 2), -1, dtype=np.int64)
    cursor = 0
    for position, candidates in enumerate(surfaces):
        for candidate in candidates:
            # White space is matched at the cursor only: the next one may be words away.
            ahead = _LOOK_AHEAD_BYTES if candidate.strip() else 0
            reach = cursor + len(candidate) + ahead
            at = stream.find(candidate, cursor, reach)
            if at >= 0:
                cursor = at + len(candidate)
                found[position] = at, cursor
                break
    return found


def _gap(stream: bytes, before: int, later: NDArray[np.int64]) -> tuple[int, int]:
    """Return the bytes between a token's neighbours, for which an unknown token stands."""
    start, stop = before, next((int(begin) for begin in later if begin >= 0), len(stream))
    while start < stop and stream[start : start + 1].isspace():
        start += 1
    while stop > start and stream[stop - 1 : stop].isspace():
        stop -= 1
    return start, stop


def _length(owner: NDArray[np.int64]) -> int:
    return int(owner[-1]) + 1 if len(owner) else 0


def _fold(text: str) -> str:
    """Return text in lower case without accents, as uncased tokenizers read it."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def _bytes_of(text: str, *, normalise: bool) -> tuple[bytes, NDArray[np.int64]]:
    stream = bytearray()
    owner: list[int] = []
    for position, character in enumerate(text):
        encoded = (_fold(character) if normalise else character).encode("utf-8")
        stream += encoded
        owner += [position] * len(encoded)
    return bytes(stream), np.asarray(owner, dtype=np.int64)


def _surfaces(piece: str, *, normalise: bool) -> tuple[bytes, ...]:
    """Return the byte strings that a vocabulary entry can stand for, the likeliest first."""
    if byte := _BYTE_TOKEN.match(piece):
        return (bytes([int(byte.group(1), 16)]),)
    found: list[bytes] = []
    alphabet = byte_alphabet()
    # ASCII is the same in every scheme.
    if not piece.isascii() and all(character in alphabet for character in piece):
        raw = bytes(alphabet[character] for character in piece)
        found.append(raw.lower() if normalise and raw.isascii() else raw)
    elif len(piece) == 1 and not piece.isascii() and ord(piece) < 256:
        found.append(bytes([ord(piece)]))  # ByT5 writes bytes as Latin-1
    text = piece.removeprefix("##").removesuffix("</w>").removesuffix("@@") or piece
    text = text.replace(_WORD_START, " ")
    found.append((_fold(text) if normalise else text).encode("utf-8"))
    # A dummy prefix space need not be in the text.
    found += [surface.lstrip() for surface in found]
    return tuple(dict.fromkeys(surface for surface in found if surface))
