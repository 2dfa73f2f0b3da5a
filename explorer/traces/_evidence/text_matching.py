"""Matches of hyperedges to pieces of context, by text or by tokens."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from explorer.source._byte_level import byte_alphabet

SIMILAR = 0.6
"""Smallest similarity at which two texts that do not contain each other still match."""

_LONGEST = 2000
# SequenceMatcher is quadratic: in the worst case two texts of this length take about a second.
# Longer texts are documents rather than facts, for which containment is the meaningful test.


class Match(NamedTuple):
    """A piece of context that a hyperedge was matched to.

    `chunk` is its index in the context; `similarity` is 1.0 where one text contains the other, else
    the ratio 2M/T.
    """

    chunk: int
    similarity: float


def normalised(text: str) -> str:
    """Return a text in lower case, without punctuation, with single spaces.

    Examples
    --------
    >>> normalised("  The Nile -- Africa's longest river.")
    'the nile africas longest river'
    """
    return " ".join(re.sub(r"[^\w\s]|_", "", text.lower()).split())


def similarity(first: str, second: str) -> float:
    """Return 2M/T of two texts: M characters in matching blocks, of T in both together.

    The blocks are those of Ratcliff and Obershelp as `difflib.SequenceMatcher` finds them, without
    its shortcut for frequent characters.

    Examples
    --------
    >>> round(similarity("abcd", "bcde"), 3)
    0.75
    """
    if len(first) > _LONGEST or len(second) > _LONGEST:
        return 1.0 if first == second else 0.0
    matcher = SequenceMatcher(None, first, second, autojunk=False)
    # The two quick ratios are upper bounds, so nothing that matches is lost.
    if matcher.real_quick_ratio() < SIMILAR or matcher.quick_ratio() < SIMILAR:
        return 0.0
    return matcher.ratio()


def match_texts(texts: Sequence[str], chunks: Sequence[str]) -> list[tuple[Match, ...]]:
    """Return the chunks that contain each text, are contained in it, or resemble it.

    Parameters
    ----------
    texts
        Texts of the hyperedges.
    chunks
        Pieces of the context.

    Returns
    -------
    list of tuple of Match
        One tuple for each text, in order of the chunks; empty where nothing matches. A text
        without letters or digits matches nothing, although every text contains it.
    """
    plain = [normalised(chunk) for chunk in chunks]
    places: dict[str, list[int]] = {}
    for place, chunk in enumerate(plain):
        places.setdefault(chunk, []).append(place)
    found = []
    for text in map(normalised, texts):
        matches = []
        for chunk, where in places.items():
            if not text or not chunk:
                continue
            ratio = 1.0 if text in chunk or chunk in text else similarity(text, chunk)
            if ratio >= SIMILAR:
                matches += [Match(place, ratio) for place in where]
        found.append(tuple(sorted(matches)))
    return found


def find_in_tokens(chunks: Sequence[str], tokens: Sequence[str]) -> list[tuple[int, ...]]:
    """Return the tokens that each chunk of text covers.

    Spaces, case and punctuation are ignored, since tokenizers write them differently. A chunk that
    occurs several times gets its first occurrence that is not used by an earlier chunk.

    Parameters
    ----------
    chunks
        Pieces of the context, in any order.
    tokens
        The tokens of the key columns.

    Returns
    -------
    list of tuple of int
        Positions of the tokens, one tuple for each chunk; empty where the chunk is not found.
    """
    stream, owners = _letters_of_tokens(tokens)
    after: dict[str, int] = {}
    found: list[tuple[int, ...]] = []
    for chunk in map(_letters, chunks):
        start = stream.find(chunk, after.get(chunk, 0)) if chunk else -1
        if start < 0 and chunk in after:
            start = stream.find(chunk)
        if start < 0:
            found.append(())
            continue
        after[chunk] = start + len(chunk)
        found.append(tuple(range(owners[start], owners[start + len(chunk) - 1] + 1)))
    return found


def _letters_of_tokens(tokens: Sequence[str]) -> tuple[str, list[int]]:
    """Return the letters and digits that tokens stand for, and the token of each.

    Knows the byte-level tokens of GPT-2 and its kin ("Ġcaf", "Ã©"; a character may be split over
    two tokens), and the "##" of WordPiece; the "▁" of SentencePiece is not a letter anyway.
    """
    letters: list[str] = []
    owners: list[int] = []
    if any(mark in token for token in tokens for mark in "ĠĊ"):
        table = byte_alphabet()
        raw = bytearray()
        byte_owners: list[int] = []
        for place, token in enumerate(tokens):
            known = all(sign in table for sign in token)
            piece = bytes(table[sign] for sign in token) if known else token.encode()
            raw += piece
            byte_owners += [place] * len(piece)
        at = 0
        # surrogateescape keeps each invalid byte as one character.
        for sign in raw.decode(errors="surrogateescape"):
            kept = _letters(sign)
            letters.append(kept)
            owners += [byte_owners[at]] * len(kept)
            at += len(sign.encode(errors="surrogateescape"))
    else:
        for place, token in enumerate(tokens):
            kept = _letters(token)
            letters.append(kept)
            owners += [place] * len(kept)
    return "".join(letters), owners


def _letters(text: str) -> str:
    """Return the letters and digits, without case; per character, so that pieces add up."""
    return "".join(sign for sign in text.casefold() if sign.isalnum())
