"""Feedback from log-probabilities, an approximation for APIs that return no attention."""

from __future__ import annotations

import codecs
from collections.abc import Mapping, Sequence
from math import exp, isnan, nan
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer.feedback import Diagnostic
from explorer.feedback._auto_threshold import auto_threshold
from explorer.feedback._feedback_table import reached
from explorer.rag._methods.attention_feedback import with_embedding_fallback
from explorer.rag._methods.extractor_config import ExtractorConfig
from explorer.rag._methods.method_result import EmbeddingPlan, MethodResult, unknown
from explorer.traces import Trace
from explorer.traces._evidence.evidence_finder import hyperedge_diagnostics
from explorer.traces._evidence.text_matching import normalised

APPROXIMATION = Diagnostic(
    "approximation",
    "This is an approximation: it shows how sure the model was of the words that the hyperedge "
    "shares with the answer, not what the model attended to.",
)


class Word(NamedTuple):
    """A normalised word of the answer, and the probability that the model gave it."""

    text: str
    probability: float


class _Token(NamedTuple):
    text: str
    logprob: float


def plan_logprobs(trace: Trace, config: ExtractorConfig) -> EmbeddingPlan:
    """Plan log-probabilities, and the embedding for every hyperedge without a score from them."""
    tokens, notes = _tokens(trace.metadata)
    edges = trace.hyperedges
    policy = config.attention_policy
    odd = hyperedge_diagnostics(trace)
    words = answer_words(tokens)
    if not words:
        if not notes:
            notes = [
                Diagnostic("no-words", "The answer's tokens hold no word of known probability.")
            ]
        rows = [unknown("logprobs", "none", policy.number, one) for one in odd]
        return with_embedding_fallback(rows, tuple(notes), notes)
    notes += _mismatch("".join(token.text for token in tokens), trace.answer)
    known = word_scores(words, [edge.hyperedge for edge in edges])
    found = [auto_threshold(known).diagnostic] if policy.is_auto else []
    policy = policy.for_scores(known)
    scores = reached(known, policy)
    results = [
        MethodResult(
            "logprobs",
            "none" if isnan(score) else "logprobs",
            0,
            score,
            policy.number,
            signal,
            str(verdict),
            _matched(words, edge.hyperedge),
            (*reasons, APPROXIMATION, *notes),
        )
        for edge, score, signal, verdict, reasons in zip(
            edges,
            scores.tolist(),
            policy.convert(scores).tolist(),
            policy.verdicts(scores),
            odd,
            strict=True,
        )
    ]
    return with_embedding_fallback(results, (*found, *notes))


def word_scores(words: Sequence[Word], texts: Sequence[str]) -> NDArray[np.float64]:
    """Return scores of texts by the words that they share with the answer.

    score(e) = 1/|W| * sum over the answer's words w in e of p(w) / df(w), where df(w) is the number
    of texts that have w: the probability of a word is divided equally among the texts that have it.

    Returns
    -------
    ndarray of float64, shape (texts,)
        In [0, 1]; NaN for a text without words.
    """
    owned = [set(normalised(text).split()) for text in texts]
    owners: dict[str, list[int]] = {}
    for place, own in enumerate(owned):
        for word in own:
            owners.setdefault(word, []).append(place)
    scores = np.array([0.0 if own else nan for own in owned], dtype=np.float64)
    for spelled, probability in words:
        places = owners.get(spelled, [])
        for place in places:
            scores[place] += probability / len(places) / len(words)
    return scores


def answer_words(tokens: Sequence[tuple[str, float]]) -> list[Word]:
    """Return the words that tokens spell, with the product of their probabilities.

    Words are separated by white space and normalised; a word needs a letter or a digit. Its tokens
    are those with a letter or a digit of it, so commas and quotes at its ends do not count. A word
    with a token of unknown log-probability (NaN) is left out.

    Examples
    --------
    >>> from math import log
    >>> [(word.text, round(word.probability, 3))
    ...  for word in answer_words([("The", log(0.5)), (" Ni", log(0.8)), ("le,", log(0.5))])]
    [('the', 0.5), ('nile', 0.4)]
    """
    words: list[Word] = []
    letters: list[str] = []
    total, last = 0.0, -1

    def close() -> None:
        nonlocal total, last
        text = normalised("".join(letters))
        if text and not isnan(total):
            words.append(Word(text, exp(total)))
        letters.clear()
        total, last = 0.0, -1

    for place, (text, logprob) in enumerate(tokens):
        if not text and isnan(logprob):  # an unknown token may be part of this word
            total = nan
        for sign in text:
            if sign.isspace():
                close()
                continue
            letters.append(sign)
            if sign.isalnum() and last != place:
                total, last = total + logprob, place
    close()
    return words


def _tokens(metadata: Mapping[str, Any]) -> tuple[list[_Token], list[Diagnostic]]:
    """Return the answer's tokens in the OpenAI chat format, and diagnostics of bad entries."""
    content = _content(metadata)
    if content is None:
        message = "The metadata has no `logprobs`."
        return [], [Diagnostic("no-logprobs", message)]
    if not isinstance(content, list | tuple):
        message = (
            "`logprobs` must hold a list of tokens under `content`, each with `token` and "
            f"`logprob`; it is a {type(content).__name__}."
        )
        return [], [Diagnostic("bad-logprobs", message)]
    tokens, bad, pending = [], 0, 0.0
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for entry in map(_plain, content):
        if not isinstance(entry, Mapping) or not isinstance(entry.get("token"), str):
            bad += 1
            tokens.append(_Token("", nan))
            continue
        logprob = _logprob(entry.get("logprob"))
        bad += isnan(logprob)
        # A character may be split over several tokens; the last of them completes it.
        raw = _bytes(entry.get("bytes"))
        text = entry["token"] if raw is None else decoder.decode(raw)
        if raw and not text:
            pending += logprob
            continue
        tokens.append(_Token(text, logprob + pending))
        pending = 0.0
    if not bad:
        return tokens, []
    message = (
        f"{bad} of {len(content)} entries of `logprobs` have no `token` or no `logprob` that is a "
        "number of 0 or less; the words that they belong to were left out."
    )
    return tokens, [Diagnostic("bad-logprobs", message)]


def _content(metadata: Mapping[str, Any]) -> object:
    """Return the list of tokens: at the top, under `content`, or within a whole response."""
    value = _plain(metadata.get("logprobs"))
    if value is None:
        value = {"choices": metadata.get("choices")} if metadata.get("choices") else None
    for _ in range(4):  # response, choices, logprobs, content
        if not isinstance(value, Mapping):
            break
        if isinstance(choices := value.get("choices"), list | tuple) and choices:
            value = _plain(choices[0])
        elif value.get("content") is not None:
            value = value["content"]
        elif value.get("logprobs") is not None:
            value = _plain(value["logprobs"])
        else:
            break
    return value


def _plain(value: Any) -> Any:
    """Return a pydantic model of an API client as a plain mapping, and other values unchanged."""
    dump = getattr(type(value), "model_dump", None)
    return dump(value) if callable(dump) else value


def _logprob(value: object) -> float:
    """Return a log-probability, NaN for any other value; a little above 0 is rounding, hence 0."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return nan
    try:
        number = float(value)
    except OverflowError:
        return nan
    return min(number, 0.0) if number <= 1e-3 else nan


def _bytes(value: object) -> bytes | None:
    if isinstance(value, list | tuple) and all(
        isinstance(item, int) and 0 <= item < 256 for item in value
    ):
        return bytes(value)
    return None


def _mismatch(spelled: str, answer: str) -> list[Diagnostic]:
    if " ".join(spelled.split()) == " ".join(answer.split()):
        return []
    message = (
        f"The tokens of `logprobs` spell {len(spelled)} characters that are not the answer of "
        f"{len(answer)}; the tokens were used."
    )
    return [Diagnostic("length-mismatch", message)]


def _matched(words: Sequence[Word], text: str) -> str:
    own = set(normalised(text).split())
    shared = list(dict.fromkeys(word.text for word in words if word.text in own))
    if not shared:
        return "nothing"
    return f"answer words: {', '.join(shared[:5])}{' ...' if len(shared) > 5 else ''}"
