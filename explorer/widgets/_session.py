"""What happens when the state changes: models load, code is recorded, traces open."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import traitlets as t

from explorer.errors import ExplorerError, InputError
from explorer.widgets._attention.feedback_controller import FeedbackController
from explorer.widgets._attention.head_view import HeadViewController
from explorer.widgets._base.controller import Controller
from explorer.widgets._code.controller import CodeController
from explorer.widgets._code.first_look import first_look
from explorer.widgets._code.scene import CodeScene
from explorer.widgets._jobs.job_manager import JobManager
from explorer.widgets._jobs.model_controller import ModelController
from explorer.widgets._protocol.gestures import SETTABLE
from explorer.widgets._state import ExplorerState
from explorer.widgets._thresholds._answer.answer_controller import AnswerController
from explorer.widgets._thresholds.ablation_controller import AblationController
from explorer.widgets._thresholds.agreement_controller import AgreementController
from explorer.widgets._thresholds.baselines_controller import BaselinesController
from explorer.widgets._thresholds.controller import ThresholdsController
from explorer.widgets._thresholds.head_map_controller import HeadMapController
from explorer.widgets._thresholds.recommendation_controller import RecommendationController
from explorer.widgets._thresholds.report_controller import ReportController
from explorer.widgets._traces._feedback.methods_controller import MethodsController
from explorer.widgets._traces._feedback.scores_controller import ScoresController
from explorer.widgets._traces._feedback.weights_controller import WeightsController
from explorer.widgets._traces.controller import TracesController
from explorer.widgets._traces.label_controller import LabelController
from explorer.widgets._traces.recording_controller import RecordingController
from explorer.widgets._traces.settings_controller import SettingsController
from explorer.widgets._traces.stand_in_controller import StandInController


class Session:
    """Turns what the user asked for into scenes, off the UI thread, and says what went wrong.

    Parameters
    ----------
    state
        The state to follow; its `code_scene` and `trace_scene` are set from here only.
    make_models
        Makes the controller that loads and keeps models.
    live
        Whether the session belongs to a page of its own, on which code is recorded while it is
        typed.

    Attributes
    ----------
    jobs
        Runs the work, and knows what is under way and what went wrong.
    models, code
        Load models, and record the code in view.
    head_view, feedback
        Put the chosen layer and head in view, and compute the feedback table.
    traces, recording, stand_in, labels, settings
        Load and open traces, let a model read the open one or all of them, label hyperedges, and
        give every file settings of its own.
    methods, scores, weights
        Compute feedback of the open trace by every method, scores of all traces, and the weights
        that follow from them.
    thresholds, head_map, baselines, agreement
        Evaluate the thresholds of scores and every head, and compare with baselines and methods.
    answer
        What to expect on new traces, and the settings that the answer changes.
    recommendation, ablation, report
        Recommend heads and a threshold, measure causal use, and write the report.
    """

    def __init__(
        self,
        state: ExplorerState,
        make_models: Callable[[ExplorerState, JobManager], ModelController] = ModelController,
        *,
        live: bool = False,
    ) -> None:
        self.state = state
        self.live = live
        jobs = self.jobs = JobManager()
        models = self.models = make_models(state, jobs)
        self.code = CodeController(state, jobs, models)
        self.head_view = HeadViewController(state, jobs)
        self.feedback = FeedbackController(state, jobs)
        self.head_view.on_focus = self.feedback.focus_changed
        traces = self.traces = TracesController(state, jobs, models)
        self.recording = RecordingController(state, jobs, models, traces)
        self.stand_in = StandInController(state, jobs, models, traces)
        self.labels = LabelController(state, jobs, traces)
        self.settings = SettingsController(state, jobs, traces)
        self.methods = MethodsController(state, jobs)
        self.scores = ScoresController(state, jobs, traces, self.methods)
        self.thresholds = ThresholdsController(
            state, jobs, traces, self.labels, self.methods, self.scores
        )
        self.baselines = BaselinesController(state, jobs, traces, self.thresholds)
        self.head_map = HeadMapController(state, jobs, traces, self.labels, self.thresholds)
        self.answer = AnswerController(state, jobs, traces, self.thresholds, self.head_map)
        self.recommendation = RecommendationController(
            state, jobs, traces, self.labels, self.thresholds
        )
        self.agreement = AgreementController(
            state, jobs, traces, self.methods, self.scores, self.thresholds, self.baselines
        )
        self.ablation = AblationController(state, jobs, models, traces)
        self.weights = WeightsController(state, jobs, traces, self.scores)
        self.weights.follow_analysis(self.thresholds, "analysis")
        self.report = ReportController(
            state, jobs, self.thresholds, self.baselines, self.agreement, self.recommendation
        )
        self._controllers: tuple[Controller, ...] = (
            traces, self.recording, self.stand_in, self.labels, self.settings, self.methods,
            self.scores, self.thresholds, self.baselines, self.head_map, self.answer,
            self.recommendation, self.agreement, self.ablation, self.weights, self.report,
            self.head_view,
            self.feedback,
        )  # fmt: skip
        self._selection: dict[str, Any] | None = None
        state.find_trace = self.traces.index
        state.register_model = self.models.register
        state.observe(self._on_model, names="model")
        state.observe(self._on_source, names="source")
        state.observe(self.code.language_changed, names="language")
        state.observe(self._on_trace, names="trace")
        state.observe(self._on_tab, names="tab")
        self._first_look: tuple[Any, ...] | None = None
        self.code.on_showing = self._look_first
        self.code.on_shown = self._pin_what_was_asked_for

    def _on_model(self, change: Mapping[str, Any]) -> None:
        if self.models.quiet:
            return
        self.jobs.clear()
        if change["new"] is None:
            return
        if self.state.tab == "code" and self.state.source:
            self.code.record()
        else:
            self.models.choose(str(change["new"]))

    def _on_tab(self, change: Mapping[str, Any]) -> None:
        # The model may have been changed while the other tab was in front.
        if change["new"] == "code" and self.code.stale and not self.jobs.runner.running("code"):
            self.code.record()

    def _on_source(self, change: Mapping[str, Any]) -> None:
        if not self.models.quiet and change["new"]:
            self.code.record()

    def _on_trace(self, _: Mapping[str, Any]) -> None:
        if not self.models.quiet:
            self.traces.open()

    # gestures

    def set_from_page(self, message: Mapping[str, Any], _: Any = None) -> None:
        """Set a trait that the page asks for; what is refused is said in the app."""
        name = message["name"]
        try:
            if name not in SETTABLE:
                raise InputError(f"The page cannot set {name!r}. Reload the page.")
            setattr(self.state, name, message["value"])
        except (ExplorerError, t.TraitError) as error:
            self.jobs.tell(error)

    def cancel(self, job: str | None = None) -> None:
        """Stop the job of this name, or every job; the view before it stays."""
        self.jobs.cancel(job)
        self.recording.stopped()
        self.stand_in.stopped()
        self.scores.stopped()
        self.thresholds.stopped()
        self.head_map.stopped()
        self.ablation.stopped()
        if self.state.model is not None:
            self.models.take_back()

    def begin(self) -> None:
        """Let the controllers start to work: the app is complete."""
        for controller in self._controllers:
            controller.begin()

    def close(self) -> None:
        """Stop what is under way, and follow nothing more."""
        for controller in self._controllers:
            controller.close()
        self.jobs.runner.close()

    def pin_later(self, selection: dict[str, Any]) -> None:
        """Pin this as soon as the tab in front has a map to check it against."""
        self._selection = selection
        self._pin_what_was_asked_for()

    def look_first(self) -> None:
        """Begin with a name and its uses, unless a layer, head or selection is chosen before."""
        self._first_look = self._chosen()

    def _chosen(self) -> tuple[Any, ...]:
        return self.state.layer, self.state.head, self.state.selection

    def _look_first(self, scene: CodeScene) -> None:
        begun, self._first_look = self._first_look, None
        # The user may have chosen while the model was loading.
        if begun is None or begun != self._chosen():
            return
        found = first_look(scene)
        if found is not None:
            self.head_view.look(found.layer, found.head)
            self._selection = {"kind": "token", "index": found.token}

    def _pin_what_was_asked_for(self) -> None:
        if self._selection is None or self.state.scene is None:
            return
        selection, self._selection = self._selection, None
        try:
            self.state.selection = selection
        except InputError as error:
            self.jobs.tell(error)
