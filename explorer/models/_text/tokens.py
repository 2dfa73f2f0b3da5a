"""Tokens of a text, with the characters that each token comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.errors import InputError
from explorer.models._text.alignment import align


@dataclass(frozen=True)
class TokenizedText:
    """A window of a text as a model reads it.

    Attributes
    ----------
    text
        The whole text, also if only a window of it is tokenized.
    ids
        int64 (tokens,): vocabulary ids, special tokens included.
    tokens
        The source text of each token, ``text[start:stop]``; special tokens by name, and tokens
        without source (a lone ``▁``) by their vocabulary entry. A character that was split over
        several tokens is in each of them.
    offsets
        int64 (tokens, 2): half-open character spans in `text`; (0, 0) for special tokens.
    special
        bool (tokens,): tokens that the tokenizer added, such as ``[CLS]``.
    truncated
        Whether the text has more tokens than this window.
    n_total
        Number of tokens of the whole text, without special tokens.
    char_window
        Half-open span of the characters in this window.
    start, stop
        The window in tokens of the text, half open, without special tokens.
    """

    text: str
    ids: NDArray[np.int64]
    tokens: tuple[str, ...]
    offsets: NDArray[np.int64]
    special: NDArray[np.bool_]
    truncated: bool
    n_total: int
    char_window: tuple[int, int]
    start: int = 0
    stop: int = 0

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def next_start(self) -> int | None:
        """First token of the next window; None if this one reaches the end of the text."""
        return self.stop if self.stop < self.n_total else None

    @property
    def previous_start(self) -> int | None:
        """First token of the window of the same size before this one; None at the beginning."""
        return max(0, self.start - (self.stop - self.start)) if self.start > 0 else None


def checked_text(text: object, what: str = "text") -> str:
    """Return `text`; raise `InputError` if a tokenizer cannot take it."""
    if isinstance(text, bytes | bytearray):
        raise InputError(
            f"The {what} must be a string, but these are bytes. "
            "Decode them first, for example with .decode('utf-8', errors='replace')."
        )
    if not isinstance(text, str):
        raise InputError(f"The {what} must be a string, but it is a {type(text).__name__}.")
    if not text.strip():
        raise InputError(f"The {what} is empty or only white space. Enter some text.")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(
            f"The {what} has half a character (a lone surrogate) at position {error.start}, "
            "which happens when a file is read with the wrong encoding. Remove it or read again."
        ) from None
    return text


def encode(tokenizer: Any, text: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return token ids and character offsets of a text, without special tokens.

    Returns
    -------
    ids
        int64 (tokens,).
    offsets
        int64 (tokens, 2): half-open character spans.
    """
    # verbose=False: the warning about long texts would be wrong, since a window is cut later.
    if getattr(tokenizer, "is_fast", False):
        encoding = tokenizer(
            text, add_special_tokens=False, return_offsets_mapping=True, verbose=False
        )
        ids = np.asarray(encoding["input_ids"], dtype=np.int64)
        offsets = np.asarray(encoding["offset_mapping"], dtype=np.int64).reshape(-1, 2)
        return ids, offsets
    encoding = tokenizer(text, add_special_tokens=False, verbose=False)
    ids = np.asarray(encoding["input_ids"], dtype=np.int64)
    return ids, align(text, vocabulary_entries(tokenizer, ids))


def vocabulary_entries(tokenizer: Any, ids: NDArray[np.int64]) -> list[str]:
    """Return the vocabulary entries of `ids`, such as ``Ġdef`` or ``##ing``."""
    entries = tokenizer.convert_ids_to_tokens([int(i) for i in ids])
    return [entry if isinstance(entry, str) else str(entry) for entry in entries]


def special_affixes(tokenizer: Any, text: str) -> tuple[list[int], list[int]]:
    """Return the special tokens that the tokenizer adds before and after a text.

    Parameters
    ----------
    text
        Used as a probe if a single letter has no token.
    """
    for probe in ("a", text):
        full = list(tokenizer(probe, verbose=False)["input_ids"])
        bare = list(tokenizer(probe, add_special_tokens=False, verbose=False)["input_ids"])
        for at in range(len(full) - len(bare) + 1):
            if bare and full[at : at + len(bare)] == bare:
                return full[:at], full[at + len(bare) :]
    return [], []


def tokenize(
    tokenizer: Any, text: str, *, start: int = 0, max_tokens: int | None = None
) -> TokenizedText:
    """Return a window of a text as tokens, special tokens included.

    Parameters
    ----------
    tokenizer
        A tokenizer of transformers, fast or slow.
    text
        Source text; not empty, not only white space.
    start
        First token of the window, counted without special tokens.
    max_tokens
        Most tokens in the window, special tokens included; None for no limit.

    Raises
    ------
    InputError
        If the text cannot be tokenized or `start` lies outside it.
    """
    text = checked_text(text)
    ids, offsets = encode(tokenizer, text)
    n_total = len(ids)
    if n_total == 0:
        raise InputError(
            "The tokenizer of this model finds no tokens in this text. "
            "It may hold only control characters; enter something else."
        )
    if isinstance(start, bool) or not isinstance(start, int | np.integer):
        raise InputError(f"The window's start must be a whole number, but it is {start!r}.")
    if not 0 <= start < n_total:
        raise InputError(
            f"The window starts at token {start}, but the text has {n_total} tokens. "
            f"Choose a start from 0 to {n_total - 1}."
        )
    prefix, suffix = special_affixes(tokenizer, text)
    room = n_total if max_tokens is None else max(1, max_tokens - len(prefix) - len(suffix))
    stop = min(n_total, start + room)

    window_ids = np.concatenate([prefix, ids[start:stop], suffix]).astype(np.int64)
    special = np.ones(len(window_ids), dtype=np.bool_)
    special[len(prefix) : len(prefix) + stop - start] = False
    window_offsets = np.zeros((len(window_ids), 2), dtype=np.int64)
    window_offsets[~special] = offsets[start:stop]
    # Each window owns the characters up to the next window, so that white space that some
    # tokenizers drop belongs to one window.
    first = 0 if start == 0 else int(offsets[start, 0])
    last = len(text) if stop == n_total else int(offsets[start:stop, 1].max())
    return TokenizedText(
        text=text,
        ids=window_ids,
        tokens=shown_tokens(tokenizer, text, window_ids, window_offsets),
        offsets=window_offsets,
        special=special,
        truncated=stop - start < n_total,
        n_total=n_total,
        char_window=(first, last),
        start=int(start),
        stop=stop,
    )


def shown_tokens(
    tokenizer: Any, text: str, ids: NDArray[np.int64], offsets: NDArray[np.int64]
) -> tuple[str, ...]:
    """Return the source text of each token; its vocabulary entry if it has none."""
    shown = [text[start:stop] for start, stop in offsets.tolist()]
    # Looking up an entry takes longer than cutting the text, and few tokens need it.
    without = [place for place, piece in enumerate(shown) if not piece]
    entries = vocabulary_entries(tokenizer, np.asarray(ids)[without]) if without else []
    for place, entry in zip(without, entries, strict=True):
        shown[place] = entry
    return tuple(shown)
