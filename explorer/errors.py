"""Errors and warnings of explorer.

Every error that explorer raises on purpose derives from `ExplorerError`. A message says what was
expected, what was given and what to do next; the app shows it unchanged.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping


class ExplorerError(Exception):
    """Base of every error that explorer raises on purpose."""


class InputError(ExplorerError, ValueError):
    """An argument is invalid: a threshold, a span, a layer, empty code."""


class ShapeError(InputError):
    """An array has the wrong number of dimensions, or sizes of arrays do not match."""


class TraceError(ExplorerError, ValueError):
    """A trace, or a file of traces, cannot be read."""


class EvidenceError(TraceError):
    """The evidence of a trace is present but invalid."""


class UpdateError(ExplorerError, RuntimeError):
    """A graph could not be read or written during an update of weights.

    Parameters
    ----------
    message
        The failure, and what to do next.
    done
        Updates that were written in spite of the failure: (hyperedge id, feedback), in order.
    failed
        Updates that were not written: (hyperedge id, feedback), in order, so that
        ``updater.batch_update(error.failed)`` continues. After a failed reset the numbers are the
        weights to restore.
    reasons
        For each failed hyperedge, the error.
    """

    def __init__(
        self,
        message: str,
        done: Iterable[tuple[Hashable, float]] = (),
        failed: Iterable[tuple[Hashable, float]] = (),
        reasons: Mapping[Hashable, Exception] | None = None,
    ) -> None:
        super().__init__(message)
        self.done = list(done)
        self.failed = list(failed)
        self.reasons = dict(reasons or {})


class EmbeddingError(ExplorerError, RuntimeError):
    """An embedding function failed, or returned invalid embeddings."""


class ValidationError(ExplorerError, ValueError):
    """There is too little data to validate: no labels, labels of one kind only, too few traces."""


class ModelError(ExplorerError, RuntimeError):
    """A model cannot be found, loaded or run."""


class ModelNotFoundError(ModelError):
    """No packaged model, folder or hub repository has this name."""


class HubUnreachableError(ModelError):
    """The model hub did not answer in time."""


class ModelCapabilityError(ModelError):
    """The model cannot do what was requested, such as an encoder that should generate."""


class RecordingError(ExplorerError, RuntimeError):
    """The attention of a forward pass could not be recorded."""


class MissingExtraError(ExplorerError, ImportError):
    """A library that comes with an optional extra is not installed.

    Parameters
    ----------
    message
        What needs the library, and how to install it.
    extra
        Name of the extra.
    missing
        Modules that were not found.
    """

    def __init__(self, message: str, *, extra: str = "", missing: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.extra = extra
        self.missing = missing


class Cancelled(ExplorerError):
    """The user stopped a running job."""


class ExplorerWarning(UserWarning):
    """Base of explorer's warnings."""


class AttentionFallbackWarning(ExplorerWarning):
    """Attention came from a slower implementation than the recorder."""


class ExtractionWarning(ExplorerWarning):
    """An embedding failed, so the feedback of some hyperedges is neutral or does not use it."""


class TrackingWarning(ExplorerWarning):
    """A run could not be logged; the analysis itself is not affected."""
