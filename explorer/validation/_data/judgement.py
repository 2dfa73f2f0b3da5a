"""Scores of labelled units, put together from traces: by one score each, or in every head."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Sequence, Sized
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from explorer.errors import EvidenceError, InputError
from explorer.feedback import Diagnostic, Normalisation, Reduction, score_all_heads
from explorer.feedback._normalisations import normalisation_rule
from explorer.feedback._reductions import check_k, reduction_rule
from explorer.run_control import ProgressCallback, RunControl
from explorer.traces import Trace, evidence
from explorer.validation._data.ground_truth import LEAST_DROP, LabelsByTrace, LabelSource
from explorer.validation._data.labelled_scores import (
    HeadScores,
    LabelledScores,
    LabelledUnits,
    Truth,
    first_few,
)
from explorer.validation._data.score_builder import (
    ScoreBuilder,
    ScoreInput,
    ScoresByTrace,
    as_traces,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["HeadScores", "LabelledScores", "LabelledUnits", "Truth", "head_scores", "judge"]

# After so many traces progress is told.
_TURN = 25


def judge(
    traces: Iterable[Trace],
    scores: ScoresByTrace | Sequence[Any] | pd.DataFrame,
    truth: Truth = "labels",
    *,
    labels: LabelsByTrace | None = None,
    least_drop: float = LEAST_DROP,
) -> LabelledScores:
    """Put scores and labels together.

    Units without a label are left out. What does not fit is in `LabelledScores.notes`: labels and
    scores for unknown ids, hyperedges without a score, traces without labels or ablation.

    Parameters
    ----------
    traces
        The traces, with labels, or as `ablate` leaves them, unless `labels` brings the truth.
    scores
        The table of `FeedbackExtractor.explain_traces`; or a mapping from the id of a trace to its
        scores, in the order of the hyperedges or by their ids; or one such entry for each trace,
        in order.
    truth
        What the labels are: ``"labels"`` in the traces, ``"ablation"`` for causal use as `ablate`
        found it, ``"agreement"`` for the calls of another method.
    labels
        By id of trace and hyperedge, in place of what the traces bring; None is no label. Needed
        for the truth ``"agreement"``.
    least_drop
        For causal use: by how much the answer's log-probability must fall without a hyperedge for
        it to count as used, in nats; see `labels_of`.

    Returns
    -------
    Judged
        Lengths are in tokens where the scores say how many each unit has, else in words.

    Raises
    ------
    ValidationError
        When no unit has a label, or no trace was ablated; it says what to do.
    InputError, ShapeError
        When scores are of a wrong form or number, two traces have one id, or an argument is wrong.
    """
    gathered = ScoreBuilder(LabelSource(truth, labels, least_drop))
    given = ScoreInput.of(scores)
    for place, trace in enumerate(as_traces(traces)):
        chosen = gathered.labelled(trace)
        found, tokens = given.of_trace(trace, place)
        gathered.add(trace, chosen, found, tokens)
    given.check_used(gathered.seen)
    gathered.tell(given.notes())
    return LabelledScores(scores=np.concatenate(gathered.found(), axis=-1), **gathered.rest())


def head_scores(
    traces: Iterable[Trace],
    reduction: Reduction = "mean",
    normalisation: Normalisation = "raw",
    k: int = 3,
    *,
    truth: Truth = "labels",
    labels: LabelsByTrace | None = None,
    least_drop: float = LEAST_DROP,
    progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
) -> HeadScores:
    """Score the labelled units in every layer and head.

    A head's scores are those of `FeedbackExtractor` with this layer and head. Traces whose
    attention cannot be used, or has other layers and heads than most, are left out and told in the
    notes.

    Parameters
    ----------
    traces
        Labelled or ablated traces with attention.
    reduction, normalisation, k
        As in `explorer.feedback.score_units`.
    truth, labels, least_drop
        As in `judge`.
    progress, cancel
        As everywhere: called with `Progress`, set to stop.

    Raises
    ------
    ValidationError
        When no labelled unit has attention.
    InputError
        When a name or `k` is wrong, or two traces have one id.
    Cancelled
        If `cancel` was set.
    """
    reduction_rule(reduction)
    normalisation_rule(normalisation)
    check_k(k)
    all_of = as_traces(traces)
    total = len(all_of) if isinstance(all_of, Sized) else None
    control = RunControl(progress, cancel)
    gathered = ScoreBuilder(LabelSource(truth, labels, least_drop))
    read: list[tuple[Trace, list[tuple[int, bool]], NDArray[np.float32], list[int]]] = []
    unusable: list[str] = []
    for done, trace in enumerate(all_of):
        if done % _TURN == 0:
            of = f" of {total}" if total else ""
            message = f"Scoring every head: trace {done}{of} ..."
            control.report("explaining", done / total if total else None, message)
        chosen = gathered.labelled(trace)
        if not chosen:
            continue
        try:
            found = evidence(trace)
            if found.attention is None:
                unusable.append(f"{trace.id} (no attention)")
                continue
            scores = score_all_heads(
                found.attention,
                found.units,
                found.rows,
                reduction=reduction,
                normalisation=normalisation,
                k=k,
            )
        except (EvidenceError, InputError) as error:
            unusable.append(f"{trace.id} ({error})")
            continue
        # Without its metadata: the attention of many traces is not held.
        bare = Trace(trace.id, "", trace.hyperedges)
        read.append((bare, chosen, scores, [unit.tokens for unit in found.units]))
    shapes = Counter(scores.shape[:2] for _, _, scores, _ in read)
    most = max(shapes, key=lambda shape: shapes[shape], default=None)
    for trace, chosen, scores, tokens in read:
        if scores.shape[:2] == most:
            gathered.add(trace, chosen, scores, tokens)
        else:
            layers, heads = scores.shape[:2]
            unusable.append(f"{trace.id} ({layers} layers of {heads} heads, unlike most)")
    if unusable:
        message = f"The attention of some traces cannot be used: {first_few(unusable)}."
        gathered.tell([Diagnostic("attention-unusable", message)])
    arrays = gathered.found()
    # An infinite score is broken evidence: unknown, as everywhere.
    scores = np.concatenate(arrays, axis=-1)
    scores[np.isinf(scores)] = np.nan
    return HeadScores(scores=scores, **gathered.rest())
