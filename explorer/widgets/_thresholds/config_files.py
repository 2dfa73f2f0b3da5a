"""Configurations of the thresholds tab as files to download."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from explorer.widgets._shell.config_exchange import json_of, python_of_config

if TYPE_CHECKING:
    from explorer.validation import Recommendation

Download = dict[str, str]
"""``name``, ``mime`` and ``text`` of a file that the page saves."""


def config_file(config: Mapping[str, Any], kind: str) -> Download:
    """Return the config of a `FeedbackExtractor` as ``"json"`` or ``"python"``."""
    if kind == "json":
        return _json("feedback_config.json", json_of(config))
    return _python("feedback_extractor.py", python_of_config(config))


def recommendation_file(found: Recommendation, kind: str) -> Download:
    """Return a recommendation as ``"json"`` or ``"python"``."""
    if kind == "json":
        return _json("recommendation.json", found.to_json())
    return _python("recommended_extractor.py", found.to_python())


def report_file(page: str) -> Download:
    """Return a report."""
    return {"name": "threshold_report.html", "mime": "text/html", "text": page}


def _json(name: str, text: str) -> Download:
    return {"name": name, "mime": "application/json", "text": text}


def _python(name: str, text: str) -> Download:
    return {"name": name, "mime": "text/x-python", "text": text}
