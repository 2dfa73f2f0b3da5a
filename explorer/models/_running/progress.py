"""What a long job tells its caller, and how the caller stops it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from explorer.errors import Cancelled

if TYPE_CHECKING:
    import threading

Stage = Literal[
    "download",
    "conversion",
    "loading",
    "generating",
    "recording",
    "ablating",
    "embedding",
    "explaining",
]


@dataclass(frozen=True)
class Progress:
    """One step of a long job.

    Attributes
    ----------
    stage
        ``"download"``, ``"conversion"``, ``"loading"``, ``"generating"``, ``"recording"``,
        ``"ablating"``, ``"embedding"`` or ``"explaining"``.
    fraction
        How much of this stage is done, in [0, 1]; None when nobody can know.
    message
        A plain sentence for the user.
    """

    stage: Stage
    fraction: float | None
    message: str


ProgressCallback = Callable[[Progress], None]


@dataclass(frozen=True)
class Reporter:
    """Carries the caller's progress callback and cancel event through a job.

    Attributes
    ----------
    callback
        Called with a `Progress`, from whichever thread does the work; None for nobody.
    cancel
        When set, the next `check` or `report` raises `Cancelled`.
    """

    callback: ProgressCallback | None = None
    cancel: threading.Event | None = None
    _last: list[Progress] = field(default_factory=list, repr=False)

    def check(self) -> None:
        """Raise `Cancelled` if the caller asked to stop."""
        if self.cancel is not None and self.cancel.is_set():
            raise Cancelled("Stopped as you asked. Nothing was changed.")

    def report(self, stage: Stage, fraction: float | None, message: str) -> None:
        """Check for a stop, then tell the caller where the job stands."""
        self.check()
        if self.callback is not None:
            if fraction is not None:
                fraction = min(1.0, max(0.0, round(fraction, 2)))
            progress = Progress(stage, fraction, message)
            if self._last != [progress]:  # hundreds of tensors are not hundreds of news
                self._last[:] = [progress]
                self.callback(progress)
