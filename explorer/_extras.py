"""Libraries of the optional extras, and the check that they are installed."""

from __future__ import annotations

from importlib.util import find_spec
from types import MappingProxyType

from explorer.errors import MissingExtraError

EXTRAS = MappingProxyType(
    {
        "excel": ("python_calamine",),
        "gguf": ("accelerate", "gguf"),
        "images": ("matplotlib",),
        "mlflow": ("alembic", "mlflow", "sqlalchemy"),
        "ray": ("ray",),
        "service": ("fastapi", "prometheus_client", "uvicorn", "websockets"),
        "validation": ("scipy", "sklearn", "threadpoolctl"),
    }
)
"""The modules that the code imports for each extra of the package, by the name of the extra."""

_DISTRIBUTIONS = MappingProxyType(
    {
        "mlflow": "mlflow-skinny",
        "prometheus_client": "prometheus-client",
        "python_calamine": "python-calamine",
        "sklearn": "scikit-learn",
    }
)


def is_installed(extra: str) -> bool:
    """Return whether every library of an extra is installed; nothing is imported."""
    return not _missing(extra)


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
    missing = _missing(extra)
    if missing:
        names = [_DISTRIBUTIONS.get(module, module) for module in missing]
        raise MissingExtraError(
            f"{purpose} needs {' and '.join(names)}. "
            f'Install with: pip install "attention-explorer[{extra}]"',
            extra=extra,
            missing=tuple(missing),
        )


def _missing(extra: str) -> list[str]:
    return [module for module in EXTRAS[extra] if find_spec(module) is None]
