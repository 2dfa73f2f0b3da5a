"""Tools that keep a renamed public name or parameter working for one release, with a warning.

The policy: a public name that is renamed keeps working until the release after the next one, and
every use of the old name gives a `DeprecationWarning` that names the new one. See CONTRIBUTING.md.
"""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, ParamSpec, TypeVar

from explorer.errors import InputError

_P = ParamSpec("_P")
_R = TypeVar("_R")


def renamed(
    package: str, names: Mapping[str, str], public_name: Callable[[str], Any]
) -> Callable[[str], Any]:
    """Return a module `__getattr__` that also knows old names.

    Parameters
    ----------
    package
        Dotted name of the package, for the warning.
    names
        Old name to new name. The new name is an attribute of the package, or a full dotted path
        for a name that moved to another package.
    public_name
        The package's own `__getattr__`.

    Raises
    ------
    AttributeError
        From `public_name`, for a name that is neither old nor public.
    """

    def attribute(name: str) -> Any:
        new = names.get(name)
        if new is None:
            return public_name(name)
        home, _, attribute_name = new.rpartition(".")
        warnings.warn(
            f"{package}.{name} is now {home or package}.{attribute_name}; "
            "the old name will be removed in the next release.",
            DeprecationWarning,
            stacklevel=2,
        )
        return getattr(import_module(home), attribute_name) if home else public_name(new)

    return attribute


def old_parameters(
    **bundles: tuple[Callable[..., Any], tuple[str, ...]]
    | tuple[Callable[..., Any], tuple[str, ...], str],
) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Return a decorator that accepts parameters which are now fields of one object.

    Parameters
    ----------
    **bundles
        For each new parameter, the class of its objects and the old keywords that became fields
        of the same names. Old keywords give a `DeprecationWarning` and build the object. A third
        item names the field that a plain value of the new parameter stands for: with
        ``truth=(Truth, ("least_drop",), "kind")`` the call ``judge(..., truth="ablation",
        least_drop=1)`` builds ``Truth(kind="ablation", least_drop=1)``.

    Raises
    ------
    InputError
        By the decorated function, when a call gives an object and one of its fields as well.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Resampling:
    ...     samples: int = 1000
    ...     seed: int = 0
    >>> @old_parameters(resampling=(Resampling, ("samples", "seed")))
    ... def interval(scores, *, resampling=None):
    ...     return resampling
    >>> interval([0.1], resampling=Resampling(samples=10))
    Resampling(samples=10, seed=0)
    """
    home = {old: new for new, (_, olds, *_) in bundles.items() for old in olds}

    def decorate(function: Callable[_P, _R]) -> Callable[_P, _R]:
        name = function.__qualname__
        parameters = inspect.signature(function).parameters
        positions = {parameter: place for place, parameter in enumerate(parameters)}

        @functools.wraps(function)
        def accepting(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            found = [old for old in kwargs if old in home]
            if not found:
                return function(*args, **kwargs)
            values: list[Any] = list(args)
            fields: dict[str, dict[str, Any]] = {}
            for old in found:
                fields.setdefault(home[old], {})[old] = kwargs.pop(old)
            for new, olds in fields.items():
                made, _, *plain = bundles[new]
                listed = ", ".join(f"{old}=" for old in olds)
                place = positions[new] if positions[new] < len(values) else None
                given: Any = kwargs.get(new) if place is None else values[place]
                if given is not None:
                    if not plain or not isinstance(given, str):
                        first = next(iter(olds))
                        raise InputError(
                            f"{name} got both {new}= and {first}=. Set {first} in {new} only."
                        )
                    olds[plain[0]] = given
                built = made(**olds)
                if place is None:
                    kwargs[new] = built
                else:
                    values[place] = built
                warnings.warn(
                    f"{name}({listed}) is now {name}({new}={getattr(made, '__name__', '')}(...)); "
                    "the old form will be removed in the next release.",
                    DeprecationWarning,
                    stacklevel=2,
                )
            return function(*values, **kwargs)

        accepting.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
        return accepting

    return decorate


def renamed_parameters(**names: str) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Return a decorator that accepts the old keywords of renamed parameters.

    Parameters
    ----------
    **names
        For each new parameter, its old name. The old name gives a `DeprecationWarning`.

    Raises
    ------
    InputError
        By the decorated function, when a call gives a parameter under both names.

    Examples
    --------
    >>> @renamed_parameters(callback="told")
    ... def follow(callback):
    ...     return callback
    >>> follow(callback="mine")
    'mine'
    """

    def decorate(function: Callable[_P, _R]) -> Callable[_P, _R]:
        name = function.__qualname__
        places = {
            parameter: at for at, parameter in enumerate(inspect.signature(function).parameters)
        }

        @functools.wraps(function)
        def accepting(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            for new, old in names.items():
                if old not in kwargs:
                    continue
                if new in kwargs or places[new] < len(args):
                    raise InputError(
                        f"{name} got {new} twice, once by its old name {old}=. Give {new}= only."
                    )
                kwargs[new] = kwargs.pop(old)
                warnings.warn(
                    f"{name}({old}=) is now {name}({new}=); the old name will be removed in the "
                    "next release.",
                    DeprecationWarning,
                    stacklevel=2,
                )
            return function(*args, **kwargs)

        return accepting

    return decorate
