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
    from explorer.validation import Objective, Recommendation
    from explorer.validation._calibration.outer_folds import PartialCalibration
    from explorer.validation._data.truth import TruthKind


_Choice = tuple["TruthKind", float, "Objective"]
"""What scores are judged by, the drop that counts as used, and what the threshold is for."""


class RecommendationController(Controller):
    """Chooses heads and a threshold by nested cross-validation when the user asks for it."""

    JOB = "recommend"
    FOLLOWS = (
        "tab", "truth", "least_drop", "objective", "least_recall", "least_precision", "cost_ratio",
    )  # fmt: skip

    recommendation = t.Any(None, allow_none=True, help="A `Recommendation`, or why there is none.")
    outdated = t.Unicode("", help="What has changed since; empty if nothing has.")

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
        # By truth and objective: going back to a choice brings back what was found for it.
        self._found: dict[_Choice, Recommendation | ValidationError] = {}
        self._changed_since: dict[_Choice, str] = {}
        self._folds: PartialCalibration | None = None
        self.follow(traces, lambda _: self._forget(), "files_shown")
        self.follow(traces, lambda _: self._mark_old(texts.TRACES_CHANGED), "loaded")
        self.follow(labels, lambda _: self._mark_old(texts.LABELS_CHANGED), "labelled")
        self.follow(state, self._heads_changed, "heads")

    @property
    def accepted(self) -> Recommendation | None:
        """The recommendation, if calibration accepted one and nothing has changed since."""
        found = self.recommendation
        return found if getattr(found, "accepted", False) and not self.outdated else None

    @property
    def current(self) -> Recommendation | ValidationError | None:
        """What was found, or why nothing is recommended; None if something has changed since."""
        return None if self.outdated else self.recommendation

    @property
    def _choice(self) -> _Choice:
        return (*self.thresholds.truth, self.state.threshold_objective)

    def recommend(self) -> None:
        """Choose heads and a threshold; this takes a while.

        After a stop it continues with the finished folds, unless traces or labels changed.
        """
        traces, choice = self.traces.loaded, self._choice
        if traces is None or self.running:
            return
        self.jobs.clear()
        kind, least_drop, objective = choice

        def work(job: Job) -> Recommendation | ValidationError:
            from explorer.validation import CalibrationCancelled, Truth, calibrate

            try:
                return calibrate(
                    traces,
                    metric=objective,
                    truth=Truth(kind=kind, least_drop=least_drop),
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
            self._found[choice] = found
            self._changed_since.pop(choice, None)
            self._show_found()
            if choice != self._choice:
                self.jobs.tell(InputError(texts.FOUND_FOR_OTHER))

        self.run(work, done, message=texts.RECOMMENDING)

    def refresh(self) -> None:
        """Bring back what was found for the truth and the objective in view, if anything."""
        if self.state.tab == "thresholds":
            self._show_found()

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

    def _show_found(self) -> None:
        choice = self._choice
        with self.hold_trait_notifications():
            self.recommendation = self._found.get(choice)
            self.outdated = self._changed_since.get(choice, "")

    def _forget(self) -> None:
        """Other traces: what was found says nothing of them."""
        self._found.clear()
        self._changed_since.clear()
        self._show_found()

    def _mark_old(self, reason: str) -> None:
        """Keep what was found, and say what has changed since."""
        self._changed_since = dict.fromkeys(self._found, reason)
        self._show_found()
        if self.running:
            self.cancel()
            self.jobs.tell(InputError(texts.OUTDATED.format(reason=reason)))
