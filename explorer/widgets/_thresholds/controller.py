"""What the labels say of the chosen threshold, layer and head, over all loaded traces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import traitlets as t

from explorer.errors import InputError, ValidationError
from explorer.rag import ExtractorConfig
from explorer.reporting._analysis.score_names import score_name, single_threshold_config
from explorer.reporting._analysis.threshold_analysis import (
    EMBEDDING_BASELINES,
    TEXT_BASELINES,
    BaselineComparison,
    ThresholdAnalysis,
    ThresholdOutcome,
    analyse_threshold,
    compare_with_baselines,
    outcome_at,
)
from explorer.validation._data.ground_truth import LEAST_DROP
from explorer.widgets._jobs.job_manager import JobManager
from explorer.widgets._jobs.job_runner import Job
from explorer.widgets._jobs.model_controller import pass_on
from explorer.widgets._state import ExplorerState
from explorer.widgets._thresholds.ablation_controller import Cost, cost_of
from explorer.widgets._thresholds.head_map_controller import HeadMapController
from explorer.widgets._thresholds.scores_controller import LANE as SCORES_LANE
from explorer.widgets._thresholds.scores_controller import Key, Recent, ScoresController, same_key
from explorer.widgets._thresholds.truth_texts import WORDS
from explorer.widgets._traces.controller import TracesController
from explorer.widgets._traces.methods_controller import MethodsController

if TYPE_CHECKING:
    import pandas as pd

    from explorer.traces import TraceSet
    from explorer.validation._calibration.outer_folds import PartialCalibration
    from explorer.validation._calibration.recommendation import Recommendation
    from explorer.validation._comparison.baselines import Baseline
    from explorer.validation._data.labelled_scores import Truth

LANE, BASELINES_JOB, RECOMMEND_LANE = "thresholds", "baselines", "recommend"

_DEPENDS_ON = (
    "tab", "method", "layer", "head", "reduction", "normalisation", "heads", "trace_scene",
    "threshold", "similarity_threshold", "citation_threshold", "quality", "truth",
    "least_drop",
)  # fmt: skip


class ThresholdsController(t.HasTraits):
    """Keeps what the labels say in step with the state while the thresholds tab is in front.

    Scores are worked out once for a way to score; a new label only judges them anew, and a new
    threshold starts nothing. What was judged a moment ago is there at once.
    """

    analysis = t.Any(None, allow_none=True, help="The `ThresholdAnalysis` in view.")
    comparison = t.Any(None, allow_none=True, help="The `BaselineComparison` of that analysis.")
    refused = t.Unicode("", help="Why nothing can be judged, and what to do.")
    recommendation = t.Any(None, allow_none=True, help="What calibration recommends, or why not.")
    cost = t.Any(None, allow_none=True, help="The `Cost` of causal use; None by labels.")

    def __init__(
        self,
        state: ExplorerState,
        jobs: JobManager,
        traces: TracesController,
        methods: MethodsController,
        scores: ScoresController,
    ) -> None:
        super().__init__()
        self.state = state
        self.jobs = jobs
        self.traces = traces
        self.methods = methods
        self.scores = scores
        self.heads = HeadMapController(jobs)
        self.embedded = False
        self._begun = False
        self._named = ""
        self._recommended_by: tuple[Truth, float] | None = None
        self._folds: PartialCalibration | None = None
        self._judged: Key | None = None  # what is in view, or asked for
        self._key_of_analysis: Key = ()
        self._threshold_name = ""
        self._held: Key | None = None
        self._read: tuple[ThresholdAnalysis, ThresholdOutcome] | None = None
        self._analyses: Recent[ThresholdAnalysis] = Recent()
        self._comparisons: Recent[BaselineComparison] = Recent()
        state.observe(self._changed, names=list(_DEPENDS_ON))
        traces.observe(lambda _: self._again(), names=["loaded", "labelled"])

    def begin(self) -> None:
        """Start to work: the app is put together, and every trait has its first value."""
        self._begun = True
        self.refresh()

    def embed(self) -> None:
        """Put the baselines that need the embedding model beside the others."""
        self.embedded = True
        self._compare()

    @property
    def threshold_name(self) -> str:
        """The threshold of the scores in view, while those of another method are under way too."""
        return self.state.threshold_name if self.analysis is None else self._threshold_name

    @property
    def key_of_scores(self) -> Key | None:
        """The key in `ScoresController` of the scores in view."""
        return None if self.analysis is None else self._key_of_analysis[: -len(self._truth)]

    @property
    def outcome(self) -> ThresholdOutcome | None:
        """What the labels say of the threshold of the scores in view."""
        if self.analysis is None:
            return None
        threshold = float(getattr(self.state, self.threshold_name))
        # Several parts of the tab ask for the same in turn.
        known = self._read
        if known is None or known[0] is not self.analysis or known[1].threshold != threshold:
            known = self._read = (self.analysis, outcome_at(self.analysis, threshold))
        return known[1]

    @property
    def reachable(self) -> list[float] | None:
        """The smallest and the largest score that is judged."""
        known = (
            []
            if self.analysis is None
            else [self.analysis.scores.used, self.analysis.scores.not_used]
        )
        found = [float(part[end]) for part in known if part.size for end in (0, -1)]
        return [min(found), max(found)] if found else None

    @property
    def _truth(self) -> tuple[Truth, float]:
        """What is judged by, and the drop that counts where that is causal use."""
        by_ablation = self.state.truth == "ablation"
        return ("ablation", self.state.least_drop) if by_ablation else ("labels", LEAST_DROP)

    @property
    def busy(self) -> bool:
        """Whether the scores of what is chosen are under way."""
        return LANE in self.jobs.reports or self._waiting

    @property
    def _waiting(self) -> bool:
        return self._judged is not None and SCORES_LANE in self.jobs.reports

    def _changed(self, _: Mapping[str, Any]) -> None:
        if self.state.batching:
            self.state.after_batch(self.refresh)
        else:
            self.refresh()

    def _again(self) -> None:
        self._analyses.clear()
        self._comparisons.clear()
        self.heads.clear()
        self._judged = None
        self.recommendation = self.cost = None
        if self.jobs.runner.running(RECOMMEND_LANE):
            self.jobs.runner.cancel(RECOMMEND_LANE)
            self._outdated("Labels or traces changed")
        self.refresh()

    def _outdated(self, why: str) -> None:
        self.jobs.tell(
            InputError(
                f"{why} while heads and a threshold were chosen, so what was found does not hold. "
                "Recommend again."
            )
        )

    def refresh(self) -> None:
        """Work out what is in view, unless it is there already or under way."""
        traces, state = self.traces.loaded, self.state
        if not self._begun or traces is None:
            return
        if state.tab != "thresholds":
            self._rest()
            return
        if not len(traces):
            self._rest()
            self.heads.map = None
            self._refuse(ValidationError("There are no traces here. Load some in the traces tab."))
            return
        if state.trace_scene is None:
            return
        if self.recommendation is not None and self._recommended_by != self._truth:
            self.recommendation = None
        key = (*self.scores.key(), *self._truth)
        if not same_key(key, self._judged):
            self._judged = key
            self._judge(traces, key)
        elif self.analysis is not None and self._held is None:
            self._compare()
        measure: Any = state.quality
        self.heads.refresh(traces, self.methods.config(), *self._truth, measure)

    def _rest(self) -> None:
        """Leave what nobody looks at; it is taken up again when the tab is in front."""
        self.scores.leave(LANE)
        self.heads.rest()
        for lane in (LANE, BASELINES_JOB):
            self.jobs.runner.cancel(lane)
        if self.analysis is None or not same_key(self._key_of_analysis, self._judged):
            self._judged = None
        if (
            self.comparison is None
            or self.analysis is None
            or self.comparison.of is not self.analysis.judged
        ):
            self._held = None

    def stopped(self) -> None:
        """Forget what the user stopped, so that the next change asks for it again."""
        runner = self.jobs.runner
        if not (runner.running(LANE) or runner.running(SCORES_LANE)) and self.analysis is None:
            self._judged = None
        self.heads.stopped()

    def _judge(self, traces: TraceSet, key: Key) -> None:
        self.jobs.runner.cancel(LANE)
        try:
            called = score_name(single_threshold_config(self.methods.config()))
        except ValidationError as error:
            self.scores.leave(LANE)
            self._refuse(error)
            return
        known = self._analyses.get(key)
        truth, least_drop = self._truth
        if known is not None:
            self.scores.leave(LANE)
            self._show(key, called, known)
            return

        def judge(table: pd.DataFrame) -> None:
            cost = self.cost

            def work(_: Job) -> tuple[ThresholdAnalysis | ValidationError, Cost | None]:
                told = cost or (cost_of(traces) if truth == "ablation" else None)
                try:
                    from explorer.validation import judge as held_against

                    judged = held_against(traces, table, truth, least_drop=least_drop)
                    return analyse_threshold(traces, judged), told
                except ValidationError as error:
                    return error, told

            def done(both: tuple[ThresholdAnalysis | ValidationError, Cost | None]) -> None:
                found, self.cost = both
                if isinstance(found, ValidationError):
                    self._refuse(found)
                else:
                    self._analyses.put(key, found, len(found.judged))
                    self._show(key, called, found)

            self.jobs.runner.start(
                LANE,
                work,
                done=done,
                failed=self._failed,
                message=f"judging the scores by {WORDS[truth].judges}",
            )

        self.scores.ask(LANE, judge, failed=self._forget, insist=True)

    def _show(self, key: Key, called: str, analysis: ThresholdAnalysis) -> None:
        self._key_of_analysis, self._named = key, called
        self._threshold_name = self.state.threshold_name
        self.refused = ""
        self.analysis = analysis
        self._compare()

    def _compare(self) -> None:
        analysis, traces = self.analysis, self.traces.loaded
        if analysis is None or traces is None:
            return
        names: tuple[Baseline, ...]
        names = (*TEXT_BASELINES, *EMBEDDING_BASELINES) if self.embedded else TEXT_BASELINES
        called = self._named
        self._held = key = (analysis.judged, self.embedded)
        known = self._comparisons.get(key)
        if known is not None:
            self.jobs.runner.cancel(BASELINES_JOB)
            self.comparison = known
            return

        def work(job: Job) -> BaselineComparison:
            return compare_with_baselines(
                traces,
                analysis.judged,
                called,
                names,
                progress=lambda p: pass_on(job, p),
                cancel=job.cancel,
            )

        def done(comparison: BaselineComparison) -> None:
            self._comparisons.put(key, comparison)
            self.comparison = comparison

        self.jobs.runner.start(
            BASELINES_JOB,
            work,
            done=done,
            failed=self.jobs.tell,
            message="comparing with baselines",
        )

    def recommend(self) -> None:
        """Choose heads and a threshold by nested cross-validation; it takes a while.

        After a stop it goes on with the folds that were finished, unless traces or labels changed.
        """
        traces, by = self.traces.loaded, self._truth
        if traces is None or self.jobs.runner.running(RECOMMEND_LANE):
            return
        self.jobs.clear()
        self._recommended_by = by

        def work(job: Job) -> Recommendation | ValidationError:
            from explorer.validation import CalibrationCancelled, calibrate

            try:
                return calibrate(
                    traces,
                    truth=by[0],
                    least_drop=by[1],
                    resume=self._folds,
                    progress=lambda p: pass_on(job, p),
                    cancel=job.cancel,
                )
            except CalibrationCancelled as error:
                self._folds = error.partial
                raise
            except ValidationError as error:
                return error

        def done(found: Recommendation | ValidationError) -> None:
            self._folds = None
            if by == self._truth:
                self.recommendation = found
            else:
                self._outdated("What it is judged by changed")

        self.jobs.runner.start(
            RECOMMEND_LANE,
            work,
            done=done,
            failed=self.jobs.tell,
            message="choosing heads and a threshold",
        )

    @property
    def name_in_view(self) -> str:
        """What the scores in view are called, also while others are under way."""
        return self._named or self.named()

    def named(self) -> str:
        """Return what the chosen scores are called."""
        return score_name(ExtractorConfig.of(self.methods.config()))

    def _refuse(self, error: ValidationError) -> None:
        # What older scores are held against comes too late.
        self.jobs.runner.cancel(BASELINES_JOB)
        self._held = None
        self.analysis = self.comparison = None
        self.refused = str(error)

    def _failed(self, error: BaseException) -> None:
        self._forget()
        self.jobs.tell(error)

    def _forget(self) -> None:
        self._judged = None
