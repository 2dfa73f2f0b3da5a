"""What a method must beat: scores for the same units that look at no attention."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from math import log
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from explorer.errors import EmbeddingError, InputError, ValidationError
from explorer.feedback import Diagnostic
from explorer.run_control import ProgressCallback, RunControl
from explorer.traces import Trace
from explorer.validation._data.labelled_scores import LabelledScores, check_scores, first_few
from explorer.validation._data.score_builder import as_traces
from explorer.validation._statistics.bootstrap import check_seed

if TYPE_CHECKING:
    import pandas as pd

Baseline = Literal[
    "always-no",
    "random",
    "length",
    "position",
    "retrieval-score",
    "word-overlap",
    "lexical-overlap",
    "embedding",
    "answer-embedding",
]

BASELINES: Mapping[Baseline, str] = {
    "always-no": "calls nothing used",
    "random": "a random number for each unit",
    "length": "the length of the unit: longer is more",
    "position": "the place in the trace: earlier is more",
    "retrieval-score": "what the retriever gave (extra['retrieval_score'])",
    "word-overlap": "share of the words of question and answer that the unit has",
    "lexical-overlap": "the same for content words, rare ones weighing more",
    "embedding": "cosine of the unit and question with answer",
    "answer-embedding": "cosine of the unit and the answer alone",
}
"""Every baseline by name, and what its score is."""

# Words of English that are about nothing. Words that all units of a trace have weigh little anyway.
_OF_NOTHING = (
    "a about after all also an and any are as at be because been before being between both but "
    "by can could did do does doing during each few for from further had has have having he "
    "her here hers him his how i if in into is it its itself just me more most my no nor not "
    "now of off on once only or other our out over own s same she should so some such t than "
    "that the their them then there these they this those through to too under until up us "
    "very was we were what when where which while who whom whose why will with would you your"
)
_FUNCTION_WORDS = frozenset(_OF_NOTHING.split())

Embed = Callable[[list[str]], Any]


def baseline_scores(
    traces: Iterable[Trace],
    judged: LabelledScores,
    names: Sequence[Baseline] = tuple(BASELINES),
    *,
    seed: int = 0,
    embed: Embed | None = None,
    progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
) -> dict[Baseline, LabelledScores]:
    """Score the judged units by baselines.

    Parameters
    ----------
    traces
        Where the units come from; those that are not judged are passed over. Only position, length,
        random and always-no do without.
    judged
        The units. Their own scores play no part.
    names
        Some of `BASELINES`.
    seed
        Of the random numbers.
    embed
        A function from a list of texts to one vector for each; left out, the packaged
        all-MiniLM-L6-v2.
    progress, cancel
        As everywhere.

    Returns
    -------
    dict of str to Judged
        The same units with other scores, NaN where the baseline knows nothing; why is among the
        notes (``"no-texts"``, ``"no-retrieval-score"``, ``"embedding-failed"``).

    Raises
    ------
    InputError
        There is no such baseline.
    Cancelled
        If `cancel` was set.
    """
    check_scores(judged)
    odd = [name for name in names if name not in BASELINES]
    if odd or isinstance(names, str):
        known = ", ".join(BASELINES)
        raise InputError(f"There is no baseline {odd[0]!r}. Choose some of {known}.")
    control = RunControl(progress, cancel)
    control.check()
    found: dict[Baseline, LabelledScores] = {}
    texts = _UnitTexts.of(traces, judged) if set(names) - _OF_UNITS else None
    for name in names:
        control.check()
        notes: tuple[Diagnostic, ...] = ()
        if name == "always-no":
            scores = np.zeros(len(judged))
        elif name == "random":
            scores = np.random.default_rng(check_seed(seed)).random(len(judged))
        elif name == "length":
            scores = judged.lengths
        elif name == "position":
            scores = 1.0 - judged.positions
        elif texts is not None:
            if name == "retrieval-score":
                scores, notes = texts.retrieval_scores()
            elif name == "lexical-overlap":
                scores, notes = texts.overlaps(plain=False), texts.notes
            elif name == "word-overlap":
                scores, notes = texts.overlaps(plain=True), texts.notes
            else:
                whole = name == "embedding"
                scores, notes = texts.similarities(embed, control, whole=whole)
        found[name] = replace(judged, scores=scores, notes=notes)
    return found


_OF_UNITS = frozenset(("always-no", "random", "length", "position"))


def content_words(text: str) -> list[str]:
    """Words of a text in lower case, without those of English that are about nothing.

    Examples
    --------
    >>> content_words("Which river is the longest of Africa?")
    ['river', 'longest', 'africa']
    """
    return [word for word in _words(text) if word not in _FUNCTION_WORDS]


def lexical_overlap(asked: str, texts: Sequence[str]) -> NDArray[np.float64]:
    """How much of what question and answer speak of each text speaks of too.

    With W the distinct content words of question and answer, m the texts of the trace, and n(w) how
    many of them have the word w::

        score(text) = sum of idf(w) over w in W and in text / sum of idf(w) over w in W
        idf(w) = ln(1 + (m - n(w) + 0.5) / (n(w) + 0.5))

    (the inverse document frequency of BM25, Robertson and Zaragoza 2009, kept positive).

    Parameters
    ----------
    asked
        Question and answer.
    texts
        All the hyperedges of the trace.

    Returns
    -------
    ndarray of float64, shape (texts,)
        In [0, 1]; 0 where there are no content words.
    """
    wanted = set(content_words(asked))
    have = [wanted.intersection(content_words(text)) for text in texts]
    among = Counter(word for words in have for word in words)
    m = len(texts)
    idf = {w: log(1 + (m - among[w] + 0.5) / (among[w] + 0.5)) for w in sorted(wanted)}
    total = sum(idf.values())
    if not total:
        return np.zeros(m)
    # In the order of the words, so that equal sets have equal sums.
    return np.array([sum(idf[word] for word in sorted(words)) for words in have]) / total


def word_overlap(asked: str, texts: Sequence[str]) -> NDArray[np.float64]:
    """Share of the distinct words of question and answer that each text has; float64 (texts,)."""
    wanted = set(_words(asked))
    found = [len(wanted.intersection(_words(text))) for text in texts]
    return np.array(found, dtype=np.float64) / max(1, len(wanted))


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold())


class _UnitTexts:
    """The texts that the judged units come with."""

    def __init__(self, judged: LabelledScores, of: dict[int, _TraceTexts]) -> None:
        self._judged = judged
        self._of = of  # by group
        missing = [name for group, name in enumerate(judged.traces) if group not in of]
        self.notes: tuple[Diagnostic, ...] = ()
        if missing:
            message = f"The texts of some judged traces are not there: {first_few(missing)}."
            self.notes = (Diagnostic("no-texts", message),)

    @classmethod
    def of(cls, traces: Iterable[Trace], judged: LabelledScores) -> _UnitTexts:
        group_of = {name: group for group, name in enumerate(judged.traces)}
        units: dict[int, list[int]] = {}
        for place, group in enumerate(judged.groups.tolist()):
            units.setdefault(group, []).append(place)
        found: dict[int, _TraceTexts] = {}
        for trace in as_traces(traces):
            group = group_of.get(trace.id)
            if group is None or group not in units or group in found:
                continue
            found[group] = _TraceTexts(trace, units[group], judged)
        return cls(judged, found)

    def _empty(self) -> NDArray[np.float64]:
        return np.full(len(self._judged), np.nan)

    def retrieval_scores(self) -> tuple[NDArray[np.float64], tuple[Diagnostic, ...]]:
        scores = self._empty()
        for asked in self._of.values():
            scores[asked.units] = asked.retrieval
        if not np.isnan(scores).any():
            return scores, self.notes
        lacking = int(np.isnan(scores).sum())
        message = f"{lacking} of {len(scores)} units came without a score of the retriever."
        return scores, (*self.notes, Diagnostic("no-retrieval-score", message))

    def overlaps(self, *, plain: bool) -> NDArray[np.float64]:
        scores = self._empty()
        for asked in self._of.values():
            scores[asked.units] = asked.word_overlap if plain else asked.overlap
        return scores

    def similarities(
        self, embed: Embed | None, control: RunControl, *, whole: bool
    ) -> tuple[NDArray[np.float64], tuple[Diagnostic, ...]]:
        """Cosines of units and what was asked; with `whole`, the question too."""
        scores = self._empty()
        places: dict[str, int] = {}
        pairs = []
        for asked in self._of.values():
            one = asked.question_and_answer if whole else asked.answer
            for unit, text in zip(asked.units, asked.texts, strict=True):
                if one.strip() and text.strip():
                    first = places.setdefault(one, len(places))
                    pairs.append((unit, first, places.setdefault(text, len(places))))
        if not pairs:
            note = Diagnostic("nothing-to-embed", "There are no texts to embed.")
            return scores, (*self.notes, note)
        try:
            vectors = _embedded(list(places), embed, control)
        except EmbeddingError as error:
            return scores, (*self.notes, Diagnostic("embedding-failed", str(error)))
        unit, first, second = np.array(pairs).T
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors = np.divide(vectors, norms, out=np.full_like(vectors, np.nan), where=norms > 0)
        scores[unit] = np.einsum("ij,ij->i", vectors[first], vectors[second])
        return scores, self.notes


class _TraceTexts:
    """What of one trace the baselines look at; without its metadata."""

    def __init__(self, trace: Trace, units: list[int], judged: LabelledScores) -> None:
        self.units = np.array(units, dtype=np.intp)
        self.answer = trace.answer if isinstance(trace.answer, str) else ""
        self.question_and_answer = f"{trace.query} {self.answer}".strip()
        by_id: dict[str, int] = {}
        for place, edge in enumerate(trace.hyperedges):
            by_id.setdefault(edge.id, place)
        places = [by_id.get(judged.units[unit]) for unit in units]
        everything = [edge.hyperedge for edge in trace.hyperedges]
        self.texts = ["" if place is None else everything[place] for place in places]
        overlap = lexical_overlap(self.question_and_answer, everything)
        plain = word_overlap(self.question_and_answer, everything)
        self.word_overlap = [np.nan if place is None else plain[place] for place in places]
        self.overlap = [np.nan if place is None else overlap[place] for place in places]
        self.retrieval = [
            np.nan if place is None else _number(trace.hyperedges[place].extra) for place in places
        ]


def _number(extra: Mapping[str, Any]) -> float:
    value = extra.get("retrieval_score")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return np.nan
    return float(value) if np.isfinite(value) else np.nan


def _embedded(texts: list[str], embed: Embed | None, control: RunControl) -> NDArray[np.float64]:
    from explorer.rag._embeddings.embedders import packaged_embedder
    from explorer.rag._embeddings.embedding_functions import checked_embeddings, failed_embedding

    if embed is None:
        return packaged_embedder().embed(texts, control).array
    control.report("embedding", None, f"Embedding {len(texts)} texts ...")
    try:
        value = embed(list(texts))
    except Exception as error:
        raise failed_embedding(error) from error
    if hasattr(value, "__await__"):
        value.close()
        raise EmbeddingError(
            "The embedding function of a baseline must be a plain one, but it is async."
        )
    return checked_embeddings(value, len(texts))


def baseline_table(
    traces: Iterable[Trace],
    judged: LabelledScores,
    *,
    method: str = "attention",
    names: Sequence[Baseline] = tuple(BASELINES),
    samples: int | None = None,
    seed: int = 0,
    embed: Embed | None = None,
    progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
) -> pd.DataFrame:
    """The method beside every baseline, on the same units.

    Parameters
    ----------
    traces, names, seed, embed, progress, cancel
        As in `baseline_scores`.
    judged
        The scores of the method.
    method
        What to call it in the first row.
    samples
        Bootstrap samples of traces; 0 for no intervals.

    Returns
    -------
    pandas.DataFrame
        As `explorer.validation.compare_scores`, the method first.

    Raises
    ------
    ValidationError
        As `explorer.validation.rank`, for the method's own scores.
    InputError, Cancelled
        As `baseline_scores`.
    """
    from explorer.validation._comparison.score_comparison import compare_scores
    from explorer.validation._statistics.bootstrap import SAMPLES

    if method in get_args(Baseline):
        raise ValidationError(f"{method!r} is the name of a baseline. Call the method otherwise.")
    others = baseline_scores(
        traces, judged, names, seed=seed, embed=embed, progress=progress, cancel=cancel
    )
    return compare_scores(
        {method: judged} | {str(name): scores for name, scores in others.items()},
        samples=SAMPLES if samples is None else samples,
        seed=seed,
    )
