"""Methods against each other: agreement, which is no truth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.errors import InputError
from explorer.rag.comparing import agreement
from explorer.validation.gathering import fallen_back
from explorer.validation.metrics import Confusion, measure
from explorer.validation.resampling import (
    SAMPLES,
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
        low, high = _kappa_bounds(one, two, groups, float(kappa), samples, seed)
        lows.append(low)
        highs.append(high)
    found["kappa_low"] = np.array(lows, dtype=np.float64)
    found["kappa_high"] = np.array(highs, dtype=np.float64)
    found.attrs["truth"] = "agreement"
    return found


def _kappa_bounds(
    one: Any, two: Any, groups: Any, kappa: float, samples: int, seed: int
) -> tuple[float, float]:
    both = (one != "unknown") & (two != "unknown")
    first, second, of = one[both] == "used", two[both] == "used", groups[both]
    _, of = np.unique(of, return_inverse=True)
    n_traces = int(of.max(initial=-1)) + 1
    if n_traces < 2:
        return np.nan, np.nan
    masks = (first & second, first & ~second, ~first & second, ~first & ~second)
    sums = np.stack([np.bincount(of, mask, minlength=n_traces) for mask in masks])
    drawn = [
        measure("kappa", Confusion(*(sums @ draws.astype(np.float64))))
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
