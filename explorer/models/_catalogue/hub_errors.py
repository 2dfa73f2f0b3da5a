"""Errors of the model hub, translated into explorer's errors."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import NOT_FOUND
from typing import TYPE_CHECKING

from explorer.errors import ExplorerError, HubUnreachableError, ModelError, ModelNotFoundError

if TYPE_CHECKING:
    from huggingface_hub.errors import HfHubHTTPError

OFFLINE_ADVICE = (
    "choose a packaged model (SmolLM2-135M-Instruct or all-MiniLM-L6-v2) or a folder on this "
    "machine."
)


@contextmanager
def plain_errors(hub_id: str) -> Iterator[None]:
    """Translate errors that huggingface_hub raises in this context."""
    try:
        yield
    except ExplorerError:
        raise
    except Exception as error:  # huggingface_hub and its HTTP client have dozens
        raise translated(hub_id, error) from error


def translated(hub_id: str, error: Exception) -> ExplorerError:
    """Return explorer's error for an error of huggingface_hub."""
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    if isinstance(error, LocalEntryNotFoundError) and isinstance(error.__cause__, Exception):
        return translated(hub_id, error.__cause__)
    if isinstance(error, HfHubHTTPError):
        return _refused(hub_id, error)
    return _not_reached(hub_id, error)


def _refused(hub_id: str, error: HfHubHTTPError) -> ExplorerError:
    """Return the error for a response of the hub with an error status."""
    from huggingface_hub.errors import (
        GatedRepoError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    if isinstance(error, GatedRepoError):
        return ModelError(
            f"{hub_id} is gated: its owner wants you to accept terms first. Accept them on the "
            "model's page of the hub, log in with `hf auth login`, and load it again."
        )
    if isinstance(error, RevisionNotFoundError):
        return ModelNotFoundError(
            f"The hub has {hub_id}, but not this revision of it. Check the text after the @."
        )
    status = error.response.status_code
    if isinstance(error, RepositoryNotFoundError) or status == NOT_FOUND:
        return ModelNotFoundError(
            f"The model hub has no model {hub_id!r}, or it is private. Check the spelling "
            "(owner/name); a private model needs `hf auth login` first."
        )
    return HubUnreachableError(
        f"The model hub answered with an error ({status}) when asked for {hub_id}. "
        f"Try again later, or {OFFLINE_ADVICE}"
    )


def _not_reached(hub_id: str, error: Exception) -> ExplorerError:
    """Return the error for a missing or malformed response, or a fault on this machine."""
    from huggingface_hub import utils
    from huggingface_hub.errors import HFValidationError, OfflineModeIsEnabled

    silent = (utils.httpx.TransportError, TimeoutError, ConnectionError)  # type: ignore[attr-defined]
    if isinstance(error, HFValidationError):
        return ModelNotFoundError(
            f"{hub_id!r} is not a valid name of a hub model. Check the spelling."
        )
    if isinstance(error, OfflineModeIsEnabled):
        return HubUnreachableError(
            f"{hub_id} cannot be downloaded: offline mode is on (HF_HUB_OFFLINE). "
            f"Unset it, or {OFFLINE_ADVICE}"
        )
    if isinstance(error, silent):
        return HubUnreachableError(
            f"The model hub did not answer, so {hub_id} cannot be downloaded. "
            f"Check the network, or {OFFLINE_ADVICE}"
        )
    if isinstance(error, json.JSONDecodeError | KeyError | TypeError | AssertionError):
        return HubUnreachableError(
            f"The server that answered is not a model hub, so {hub_id} cannot be downloaded. "
            f"Check HF_ENDPOINT and the network, or {OFFLINE_ADVICE}"
        )
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return ModelError(
            f"The disk is full, so {hub_id} cannot be downloaded. Free some space and try again."
        )
    return ModelError(f"{hub_id} could not be downloaded ({type(error).__name__}: {error}).")
