"""Baselines: scores of the same units that use no attention."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from explorer._deprecation import old_parameters
from explorer.errors import InputError
from explorer.feedback import Diagnostic
from explorer.run_control import RunControl
from explorer.traces import Trace
from explorer.validation._comparison.baseline_texts import Embed, UnitTexts
from explorer.validation._comparison.score_comparison import ALWAYS_NO, compare_scores
from explorer.validation._data.labelled_scores import LabelledScores
from explorer.validation._data.score_checks import check_scores
from explorer.validation._statistics.number_checks import check_count
from explorer.validation._statistics.resampling import Resampling

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
    "length": "the length of the unit; longer scores higher",
    "position": "the position in the trace; earlier scores higher",
    "retrieval-score": "the score of the retriever (extra['retrieval_score'])",
    "word-overlap": "share of the words of question and answer that the unit has",
    "lexical-overlap": "the same for content words, weighted by rarity (IDF)",
    "embedding": "cosine of the unit and question with answer",
    "answer-embedding": "cosine of the unit and the answer alone",
}
"""Every baseline by name, and what its score is."""

_WITHOUT_TEXTS = frozenset(("always-no", "random", "length", "position"))


@old_parameters(control=(RunControl, ("progress", "cancel")))
def baseline_scores(
    traces: Iterable[Trace],
    judged: LabelledScores,
    names: Sequence[Baseline] = tuple(BASELINES),
    *,
    seed: int = 0,
    embed: Embed | None = None,
    control: RunControl | None = None,
) -> dict[Baseline, LabelledScores]:
    """Score the labelled units by baselines.

    Parameters
    ----------
    traces
        The traces of the units; others are ignored. The baselines position, length, random and
        always-no do not need them.
    judged
        The units. Their own scores are not used.
    names
        Some of `BASELINES`.
    seed
        Seed of the random baseline.
    embed
        A function from a list of texts to one vector for each; if left out, the packaged
        all-MiniLM-L6-v2.
    control
        Progress callback and cancel event.

    Returns
    -------
    dict of str to LabelledScores
        The same units with other scores, NaN if the baseline is not defined for a unit; the notes
        say why (``"no-texts"``, ``"no-retrieval-score"``, ``"embedding-failed"``).

    Raises
    ------
    InputError
        There is no such baseline.
    Cancelled
        The cancel event was set.
    """
    check_scores(judged)
    unknown = [name for name in names if name not in BASELINES]
    if unknown or isinstance(names, str):
        known = ", ".join(BASELINES)
        raise InputError(f"There is no baseline {unknown[0]!r}. Choose some of {known}.")
    control = control or RunControl()
    control.check()
    scored: dict[Baseline, LabelledScores] = {}
    texts = UnitTexts.of(traces, judged) if set(names) - _WITHOUT_TEXTS else None
    for name in names:
        control.check()
        notes: tuple[Diagnostic, ...] = ()
        if name == ALWAYS_NO:
            scores = np.zeros(len(judged))
        elif name == "random":
            scores = np.random.default_rng(check_count("seed", seed, 0)).random(len(judged))
        elif name == "length":
            scores = judged.lengths
        elif name == "position":
            scores = 1.0 - judged.positions
        elif texts is not None:
            if name == "retrieval-score":
                scores, notes = texts.retrieval_scores()
            elif name in ("lexical-overlap", "word-overlap"):
                scores, notes = texts.overlaps(weighted=name == "lexical-overlap"), texts.notes
            else:
                scores, notes = texts.similarities(
                    embed, control, with_question=name == "embedding"
                )
        scored[name] = replace(judged, scores=scores, notes=notes)
    return scored


@old_parameters(
    resampling=(Resampling, ("samples", "seed")), control=(RunControl, ("progress", "cancel"))
)
def baseline_table(
    traces: Iterable[Trace],
    judged: LabelledScores,
    *,
    method: str = "attention",
    names: Sequence[Baseline] = tuple(BASELINES),
    resampling: Resampling | None = None,
    embed: Embed | None = None,
    control: RunControl | None = None,
) -> pd.DataFrame:
    """Compare a method with baselines on the same units.

    Parameters
    ----------
    traces, names, embed, control
        As in `baseline_scores`.
    judged
        The scores of the method.
    method
        Name of the method in the first row. A baseline of the same name is called
        ``"<name> (baseline)"``.
    resampling
        How bootstrap samples of traces are drawn. The seed is also that of the random baseline.

    Returns
    -------
    pandas.DataFrame
        As `explorer.validation.compare_scores`, the method first.

    Raises
    ------
    ValidationError
        As `explorer.validation.rank`, for the scores of the method.
    InputError, Cancelled
        As `baseline_scores`.
    """
    drawing = Resampling.of(resampling)
    others = baseline_scores(traces, judged, names, seed=drawing.seed, embed=embed, control=control)
    named = {method: judged}
    named |= {
        f"{name} (baseline)" if name == method else str(name): scores
        for name, scores in others.items()
    }
    return compare_scores(named, resampling=drawing)
