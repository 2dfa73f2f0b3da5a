"""The report of the thresholds tab: what is in view, as one page to keep or to send."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from explorer.errors import InputError
from explorer.reporting._analysis.threshold_analysis import EMBEDDING_BASELINES, TEXT_BASELINES
from explorer.validation._comparison.agreement import verdicts_at
from explorer.widgets._jobs.job_manager import JobManager
from explorer.widgets._jobs.job_runner import Job
from explorer.widgets._jobs.model_controller import pass_on
from explorer.widgets._state import METHOD_THRESHOLDS, ExplorerState

if TYPE_CHECKING:
    import pandas as pd

    from explorer.widgets._thresholds.agreement_controller import AgreementController
    from explorer.widgets._thresholds.controller import ThresholdsController

LANE = "report"
NAME, MIME = "threshold_report.html", "text/html"


class ReportController:
    """Writes the report of what the thresholds tab shows, off the UI thread or at once."""

    def __init__(
        self,
        state: ExplorerState,
        jobs: JobManager,
        thresholds: ThresholdsController,
        agreement: AgreementController,
    ) -> None:
        self.state = state
        self.jobs = jobs
        self.thresholds = thresholds
        self.agreement = agreement

    def write(self, hand: Callable[[str], None]) -> None:
        """Hand the page to `hand`, on the UI thread, once it is written."""
        try:
            asked = self._asked()
        except InputError as error:
            self.jobs.tell(error)
            return
        self.jobs.clear()

        def work(job: Job) -> str:
            return _written(progress=lambda p: pass_on(job, p), cancel=job.cancel, **asked)

        self.jobs.runner.start(
            LANE, work, done=hand, failed=self.jobs.tell, message="writing the report"
        )

    def page(self) -> str:
        """Return the page.

        Raises
        ------
        InputError
            Nothing is judged, so there is nothing to report.
        """
        return _written(**self._asked())

    def _asked(self) -> dict[str, Any]:
        """What `threshold_report` is asked for, taken from what is in view now."""
        traces = self.thresholds.traces.loaded
        if self.thresholds.refused or traces is None or not len(traces):
            why = self.thresholds.refused or "Load traces with labels first."
            raise InputError(f"There is nothing to report. {why}")
        state = self.state
        table = self.thresholds.scores.known(self.thresholds.scores.key())
        if table is None and (self.thresholds.busy or self.thresholds.analysis is None):
            raise InputError("The scores are not worked out yet. Wait for them, then report.")
        return {
            "traces": traces,
            "scores": table,
            "config": self.thresholds.methods.config(),
            "threshold": getattr(state, state.threshold_name),
            "reference": state.reference_threshold,
            "recommendation": self.thresholds.recommendation,
            "truth": state.truth,
            "least_drop": state.least_drop,
            "compared": self._compared(table),
            "baselines": (*TEXT_BASELINES, *EMBEDDING_BASELINES)
            if self.thresholds.embedded
            else TEXT_BASELINES,
            "update": {"strategy": state.update_strategy},
        }

    def _compared(self, table: pd.DataFrame | None) -> dict[str, pd.DataFrame]:
        """Verdicts of the methods that the tab compares with, each at a threshold of its own."""
        found: dict[str, pd.DataFrame] = {}
        if table is None:  # too long to be remembered beside others: the report scores anew
            return found
        for name in self.agreement.wanted:
            other = self.agreement.others.get(name)
            if other is not None and len(other.scores) == len(table):
                threshold = float(getattr(self.state, METHOD_THRESHOLDS[name]))
                verdicts = verdicts_at(other.scores, threshold)
                found[name] = table[["trace", "unit"]].assign(verdict=verdicts)
        return found


def _written(**asked: Any) -> str:
    from explorer.reporting import threshold_report

    return str(threshold_report(asked.pop("traces"), asked.pop("scores"), **asked))
