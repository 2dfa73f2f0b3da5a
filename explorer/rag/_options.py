"""Settings objects from mappings, with the nearest known key for an unknown one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeVar

from explorer.errors import InputError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_Settings = TypeVar("_Settings", bound="DataclassInstance")


def settings_of(kind: type[_Settings], value: object, owner: str) -> _Settings:
    """Return a settings object from a mapping of its attributes; None gives the defaults.

    Parameters
    ----------
    kind
        The dataclass of the settings.
    value
        Such an object, a mapping, or None.
    owner
        Owner of the settings, for messages: "An updater".

    Raises
    ------
    InputError
        When the value is not a mapping, or has an unknown key; the message names the nearest one.
    """
    if value is None:
        return kind()
    if isinstance(value, kind):
        return value
    if not isinstance(value, Mapping):
        raise InputError(
            f"The config must be a mapping or {kind.__name__}, but it is of type "
            f"{type(value).__name__}."
        )
    given: Mapping[Any, Any] = value
    known = [one.name for one in fields(kind)]
    for key in given:
        if key not in known:
            raise InputError(
                f"{owner} has no setting {str(key)[:60]!r}.{did_you_mean(key, known)} "
                f"It has {', '.join(known)}."
            )
    return kind(**given)


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return " Did you mean ...?" with the nearest known name, or an empty text.

    Examples
    --------
    >>> did_you_mean("ewma", ["ema", "additive"])
    " Did you mean 'ema'?"
    """
    near = get_close_matches(str(name).lower(), list(known), n=1, cutoff=0.5)
    return f" Did you mean {near[0]!r}?" if near else ""
