"""Checks of the values that traits are set to; each returns the value as it is kept."""

from __future__ import annotations

from typing import Any

import numpy as np

from explorer.errors import InputError
from explorer.widgets._state.choices import CHOICES

_SELECTIONS: dict[str, tuple[str, ...]] = {
    "token": ("index",),
    "cell": ("query", "key"),
    "unit": ("name",),
}


def checked_threshold(name: str, value: Any) -> float:
    """Return a threshold as a float; raise InputError if it is not a number from 0 to 1."""
    words = name.replace("_", " ")
    number = isinstance(value, int | float | np.integer | np.floating)
    if not number or isinstance(value, bool):
        raise InputError(f"The {words} must be a number from 0 to 1, not {value!r}.")
    if not 0 <= value <= 1:  # NaN is not
        raise InputError(f"The {words} must be a number from 0 to 1, and {value} is not.")
    return float(value)


def checked_choice(name: str, value: Any) -> str:
    """Return a word; raise InputError if the trait does not take it."""
    choices = CHOICES[name]
    if value not in choices:
        listed = ", ".join(repr(choice) for choice in choices)
        raise InputError(f"{name} must be one of {listed}; got {value!r}.")
    return str(value)


def checked_source(value: Any) -> str:
    """Return code; raise InputError if there is none."""
    source = str(value)
    if not source.strip():
        raise InputError("There is no code. Paste some, or try one of the examples.")
    return source


def checked_index(name: str, value: Any, attention: Any) -> int | None:
    """Return a layer or head counted from the start; None is the mean.

    Raises
    ------
    InputError
        It is not a whole number, or the attention map (None: no map yet) does not have it.
    """
    if value is None:
        return None
    if not isinstance(value, int | np.integer) or isinstance(value, bool):
        raise InputError(f"{name} must be a whole number, or None for the mean; got {value!r}.")
    if attention is None:
        return int(value)
    count = getattr(attention, f"n_{name}s")
    if not -count <= value < count:
        raise InputError(
            f"{name} must lie in 0 to {count - 1} (this map has {count} {name}s), or be None "
            f"for their mean; {value} does not."
        )
    return int(value % count)


def checked_selection(value: Any, scene: Any, unit_kind: str) -> dict[str, Any] | None:
    """Return a selection with plain numbers.

    Raises
    ------
    InputError
        It has not the form of one, or points to nothing in the scene (None: no scene yet).
    """
    if value is None:
        return None
    kind = value.get("kind")
    fields = _SELECTIONS.get(kind) if isinstance(kind, str) else None
    if fields is None or set(value) != {"kind", *fields}:
        raise InputError(
            'selection must be None, {"kind": "token", "index": 12}, {"kind": "cell", '
            f'"query": 12, "key": 3}} or {{"kind": "unit", "name": "line 4"}}; got {value!r}.'
        )
    if kind == "unit":
        return {"kind": kind, "name": _checked_unit(value["name"], scene, unit_kind)}
    attention = getattr(scene, "attention", None)
    return {"kind": kind} | {
        field: _checked_position(field, value[field], attention) for field in fields
    }


def _checked_unit(value: Any, scene: Any, unit_kind: str) -> str:
    names = None if scene is None else scene.unit_names(unit_kind)
    if not isinstance(value, str) or (names is not None and value not in names):
        listed = [repr(name) for name in (names or [])[:6]]
        raise InputError(
            f"The selection names the unit {value!r}, which does not exist here. Units are, for "
            f"example, {', '.join(listed) or 'none'}."
        )
    return value


def _checked_position(field: str, value: Any, attention: Any) -> int:
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool | np.bool_)
    if attention is None:
        if not whole or value < 0:
            raise InputError(
                f"The {field} of a selection must be a position of the map; {value!r} is not."
            )
        return int(value)
    count = attention.n_queries if field == "query" else attention.n_keys
    if field == "index":
        count = max(attention.n_queries, attention.n_keys)
    if not whole or not 0 <= value < count:
        raise InputError(
            f"The {field} of a selection must lie in 0 to {count - 1}; {value!r} does not."
        )
    return int(value)
