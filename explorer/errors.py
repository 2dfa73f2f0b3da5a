"""Errors and warnings of explorer.

Every error that explorer raises on purpose derives from `ExplorerError`. A message says what was
expected, what came, and what to do next, in words that the app can show as they are.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping


class ExplorerError(Exception):
    """Base of every error that explorer raises on purpose."""


class InputError(ExplorerError, ValueError):
    """A value lies outside what a function takes: a threshold, a span, a layer, empty code."""


class ShapeError(InputError):
    """An array has the wrong number of dimensions or sizes that do not fit together."""


class TraceError(ExplorerError, ValueError):
    """A trace, or a file of traces, cannot be read."""


class EvidenceError(TraceError):
    """The evidence of a trace is there but cannot be used."""


class UpdateError(ExplorerError, RuntimeError):
    """A graph did not take, or did not give, what an update of weights needed.

    Parameters
    ----------
    message
        What happened, and what to do next.
    done
        What was written before or beside the failure: (hyperedge id, feedback), in order.
    failed
        What was not written: (hyperedge id, feedback), in order, so that
        ``updater.batch_update(error.failed)`` goes on. After a failed reset the numbers are the
        weights that were to be put back.
    reasons
        For each hyperedge that failed, the error that stopped it.
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
    """An embedding function failed, or gave what are no embeddings."""


class ValidationError(ExplorerError, ValueError):
    """There is too little to judge by: no labels, labels of one kind only, too few traces."""


class ModelError(ExplorerError, RuntimeError):
    """A model cannot be found, loaded or run."""


class ModelNotFoundError(ModelError):
    """No packaged model, folder or hub repository has this name."""


class HubUnreachableError(ModelError):
    """The model hub did not answer in time."""


class ModelCapabilityError(ModelError):
    """The model cannot do what was asked, such as an encoder asked to generate."""


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
    """Attention was captured by a slower way than recording, and the user should know."""


class ExtractionWarning(ExplorerWarning):
    """An embedding failed, and the feedback of some hyperedges is neutral or goes without it."""
