"""Recording of the texts of one session, each from the beginning that it shares with the last."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from explorer.models import LiveRecorder
from explorer.service._http.problems import ProblemError
from explorer.service._work.forward_worker import WorkerJob
from explorer.service._work.service_state import ServiceState

if TYPE_CHECKING:
    from explorer.attention import AttentionMap
    from explorer.models import Model, TokenizedText


class LiveCode:
    """Records successive texts in the service's queue; a newer text stops the one before.

    Attributes
    ----------
    reused
        Tokens of the last text that were not computed again.
    """

    def __init__(self, service: ServiceState) -> None:
        self._service = service
        self._recorder: LiveRecorder | None = None
        self._stop: Callable[[], None] = lambda: None
        self._lock = threading.Lock()
        self.reused = 0

    def tokenize(self, model: Model, text: str, start: int = 0) -> TokenizedText:
        """Return the tokens of a text, from token `start` on.

        Raises
        ------
        ProblemError
            They are more than the service takes.
        InputError
            The text cannot be tokenized.
        """
        tokenized = self._service.tokenize(model, text, start)
        most = self._service.settings.max_tokens
        if len(tokenized) > most:
            raise ProblemError(
                "too-many-tokens",
                f"The code has {len(tokenized)} tokens; this service takes {most}. Send a part of "
                "it.",
            )
        return tokenized

    def queue(
        self, model: Model, tokenized: TokenizedText, cancel: threading.Event
    ) -> WorkerJob[AttentionMap]:
        """Queue a text in place of the one before, and return its job.

        Parameters
        ----------
        cancel
            Set it to stop before the next layer.

        Raises
        ------
        ProblemError
            The queue is full, or the service stops.
        """
        with self._lock:
            self._stop()
            recorder = self._recorder
            if recorder is None or recorder.model is not model:
                recorder = self._recorder = LiveRecorder(model)

        def work(_: threading.Event) -> AttentionMap:
            self.reused = recorder.reused(tokenized)
            return recorder.record(tokenized, cancel)

        job = self._service.queue_work(work)

        def stop() -> None:
            cancel.set()
            job.cancel()

        with self._lock:
            self._stop = stop
        return job

    def close(self) -> None:
        """Stop what runs, and forget the text."""
        with self._lock:
            self._stop()
            self._stop = lambda: None
            self._recorder = None

    def release(self, model: Model) -> None:
        """Forget the text if this model recorded it: the model is to be released."""
        with self._lock:
            if self._recorder is not None and self._recorder.model is model:
                self._recorder = None
