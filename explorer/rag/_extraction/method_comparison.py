"""Comparison of methods: a table of their feedback, and their agreement."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from explorer.errors import InputError
from explorer.feedback._feedback_table import text_column
from explorer.rag._extraction.explanation import TraceExplanation
from explorer.rag._methods.extractor_config import METHODS, Method

if TYPE_CHECKING:
    import pandas as pd

COMPARED: tuple[Method, ...] = ("attention", "embedding", "citation", "lexical", "ensemble")
"""The methods that `FeedbackExtractor.compare` compares by default."""

_FALLEN_BACK = "embedding-fallback"


def comparison_table(explained: Sequence[TraceExplanation], methods: Sequence[str]) -> pd.DataFrame:
    """Return a table of hyperedges with the feedback and the verdict of each method.

    Parameters
    ----------
    explained
        The explanation of the same trace by each method, in the order of `methods`.
    methods
        Their names.

    Returns
    -------
    pandas.DataFrame
        Columns ``unit`` and ``text``, then for each method ``<method>`` (float64) and
        ``<method>_verdict`` (str). Where a method fell back on the embedding it has no number of
        its own: NaN and ``"unknown"``. ``attrs["methods"]`` names the methods, ``attrs["notes"]``
        holds the notes of each.
    """
    import pandas as pd

    edges = explained[0].hyperedges
    columns: dict[str, object] = {
        "unit": text_column([edge.id for edge in edges]),
        "text": text_column([edge.hyperedge for edge in edges]),
    }
    for method, one in zip(methods, explained, strict=True):
        own = [
            all(note.code != _FALLEN_BACK for note in result.diagnostics) for result in one.results
        ]
        columns[method] = np.array(
            [
                result.feedback if kept else nan
                for result, kept in zip(one.results, own, strict=True)
            ],
            dtype=np.float64,
        )
        columns[f"{method}_verdict"] = text_column(
            [
                result.verdict if kept else "unknown"
                for result, kept in zip(one.results, own, strict=True)
            ]
        )
    table = pd.DataFrame(columns)
    table.attrs["methods"] = tuple(methods)
    table.attrs["notes"] = {
        method: one.notes for method, one in zip(methods, explained, strict=True)
    }
    return table


def agreement(
    table: pd.DataFrame | Sequence[pd.DataFrame], methods: Sequence[str] | None = None
) -> pd.DataFrame:
    """Return the agreement of every two methods on the hyperedges that were used.

    A verdict is a call: ``"used"`` or not; hyperedges whose verdict is unknown to one of the two
    are left out. With p the share of equal calls and e the share expected by chance at these rates
    of "used", Cohen's kappa is (p - e) / (1 - e).

    Parameters
    ----------
    table
        From `FeedbackExtractor.compare`, or a list of such tables.
    methods
        The methods to compare; all in the table by default.

    Returns
    -------
    pandas.DataFrame
        One row for each pair: ``first``, ``second`` (str), ``units`` (int64, the number of
        hyperedges that both called), ``agreement`` (the share p) and ``kappa`` (float64). Both are
        NaN without units; kappa is also NaN where both methods make the same call throughout.

    Raises
    ------
    InputError
        When the table is of another kind, or lacks the verdicts of a method.
    """
    import pandas as pd

    if isinstance(table, Sequence) and table:
        table = pd.concat([checked_comparison(one) for one in table], ignore_index=True)
    table = checked_comparison(table)
    if methods is None:
        methods = [
            str(name).removesuffix("_verdict") for name in table if str(name).endswith("_verdict")
        ]
    for method in methods:
        if f"{method}_verdict" not in table:
            raise InputError(f"The table has no column {method}_verdict; compare() makes one.")
    rows = []
    for first, second in combinations(methods, 2):
        one = table[f"{first}_verdict"].to_numpy(dtype=object)
        two = table[f"{second}_verdict"].to_numpy(dtype=object)
        both = (one != "unknown") & (two != "unknown")
        rows.append((first, second, *_kappa(one[both] == "used", two[both] == "used")))
    made = pd.DataFrame(rows, columns=["first", "second", "units", "agreement", "kappa"])
    return made.astype(
        {
            "first": "str",
            "second": "str",
            "units": "int64",
            "agreement": "float64",
            "kappa": "float64",
        }
    )


def _kappa(one: NDArray[np.bool_], two: NDArray[np.bool_]) -> tuple[int, float, float]:
    """Return the number of calls, the share of equal ones, and Cohen's kappa."""
    masks = (one & two, one & ~two, ~one & two, ~one & ~two)
    both, first_only, second_only, neither = (int(mask.sum()) for mask in masks)
    # Whole numbers to the last step: no agreement beyond chance is exactly 0.
    above, below = kappa_terms(both, first_only, second_only, neither)
    n = len(one)
    return n, (both + neither) / n if n else nan, above / below if below else nan


def kappa_terms(both: Any, first_only: Any, second_only: Any, neither: Any) -> tuple[Any, Any]:
    """Return the numerator and the denominator of Cohen's kappa (1960) of two lists of calls.

    Parameters
    ----------
    both, first_only, second_only, neither
        How many units both call used, only the first, only the second, and neither: numbers, or
        arrays of one shape.
    """
    above = 2 * (both * neither - first_only * second_only)
    below = (both + first_only) * (first_only + neither) + (both + second_only) * (
        second_only + neither
    )
    return above, below


def checked_comparison(table: object) -> pd.DataFrame:
    """Return a table of `FeedbackExtractor.compare`; raise InputError for anything else.

    Raises
    ------
    InputError
        The value is not such a table.
    """
    import pandas as pd

    columns = map(str, table.columns) if isinstance(table, pd.DataFrame) else ()
    if not any(name.endswith("_verdict") for name in columns):
        raise InputError(
            "Agreement needs a table of FeedbackExtractor.compare, with a column "
            "<method>_verdict for each method, or from a list of such tables; this is a "
            f"{type(table).__name__} without them."
        )
    assert isinstance(table, pd.DataFrame)  # noqa: S101 - only a table has columns
    return table


def checked_methods(methods: object) -> tuple[Method, ...]:
    """Return the names of methods; raise InputError unless they are valid and distinct.

    Raises
    ------
    InputError
        A name is unknown or repeated, or the list is empty.
    """
    listed = (
        tuple(methods) if isinstance(methods, Sequence) and not isinstance(methods, str) else ()
    )
    odd = [name for name in listed if name not in METHODS]
    if odd or not listed or len(set(listed)) < len(listed):
        raise InputError(
            f"`methods` must be some of {', '.join(METHODS)}, each once, but they are "
            f"{str(methods)[:80]}."
        )
    return listed
