"""Scores of labelled units, collected from traces: one score each, or one in every head."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence, Sized
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from explorer._deprecation import old_parameters
from explorer.errors import EvidenceError, InputError
from explorer.feedback import (
    Diagnostic,
    Normalisation,
    Reduction,
    ScoreSettings,
    score_all_heads,
)
from explorer.feedback._score_settings import score_settings
from explorer.run_control import RunControl
from explorer.traces import Trace, evidence
from explorer.validation._data.ground_truth import LabelsByTrace, LabelSource
from explorer.validation._data.labelled_scores import HeadScores, LabelledScores
from explorer.validation._data.score_builder import (
    ScoreBuilder,
    ScoreInput,
    ScoresByTrace,
    as_traces,
)
from explorer.validation._data.score_checks import first_few
from explorer.validation._data.truth import Truth, TruthKind

if TYPE_CHECKING:
    import pandas as pd

# Progress is reported once for so many traces.
_REPORT_EVERY = 25


@old_parameters(truth=(Truth, ("least_drop",), "kind"))
def judge(
    traces: Iterable[Trace],
    scores: ScoresByTrace | Sequence[Any] | pd.DataFrame,
    truth: Truth | TruthKind = "labels",
    *,
    labels: LabelsByTrace | None = None,
) -> LabelledScores:
    """Join scores and labels.

    Units without a label are left out. `LabelledScores.notes` lists what does not match: labels
    and scores for unknown ids, hyperedges without a score, traces without labels or ablation.

    Parameters
    ----------
    traces
        The traces, with labels, or as `ablate` returns them, unless `labels` gives the truth.
    scores
        The table of `FeedbackExtractor.explain_traces`; or a mapping from the id of a trace to its
        scores, in the order of the hyperedges or by their ids; or one such entry for each trace,
        in order.
    truth
        What the labels rest on: ``"labels"`` of the traces, ``"ablation"`` for causal use as
        measured by `ablate`, ``"agreement"`` for the calls of another method. A `Truth` sets the
        drop from which a hyperedge counts as used, too.
    labels
        Labels by id of trace and hyperedge, instead of those of the traces; None is no label.
        Required for the truth ``"agreement"``.

    Returns
    -------
    LabelledScores
        Lengths are in tokens if the scores give the number of tokens of each unit, else in words;
        of scores that a file gives for each hyperedge they are in words.

    Raises
    ------
    ValidationError
        No unit has a label, or no trace was ablated; the message says what to do.
    InputError, ShapeError
        The scores have a wrong form or number, two traces have the same id, or an argument is not
        valid.
    """
    builder = ScoreBuilder(LabelSource(truth, labels))
    given = ScoreInput.of(scores)
    for place, trace in enumerate(as_traces(traces)):
        labelled = builder.labelled(trace)
        trace_scores, tokens = given.of_trace(trace, place)
        builder.add(trace, labelled, trace_scores, tokens)
    given.check_used(builder.seen)
    builder.add_notes(given.notes())
    return LabelledScores(scores=np.concatenate(builder.scores(), axis=-1), **builder.attributes())


@old_parameters(
    truth=(Truth, ("least_drop",), "kind"), control=(RunControl, ("progress", "cancel"))
)
def head_scores(
    traces: Iterable[Trace],
    reduction: Reduction = "mean",
    normalisation: Normalisation = "raw",
    k: int = 3,
    *,
    settings: ScoreSettings | None = None,
    truth: Truth | TruthKind = "labels",
    labels: LabelsByTrace | None = None,
    control: RunControl | None = None,
) -> HeadScores:
    """Score the labelled units in every layer and head.

    The scores of a head are those of a `FeedbackExtractor` with this layer and head. Traces are
    left out, and named in the notes, if their attention cannot be used or has other numbers of
    layers and heads than that of most traces.

    Parameters
    ----------
    traces
        Labelled or ablated traces with attention.
    reduction, normalisation, k
        As in `explorer.feedback.score_units`.
    settings
        The three in one object, instead of single parameters.
    truth, labels
        As in `judge`.
    control
        Progress callback and cancel event.

    Raises
    ------
    ValidationError
        No labelled unit has attention.
    InputError
        A setting is not valid, or two traces have the same id.
    Cancelled
        The cancel event was set.
    """
    chosen = score_settings(settings, reduction=reduction, normalisation=normalisation, k=k)
    if chosen.layer is not None or chosen.head is not None:
        raise InputError(
            f"Every layer and head is scored, but the settings choose one: {chosen!r}. "
            "settings.replace(layer=None, head=None) chooses none."
        )
    given = as_traces(traces)
    total = len(given) if isinstance(given, Sized) else None
    control = control or RunControl()
    builder = ScoreBuilder(LabelSource(truth, labels))
    read: list[tuple[Trace, list[tuple[int, bool]], NDArray[np.float32], list[int]]] = []
    unusable: list[str] = []
    for done, trace in enumerate(given):
        if done % _REPORT_EVERY == 0:
            of = f" of {total}" if total else ""
            message = f"Scoring every head: trace {done}{of} ..."
            control.report("explaining", done / total if total else None, message)
        labelled = builder.labelled(trace)
        if not labelled:
            continue
        try:
            found = evidence(trace)
            if found.attention is None:
                unusable.append(f"{trace.id} (no attention)")
                continue
            scores = score_all_heads(
                found.attention, found.units, settings=chosen.replace(rows=found.rows)
            )
        except (EvidenceError, InputError) as error:
            unusable.append(f"{trace.id} ({error})")
            continue
        # Without its metadata: the attention of many traces does not stay in memory.
        bare = Trace(trace.id, "", trace.hyperedges)
        direct = found.kind == "direct"  # a given score has no tokens
        read.append(
            (bare, labelled, scores, [0 if direct else unit.tokens for unit in found.units])
        )
    shapes = Counter(scores.shape[:2] for _, _, scores, _ in read)
    most = max(shapes, key=lambda shape: shapes[shape], default=None)
    for trace, labelled, scores, tokens in read:
        if scores.shape[:2] == most:
            builder.add(trace, labelled, scores, tokens)
        else:
            layers, heads = scores.shape[:2]
            unusable.append(f"{trace.id} ({layers} layers of {heads} heads, unlike most)")
    if unusable:
        message = f"The attention of some traces cannot be used: {first_few(unusable)}."
        builder.add_notes([Diagnostic("attention-unusable", message)])
    # An infinite score is broken evidence, so it counts as unknown.
    scores = np.concatenate(builder.scores(), axis=-1)
    scores[np.isinf(scores)] = np.nan
    return HeadScores(scores=scores, **builder.attributes())
