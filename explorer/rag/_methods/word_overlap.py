"""Overlap of the words of a question and answer with texts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from math import log

import numpy as np
from numpy.typing import NDArray

# English function words. Words that all texts of a trace share have a low weight anyway.
_FUNCTION_WORDS = frozenset(
    [
        "a",
        "about",
        "after",
        "all",
        "also",
        "an",
        "and",
        "any",
        "are",
        "as",
        "at",
        "be",
        "because",
        "been",
        "before",
        "being",
        "between",
        "both",
        "but",
        "by",
        "can",
        "could",
        "did",
        "do",
        "does",
        "doing",
        "during",
        "each",
        "few",
        "for",
        "from",
        "further",
        "had",
        "has",
        "have",
        "having",
        "he",
        "her",
        "here",
        "hers",
        "him",
        "his",
        "how",
        "i",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "itself",
        "just",
        "me",
        "more",
        "most",
        "my",
        "no",
        "nor",
        "not",
        "now",
        "of",
        "off",
        "on",
        "once",
        "only",
        "or",
        "other",
        "our",
        "out",
        "over",
        "own",
        "s",
        "same",
        "she",
        "should",
        "so",
        "some",
        "such",
        "t",
        "than",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "through",
        "to",
        "too",
        "under",
        "until",
        "up",
        "us",
        "very",
        "was",
        "we",
        "were",
        "what",
        "when",
        "where",
        "which",
        "while",
        "who",
        "whom",
        "whose",
        "why",
        "will",
        "with",
        "would",
        "you",
        "your",
    ]
)


def content_words(text: str) -> list[str]:
    """Return the words of a text in lower case, without English function words.

    Examples
    --------
    >>> content_words("Which river is the longest of Africa?")
    ['river', 'longest', 'africa']
    """
    return [word for word in _words(text) if word not in _FUNCTION_WORDS]


def lexical_overlap(asked: str, texts: Sequence[str]) -> NDArray[np.float64]:
    """IDF-weighted share of the question's and answer's content words found in each text.

    With W the distinct content words of question and answer, m the number of texts of the trace,
    and n(w) the number of texts with the word w::

        score(text) = sum of idf(w) over w in W and in text / sum of idf(w) over w in W
        idf(w) = ln(1 + (m - n(w) + 0.5) / (n(w) + 0.5))

    (the inverse document frequency of BM25, Robertson and Zaragoza 2009, kept positive).

    Parameters
    ----------
    asked
        Question and answer.
    texts
        All hyperedges of the trace.

    Returns
    -------
    ndarray of float64, shape (texts,)
        In [0, 1]; 0 if there are no content words.
    """
    wanted = set(content_words(asked))
    shared = [wanted.intersection(content_words(text)) for text in texts]
    texts_with = Counter(word for words in shared for word in words)
    m = len(texts)
    idf = {w: log(1 + (m - texts_with[w] + 0.5) / (texts_with[w] + 0.5)) for w in sorted(wanted)}
    total = sum(idf.values())
    if not total:
        return np.zeros(m)
    # Sorted, so that equal sets have equal sums.
    return np.array([sum(idf[word] for word in sorted(words)) for words in shared]) / total


def word_overlap(asked: str, texts: Sequence[str]) -> NDArray[np.float64]:
    """Share of the distinct words of question and answer found in each text; float64 (texts,)."""
    wanted = set(_words(asked))
    shared = [len(wanted.intersection(_words(text))) for text in texts]
    return np.array(shared, dtype=np.float64) / max(1, len(wanted))


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold())
