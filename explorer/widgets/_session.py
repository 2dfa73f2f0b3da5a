"""What happens when the state changes: models load, code is recorded, traces open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import traitlets as t

from explorer.errors import ExplorerError, InputError
from explorer.widgets._code.controller import CodeController
from explorer.widgets._jobs.job_manager import JobManager
from explorer.widgets._jobs.model_controller import ModelController
from explorer.widgets._shell.config_exchange import Earlier
from explorer.widgets._state import ExplorerState
from explorer.widgets._thresholds.ablation_controller import AblationController
from explorer.widgets._thresholds.agreement_controller import AgreementController
from explorer.widgets._thresholds.controller import ThresholdsController
from explorer.widgets._thresholds.scores_controller import ScoresController
from explorer.widgets._traces.controller import TracesController
from explorer.widgets._traces.methods_controller import MethodsController
from explorer.widgets._traces.weights_controller import WeightsController

_SETTABLE = frozenset(
    {
        "tab", "layer", "head", "threshold", "threshold_scale", "reduction", "normalisation",
        "unit_kind", "model", "colour_scale", "scaling", "hide_special", "hide_sink", "measure",
        "bar_order", "direction", "trace", "method", "compare", "similarity_threshold",
        "citation_threshold", "reading_view", "weight_view", "update_strategy",
        "reference_threshold", "quality", "truth", "least_drop", "heads",
    }
)  # fmt: skip


class Session:
    """Turns what the user asked for into scenes, off the UI thread, and says what went wrong.

    Parameters
    ----------
    state
        The state to follow; its `code_scene` and `trace_scene` are set from here only.

    Attributes
    ----------
    jobs
        Runs the work, and knows what is under way and what went wrong.
    models, code, traces, methods, scores, thresholds, agreement, ablation, weights
        Keep the models, the code in view, the traces, the open one's feedback by every method, the
        scores of all of them, what the truth says of those, how far other methods agree, causal use
        where it is measured, and the weights that scores lead to.
    """

    def __init__(self, state: ExplorerState) -> None:
        self.state = state
        self.jobs = JobManager()
        self.models = ModelController(state, self.jobs)
        self.code = CodeController(state, self.jobs, self.models)
        self.traces = TracesController(state, self.jobs, self.models)
        self.methods = MethodsController(state, self.jobs)
        self.scores = ScoresController(self.jobs, self.traces, self.methods)
        self.thresholds = ThresholdsController(
            state, self.jobs, self.traces, self.methods, self.scores
        )
        self.agreement = AgreementController(
            state, self.jobs, self.traces, self.methods, self.scores, self.thresholds
        )
        self.ablation = AblationController(state, self.jobs, self.models, self.traces)
        self.weights = WeightsController(
            state, self.jobs, self.traces, self.scores, self.thresholds
        )
        self._selection: dict[str, Any] | None = None
        self.earlier: Earlier | None = None
        state.find_trace = self.traces.index
        state.register_model = self.models.register
        state.observe(self._on_model, names="model")
        state.observe(self._on_source, names="source")
        state.observe(self._on_trace, names="trace")
        state.observe(self._on_tab, names="tab")
        state.observe(self._on_heads, names="heads")
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

    def _on_heads(self, change: Mapping[str, Any]) -> None:
        # However the set that was recommended is left, its threshold goes with it.
        if change["new"] is None and self.earlier is not None:
            earlier, self.earlier = self.earlier, None
            earlier.restore_threshold()

    def _on_source(self, change: Mapping[str, Any]) -> None:
        if not self.models.quiet and change["new"]:
            self.code.record()

    def _on_trace(self, _: Mapping[str, Any]) -> None:
        if not self.models.quiet:
            self.traces.open()

    # gestures

    def set_from_page(self, message: Mapping[str, Any], _: Any = None) -> None:
        """Set a trait that the page asks for; what is refused is said in the app."""
        if message["name"] not in _SETTABLE:
            return
        try:
            setattr(self.state, str(message["name"]), message["value"])
        except (ExplorerError, t.TraitError) as error:
            self.jobs.tell(error)

    def cancel(self, lane: str | None = None) -> None:
        """Stop what is under way; what was there before stays."""
        self.jobs.cancel(lane)
        self.traces.stopped()
        self.scores.stopped()
        self.thresholds.stopped()
        self.ablation.stopped()
        if self.state.model is not None:
            self.models.take_back()

    def close(self) -> None:
        """Stop what is under way, and follow nothing more."""
        self.traces.close()
        self.jobs.runner.close()

    def pin_later(self, selection: dict[str, Any]) -> None:
        """Pin this as soon as the tab in front has a map to check it against."""
        self._selection = selection
        self._pin_what_was_asked_for()

    def _pin_what_was_asked_for(self) -> None:
        if self._selection is None or self.state.scene is None:
            return
        selection, self._selection = self._selection, None
        try:
            self.state.selection = selection
        except InputError as error:
            self.jobs.tell(error)
