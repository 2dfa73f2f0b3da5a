"""Libraries of the optional extras, and the check that they are installed."""

from __future__ import annotations

from importlib.util import find_spec
from types import MappingProxyType

from explorer.errors import MissingExtraError

EXTRAS = MappingProxyType({"gguf": ("accelerate", "gguf")})
"""The modules that the code imports for each extra of the package, by the name of the extra."""


def require_extra(extra: str, purpose: str) -> None:
    """Raise an error if a library of an extra is not installed; nothing is imported.

    Parameters
    ----------
    extra
        Name of the extra, as in ``pip install "attention-explorer[gguf]"``.
    purpose
        What needs the libraries; begins the message.

    Raises
    ------
    MissingExtraError
        A library is not installed.
    """
    missing = [name for name in EXTRAS[extra] if find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"{purpose} needs {' and '.join(missing)}. "
            f'Install with: pip install "attention-explorer[{extra}]"',
            extra=extra,
            missing=tuple(missing),
        )
