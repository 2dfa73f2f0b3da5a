"""A method and the baselines compared with ablation effects, without a threshold on the effects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from explorer._deprecation import old_parameters
from explorer.errors import EvidenceError, InputError, ValidationError
from explorer.run_control import RunControl
from explorer.traces import Trace
from explorer.validation._ablation.ablation_record import Ablation, ablation_of
from explorer.validation._comparison.baseline_texts import Embed
from explorer.validation._comparison.baselines import BASELINES, Baseline, baseline_scores
from explorer.validation._data.labelled_scores import LabelledScores
from explorer.validation._data.score_checks import no_labels_message
from explorer.validation._statistics.bootstrap import Floats
from explorer.validation._statistics.causal_measures import (
    PerTraceMeasure,
    lds,
    mean_drop,
    spearman_by_trace,
    top_k_drop,
)
from explorer.validation._statistics.resampling import Resampling

if TYPE_CHECKING:
    import pandas as pd

FIGURES = ("spearman", "top_k_drop", "lds")
"""Figures of the table, each with ``_low``, ``_high``, and ``_ahead`` with the same two."""


@old_parameters(
    resampling=(Resampling, ("samples", "seed")), control=(RunControl, ("progress", "cancel"))
)
def ablation_table(
    traces: Iterable[Trace],
    judged: LabelledScores,
    *,
    method: str = "attention",
    names: Sequence[Baseline] = tuple(BASELINES),
    k: int = 3,
    resampling: Resampling | None = None,
    embed: Embed | None = None,
    control: RunControl | None = None,
) -> pd.DataFrame:
    """Compare a method and every baseline with the effects that `ablate` measured.

    `baseline_table` asks whether scores separate used from not used; this function asks whether
    they rank hyperedges as their effects do, without any `Truth.least_drop`.

    Parameters
    ----------
    traces
        As `ablate` returns them.
    judged
        ``judge(traces, scores, "ablation")``.
    method
        Name of its scores, in the first row.
    names, embed, control
        As in `baseline_scores`.
    k
        For the top-k drop; it is not defined for traces with fewer known hyperedges.
    resampling
        How bootstrap samples of traces are drawn.

    Returns
    -------
    pandas.DataFrame
        One row for each: ``scores`` (str), ``traces`` (int64, those with a rank correlation), then
        ``spearman`` (`spearman_by_trace`), ``top_k_drop`` (`top_k_drop`, in nats) and ``lds``
        (`lds` on random masks, NaN for traces ablated without masks). These are means over traces,
        each with a 95 % bootstrap interval over traces in ``_low`` and ``_high``.
        ``<figure>_ahead`` is the mean lead of the method, with ``_low`` and ``_high``, on traces
        where both are known. A score that is equal for all hyperedges of a trace is left out there.
        ``attrs``: ``truth`` (``"ablation"``), ``k``, ``random_drop`` and ``best_drop``, the
        `Interval` for k random hyperedges and for those with the k largest effects.

    Raises
    ------
    ValidationError
        None of the labelled hyperedges was ablated.
    InputError
        `judged` is of another truth, or an argument is not valid.
    Cancelled
        The cancel event was set.

    References
    ----------
    Cohen-Wang et al. 2024, ContextCite (top-k log-probability drop, LDS for contexts); Park et al.
    2023, TRAK (LDS).
    """
    import pandas as pd

    from explorer.feedback._feedback_table import text_column

    drawing = Resampling.of(resampling)
    if judged.truth != "ablation":
        raise InputError(
            f"These scores were judged by {judged.truth}, but effects are known only for scores "
            'judged by ablation: judge(traces, scores, "ablation").'
        )
    if method in BASELINES:
        raise InputError(f"{method!r} is the name of a baseline. Give the method another.")
    listed = [traces] if isinstance(traces, Trace) else list(traces)
    ablations = _ablations(listed, judged)
    if not ablations:
        raise ValidationError(no_labels_message("ablation", judged.n_traces, judged.notes))
    others = baseline_scores(listed, judged, names, seed=drawing.seed, embed=embed, control=control)
    effects = _effects(judged, ablations)
    rows: list[dict[str, Any]] = []
    first: dict[str, Floats] = {}
    named = {method: judged, **{str(name): scores for name, scores in others.items()}}
    for name, scores in named.items():
        measures = _measures(scores, effects, ablations, k, drawing)
        first = first or {figure: measure.values for figure, measure in measures.items()}
        row: dict[str, Any] = {"scores": name, "traces": measures["spearman"].traces}
        for figure, measure in measures.items():
            lead = mean_drop(first[figure] - measure.values, resampling=drawing)
            for column, interval in ((figure, measure.mean), (f"{figure}_ahead", lead.mean)):
                row |= {column: interval.value}
                row |= {f"{column}_low": interval.low, f"{column}_high": interval.high}
        rows.append(row)
    table = pd.DataFrame(rows)
    table["scores"] = text_column(table["scores"].tolist())
    bounds = top_k_drop(effects, effects, judged.groups, k, resampling=drawing)
    table.attrs |= {
        "truth": "ablation",
        "k": k,
        "random_drop": bounds.random,
        "best_drop": bounds.best,
    }
    return table


def _ablations(
    traces: Iterable[Trace], judged: LabelledScores
) -> dict[int, tuple[Trace, Ablation]]:
    """Return the traces of the units and their ablations, by group."""
    group_of = {name: group for group, name in enumerate(judged.traces)}
    ablations = {}
    for trace in traces:
        if trace.id not in group_of:
            continue
        try:
            ablation = ablation_of(trace)
        except EvidenceError:  # noted by `judge`
            continue
        if ablation is not None:
            ablations[group_of[trace.id]] = trace, ablation
    return ablations


def _effects(judged: LabelledScores, ablations: dict[int, tuple[Trace, Ablation]]) -> Floats:
    """Return the effect of each unit, NaN if unknown; float64 (units,)."""
    by_id = {
        group: dict(zip((edge.id for edge in trace.hyperedges), ablation.effects, strict=True))
        for group, (trace, ablation) in ablations.items()
    }
    return np.array(
        [
            by_id.get(group, {}).get(unit, np.nan)
            for group, unit in zip(judged.groups.tolist(), judged.units, strict=True)
        ],
        dtype=np.float64,
    )


def _measures(
    judged: LabelledScores,
    effects: Floats,
    ablations: dict[int, tuple[Trace, Ablation]],
    k: int,
    resampling: Resampling,
) -> dict[str, PerTraceMeasure]:
    """Return each figure, with a value for each trace."""
    scores = _without_constant(judged.scores, judged.groups)
    groups = judged.groups
    by_trace = [ablations.get(group) for group in range(judged.n_traces)]
    return {
        "spearman": spearman_by_trace(scores, effects, groups, resampling=resampling),
        "top_k_drop": top_k_drop(scores, effects, groups, k, resampling=resampling).drop,
        "lds": lds(
            [
                np.zeros(0) if known is None else _in_order(known[0], judged, scores, group)
                for group, known in enumerate(by_trace)
            ],
            [np.zeros((0, 0)) if known is None else known[1].masks for known in by_trace],
            [np.zeros(0) if known is None else known[1].mask_logprobs for known in by_trace],
            resampling=resampling,
        ),
    }


def _without_constant(scores: Floats, groups: NDArray[np.intp]) -> Floats:
    """Return the scores, NaN in traces where all are equal: ties would rank by their order."""
    kept = scores.copy()
    for group in np.unique(groups):
        of_trace = groups == group
        known = scores[of_trace][~np.isnan(scores[of_trace])]
        if known.size and known.min() == known.max():
            kept[of_trace] = np.nan
    return kept


def _in_order(trace: Trace, judged: LabelledScores, scores: Floats, group: int) -> Floats:
    """Return the scores of a trace's hyperedges, NaN for those without a label."""
    places = np.flatnonzero(judged.groups == group)
    by_id = {judged.units[place]: scores[place] for place in places}
    return np.array([by_id.get(edge.id, np.nan) for edge in trace.hyperedges], dtype=np.float64)
