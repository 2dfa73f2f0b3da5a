"""The thresholds tab: what the labels say of the threshold, the layer and the head."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import ipywidgets

from explorer.errors import ExplorerError
from explorer.figures import (
    flips_spec,
    method_dots_spec,
    quality_map_spec,
    rank_curves_spec,
    score_bias_spec,
    score_histogram_spec,
    threshold_curves_spec,
)
from explorer.figures._thresholds.quality_map import map_height
from explorer.reporting._analysis.final_weights import FinalWeights, final_weights, hyperedges_of
from explorer.reporting._analysis.threshold_analysis import (
    ThresholdAnalysis,
    ThresholdOutcome,
    flips_between,
)
from explorer.widgets._base.panel_part import PanelPart
from explorer.widgets._jobs.debouncer import Debouncer
from explorer.widgets._plot.incremental_plot import WidePlot
from explorer.widgets._session import Session
from explorer.widgets._shell.config_exchange import Earlier, json_of, python_of_config, take_config
from explorer.widgets._state import METHOD_THRESHOLDS, ExplorerState
from explorer.widgets._thresholds.controller import RECOMMEND_LANE
from explorer.widgets._thresholds.head_map_controller import LANE as HEADS_LANE
from explorer.widgets._thresholds.report_controller import MIME, NAME, ReportController
from explorer.widgets._thresholds.texts import (
    agreement_content,
    content_of,
    measure_content,
    moves_content,
    offer_content,
)
from explorer.widgets._traces.controller import ABLATING, SCORING
from explorer.widgets._traces.weights_view import weights_spec

if TYPE_CHECKING:
    from explorer.reporting._analysis.threshold_analysis import BaselineComparison

_LEFT, _RIGHT, _WHOLE = 620, 460, 1080
"""Widths before the page has said how wide a plot is."""
_LOWEST = 1e-4
_SLOTS = 8
_CURVES = ("f1", "mcc", "youden")
_THRESHOLDS = frozenset(METHOD_THRESHOLDS.values())
_DRAWN_BY = _THRESHOLDS | {
    "reference_threshold", "threshold_scale", "layer", "head", "method", "tab", "trajectory",
    "selection", "update_strategy", "quality", "truth", "model",
    "least_drop",
}  # fmt: skip


class ThresholdsPanel:
    """Binds the state to the widgets of the thresholds tab."""

    def __init__(self, state: ExplorerState, session: Session) -> None:
        self.state = state
        self.session = session
        self.controller = session.thresholds
        self.report = ReportController(state, session.jobs, session.thresholds, session.agreement)
        self.figures = PanelPart("lab")
        self.between = PanelPart("lab")
        self.moves = PanelPart("lab")
        self.measure = PanelPart("lab")
        self.free = PanelPart("lab")
        self.agree = PanelPart("lab")
        self.histogram = WidePlot("Scores of used and not used hyperedges", self._draw_scores)
        self.curves = WidePlot("F1, MCC and J at every threshold", self._draw_scores)
        self.ranks = WidePlot("ROC and precision-recall curves", self._draw_ranks)
        self.heads = WidePlot("How well every layer and head ranks", self._draw_heads)
        self.flips = WidePlot("What flips between the two thresholds", self._draw_flips)
        self.weights = WidePlot("Weights of hyperedges over the traces", self._draw_weights)
        self.bias = WidePlot("Score against position and length", self._draw_beside)
        self.dots = WidePlot("The scores beside baselines", self._draw_beside)
        for name, drawn in self._plots.items():
            drawn.plot.add_class(f"ex-lab-{name}")
        left = [
            self.histogram, self.curves, self.between, self.flips, self.moves, self.weights,
            self.bias,
        ]  # fmt: skip
        right = [self.figures, self.ranks, self.measure, self.heads, self.agree]
        self._boxes = [
            self._stack(left, "ex-lab-left"),
            self._stack(right, "ex-lab-right"),
            self._stack([self.free, self.dots], "ex-lab-under"),
        ]
        self.widget = ipywidgets.Box(self._boxes)
        for name in ("ex-panel", "ex-lab-panel"):
            self.widget.add_class(name)
        for region in self._regions:
            region.on("set", session.set_from_page)
        on = self.figures.on
        on("best", lambda message, _: self._use(message.get("threshold")))
        on("recommend", lambda *_: self.controller.recommend())
        on("cancel recommend", lambda *_: session.cancel(RECOMMEND_LANE))
        on("read_again", lambda *_: session.traces.score_all(content_free=True, overwrite=True))
        on(f"cancel {SCORING}", lambda *_: session.cancel(SCORING))
        on("measure", lambda *_: session.ablation.measure())
        on("stop", lambda *_: session.cancel(ABLATING))
        on("take", lambda *_: self._take())
        on("go back", lambda *_: self._go_back())
        on("export", lambda message, _: self._export(str(message.get("what"))))
        on("report", lambda *_: self.report.write(self.hand_report(self.figures)))
        self.between.on("here", lambda *_: setattr(state, "reference_threshold", self.threshold))
        for region in (self.free, self.agree):
            region.on("embed", lambda *_: self.controller.embed())
        for drawn in (self.histogram, self.curves):
            drawn.plot.observe(self._dragged, "line")
        self.heads.plot.observe(self._head_clicked, "clicked")
        self.flips.plot.observe(self._flip_clicked, "clicked")
        state.observe(self._changed, names=list(_DRAWN_BY))
        self.controller.observe(self._kept)
        self.controller.heads.observe(self._kept)
        session.agreement.observe(lambda _: self._show_agreement(), names="others")
        session.jobs.observe(lambda _: self._show_words(), names="reports")
        # What takes longer to draw follows the line after what is quick, once for many moves.
        self._soon = Debouncer(self._draw_followers)
        self._told: tuple[Any, Any, Any] | None = None

    @property
    def _regions(self) -> list[PanelPart]:
        return [self.figures, self.between, self.free, self.moves, self.measure, self.agree]

    def _stack(self, children: list[Any], name: str) -> ipywidgets.Box:
        box = ipywidgets.Box([getattr(part, "plot", part) for part in children])
        for one in ("ex-lab-stack", name):
            box.add_class(one)
        return box

    @property
    def _plots(self) -> dict[str, WidePlot]:
        return {
            "histogram": self.histogram,
            "curves": self.curves,
            "ranks": self.ranks,
            "heads": self.heads,
            "flips": self.flips,
            "weights": self.weights,
            "leaning": self.bias,
            "dots": self.dots,
        }

    def close(self) -> None:
        """Take the panel off every page."""
        self._soon.close()
        plots = [drawn.plot for drawn in self._plots.values()]
        for part in (*self._regions, *plots, *self._boxes, self.widget):
            part.layout.close()
            part.close()

    # what is read

    @property
    def threshold(self) -> float:
        """The threshold of the chosen method."""
        return float(getattr(self.state, self.controller.threshold_name))

    @property
    def scale(self) -> Any:
        """The scale of the score axis: logarithmic for attention alone."""
        state = self.state
        return state.scale_of(self.controller.threshold_name)

    @property
    def lab(self) -> ThresholdAnalysis | None:
        """What is judged, and shown."""
        lab: ThresholdAnalysis | None = self.controller.analysis
        return lab

    @property
    def reading(self) -> ThresholdOutcome | None:
        """What the labels say of the threshold."""
        return self.controller.outcome

    # following the state

    def _changed(self, change: Mapping[str, Any]) -> None:
        if self.state.tab != "thresholds":
            return
        if self.state.batching:
            self.state.after_batch(self.redraw)
            return
        name = change["name"]
        if name in ("layer", "head"):
            self._draw_heads()
            self._show_words()
        elif name == "reference_threshold":
            self._draw_scores()
            self._draw_flips()
            self._show_words()
        elif name == self.controller.threshold_name:
            self._draw_threshold()
        elif name in _THRESHOLDS:
            self._show_agreement()
        elif name in ("trajectory", "selection"):
            self._draw_weights()
        elif name in ("update_strategy", "quality", "truth", "least_drop", "model"):
            self._show_words()
        elif name in ("tab", "method", "threshold_scale"):
            self.redraw()

    def _kept(self, change: Mapping[str, Any]) -> None:
        """Draw what the keeper has found out."""
        if self.state.tab != "thresholds":
            return
        name = change["name"]
        if name == "analysis":
            self._draw_threshold()
            self._draw_weights()
        elif name == "map":
            self._draw_heads()
        elif name == "comparison":
            self._draw_beside()
        self._show_words()

    def redraw(self) -> None:
        """Draw everything anew."""
        if self.state.tab != "thresholds":
            return
        self._draw_threshold()
        self._draw_heads()
        self._draw_weights()
        self._draw_beside()

    def _draw_threshold(self) -> None:
        """Draw what depends on the threshold: at once what is quick, the rest soon."""
        self._draw_scores()
        self._draw_ranks()
        self._show_words()
        self._soon.ask()

    def _draw_followers(self) -> None:
        if self.state.tab == "thresholds":
            self._draw_flips()
            self._show_agreement()

    def _show_agreement(self) -> None:
        if self.state.tab == "thresholds":
            found = self.session.agreement.found()
            self.agree.show(**agreement_content(self.state, self.controller, found))

    def _shown(self, drawn: WidePlot, there: Any) -> bool:
        drawn.plot.layout.display = "none" if there is None else ""
        return there is not None

    def _draw_scores(self) -> None:
        lab, reading = self.lab, self.reading
        for drawn in (self.histogram, self.curves):
            self._shown(drawn, lab)
        if lab is None or reading is None:
            return
        best, plateau = lab.sweep.best("f1"), lab.sweep.plateau("f1")
        shared = {"scale": self.scale, "width": self.histogram.plot.width or _LEFT}
        truth = lab.judged.truth
        self.histogram.draw(
            score_histogram_spec(
                lab.scores,
                self.threshold,
                truth=truth,
                reference=self.state.reference_threshold,
                **shared,
            )
        )
        self.curves.draw(
            threshold_curves_spec(
                lab.sweep.table,
                self.threshold,
                metrics=_CURVES,
                best=(best.threshold, best.value),
                plateau=(plateau.low, plateau.high),
                tolerance=plateau.tolerance,
                reading={name: reading.figures[name][0] for name in _CURVES},
                truth=truth,
                **shared,
            )
        )
        low = _LOWEST if self.scale == "log" else 0.0
        for drawn in (self.histogram, self.curves):
            drawn.plot.set_line(
                "x", max(low, self.threshold), minimum=low, maximum=1.0, name="threshold"
            )

    def _draw_ranks(self) -> None:
        lab, reading = self.lab, self.reading
        if not self._shown(self.ranks, lab) or lab is None or reading is None:
            return
        self.ranks.draw(
            rank_curves_spec(
                lab.roc,
                lab.pr,
                lab.ranking.prevalence,
                reading.point,
                truth=lab.judged.truth,
                width=self.ranks.plot.width or _RIGHT,
            )
        )

    def _draw_flips(self) -> None:
        lab = self.lab
        if not self._shown(self.flips, lab) or lab is None:
            return
        reference = self.state.reference_threshold
        table = flips_between(lab, reference, self.threshold)
        width = self.flips.plot.width or _LEFT
        self.flips.draw(flips_spec(table, reference, self.threshold, slots=_SLOTS, width=width))

    def _draw_heads(self) -> None:
        found = self.controller.heads.map
        if not self._shown(self.heads, found):
            return
        quality = found.values
        config = self.session.methods.config()
        self.heads.draw(
            quality_map_spec(
                quality,
                found.measure,
                chance=found.chance,
                truth=found.truth,
                chosen=(config["layer"], config["head"])
                if self.state.method == "attention" and self.state.heads is None
                else None,
                width=self.heads.plot.width or _RIGHT,
                height=map_height(found.values.shape[0], 300),
            )
        )

    def _draw_weights(self) -> None:
        figure = None
        if self.lab is not None:
            figure = weights_spec(self.state, self.weights.plot.width or _LEFT)
        if self._shown(self.weights, figure) and figure is not None:
            self.weights.draw(figure)
        truth = "labels" if self.lab is None else self.lab.judged.truth
        self.moves.show(**moves_content(self.state, self.ends, truth))

    @property
    def ends(self) -> FinalWeights | None:
        """Where the weights end, by the labels."""
        moves, lab = self.state.trajectory, self.lab
        if moves is None or lab is None:
            return None
        known = self._told
        if known is None or known[0] is not moves.order or known[1] is not lab.judged:
            places = hyperedges_of(moves.order, lab.judged)
            known = self._told = (moves.order, lab.judged, places)
        return final_weights(moves, lab.judged, known[2])

    def _draw_beside(self) -> None:
        beside: BaselineComparison | None = self.controller.comparison
        for drawn in (self.bias, self.dots):
            self._shown(drawn, beside)
        if beside is None:
            return
        self.bias.draw(
            score_bias_spec(
                beside.position,
                beside.length,
                truth=beside.of.truth,
                width=self.bias.plot.width or _LEFT,
            )
        )
        self.dots.draw(method_dots_spec(beside.baselines, width=self.dots.plot.width or _WHOLE))

    # words

    def _show_words(self) -> None:
        if self.state.tab != "thresholds":
            return
        reports = self.session.jobs.reports
        # On the box, which never goes deaf: see `Plot`.
        for name, old in (("scores", self.controller.busy), ("heads", HEADS_LANE in reports)):
            (self.widget.add_class if old else self.widget.remove_class)(f"ex-old-{name}")
        empty = self.lab is None and bool(self.controller.refused)
        (self.widget.add_class if empty else self.widget.remove_class)("ex-lab-empty")
        figures, between, free = content_of(self.state, self.controller, self.reading)
        offer = offer_content(self.session.ablation, self.controller.cost)
        if (
            offer is not None
            and self.controller.cost is not None
            and not self.controller.cost.measured
        ):
            figures["refused"] = ""  # the offer says what is missing
        figures["offer"] = offer
        self.figures.show(**figures)
        self.between.show(**between)
        self.free.show(**free)
        self.measure.show(**measure_content(self.state, self.controller))

    # gestures

    def _dragged(self, change: Mapping[str, Any]) -> None:
        value = change["new"]
        if value is None or value == self.threshold:
            return
        if self.scale == "log" and value <= _LOWEST >= self.threshold:
            return
        self._use(value)

    def _use(self, threshold: Any) -> None:
        if isinstance(threshold, int | float) and math.isfinite(threshold):
            setattr(
                self.state, self.controller.threshold_name, min(1.0, max(0.0, float(threshold)))
            )

    def _head_clicked(self, change: Mapping[str, Any]) -> None:
        clicked, found = change["new"] or {}, self.controller.heads.map
        # The y of the map is the layer, its x the head.
        layer, head = clicked.get("y"), clicked.get("x")
        if found is None or not isinstance(layer, int) or not isinstance(head, int):
            return
        if 0 <= layer < found.values.shape[0] and 0 <= head < found.values.shape[1]:
            with self.state.batch():
                self.state.method = "attention"
                self.state.layer, self.state.head = layer, head

    def _flip_clicked(self, change: Mapping[str, Any]) -> None:
        index, figure = (change["new"] or {}).get("index"), self.flips.figure
        if figure is None or not isinstance(index, int):
            return
        meta = figure["layout"]["meta"]
        if not 0 <= index < len(meta["units"]):
            return
        try:
            self.state.trace = meta["traces"][index]
            self.state.tab = "traces"
            self.state.selection = {"kind": "unit", "name": meta["units"][index]}
        except ExplorerError as error:
            self.session.jobs.tell(error)

    def _export(self, what: str) -> None:
        """Hand the config of what is shown to the page, or that of the recommendation."""
        found = self.controller.recommendation
        recommended = what.startswith("recommended ") and getattr(found, "accepted", False)
        config = self.session.methods.config()
        if what.endswith("JSON"):
            text = found.to_json() if recommended else json_of(config)
            name = "recommendation.json" if recommended else "feedback_config.json"
            told = {"name": name, "mime": "application/json", "text": text}
        else:
            text = found.to_python() if recommended else python_of_config(config)
            name = "recommended_extractor.py" if recommended else "feedback_extractor.py"
            told = {"name": name, "mime": "text/x-python", "text": text}
        self.figures.tell({"download": told})

    def hand_report(self, region: PanelPart) -> Callable[[str], None]:
        """Return what hands a written report to the page, through one of its regions."""
        return lambda page: region.tell({"download": {"name": NAME, "mime": MIME, "text": page}})

    def _take(self) -> None:
        """Show scores, threshold and feedback as recommended."""
        found = self.controller.recommendation
        if not getattr(found, "accepted", False):
            return
        before = Earlier(self.state)
        try:
            take_config(self.state, found.config)
        except ExplorerError as error:
            self.session.jobs.tell(error)
            return
        before.taken()
        self.session.earlier = before
        self._show_words()

    def _go_back(self) -> None:
        """Show what was shown before the recommendation."""
        earlier, self.session.earlier = self.session.earlier, None
        if earlier is not None:
            earlier.restore()
        elif self.state.heads is not None:
            self.state.heads = None
        self._show_words()
