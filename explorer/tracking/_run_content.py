"""What one run holds, independent of the library that stores it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

# MLflow stores at most so many characters of a parameter.
_MOST_CHARACTERS = 500


@dataclass(frozen=True)
class RunContent:
    """A run to be logged.

    Attributes
    ----------
    kind
        ``"analysis"``, ``"batch"``, ``"calibration"`` or ``"report"``; a tag of the run.
    params
        Settings, as text.
    metrics
        Numbers; those that are not finite are left out.
    files
        Artifacts: contents by path within the run.
    """

    kind: str
    params: Mapping[str, object]
    metrics: Mapping[str, float]
    files: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def texts(self) -> dict[str, str]:
        """The parameters as a tracker stores them."""
        return {name: _shortened(str(value)) for name, value in self.params.items()}

    @property
    def numbers(self) -> dict[str, float]:
        """The finite metrics."""
        return {name: float(value) for name, value in self.metrics.items() if math.isfinite(value)}


def shown_choice(number: int | None) -> str:
    """Return a layer or head as a parameter."""
    return "mean" if number is None else str(number)


def json_file(value: Any) -> bytes:
    """Return a JSON file; numbers that are not finite become null."""
    return json.dumps(_plain(value), indent=1, allow_nan=False, ensure_ascii=False).encode(
        "utf-8", "replace"
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


def _shortened(text: str) -> str:
    return text if len(text) <= _MOST_CHARACTERS else text[: _MOST_CHARACTERS - 3] + "..."
