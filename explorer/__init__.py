"""A notebook instrument for transformer attention.

Look at attention, set a threshold, and see one feedback signal per unit: a hyperedge of a RAG
trace, or a line, name or syntax node of code.

    >>> from explorer import Explorer
    >>> Explorer()  # doctest: +SKIP

Importing this package is cheap. Every public name is looked up when it is first used
(PEP 562), so torch, transformers, plotly and pandas are loaded when they are needed, not before.
"""

from __future__ import annotations

import lazy_loader

from explorer import _old_modules

_old_modules.install()

_public_name, _public_names, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["__version__"]


def __getattr__(name: str) -> object:
    """Return a public name, loaded on first use.

    Raises
    ------
    AttributeError
        If the package has no such name.
    """
    if name == "__version__":
        from importlib.metadata import version

        return version("attention-explorer")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _public_name(name)


def __dir__() -> list[str]:
    """Return all public names, loaded or not, so that tab completion shows them."""
    return sorted([*_public_names(), "__version__"])
