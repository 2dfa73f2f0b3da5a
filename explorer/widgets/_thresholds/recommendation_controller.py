"""Heads and a threshold recommended by calibration; shown in the app, and undone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import traitlets as t

from explorer.errors import InputError, ValidationError
from explorer.widgets._base.controller import Controller
from explorer.widgets._jobs.job_manager import JobManager
from explorer.widgets._jobs.job_runner import Job
from explorer.widgets._shell.config_exchange import SettingsUndo, apply_config
from explorer.widgets._state import ExplorerState
from explorer.widgets._thresholds import texts
from explorer.widgets._thresholds.controller import ThresholdsController
from explorer.widgets._traces.controller import TracesController
from explorer.widgets._traces.label_controller import LabelController

if TYPE_CHECKING:
    from explorer.validation import Recommendation
    from explorer.validation._calibration.outer_folds import PartialCalibration
    from explorer.validation._data.truth import TruthKind


class RecommendationController(Controller):
    """Chooses heads and a threshold by nested cross-validation when the user asks for it."""

    JOB = "recommend"
    FOLLOWS = ("tab", "truth", "least_drop")

    recommendation = t.Any(None, allow_none=True, help="A `Recommendation`, or why there is none.")

    def __init__(
        self,
        state: ExplorerState,
        jobs: JobManager,
        traces: TracesController,
        labels: LabelController,
        thresholds: ThresholdsController,
    ) -> None:
        super().__init__(state, jobs)
        self.traces = traces
        self.thresholds = thresholds
        self._previous: SettingsUndo | None = None
        self._truth: tuple[TruthKind, float] | None = None
        self._folds: PartialCalibration | None = None
        self.follow(traces, lambda _: self._drop(), "loaded")
        self.follow(labels, lambda _: self._drop(), "labelled")
        self.follow(state, self._heads_changed, "heads")

    @property
    def accepted(self) -> Recommendation | None:
        """The recommendation, if calibration accepted one."""
        found = self.recommendation
        return found if getattr(found, "accepted", False) else None

    def recommend(self) -> None:
        """Choose heads and a threshold; this takes a while.

        After a stop it continues with the finished folds, unless traces or labels changed.
        """
        traces, truth = self.traces.loaded, self.thresholds.truth
        if traces is None or self.running:
            return
        self.jobs.clear()
        self._truth = truth

        def work(job: Job) -> Recommendation | ValidationError:
            from explorer.validation import CalibrationCancelled, Truth, calibrate

            try:
                return calibrate(
                    traces,
                    truth=Truth(kind=truth[0], least_drop=truth[1]),
                    resume=self._folds,
                    control=job.control,
                )
            except CalibrationCancelled as error:
                self._folds = error.partial
                raise
            except ValidationError as error:
                return error

        def done(found: Recommendation | ValidationError) -> None:
            self._folds = None
            if truth == self.thresholds.truth:
                self.recommendation = found
            else:
                self.jobs.tell(InputError(texts.OUTDATED.format(reason=texts.TRUTH_CHANGED)))

        self.run(work, done, message=texts.RECOMMENDING)

    def refresh(self) -> None:
        """Drop a recommendation that was judged by another truth than the one in view."""
        if (
            self.state.tab == "thresholds"
            and self.recommendation is not None
            and self._truth != self.thresholds.truth
        ):
            self.recommendation = None

    def show(self) -> None:
        """Show scores and threshold as recommended, in every tab."""
        found = self.accepted
        if found is None:
            return
        previous = SettingsUndo(self.state)
        apply_config(self.state, found.config)
        previous.applied()
        self._previous = previous

    def undo(self) -> None:
        """Show the settings from before the recommendation was shown."""
        previous, self._previous = self._previous, None
        if previous is not None:
            previous.restore()
        elif self.state.heads is not None:
            self.state.heads = None

    def _heads_changed(self, change: Mapping[str, Any]) -> None:
        # The threshold that came with a head set is removed with it.
        if change["new"] is None and self._previous is not None:
            previous, self._previous = self._previous, None
            previous.restore_threshold()

    def _drop(self) -> None:
        self.recommendation = None
        if self.running:
            self.cancel()
            self.jobs.tell(InputError(texts.OUTDATED.format(reason=texts.LABELS_CHANGED)))
