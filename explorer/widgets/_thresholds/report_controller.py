"""The report of the thresholds tab: everything in view as one HTML page."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from explorer.errors import InputError
from explorer.reporting._analysis.report_options import ReportOptions
from explorer.validation._comparison.agreement import verdicts_at
from explorer.validation._data.truth import Truth, check_kind
from explorer.widgets._base.controller import Controller
from explorer.widgets._jobs.job_manager import JobManager
from explorer.widgets._jobs.job_runner import Job
from explorer.widgets._state import METHOD_THRESHOLDS, ExplorerState
from explorer.widgets._thresholds import texts
from explorer.widgets._thresholds.agreement_controller import AgreementController
from explorer.widgets._thresholds.baselines_controller import BaselinesController
from explorer.widgets._thresholds.controller import ThresholdsController
from explorer.widgets._thresholds.recommendation_controller import RecommendationController

if TYPE_CHECKING:
    import pandas as pd


class ReportController(Controller):
    """Writes the report of what the thresholds tab shows, as a job or at once."""

    JOB = "report"

    def __init__(
        self,
        state: ExplorerState,
        jobs: JobManager,
        thresholds: ThresholdsController,
        baselines: BaselinesController,
        agreement: AgreementController,
        recommendation: RecommendationController,
    ) -> None:
        super().__init__(state, jobs)
        self.thresholds = thresholds
        self.baselines = baselines
        self.agreement = agreement
        self.recommendation = recommendation

    def write(self, deliver: Callable[[str], None]) -> None:
        """Write the page as a job; `deliver` is called with it on the UI thread."""
        try:
            arguments = self._arguments()
        except InputError as error:
            self.jobs.tell(error)
            return
        self.jobs.clear()

        def work(job: Job) -> str:
            return _page(control=job.control, **arguments)

        self.run(work, deliver, message=texts.WRITING_REPORT)

    def page(self) -> str:
        """Return the page.

        Raises
        ------
        InputError
            There is nothing to report.
        """
        return _page(**self._arguments())

    def _arguments(self) -> dict[str, Any]:
        """Return arguments for `threshold_report` that describe what is in view."""
        state, thresholds = self.state, self.thresholds
        traces = thresholds.traces.loaded
        if thresholds.refused or traces is None or not len(traces):
            reason = thresholds.refused or texts.LOAD_LABELLED_TRACES
            raise InputError(texts.NOTHING_TO_REPORT.format(reason=reason))
        table = thresholds.scores.known(thresholds.scores.key())
        if table is None and (thresholds.busy or thresholds.analysis is None):
            raise InputError(texts.SCORES_UNDER_WAY)
        return {
            "traces": traces,
            "scores": table,
            "threshold": getattr(state, state.threshold_name),
            "recommendation": self.recommendation.current,
            "truth": Truth(kind=check_kind(state.truth), least_drop=state.least_drop),
            "options": ReportOptions(
                config=thresholds.methods.config(),
                reference=state.reference_threshold,
                compared=self._compared(table),
                baselines=self.baselines.names,
                update=state.weight_settings,
                objective=state.threshold_objective,
            ),
        }

    def _compared(self, table: pd.DataFrame | None) -> dict[str, pd.DataFrame]:
        """Return the verdicts of the other methods, each at a threshold of its own."""
        found: dict[str, pd.DataFrame] = {}
        if table is None:  # too long to be remembered: the report scores anew
            return found
        for name in self.agreement.wanted:
            other = self.agreement.others.get(name)
            if other is not None and len(other.scores) == len(table):
                threshold = float(getattr(self.state, METHOD_THRESHOLDS[name]))
                verdicts = verdicts_at(other.scores, threshold)
                found[name] = table[["trace", "unit"]].assign(verdict=verdicts)
        return found


def _page(**arguments: Any) -> str:
    from explorer.reporting import threshold_report

    return str(threshold_report(arguments.pop("traces"), arguments.pop("scores"), **arguments))
