"""Progress and cancellation of long jobs."""

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
        Share of this stage that is done, in [0, 1]; None when it is unknown.
    message
        A sentence for the user.
    """

    stage: Stage
    fraction: float | None
    message: str


ProgressCallback = Callable[[Progress], None]


def silent(progress: Progress) -> None:
    """Ignore a progress report: the callback of a job that shows no progress bar either."""


@dataclass(frozen=True)
class RunControl:
    """A progress callback and a cancel event that travel through a long job together.

    Attributes
    ----------
    progress
        Called with a `Progress`, from whichever thread does the work. None for the default of the
        function: a progress bar in `score_traces` and `ablate`, no reports elsewhere. `silent` for
        no reports anywhere; False, as in earlier versions, is the same.
    cancel
        When set, the next `check` or `report` raises `Cancelled`; None for a job that cannot be
        stopped.

    Examples
    --------
    >>> import threading
    >>> stop = threading.Event()
    >>> control = RunControl(progress=print, cancel=stop)
    >>> control.report("loading", 0.5, "half way")
    Progress(stage='loading', fraction=0.5, message='half way')
    """

    progress: ProgressCallback | None = None
    cancel: threading.Event | None = None
    _last: list[Progress] = field(default_factory=list, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        given: object = self.progress
        if given is False:
            object.__setattr__(self, "progress", silent)

    def check(self) -> None:
        """Raise `Cancelled` if `cancel` is set."""
        if self.cancel is not None and self.cancel.is_set():
            raise Cancelled("Stopped as you asked. Nothing was changed.")

    def report(self, stage: Stage, fraction: float | None, message: str) -> None:
        """Raise `Cancelled` if `cancel` is set; otherwise call `progress`, once for equal reports.

        The fraction is clipped to [0, 1] and rounded to two digits.
        """
        self.check()
        if self.progress is None:
            return
        if fraction is not None:
            fraction = min(1.0, max(0.0, round(fraction, 2)))
        latest = Progress(stage, fraction, message)
        if self._last != [latest]:  # hundreds of tensors would give equal reports
            self._last[:] = [latest]
            self.progress(latest)
