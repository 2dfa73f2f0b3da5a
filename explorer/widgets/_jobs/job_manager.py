"""The jobs of the app: what is under way, and the error to show."""

from __future__ import annotations

import traitlets as t

from explorer.errors import Cancelled, ExplorerError
from explorer.widgets._jobs.job_runner import JobReport, JobRunner


class JobManager(t.HasTraits):
    """Runs the app's jobs, and keeps their reports and the last error.

    Attributes
    ----------
    runner
        Runs jobs off the UI thread.
    failure
        The last error as an exception; `error` is its text for the user.
    """

    reports = t.Dict(help="Name -> JobReport of every job under way.")
    error = t.Unicode(None, allow_none=True, help="The error shown to the user.")

    def __init__(self) -> None:
        super().__init__()
        self.runner = JobRunner(self._on_report)
        self.failure: BaseException | None = None

    def clear(self) -> None:
        """Remove the last error: the user asked for something new."""
        self.error = None

    def tell(self, error: BaseException) -> None:
        """Show an error in the app."""
        self.failure = error
        if isinstance(error, Cancelled):
            self.error = None
        elif isinstance(error, ExplorerError):
            self.error = str(error)
        elif isinstance(error, MemoryError):
            self.error = (
                "There is not enough memory for this. Use a shorter text or a smaller model."
            )
        else:
            self.error = (
                f"An unexpected error occurred: {type(error).__name__}: {error}. The last view "
                "is kept; try again, or choose another model."
            )

    def cancel(self, name: str | None = None) -> None:
        """Stop the job of this name, or every job under way; the view before it stays."""
        for one in [name] if name else list(self.reports):
            self.runner.cancel(one)

    def _on_report(self, name: str, report: JobReport | None) -> None:
        reports = {one: value for one, value in self.reports.items() if one != name}
        if report is not None:
            reports[name] = report
        self.reports = reports
