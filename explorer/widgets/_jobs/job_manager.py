"""What the app says of its work: what is under way, what went wrong, and who runs it."""

from __future__ import annotations

import traitlets as t

from explorer.errors import Cancelled, ExplorerError
from explorer.widgets._jobs.job_runner import JobReport, JobRunner


class JobManager(t.HasTraits):
    """Runs the app's long work and keeps what must be said about it.

    Attributes
    ----------
    runner
        Runs jobs off the UI thread.
    failure
        The last error as an object; `error` is what the app says of it.
    """

    reports = t.Dict(help="Name of a job -> JobReport of what is under way.")
    error = t.Unicode(None, allow_none=True, help="What went wrong, and what to do.")

    def __init__(self) -> None:
        super().__init__()
        self.runner = JobRunner(self._on_report)
        self.failure: BaseException | None = None

    def clear(self) -> None:
        """Take the last error back: something new was asked for."""
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
                "There is not enough memory for this. Take a shorter text or a smaller model."
            )
        else:
            self.error = (
                f"Something went wrong that explorer did not expect: {type(error).__name__}: "
                f"{error}. What was shown before is kept; try again, or choose another model."
            )

    def cancel(self, job: str | None = None) -> None:
        """Cancel the job of a name, or all jobs; what was there before stays."""
        for each in [job] if job else list(self.reports):
            self.runner.cancel(each)

    def _on_report(self, job: str, report: JobReport | None) -> None:
        reports = {name: value for name, value in self.reports.items() if name != job}
        if report is not None:
            reports[job] = report
        self.reports = reports
