"""Feedback over traces, in any accepted form, as a table and as an array."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from explorer.errors import InputError, ShapeError

if TYPE_CHECKING:
    import pandas as pd


def update_table(rows: object) -> pd.DataFrame:
    """Return the rows that `update_order` takes as a table of trace, unit, feedback and text.

    Raises
    ------
    InputError
        The rows have none of the accepted forms.
    """
    import pandas as pd

    if isinstance(rows, str | bytes | Mapping) or not isinstance(rows, Iterable):
        raise InputError(
            "Feedback over traces is a table, a list of feedback tables, a list of mappings of id "
            f"to feedback, or a list of (trace, id, feedback), not {type(rows).__name__}."
        )
    columns: dict[str, list[Any]] = {"trace": [], "unit": [], "feedback": [], "text": []}
    for number, item in enumerate(rows, start=1):
        if isinstance(item, pd.DataFrame):
            if not {"unit", "feedback"} <= set(item.columns):
                raise InputError(f"Table {number} has no columns unit and feedback.")
            texts = item["text"] if "text" in item else [""] * len(item)
            several = zip([number] * len(item), item["unit"], item["feedback"], texts, strict=True)
        elif isinstance(item, Mapping):
            several = ((number, name, value, "") for name, value in item.items())  # type: ignore[assignment]
        elif isinstance(item, Sequence) and not isinstance(item, str) and len(item) in {3, 4}:
            several = [(*item, "")[:4]]  # type: ignore[assignment]
        else:
            raise InputError(
                f"Row {number} should be (trace, id, feedback), but it is {str(item)[:60]!r}."
            )
        for row in several:
            for column, value in zip(columns.values(), row, strict=True):
                column.append(value)
    # As objects: Arrow, which holds text by default, refuses half of a surrogate pair.
    return pd.DataFrame(columns, dtype=object)


def feedback_array(feedback: Any, count: int) -> NDArray[np.float64]:
    """Return feedback as float64, one for each row; NaN for NaN and None.

    Raises
    ------
    InputError
        When a value is not a number in [0, 1].
    ShapeError
        When the number of rows differs.
    """
    try:
        values = np.asarray(feedback, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(
            f"Feedback must be numbers from 0 to 1, but this cannot be converted: {error}."
        ) from None
    if values.shape != (count,):
        raise ShapeError(f"There are {count} rows, but the feedback has the shape {values.shape}.")
    wrong = np.flatnonzero((values < 0.0) | (values > 1.0))
    if wrong.size:
        raise InputError(
            f"Feedback must be from 0 to 1, but row {wrong[0]} has {values[wrong[0]]:g}."
        )
    return values
