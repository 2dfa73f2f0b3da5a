"""Agreement between methods. It is not ground truth: two methods may agree and both be wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer._deprecation import old_parameters
from explorer.errors import InputError, ShapeError
from explorer.rag._extraction.method_comparison import agreement
from explorer.validation._data.score_builder import fallen_back
from explorer.validation._metrics.call_counts import counts_by_trace, sampled_metric
from explorer.validation._metrics.confusion import reaches
from explorer.validation._statistics.bootstrap import Interval, interval
from explorer.validation._statistics.resampling import Resampling

if TYPE_CHECKING:
    import pandas as pd


def calls_of(table: pd.DataFrame) -> dict[str, dict[str, bool]]:
    """Calls of a method, as labels for `judge` with the truth "agreement".

    Parameters
    ----------
    table
        From `FeedbackExtractor.explain_traces`.

    Returns
    -------
    dict
        By trace and hyperedge: True if the verdict is "used". Hyperedges are left out if the
        verdict is "unknown", or if another method was used as a fallback.

    Raises
    ------
    InputError
        A column is missing.
    """
    calls: dict[str, dict[str, bool]] = {}
    names, units = _ids(table)
    for name, unit, verdict in zip(names, units, _verdicts(table), strict=True):
        if verdict != "unknown":
            calls.setdefault(str(name), {})[str(unit)] = verdict == "used"
    return calls


def verdicts_at(scores: Any, threshold: float) -> NDArray[np.object_]:
    """Return verdicts at a threshold: ``"used"``, ``"not used"``, or ``"unknown"`` for NaN."""
    verdicts = np.where(reaches(scores, threshold), "used", "not used").astype(object)
    verdicts[np.isnan(scores)] = "unknown"
    return verdicts


@old_parameters(resampling=(Resampling, ("samples", "seed")))
def method_agreement(
    tables: Mapping[str, pd.DataFrame], *, resampling: Resampling | None = None
) -> pd.DataFrame:
    """Agreement and Cohen's kappa of every two methods.

    Parameters
    ----------
    tables
        Tables of `FeedbackExtractor.explain_traces` for the same traces, by the name of the method.
    resampling
        How bootstrap samples of traces are drawn.

    Returns
    -------
    pandas.DataFrame
        As `explorer.rag.agreement`, with a 95 % bootstrap interval over traces in ``kappa_low``
        and ``kappa_high``. ``attrs["truth"]`` is ``"agreement"``: this is not ground truth.

    Raises
    ------
    InputError
        There are fewer than two tables, a column is missing, or the tables are of different
        hyperedges.
    """
    import pandas as pd

    drawing = Resampling.of(resampling)
    if len(tables) < 2:
        raise InputError("Agreement takes the tables of two methods or more.")
    first = next(iter(tables.values()))
    ids = [column.tolist() for column in _ids(first)]
    verdicts = {}
    for method, table in tables.items():
        if [column.tolist() for column in _ids(table)] != ids:
            raise InputError(f"The table of {method} is of other hyperedges than the first.")
        verdicts[f"{method}_verdict"] = _verdicts(table)
    found = agreement(pd.DataFrame(verdicts), list(tables))
    _, groups = np.unique(np.array(ids[0], dtype=object), return_inverse=True)
    lows, highs = [], []
    for one, other in zip(found["first"], found["second"], strict=True):
        first_verdicts, second_verdicts = verdicts[f"{one}_verdict"], verdicts[f"{other}_verdict"]
        both = (first_verdicts != "unknown") & (second_verdicts != "unknown")
        used = first_verdicts[both] == "used", second_verdicts[both] == "used"
        kappa = _kappa(*used, groups[both], drawing)
        lows.append(kappa.low)
        highs.append(kappa.high)
    found["kappa_low"] = np.array(lows, dtype=np.float64)
    found["kappa_high"] = np.array(highs, dtype=np.float64)
    found.attrs["truth"] = "agreement"
    return found


class Agreement(NamedTuple):
    """Agreement of two lists of calls; it is not ground truth.

    Attributes
    ----------
    units
        Number of hyperedges that both called.
    used
        How many of them the first and the second call used.
    share
        Share of equal calls.
    kappa
        Cohen's kappa (1960) with a 95 % bootstrap interval over traces; NaN if both make the same
        call throughout.
    """

    units: int
    used: tuple[int, int]
    share: float
    kappa: Interval


@old_parameters(resampling=(Resampling, ("samples", "seed")))
def call_agreement(
    one: Any, two: Any, groups: Any, *, resampling: Resampling | None = None
) -> Agreement:
    """Agreement of two lists of calls.

    Parameters
    ----------
    one, two
        Float (units,): 1 for used, 0 for not used, NaN for unknown.
    groups
        Trace of each unit: whole numbers from 0.
    resampling
        How bootstrap samples of traces are drawn.

    Raises
    ------
    ShapeError
        The three differ in length.

    Examples
    --------
    >>> nan = float("nan")
    >>> call_agreement([1, 1, 0, 0], [1, 0, 0, nan], [0, 0, 1, 1]).share
    0.6666666666666666
    """
    first, second = np.asarray(one, dtype=np.float64), np.asarray(two, dtype=np.float64)
    group = np.asarray(groups)
    if not first.shape == second.shape == group.shape:
        raise ShapeError(
            f"Calls and groups must be lists of one length, but they have shapes {first.shape}, "
            f"{second.shape} and {group.shape}."
        )
    drawing = Resampling.of(resampling)
    both = ~(np.isnan(first) | np.isnan(second))
    used, other = first[both] > 0.5, second[both] > 0.5
    if not len(used):
        return Agreement(0, (0, 0), np.nan, Interval(np.nan, np.nan, np.nan))
    kappa = _kappa(used, other, group[both], drawing)
    called = int(used.sum()), int(other.sum())
    return Agreement(len(used), called, float((used == other).mean()), kappa)


def _kappa(
    first: NDArray[np.bool_], second: NDArray[np.bool_], groups: Any, resampling: Resampling
) -> Interval:
    """Return Cohen's kappa of two calls of the same units, with its interval."""
    _, trace = np.unique(groups, return_inverse=True)
    n_traces = int(trace.max(initial=-1)) + 1
    if not n_traces:
        return Interval(np.nan, np.nan, np.nan)
    counts = counts_by_trace(first, second, trace, n_traces)
    return interval(*sampled_metric("kappa", [counts], resampling))


def _ids(table: pd.DataFrame) -> tuple[Any, Any]:
    for name in ("trace", "unit", "verdict"):
        if name not in table:
            raise InputError(
                f"The table has no column {name}. FeedbackExtractor.explain_traces returns one "
                "with this column."
            )
    return table["trace"].to_numpy(dtype=object), table["unit"].to_numpy(dtype=object)


def _verdicts(table: pd.DataFrame) -> Any:
    """Return the verdicts of the method; "unknown" if another was used as a fallback."""
    verdicts = table["verdict"].to_numpy(dtype=object).copy()
    verdicts[fallen_back(table)] = "unknown"
    return verdicts
