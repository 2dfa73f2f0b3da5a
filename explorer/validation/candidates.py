"""What a calibration chooses from: single heads and weighted sets of heads."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer.errors import Cancelled, EvidenceError, ValidationError
from explorer.feedback import HeadCombination, HeadTerm
from explorer.feedback.combination import CONTENT_FREE, Rows, standardised
from explorer.traces import Trace, head_readings
from explorer.validation.labelled import Judged

REGULARISATION = (3e-4, 1e-3, 3e-3, 1e-2)
"""Inverse strengths C of the L2 penalty that are tried for sets of heads."""


class Block(NamedTuple):
    """Features of one kind: the rows that look, and whether content-free mass is taken away."""

    rows: Rows
    content_free: bool

    def __str__(self) -> str:
        return f"{self.rows} rows{', content-free subtracted' if self.content_free else ''}"


@dataclass(frozen=True)
class Candidate:
    """One way to score: the best head of a block, or a weighted set of the heads of some blocks.

    `strength` is the inverse strength of the penalty, None for a single head.
    """

    blocks: tuple[Block, ...]
    strength: float | None = None

    @property
    def name(self) -> str:
        """What it is called in tables."""
        rows = " and ".join(block.rows for block in self.blocks)
        free = ", content-free subtracted" if self.blocks[0].content_free else ""
        kind = "one head" if self.strength is None else "set of heads"
        return f"{kind}, rows of the {rows}{free}"


@dataclass(frozen=True, eq=False)
class Features:
    """Standardised mass of every labelled unit in every head.

    Attributes
    ----------
    blocks
        Block -> float32 (units, layers x heads).
    shape
        Layers and heads.
    """

    blocks: dict[Block, NDArray[np.float32]]
    shape: tuple[int, int]

    def of(self, candidate: Candidate) -> NDArray[np.float32]:
        """The features that a candidate looks at, float32 (units, blocks x heads)."""
        return np.concatenate([self.blocks[block] for block in candidate.blocks], axis=1)

    def candidates(self) -> list[Candidate]:
        """All that can be tried with these readings, the simple ones first."""
        found = [Candidate((block,)) for block in self.blocks]
        for free in (False, True):
            same = tuple(block for block in self.blocks if block.content_free is free)
            for blocks in [*((block,) for block in same), *([same] if len(same) > 1 else [])]:
                found += [Candidate(blocks, strength) for strength in REGULARISATION]
        return found


class Fitted(NamedTuple):
    """A candidate with its weights, over the columns of its features."""

    candidate: Candidate
    weights: NDArray[np.float64]
    intercept: float

    def scores(self, features: Features, places: Any = slice(None)) -> NDArray[np.float64]:
        """Scores in [0, 1] of some units."""
        total = features.of(self.candidate)[places] @ self.weights + self.intercept
        scores: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-np.clip(total, -700, 700)))
        return scores

    def combination(self, shape: tuple[int, int]) -> HeadCombination:
        """The weights as what a `FeedbackExtractor` works with."""
        layers, heads = shape
        terms = []
        for column in np.flatnonzero(self.weights):
            block, place = divmod(int(column), layers * heads)
            layer, head = divmod(place, heads)
            weight = float(f"{self.weights[column]:.6g}")
            terms.append(HeadTerm(self.candidate.blocks[block].rows, layer, head, weight))
        return HeadCombination(
            tuple(terms), float(f"{self.intercept:.6g}"), self.candidate.blocks[0].content_free
        )


def features_of(
    traces: Iterable[Trace], judged: Judged, cancel: threading.Event | None = None
) -> Features:
    """Read the features of labelled units.

    Parameters
    ----------
    traces
        As `score_traces` leaves them; a reading counts when all of them bring it.
    judged
        The labelled units, in the order of the traces.

    Raises
    ------
    ValidationError
        The traces bring no attention head by head, or that of models of different shapes.
    Cancelled
        `cancel` was set.
    """
    rows: list[dict[str, NDArray[np.float32]]] = []
    known = set(judged.traces)
    for trace in traces:
        if trace.id not in known:
            continue
        if cancel is not None and cancel.is_set():
            raise Cancelled("Stopped.")
        try:
            readings = head_readings(trace)
        except EvidenceError as error:
            raise ValidationError(f"The attention cannot be used: {error}") from error
        if "answer" not in readings:
            raise ValidationError(
                f"Trace {trace.id} brings no attention head by head, from which a head could be "
                "chosen. score_traces(traces) records it."
            )
        places = [place for place, edge in enumerate(trace.hyperedges) if edge.label is not None]
        rows.append(
            {
                str(block): standardised(mass)[:, :, places]
                for block, mass in _masses(readings).items()
            }
            | {"shape": np.array(readings["answer"].shape[:2])}
        )
    shapes = {tuple(row["shape"].tolist()) for row in rows}
    if len(shapes) != 1:
        raise ValidationError(
            "The traces were read by models of different shapes (layers, heads): "
            f"{', '.join(map(str, sorted(shapes)))}. Calibrate on those of one model."
        )
    blocks = [
        block
        for block in (Block(rows_of, free) for rows_of in _ROWS for free in (False, True))
        if all(str(block) in row for row in rows)
    ]
    shape = shapes.pop()
    return Features(
        {
            block: np.concatenate(
                [row[str(block)].reshape(shape[0] * shape[1], -1).T for row in rows]
            ).astype(np.float32)
            for block in blocks
        },
        (int(shape[0]), int(shape[1])),
    )


def fit(
    candidate: Candidate,
    features: Features,
    labels: NDArray[np.bool_],
    places: NDArray[np.bool_],
) -> Fitted:
    """Fit a candidate to some of the units.

    A single head is the one with the highest ROC-AUC; its score is a logistic function of its
    standardised mass, as is the sum of a set (scikit-learn's `LogisticRegression`, L2 penalty).
    """
    from sklearn.linear_model import LogisticRegression

    columns = features.of(candidate)[places]
    truth = labels[places]
    if candidate.strength is None:
        best = int(np.argmax(_aucs(columns, truth)))
        model = LogisticRegression(C=1.0, max_iter=200).fit(columns[:, [best]], truth)
        weights = np.zeros(columns.shape[1])
        weights[best] = float(model.coef_[0, 0])
    else:
        model = LogisticRegression(C=candidate.strength, max_iter=200, tol=1e-3)
        model.fit(columns, truth)
        weights = np.asarray(model.coef_[0], dtype=np.float64)
    return Fitted(candidate, weights, float(model.intercept_[0]))


_ROWS: Sequence[Rows] = ("answer", "question")


def _masses(readings: dict[str, NDArray[np.float32]]) -> dict[Block, NDArray[np.float32]]:
    found: dict[Block, NDArray[np.float32]] = {}
    for rows in _ROWS:
        if rows in readings:
            found[Block(rows, content_free=False)] = readings[rows]
            if CONTENT_FREE in readings:
                found[Block(rows, content_free=True)] = readings[rows] - readings[CONTENT_FREE]
    return found


def _aucs(columns: NDArray[np.float32], truth: NDArray[np.bool_]) -> NDArray[np.float64]:
    """ROC-AUC of every column, by mean ranks (Mann and Whitney 1947); float64 (columns,)."""
    from scipy.stats import rankdata

    used = int(truth.sum())
    ranks = rankdata(columns, axis=0)[truth].sum(axis=0)
    aucs: NDArray[np.float64] = (ranks - used * (used + 1) / 2) / (used * (len(truth) - used))
    return aucs
