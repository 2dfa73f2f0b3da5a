"""Settings of an extractor from a JSON file and from options."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from explorer.cli._terminal.streams import read_text
from explorer.errors import InputError
from explorer.rag import ExtractorConfig
from explorer.reporting._analysis.score_names import THRESHOLD_NAMES


def chosen_config(
    file: str | None,
    *,
    method: str | None = None,
    threshold: float | None = None,
    layer: int | None = None,
    head: int | None = None,
    default: str = "embedding",
) -> ExtractorConfig:
    """Return the settings of a file, with those of the options instead where they are given.

    Parameters
    ----------
    file
        JSON with the attributes of an `ExtractorConfig`, or with these in ``config``, as
        `calibrate` writes it; ``-`` for stdin, None for the defaults.
    method, threshold, layer, head
        Options; None for those that were not given.
    default
        The method where neither names one.

    Raises
    ------
    InputError
        The file is not such JSON, or a value is not valid.
    """
    given: dict[str, Any] = {} if file is None else _read(file)
    given.setdefault("method", default)
    changes = {"method": method, "layer": layer, "head": head}
    given |= {name: value for name, value in changes.items() if value is not None}
    config = ExtractorConfig.of(given)
    if threshold is None:
        return config
    name = THRESHOLD_NAMES.get(config.method)
    if name is None:
        raise InputError(
            f"The {config.method} method has several thresholds; give them in the file of --config."
        )
    changed: dict[str, Any] = {name: threshold}
    return replace(config, **changed)


def _read(file: str) -> dict[str, Any]:
    try:
        found = json.loads(read_text(file))
    except (ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{file} is not JSON ({error}).") from None
    if isinstance(found, dict) and isinstance(found.get("config"), dict):
        found = found["config"]
    if not isinstance(found, dict):
        raise InputError(
            f"{file} must hold a JSON object with settings of an extractor, such as "
            '{"method": "attention", "layer": 20}, or what calibrate writes.'
        )
    return found
