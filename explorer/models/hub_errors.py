"""What goes wrong between us and the model hub, in plain words."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator
from contextlib import contextmanager

from explorer.errors import ExplorerError, HubUnreachableError, ModelError, ModelNotFoundError

OFFLINE_ADVICE = (
    "choose a packaged model (SmolLM2-135M-Instruct or all-MiniLM-L6-v2) or a folder on this "
    "machine."
)


@contextmanager
def plain_errors(hub_id: str) -> Iterator[None]:
    """Turn what huggingface_hub raises into explorer's errors."""
    try:
        yield
    except ExplorerError:
        raise
    except Exception as error:  # huggingface_hub and its HTTP client have dozens
        raise translated(hub_id, error) from error


def translated(hub_id: str, error: Exception) -> ExplorerError:
    """The error of explorer that says what `error` means for the user."""
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )
    from huggingface_hub.utils import httpx

    if isinstance(error, LocalEntryNotFoundError) and isinstance(error.__cause__, Exception):
        return translated(hub_id, error.__cause__)
    if isinstance(error, GatedRepoError):
        return ModelError(
            f"{hub_id} is gated: its owner wants you to accept terms first. Accept them on the "
            "model's page of the hub, log in with `hf auth login`, and load it again."
        )
    if isinstance(error, RevisionNotFoundError):
        return ModelNotFoundError(
            f"The hub knows {hub_id.partition('@')[0]}, but not this revision of it. "
            "Check what comes after the @."
        )
    if isinstance(error, RepositoryNotFoundError | HFValidationError):
        return ModelNotFoundError(
            f"The model hub has no model {hub_id!r}, or it is private. Check the spelling "
            "(owner/name); a private model needs `hf auth login` first."
        )
    if isinstance(error, HfHubHTTPError):
        status = error.response.status_code
        if status == 404:
            return ModelNotFoundError(
                f"The model hub has no model {hub_id!r}. Check the spelling (owner/name)."
            )
        return HubUnreachableError(
            f"The model hub answered with an error ({status}) when asked for {hub_id}. "
            f"Try again later, or {OFFLINE_ADVICE}"
        )
    if isinstance(error, OfflineModeIsEnabled):
        return HubUnreachableError(
            f"{hub_id} cannot be downloaded: offline mode is on (HF_HUB_OFFLINE). "
            f"Unset it, or {OFFLINE_ADVICE}"
        )
    if isinstance(error, httpx.TransportError | TimeoutError | ConnectionError):
        return HubUnreachableError(
            f"The model hub did not answer, so {hub_id} cannot be downloaded. "
            f"Check the network, or {OFFLINE_ADVICE}"
        )
    if isinstance(error, json.JSONDecodeError | KeyError | TypeError):
        return HubUnreachableError(
            f"What answered in the model hub's place is no model hub, so {hub_id} cannot be "
            f"downloaded. Check HF_ENDPOINT and the network, or {OFFLINE_ADVICE}"
        )
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return ModelError(
            f"The disk is full, so {hub_id} cannot be downloaded. Free some space and try again."
        )
    return ModelError(f"{hub_id} could not be downloaded ({type(error).__name__}: {error}).")
