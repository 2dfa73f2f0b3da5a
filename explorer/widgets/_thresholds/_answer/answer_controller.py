"""What to expect of the scores in view on new traces, and the settings that the answer changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import traitlets as t

from explorer.reporting._analysis.expectation import Expectation, expected
from explorer.reporting._analysis.threshold_advice import ThresholdAdvice, threshold_advice
from explorer.widgets._base.controller import Controller
from explorer.widgets._base.result_cache import ResultCache
from explorer.widgets._jobs.job_manager import JobManager
from explorer.widgets._jobs.job_runner import Job
from explorer.widgets._shell.config_exchange import SettingsUndo
from explorer.widgets._state import ExplorerState
from explorer.widgets._thresholds._answer import texts
from explorer.widgets._thresholds.controller import ThresholdsController
from explorer.widgets._thresholds.head_map_controller import HeadMapController
from explorer.widgets._traces.controller import TracesController

if TYPE_CHECKING:
    from explorer.validation import HeadScores

_MOST = 12
_PICKED = ("layer", "head", "reduction", "normalisation")


class AnswerController(Controller):
    """Cross-validates a threshold of the scores in view for the chosen objective.

    Settings that differ from those at the first look at the labels of a file count as picked after
    the labels were seen; the figures say so.
    """

    JOB = "expectation"
    FOLLOWS = ("tab", "objective", "least_recall", "least_precision", "cost_ratio")

    expectation = t.Any(None, allow_none=True, help="The `Expectation` of the scores in view.")
    undo_text = t.Unicode("", help="What the answer's change is undone to; empty if there is none.")

    def __init__(
        self,
        state: ExplorerState,
        jobs: JobManager,
        traces: TracesController,
        thresholds: ThresholdsController,
        head_map: HeadMapController,
    ) -> None:
        super().__init__(state, jobs)
        self.traces = traces
        self.thresholds = thresholds
        self.head_map = head_map
        self._wanted: tuple[Any, ...] | None = None
        self._known: ResultCache[Expectation] = ResultCache(_MOST)
        self._before: dict[str, Any] | None = None  # settings at the first look at the labels
        self._undo: SettingsUndo | None = None
        self.follow(traces, lambda _: self._start_over(), "files_shown")
        self.follow(traces, lambda _: self._known.clear(), "loaded")
        self.follow(thresholds, lambda _: self.refresh(), "analysis")
        self.follow(head_map, lambda _: self.refresh(), "map")

    @property
    def is_old(self) -> bool:
        """Whether the expectation is of other scores or of another objective than those in view."""
        found, analysis = self.expectation, self.thresholds.analysis
        return (
            found is None
            or analysis is None
            or found.of is not analysis.judged
            or found.objective != self.state.threshold_objective
        )

    @property
    def picked(self) -> tuple[str, ...]:
        """Settings of the scores that were picked after the labels were seen."""
        before, now = self._before, self.thresholds.scores.config()
        if before is None or now["method"] == "lexical":  # it has nothing that labels could choose
            return ()
        if now["method"] != before["method"]:
            return ("method",)
        if now["method"] != "attention":
            return ()
        if now["heads"] != before["heads"]:
            # The packaged heads of a trace were never chosen by its own labels.
            if self.state.packaged is not None and now["heads"] is self.state.packaged:
                return ()
            return ("set of heads",) if now["heads"] is not None else ("layer", "head")
        return tuple(name for name in _PICKED if now[name] != before[name])

    @property
    def advice(self) -> ThresholdAdvice | None:
        """The answer for the threshold in use; None while it is not known."""
        analysis = self.thresholds.analysis
        if analysis is None or self.expectation is None or self.is_old:
            return None
        return threshold_advice(
            analysis,
            self.expectation,
            self.thresholds.name_in_view,
            self.thresholds.threshold,
            picked=self.picked,
            lexical=self.state.method == "lexical",
        )

    def refresh(self) -> None:
        """Work out what to expect, unless that is known or under way."""
        analysis, traces = self.thresholds.analysis, self.traces.loaded
        if analysis is None or traces is None:
            self.cancel()
            self._wanted = self.expectation = None
            return
        if self._before is None:
            self._before = self.thresholds.scores.config()
        if self.state.tab != "thresholds":
            self.cancel()
            if self.is_old:
                self._wanted = None
            return
        heads = self._heads()
        objective = self.state.threshold_objective
        key = (analysis.judged, objective, heads)
        if key == self._wanted:
            return
        self._wanted = key
        known = self._known.get(key)
        if known is not None:
            self.cancel()
            self.expectation = known
            return

        def work(_: Job) -> Expectation:
            return expected(traces, analysis.judged, objective, heads=heads)

        def done(found: Expectation) -> None:
            self._known[key] = found
            self.expectation = found

        self.run(work, done, message=texts.COMPUTING)

    # what the answer changes

    def use(self) -> None:
        """Set what the answer says; `undo` returns to the settings of before."""
        advice = self.advice
        if advice is None or advice.threshold is None:
            return
        threshold = advice.threshold
        if advice.kind == "set":
            name = self.thresholds.threshold_name
            self._change(lambda: setattr(self.state, name, threshold))
        elif advice.kind == "words":
            self._change(lambda: self._use_words(threshold))

    def undo(self) -> None:
        """Return to the settings from before `use`."""
        previous, self._undo = self._undo, None
        self.undo_text = ""
        if previous is not None:
            previous.restore()

    def _use_words(self, threshold: float) -> None:
        with self.state.batch():
            self.state.method = "lexical"
            self.state.lexical_threshold = threshold

    def _change(self, change: Callable[[], None]) -> None:
        text = texts.back(self.thresholds.name_in_view, self.thresholds.threshold)
        self._undo = SettingsUndo(self.state)
        change()
        self.undo_text = text

    def _start_over(self) -> None:
        """Other labels: nothing has been picked by them yet, and nothing is to be undone."""
        self._before = self._undo = None
        self.undo_text = ""

    def _heads(self) -> HeadScores | None:
        """Return the scores of every head if a head was picked by the labels in view."""
        picked = self.picked
        if not picked or not set(picked) <= {"layer", "head"}:
            return None
        return self.head_map.scores_in_view
