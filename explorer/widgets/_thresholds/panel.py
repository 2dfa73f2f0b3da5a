"""The thresholds tab: how well a threshold, a layer and a head agree with labels or ablation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ipywidgets

from explorer.widgets._base.panel import Panel
from explorer.widgets._jobs.debouncer import Debouncer
from explorer.widgets._session import Session
from explorer.widgets._state import ExplorerState
from explorer.widgets._thresholds._answer.answer_contents import answer_content, export_note
from explorer.widgets._thresholds._answer.question_contents import questions_content
from explorer.widgets._thresholds.comparison_plots import ComparisonPlots
from explorer.widgets._thresholds.config_files import config_file, recommendation_file, report_file
from explorer.widgets._thresholds.panel_contents import (
    Content,
    agreement_content,
    baselines_content,
    changes_content,
    figures_content,
    head_map_content,
    outcome_content,
    weights_content,
)
from explorer.widgets._thresholds.score_plots import THRESHOLDS, ScorePlots
from explorer.widgets._thresholds.texts import PAGE_TEXTS


class ThresholdsPanel(Panel):
    """Arranges the plots of the thresholds tab, its numbers, and its buttons."""

    TAB = "thresholds"
    session: Session

    def __init__(self, state: ExplorerState, session: Session) -> None:
        super().__init__(state, session)
        self.top = self.part(
            "answer",
            PAGE_TEXTS["answer"],
            {"use": lambda _: session.answer.use(), "undo": lambda _: session.answer.undo()},
        )
        self.figures = self.part("figures", PAGE_TEXTS["figures"], self._gestures())
        here = {"here": lambda _: self._use_as_reference()}
        self.changes = self.part("call_changes", PAGE_TEXTS["call_changes"], here)
        self.moves = self.part("weight_moves", PAGE_TEXTS["weight_moves"])
        self.measure = self.part("head_quality", PAGE_TEXTS["head_quality"])
        embed = {"embed": lambda _: session.baselines.embed()}
        self.questions = self.part("questions", PAGE_TEXTS["questions"], {"open": self._open})
        self.baselines = self.part("baselines", PAGE_TEXTS["baselines"], embed)
        self.agreement = self.part("agreement", PAGE_TEXTS["agreement"], embed)
        self.scores = ScorePlots(state, session)
        self.comparison = ComparisonPlots(state, session)
        self.widget = self._layout()
        self._fixed: Content = {}
        # Other methods are compared after what is quicker has followed a drag.
        self._later = Debouncer(self._show_later)
        self._draw_all_on()
        self.begin()

    def close(self) -> None:
        """Take the panel off every page."""
        self._later.close()
        self.scores.close()
        self.comparison.close()
        super().close()

    def _layout(self) -> ipywidgets.Box:
        scores, comparison = self.scores, self.comparison
        left = [
            scores.histogram.plot, scores.curves.plot, self.changes, scores.changes.plot,
            self.moves, comparison.weights.plot, comparison.bias.plot,
        ]  # fmt: skip
        right = [
            self.figures, scores.ranks.plot, self.measure, comparison.heads.plot,
            self.questions, self.agreement,
        ]  # fmt: skip
        under = [self.baselines, comparison.dots.plot]
        stacks = [
            self.box(plots, "ex-thresholds-stack", f"ex-thresholds-{place}")
            for place, plots in (("left", left), ("right", right), ("under", under))
        ]
        return self.box([self.top, *stacks], "ex-panel", "ex-thresholds-panel")

    # drawing

    def _draw_all_on(self) -> None:
        session = self.session
        settings = ("layer", "head", "reduction", "normalisation", "method", "heads")
        self.draw_on(
            self._show_figures, *settings, "truth", "least_drop", "model", "threshold_scale"
        )
        self.draw_on(self._show_outcome, *THRESHOLDS)
        objective = ("objective", "least_recall", "least_precision", "cost_ratio")
        self.draw_on(self._show_answer, *settings, *objective)
        self.draw_on(self._show_answer, "expectation", "undo_text", of=session.answer)
        self.draw_on(self._show_answer, "analysis", "refused", of=session.thresholds)
        self.draw_on(self._show_answer, "reports", of=session.jobs)
        self.draw_on(self._show_answer, "recommendation", of=session.recommendation)
        self.draw_on(self._show_changes, *THRESHOLDS, "reference_threshold")
        self.draw_on(self._show_head_map, "quality")
        self.draw_on(self._show_baselines, *settings)
        self.draw_on(self._show_moves, "trajectory", "update_strategy")
        self.draw_on(self._later.ask, *THRESHOLDS, "method")
        self.draw_on(self._mark_old)
        everything = (
            self._show_figures, self._show_changes, self._show_head_map, self._show_moves,
            self._later.ask, self._mark_old,
        )  # fmt: skip
        for drawing in everything:
            self.draw_on(drawing, "analysis", of=session.thresholds)
        for drawing in (self._show_figures, self._show_answer, self._mark_old):
            self.draw_on(drawing, "loaded", of=session.traces)
        for drawing in (self._show_figures, self._show_head_map, self._mark_old):
            self.draw_on(drawing, "refused", "cost", of=session.thresholds)
            self.draw_on(drawing, "map", "refused", of=session.head_map)
        for drawing in (self._show_figures, self._show_baselines):
            self.draw_on(drawing, "comparison", "embedded", of=session.baselines)
            self.draw_on(drawing, "recommendation", "outdated", of=session.recommendation)
        self.draw_on(self._later.ask, "others", of=session.agreement)
        self.draw_on(self._later.ask, "embedded", of=session.baselines)
        for drawing in (self._show_figures, self._show_baselines, self._mark_old, self._later.ask):
            self.draw_on(drawing, "reports", of=session.jobs)

    def _show_figures(self) -> None:
        self._fixed = figures_content(self.session)
        self._show_outcome()

    def _show_outcome(self) -> None:
        """Show the numbers at the threshold; the rest is as it was."""
        self.figures.show(**self._fixed, **outcome_content(self.session))

    def _show_answer(self) -> None:
        self.top.show(**answer_content(self.session))
        advice = self.session.answer.advice
        few = advice is not None and advice.kind == "few"
        (self.widget.add_class if few else self.widget.remove_class)("ex-thresholds-few")

    def _show_changes(self) -> None:
        self.changes.show(**changes_content(self.session))

    def _show_baselines(self) -> None:
        self.baselines.show(**baselines_content(self.session))

    def _show_head_map(self) -> None:
        self.measure.show(**head_map_content(self.session))

    def _show_later(self) -> None:
        if self.in_front:
            self._show_answer()
            self.questions.show(**questions_content(self.session))
            self.agreement.show(**agreement_content(self.session))

    def _show_moves(self) -> None:
        self.moves.show(**weights_content(self.session, self.comparison.final_weights))

    def _mark_old(self) -> None:
        """Dim what another choice is about to replace."""
        thresholds, reports = self.session.thresholds, self.session.jobs.reports
        # On the box, a plain model that never stops listening: see `Plot`.
        for name, wanted in (
            ("ex-old-scores", thresholds.is_old),
            ("ex-old-heads", self.session.head_map.JOB in reports),
            ("ex-thresholds-empty", thresholds.analysis is None and bool(thresholds.refused)),
        ):
            (self.widget.add_class if wanted else self.widget.remove_class)(name)

    # gestures

    def _gestures(self) -> dict[str, Any]:
        session = self.session
        found = session.recommendation
        return {
            "recommend": lambda _: found.recommend(),
            "cancel_recommend": lambda _: session.cancel(found.JOB),
            "record_all": lambda _: session.stand_in.record_all(),
            "read_again": lambda _: session.stand_in.record_again(),
            f"cancel_{session.stand_in.JOB}": lambda _: session.cancel(session.stand_in.JOB),
            "measure": lambda _: session.ablation.measure(),
            "stop": lambda _: session.cancel(session.ablation.JOB),
            "take": lambda _: self._after(found.show),
            "go_back": lambda _: self._after(found.undo),
            "export": self._export,
            "report": lambda _: self._write_report(),
        }

    def _use_as_reference(self) -> None:
        self.state.reference_threshold = self.session.thresholds.threshold

    def _open(self, message: Mapping[str, Any]) -> None:
        """Open the trace of a question."""
        self.state.trace = message["trace"]
        self.state.tab = "traces"

    def _after(self, change: Any) -> None:
        """Change the settings, and show whether those in view are the recommended ones."""
        change()
        self._show_figures()

    def _export(self, message: Mapping[str, Any]) -> None:
        """Save the config in view, or that of the recommendation."""
        what = str(message.get("what"))
        kind = what.removeprefix("recommended_")
        found = self.session.recommendation.accepted
        if what != kind and found is not None:
            download = recommendation_file(found, kind)
        else:
            config = self.session.methods.config() | {"note": export_note(self.session)}
            download = config_file(config, kind)
        self.figures.tell({"kind": "download", **download})

    def _write_report(self) -> None:
        self.session.report.write(
            lambda page: self.figures.tell({"kind": "download", **report_file(page)})
        )
