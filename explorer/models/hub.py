"""Downloading models from the hub, only when the user picks one."""

from __future__ import annotations

from pathlib import Path

from explorer.errors import HubUnreachableError
from explorer.models.progress import Reporter


def is_cached(name: str) -> bool:
    """Whether a hub model was downloaded before."""
    return False


def fetch(hub_id: str, revision: str | None, reporter: Reporter) -> Path:
    """Download a snapshot and return its folder."""
    raise HubUnreachableError("The model hub cannot be reached. Choose a packaged model.")
