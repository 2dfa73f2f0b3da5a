"""Methods against each other: agreement, which is no truth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer.errors import InputError, ShapeError
from explorer.rag._extraction.method_comparison import agreement
from explorer.validation._data.score_builder import fallen_back
from explorer.validation._metrics.confusion import Confusion, metric_value, reaches
from explorer.validation._statistics.bootstrap import (
    SAMPLES,
    Interval,
    check_samples,
    drawn_traces,
    interval,
)

if TYPE_CHECKING:
    import pandas as pd


def calls_of(table: pd.DataFrame) -> dict[str, dict[str, bool]]:
    """What a method calls used, as labels for `judge` with the truth "agreement".

    Parameters
    ----------
    table
        From `FeedbackExtractor.explain_traces`.

    Returns
    -------
    dict
        By trace and hyperedge: True where the verdict is "used". What the method knows nothing
        about, or had to ask another method about, is left out.

    Raises
    ------
    InputError
        The table lacks a column.
    """
    calls: dict[str, dict[str, bool]] = {}
    names, units = _ids(table)
    for name, unit, verdict in zip(names, units, _verdicts(table), strict=True):
        if verdict != "unknown":
            calls.setdefault(str(name), {})[str(unit)] = verdict == "used"
    return calls


def verdicts_at(scores: Any, threshold: float) -> NDArray[np.object_]:
    """Call scores at a threshold: ``"used"``, ``"not used"``, or ``"unknown"`` for NaN."""
    calls = np.where(reaches(scores, threshold), "used", "not used").astype(object)
    calls[np.isnan(scores)] = "unknown"
    return calls


def method_agreement(
    tables: Mapping[str, pd.DataFrame], *, samples: int = SAMPLES, seed: int = 0
) -> pd.DataFrame:
    """How far every two methods make the same calls: agreement and Cohen's kappa.

    Parameters
    ----------
    tables
        By the name of the method, what `FeedbackExtractor.explain_traces` gave for the same traces.
    samples, seed
        Bootstrap samples of traces, and where they start.

    Returns
    -------
    pandas.DataFrame
        As `explorer.rag.agreement`, with ``kappa_low`` and ``kappa_high`` drawn by trace.
        ``attrs["truth"]`` is ``"agreement"``: two methods may well agree and both be wrong.

    Raises
    ------
    InputError
        There are fewer than two tables, one lacks a column, or they are about different hyperedges.
    """
    import pandas as pd

    samples = check_samples(samples)
    if len(tables) < 2:
        raise InputError("Agreement takes the tables of two methods or more.")
    first = next(iter(tables.values()))
    ids = [column.tolist() for column in _ids(first)]
    verdicts = {}
    for method, table in tables.items():
        if [column.tolist() for column in _ids(table)] != ids:
            raise InputError(f"The table of {method} is about other hyperedges than the first.")
        verdicts[f"{method}_verdict"] = _verdicts(table)
    found = agreement(pd.DataFrame(verdicts), list(tables))
    _, groups = np.unique(np.array(ids[0], dtype=object), return_inverse=True)
    lows, highs = [], []
    for first_name, second_name, kappa in zip(
        found["first"], found["second"], found["kappa"].to_numpy(), strict=True
    ):
        one, two = verdicts[f"{first_name}_verdict"], verdicts[f"{second_name}_verdict"]
        both = (one != "unknown") & (two != "unknown")
        first_used, second_used = one[both] == "used", two[both] == "used"
        low, high = _kappa_bounds(
            first_used, second_used, groups[both], float(kappa), samples, seed
        )
        lows.append(low)
        highs.append(high)
    found["kappa_low"] = np.array(lows, dtype=np.float64)
    found["kappa_high"] = np.array(highs, dtype=np.float64)
    found.attrs["truth"] = "agreement"
    return found


class Agreement(NamedTuple):
    """How far two lists of calls are the same: agreement, which is no truth.

    Attributes
    ----------
    units
        How many hyperedges both called.
    used
        How many of them the one, and the other, calls used.
    share
        The share of equal calls.
    kappa
        Cohen's kappa (1960) with its 95 % interval, drawn by trace; NaN where both make one and
        the same call throughout.
    """

    units: int
    used: tuple[int, int]
    share: float
    kappa: Interval


def call_agreement(
    one: Any, two: Any, groups: Any, *, samples: int = SAMPLES, seed: int = 0
) -> Agreement:
    """How far two lists of calls are the same.

    Parameters
    ----------
    one, two
        Float (units,): 1 for used, 0 for not used, NaN for what is not known.
    groups
        Which trace each unit belongs to: whole numbers from 0.
    samples, seed
        Bootstrap samples of traces, and where they start.

    Raises
    ------
    ShapeError
        The three differ in length.

    Examples
    --------
    >>> call_agreement([1, 1, 0, 0], [1, 0, 0, float("nan")], [0, 0, 1, 1], samples=0).share
    0.6666666666666666
    """
    first, second = np.asarray(one, dtype=np.float64), np.asarray(two, dtype=np.float64)
    of = np.asarray(groups)
    if not first.shape == second.shape == of.shape:
        raise ShapeError(
            f"Calls and groups must be lists of one length, but they have shapes {first.shape}, "
            f"{second.shape} and {of.shape}."
        )
    both = ~(np.isnan(first) | np.isnan(second))
    used, other = first[both] > 0.5, second[both] > 0.5
    if not len(used):
        return Agreement(0, (0, 0), np.nan, Interval(np.nan, np.nan, np.nan))
    masks = (used & other, used & ~other, ~used & other, ~used & ~other)
    counts = Confusion(*(int(mask.sum()) for mask in masks))
    kappa = float(metric_value("kappa", counts))
    low, high = _kappa_bounds(used, other, of[both], kappa, check_samples(samples), seed)
    called = int(used.sum()), int(other.sum())
    return Agreement(len(used), called, float((used == other).mean()), Interval(kappa, low, high))


def _kappa_bounds(
    first: Any, second: Any, of: Any, kappa: float, samples: int, seed: int
) -> tuple[float, float]:
    _, of = np.unique(of, return_inverse=True)
    n_traces = int(of.max(initial=-1)) + 1
    if n_traces < 2:
        return np.nan, np.nan
    masks = (first & second, first & ~second, ~first & second, ~first & ~second)
    sums = np.stack([np.bincount(of, mask, minlength=n_traces) for mask in masks])
    drawn = [
        metric_value("kappa", Confusion(*(sums @ draws.astype(np.float64))))
        for draws in drawn_traces(n_traces, samples, seed)
    ]
    _, low, high = interval(kappa, np.concatenate(drawn) if drawn else np.empty(0))
    return low, high


def _ids(table: pd.DataFrame) -> tuple[Any, Any]:
    for name in ("trace", "unit", "verdict"):
        if name not in table:
            raise InputError(
                f"The table has no column {name}. FeedbackExtractor.explain_traces makes one that "
                "has."
            )
    return table["trace"].to_numpy(dtype=object), table["unit"].to_numpy(dtype=object)


def _verdicts(table: pd.DataFrame) -> Any:
    """Verdicts of the method's own: "unknown" where another had to be asked."""
    verdicts = table["verdict"].to_numpy(dtype=object).copy()
    verdicts[fallen_back(table)] = "unknown"
    return verdicts
