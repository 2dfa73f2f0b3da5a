"""Analysis of the thresholds of the scores in view, over all loaded traces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets as t

from explorer.errors import ValidationError
from explorer.rag import ExtractorConfig
from explorer.reporting._analysis.score_names import (
    are_given,
    score_name,
    single_threshold_config,
)
from explorer.reporting._analysis.threshold_analysis import (
    ThresholdAnalysis,
    ThresholdOutcome,
    analyse_threshold,
    outcome_at,
)
from explorer.validation._data.score_builder import own_scores
from explorer.validation._data.truth import LEAST_DROP, Truth
from explorer.widgets._base.controller import Controller
from explorer.widgets._base.result_cache import ResultCache
from explorer.widgets._jobs.job_manager import JobManager
from explorer.widgets._jobs.job_runner import Job
from explorer.widgets._state import METHOD_THRESHOLDS, ExplorerState
from explorer.widgets._thresholds import texts
from explorer.widgets._thresholds._answer.texts import PACKAGED_HEADS
from explorer.widgets._thresholds.ablation_cost import AblationCost, ablation_cost
from explorer.widgets._traces._feedback.methods_controller import MethodsController
from explorer.widgets._traces._feedback.scores_controller import (
    MOST_ROWS,
    MOST_TABLES,
    Key,
    ScoresController,
)
from explorer.widgets._traces.controller import TracesController
from explorer.widgets._traces.label_controller import LabelController

if TYPE_CHECKING:
    import pandas as pd

    from explorer.traces import TraceSet
    from explorer.validation._data.score_builder import own_scores
from explorer.validation._data.truth import TruthKind


class ThresholdsController(Controller):
    """Keeps the analysis of scores in step with the state while the thresholds tab is in front.

    Scores are computed once for a way to score. A new label only evaluates them again, and a new
    threshold starts no job. The latest analyses are remembered.
    """

    JOB = "thresholds"
    FOLLOWS = (
        "tab", "method", "layer", "head", "reduction", "normalisation", "heads", "trace_scene",
        "truth", "least_drop", "packaged",
    )  # fmt: skip

    analysis = t.Any(None, allow_none=True, help="The `ThresholdAnalysis` in view.")
    refused = t.Unicode("", help="Why nothing can be evaluated, and what to do.")
    cost = t.Any(None, allow_none=True, help="The `AblationCost`; None when judged by labels.")

    def __init__(
        self,
        state: ExplorerState,
        jobs: JobManager,
        traces: TracesController,
        labels: LabelController,
        methods: MethodsController,
        scores: ScoresController,
    ) -> None:
        super().__init__(state, jobs)
        self.traces = traces
        self.methods = methods
        self.scores = scores
        self._name = ""
        self._threshold_name = ""
        self._key: Key = ()  # of the analysis in view
        self._wanted: Key | None = None  # of the analysis in view or under way
        self.scored = True
        """Whether the method gives any hyperedge a score, as far as that is known."""
        self.without_evidence = False
        """Whether no trace has what the method needs."""
        self._outcome: tuple[ThresholdAnalysis, ThresholdOutcome] | None = None
        self._analyses: ResultCache[ThresholdAnalysis] = ResultCache(
            MOST_TABLES, MOST_ROWS, lambda analysis: len(analysis.judged)
        )
        self._references: dict[str, float] = {}
        self.follow(state, self._method_changed, "method")
        self.follow(traces, lambda _: self._references.clear(), "files_shown")
        self.follow(traces, lambda _: self._start_over(), "loaded")
        self.follow(labels, lambda _: self._start_over(), "labelled")

    # the analysis in view, also while another one is under way

    @property
    def truth(self) -> tuple[TruthKind, float]:
        """What scores are judged by, and the drop that counts as used when that is ablation."""
        by_ablation = self.state.truth == "ablation"
        return ("ablation", self.state.least_drop) if by_ablation else ("labels", LEAST_DROP)

    @property
    def name_in_view(self) -> str:
        """Name of the scores in view."""
        return self._name or score_name(ExtractorConfig.of(self.methods.config()))

    @property
    def threshold_name(self) -> str:
        """Name of the trait that is the threshold of the scores in view."""
        return self.state.threshold_name if self.analysis is None else self._threshold_name

    @property
    def threshold(self) -> float:
        """The threshold of the scores in view."""
        return float(getattr(self.state, self.threshold_name))

    @property
    def scale(self) -> Any:
        """Scale of the axis of the scores in view."""
        return self.state.scale_of(self.threshold_name)

    @property
    def key_of_scores(self) -> Key | None:
        """Key of the scores in view, for `ScoresController`."""
        return None if self.analysis is None else self._key[: -len(self.truth)]

    @property
    def outcome(self) -> ThresholdOutcome | None:
        """Counts and measures at the threshold; computed once for each threshold."""
        analysis, threshold = self.analysis, self.threshold
        if analysis is None:
            return None
        known = self._outcome
        if known is None or known[0] is not analysis or known[1].threshold != threshold:
            known = self._outcome = (analysis, outcome_at(analysis, threshold))
        return known[1]

    @property
    def reachable(self) -> list[float] | None:
        """Smallest and largest score in view."""
        analysis = self.analysis
        scores = [] if analysis is None else [analysis.scores.used, analysis.scores.not_used]
        ends = [float(part[end]) for part in scores if part.size for end in (0, -1)]
        return [min(ends), max(ends)] if ends else None

    @property
    def of_other_traces(self) -> bool:
        """Whether the analysis in view is of traces that are no longer loaded."""
        return self.analysis is not None and self._key[0] is not self.traces.loaded

    @property
    def is_old(self) -> bool:
        """Whether the analysis in view is about to be replaced, or is of other traces."""
        return self.analysis is not None and (self.busy or self.of_other_traces)

    @property
    def busy(self) -> bool:
        """Whether an analysis of other scores is under way."""
        reports = self.jobs.reports
        return self.JOB in reports or (self._wanted is not None and self.scores.JOB in reports)

    # following the state

    def refresh(self) -> None:
        """Analyse the scores that are chosen, unless that is in view or under way."""
        traces, state = self.traces.loaded, self.state
        if not self._begun or traces is None:
            return
        if state.tab != "thresholds":
            self._rest()
            return
        if not len(traces):
            self._rest()
            self._refuse(texts.NO_TRACES)
            return
        if state.trace_scene is None:
            return
        key = (*self.scores.key(), *self.truth)
        if key != self._wanted:
            self._wanted = key
            self._analyse(traces, key)

    def stopped(self) -> None:
        """Forget a job that the user stopped, so that the next change starts it again."""
        if not (self.running or self.scores.running) and self.analysis is None:
            self._wanted = None

    def _method_changed(self, change: Mapping[str, Any]) -> None:
        """Take the reference of the method: a similarity compares with no threshold of attention.

        A method that comes first has its default threshold as reference.
        """
        old, new = (METHOD_THRESHOLDS.get(str(change[end]), "") for end in ("old", "new"))
        if not self._begun or old == new or not old or not new:
            return
        state = self.state
        self._references[old] = state.reference_threshold
        default: Any = state.trait_defaults(new)
        state.reference_threshold = self._references.get(new, float(default))

    def _rest(self) -> None:
        """Cancel what is not in view; `refresh` takes it up again."""
        self.scores.leave(self.JOB)
        self.cancel()
        if self.analysis is None or self._key != self._wanted:
            self._wanted = None

    def _start_over(self) -> None:
        """Evaluate again: traces or labels have changed."""
        self._analyses.clear()
        self._wanted = None
        self.cost = None
        self.refresh()

    def _analyse(self, traces: TraceSet, key: Key) -> None:
        self.cancel()
        try:
            config = single_threshold_config(self.methods.config())
        except ValidationError as error:
            self.scores.leave(self.JOB)
            self._refuse(str(error))
            return
        known = self._analyses.get(key)
        if known is not None:
            self.scores.leave(self.JOB)
            self._show(key, self._name_of(config, given=known.given), known)
            return
        self.scores.ask(
            self.JOB,
            lambda table: self._evaluate(traces, table, key, config),
            failed=self._forget,
            insist=True,
        )

    def _evaluate(
        self, traces: TraceSet, table: pd.DataFrame, key: Key, config: ExtractorConfig
    ) -> None:
        """Judge a table of scores by the truth, off the UI thread."""
        self.scored = bool(np.isfinite(own_scores(table)).any())
        self.without_evidence = bool((table["evidence"] == "none").all())
        given = config.method == "attention" and are_given(table)
        name = self._name_of(config, given=given)
        known_cost = self.cost
        truth, least_drop = self.truth

        def work(_: Job) -> tuple[ThresholdAnalysis | ValidationError, AblationCost | None]:
            from explorer.validation import judge

            cost = known_cost or (ablation_cost(traces) if truth == "ablation" else None)
            try:
                judged = judge(traces, table, Truth(kind=truth, least_drop=least_drop))
                return analyse_threshold(traces, judged, given=given), cost
            except ValidationError as error:
                return error, cost

        def done(found: tuple[ThresholdAnalysis | ValidationError, AblationCost | None]) -> None:
            analysis, self.cost = found
            if isinstance(analysis, ValidationError):
                self._refuse(str(analysis))
            else:
                self._analyses[key] = analysis
                self._show(key, name, analysis)

        self.run(work, done, failed=self._failed, message=texts.evaluating(truth))

    def _name_of(self, config: ExtractorConfig, *, given: bool) -> str:
        if self.state.packaged is not None and config.heads is not None:
            return PACKAGED_HEADS
        return score_name(config, given=given)

    def _show(self, key: Key, name: str, analysis: ThresholdAnalysis) -> None:
        self._key, self._name = key, name
        self._threshold_name = self.state.threshold_name
        self.refused = ""
        self.analysis = analysis

    def _refuse(self, reason: str) -> None:
        self.analysis = None
        self.refused = reason

    def _failed(self, error: BaseException) -> None:
        self._forget()
        self.jobs.tell(error)

    def _forget(self) -> None:
        self._wanted = None
