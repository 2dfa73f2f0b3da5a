"""A method and the baselines beside what ablation measured: effects, not labels."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from explorer.errors import EvidenceError, InputError, ValidationError
from explorer.run_control import ProgressCallback
from explorer.traces import Trace
from explorer.validation._ablation.ablation_record import Ablation, ablation_of
from explorer.validation._comparison.baselines import BASELINES, Baseline, Embed, baseline_scores
from explorer.validation._data.labelled_scores import LabelledScores, no_labels_message
from explorer.validation._statistics.bootstrap import SAMPLES, Floats, check_samples
from explorer.validation._statistics.causal_measures import (
    PerTraceMeasure,
    lds,
    mean_drop,
    spearman_by_trace,
    top_k_drop,
)

if TYPE_CHECKING:
    import pandas as pd

FIGURES = ("spearman", "top_k_drop", "lds")
"""Figures of the table, each with ``_low``, ``_high``, and ``_ahead`` with the same two."""


def ablation_table(
    traces: Iterable[Trace],
    judged: LabelledScores,
    *,
    method: str = "attention",
    names: Sequence[Baseline] = tuple(BASELINES),
    k: int = 3,
    samples: int = SAMPLES,
    seed: int = 0,
    embed: Embed | None = None,
    progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
) -> pd.DataFrame:
    """Hold a method and every baseline against the effects that `ablate` measured.

    Where `baseline_table` asks whether scores tell used from not used, this asks whether they rank
    hyperedges as their effects do, without any `least_drop`.

    Parameters
    ----------
    traces
        As `ablate` leaves them.
    judged
        ``judge(traces, scores, "ablation")``.
    method
        What to call its scores, in the first row.
    names, embed, progress, cancel
        As in `baseline_scores`.
    k
        For the top-k drop; traces with fewer known hyperedges have none.
    samples, seed
        Bootstrap samples of traces, and where they start.

    Returns
    -------
    pandas.DataFrame
        One row for each: ``scores`` (str), ``traces`` (int64, those with a rank correlation), then
        ``spearman`` (`spearman_by_trace`), ``top_k_drop`` (`top_k_drop`, in nats) and ``lds``
        (`lds` on random masks, NaN for traces ablated without `masks`), means over traces, each
        with ``_low`` and ``_high`` drawn by trace. ``<figure>_ahead`` is the mean over traces of
        how far the method is ahead, with ``_low`` and ``_high``, on traces where both are known. A
        score that is equal for all hyperedges of a trace ranks none. ``attrs``: ``truth``
        (``"ablation"``), ``k``, ``random_drop`` and ``best_drop``, the `Interval` of what k drawn
        at random, and the k most needed, lose.

    Raises
    ------
    ValidationError
        None of the judged hyperedges was ablated.
    InputError
        `judged` is of another truth, or an argument is wrong.
    Cancelled
        If `cancel` was set.

    References
    ----------
    Cohen-Wang et al. 2024, ContextCite (top-k log-probability drop, LDS for contexts); Park et al.
    2023, TRAK (LDS).
    """
    import pandas as pd

    from explorer.feedback._feedback_table import text_column

    samples = check_samples(samples)
    if judged.truth != "ablation":
        raise InputError(
            f"These were judged by {judged.truth}. Effects are held against what was judged by "
            'ablation: judge(traces, scores, "ablation").'
        )
    if method in BASELINES:
        raise InputError(f"{method!r} is the name of a baseline. Call the method otherwise.")
    listed = [traces] if isinstance(traces, Trace) else list(traces)
    found = _ablations(listed, judged)
    if not found:
        raise ValidationError(no_labels_message("ablation", judged.n_traces, judged.notes))
    others = baseline_scores(
        listed, judged, names, seed=seed, embed=embed, progress=progress, cancel=cancel
    )
    effects = _effects(judged, found)
    rows: list[dict[str, Any]] = []
    first: dict[str, Floats] = {}
    for name, one in {method: judged, **{str(name): one for name, one in others.items()}}.items():
        by_trace = _figures(one, effects, found, k, samples, seed)
        first = first or {figure: of.values for figure, of in by_trace.items()}
        row: dict[str, Any] = {"scores": name, "traces": by_trace["spearman"].traces}
        for figure, of in by_trace.items():
            ahead = mean_drop(first[figure] - of.values, samples=samples, seed=seed)
            for column, interval in ((figure, of.mean), (f"{figure}_ahead", ahead.mean)):
                row |= {column: interval.value}
                row |= {f"{column}_low": interval.low, f"{column}_high": interval.high}
        rows.append(row)
    table = pd.DataFrame(rows)
    table["scores"] = text_column(table["scores"].tolist())
    whole = top_k_drop(effects, effects, judged.groups, k, samples=samples, seed=seed)
    table.attrs |= {
        "truth": "ablation",
        "k": k,
        "random_drop": whole.random,
        "best_drop": whole.best,
    }
    return table


def _ablations(
    traces: Iterable[Trace], judged: LabelledScores
) -> dict[int, tuple[Trace, Ablation]]:
    """What ablation found, by group; of traces that are judged."""
    group_of = {name: group for group, name in enumerate(judged.traces)}
    found = {}
    for trace in traces:
        if trace.id not in group_of:
            continue
        try:
            ablation = ablation_of(trace)
        except EvidenceError:  # `judge` has told of it
            continue
        if ablation is not None:
            found[group_of[trace.id]] = trace, ablation
    return found


def _effects(judged: LabelledScores, found: dict[int, tuple[Trace, Ablation]]) -> Floats:
    """The effect of each judged unit, NaN where there is none; float64 (units,)."""
    by_id = {
        group: dict(zip((edge.id for edge in trace.hyperedges), ablation.effects, strict=True))
        for group, (trace, ablation) in found.items()
    }
    return np.array(
        [
            by_id.get(group, {}).get(unit, np.nan)
            for group, unit in zip(judged.groups.tolist(), judged.units, strict=True)
        ],
        dtype=np.float64,
    )


def _figures(
    judged: LabelledScores,
    effects: Floats,
    found: dict[int, tuple[Trace, Ablation]],
    k: int,
    samples: int,
    seed: int,
) -> dict[str, PerTraceMeasure]:
    """Each figure, with a value for each of the judged traces."""
    scores = _apart(judged.scores, judged.groups)
    groups = judged.groups
    masked = [found.get(group) for group in range(judged.n_traces)]
    return {
        "spearman": spearman_by_trace(scores, effects, groups, samples=samples, seed=seed),
        "top_k_drop": top_k_drop(scores, effects, groups, k, samples=samples, seed=seed).drop,
        "lds": lds(
            [
                np.zeros(0) if one is None else _in_order(one[0], judged, scores, group)
                for group, one in enumerate(masked)
            ],
            [np.zeros((0, 0)) if one is None else one[1].masks for one in masked],
            [np.zeros(0) if one is None else one[1].mask_logprobs for one in masked],
            samples=samples,
            seed=seed,
        ),
    }


def _apart(scores: Floats, groups: NDArray[np.intp]) -> Floats:
    """The scores, NaN in traces where all are equal: which come first would be their order."""
    found = scores.copy()
    for group in np.unique(groups):
        of = groups == group
        known = scores[of][~np.isnan(scores[of])]
        if known.size and known.min() == known.max():
            found[of] = np.nan
    return found


def _in_order(trace: Trace, judged: LabelledScores, scores: Floats, group: int) -> Floats:
    """The scores of a trace's hyperedges, NaN for those that were not judged."""
    places = np.flatnonzero(judged.groups == group)
    by_id = {judged.units[place]: scores[place] for place in places}
    return np.array([by_id.get(edge.id, np.nan) for edge in trace.hyperedges], dtype=np.float64)
