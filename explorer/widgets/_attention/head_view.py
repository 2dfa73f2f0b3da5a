"""The chosen head, or mean of heads, of a scene; and a measure of every head for the grid."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.attention import AttentionMap, DenseAttention, ReceivedFromOthers, measures
from explorer.errors import InputError
from explorer.feedback import score_all_heads
from explorer.models._model_argument import auto_layer
from explorer.widgets._base.controller import Controller
from explorer.widgets._code.scene import CodeScene
from explorer.widgets._jobs.job_manager import JobManager
from explorer.widgets._jobs.job_runner import Job
from explorer.widgets._plot.latest_only_queue import together
from explorer.widgets._state import ExplorerState
from explorer.widgets._traces.scene import TraceScene

# About a quarter of a second of softmax on two cores; more is left to a worker.
_QUICK_WEIGHTS = 24_000_000
# A mean map is kept whole up to this many weights (64 MB); a larger one is computed per window.
_KEPT_WEIGHTS = 16_000_000
_ROWS_AT_ONCE = 128


Wanted = tuple[int | None, int | None]
"""Layer and head as the user chose them; None is the mean."""


@dataclass(frozen=True, eq=False)
class Summary:
    """The parts of a long map that the panels need.

    Parameters
    ----------
    received
        Attention that each key receives on average from the other rows that see it.
    mean_row
        A map of one row: the mean of the scene's rows.
    """

    received: ReceivedFromOthers
    mean_row: DenseAttention


@dataclass(frozen=True, eq=False)
class Focus:
    """The layer and head in view, with a map from which they are read quickly.

    Parameters
    ----------
    scene
        The scene that the map belongs to.
    attention
        The map of the scene, or the mean of its heads.
    layer, head
        Arguments for `attention`; None is the mean.
    wanted
        The layer and head that the user chose.
    summary
        For a long map: its parts that are computed once.
    """

    scene: CodeScene | TraceScene
    attention: AttentionMap
    layer: int | None
    head: int | None
    wanted: Wanted
    summary: Summary | None = None

    @cached_property
    def received(self) -> ReceivedFromOthers:
        """Attention that each key receives on average from the scene's other rows that see it."""
        if self.summary is not None:
            return self.summary.received
        rows = self.scene.rows if isinstance(self.scene, CodeScene) else self.scene.evidence.rows
        return self.attention.received_from_others(self.layer, self.head, rows=rows)


class HeadViewController(Controller):
    """Keeps `state.focus` in step with scene, layer and head.

    A mean over many heads of a long text is computed by a worker; the old focus, and with it the
    old heatmap, stays until the new one is there.

    Attributes
    ----------
    refused
        The error of a layer or head that `want` asked for and the map does not have.
    on_focus
        Called after everything that observes the focus has drawn a new one.
    """

    JOB = "mean of heads"

    def __init__(self, state: ExplorerState, jobs: JobManager) -> None:
        super().__init__(state, jobs)
        self._begun = True  # there is a focus before the app is complete
        self._auto_layer = True
        self._looked: Wanted | None = None
        self._wanted: dict[str, int | None] = {}
        self.refused: InputError | None = None
        self._matrix: tuple[AttentionMap, Wanted, DenseAttention] | None = None
        self.on_focus: Callable[[], None] = lambda: None
        self.follow(state, self._on_scene, "code_scene", "trace_scene", "tab")
        self.follow(state, self.refresh, "layer", "head")

    def want(self, **indices: int | None) -> None:
        """Choose this layer or head as soon as there is a map to check it against."""
        self._wanted |= indices
        self._auto_layer = self._auto_layer and "layer" not in indices

    def look(self, layer: int, head: int) -> None:
        """Begin with this head of the code; the traces begin with their own, whichever is first."""
        self.want(layer=layer, head=head)
        self._looked = (layer, head)

    def _leave_look(self, attention: AttentionMap) -> None:
        """Take the traces' own beginning, unless a hand has chosen another head meanwhile."""
        if self._looked is not None and (self.state.layer, self.state.head) == self._looked:
            self.state.head = None
            self._auto_layer = attention.n_layers > 1
        self._looked = None

    def _on_scene(self, change: Mapping[str, Any]) -> None:
        if change["name"] != "tab" and change["new"] is not self.state.scene:
            return
        scene = self.state.scene
        attention = getattr(scene, "attention", None)
        if attention is not None:
            with self.state.batch(), self.state.keeping_heads():
                if isinstance(scene, TraceScene):
                    self._leave_look(attention)
                self._choose_wanted()
                if self._auto_layer:
                    self.state.layer = auto_layer(attention.n_layers)
                    self._auto_layer = False
                for name in ("layer", "head"):
                    value, count = getattr(self.state, name), getattr(attention, f"n_{name}s")
                    if value is not None and value >= count > 1:
                        setattr(self.state, name, count - 1)
        self.refresh()

    def _choose_wanted(self) -> None:
        wanted, self._wanted = self._wanted, {}
        for name, value in wanted.items():
            if getattr(self.state.scene.attention, f"n_{name}s") == 1:
                self._wanted[name] = value  # nothing to choose here; perhaps in the next scene
                continue
            try:
                setattr(self.state, name, value)
            except InputError as error:
                self.refused = error
                self.jobs.tell(error)

    def refresh(self, _: Any = None) -> None:
        """Put the chosen layer and head of the scene in view."""
        if self.state.batching:
            self.state.after_batch(self.refresh)
            return
        scene = self.state.scene
        attention = getattr(scene, "attention", None)
        self.cancel()
        if scene is None or attention is None:
            self._announce(None)
            return
        layer = self.state.layer if attention.n_layers > 1 else None
        head = self.state.head if attention.n_heads > 1 else None
        if layer is not None:
            layer = min(layer, attention.n_layers - 1)
        if head is not None:
            head = min(head, attention.n_heads - 1)
        wanted = (layer, head)
        known = self._matrix
        if known is not None and known[0] is attention and known[1] == wanted:
            self._announce(Focus(scene, known[2], 0, 0, wanted))
            return
        weights = attention.n_queries * attention.n_keys
        heads = (attention.n_layers if layer is None else 1) * (
            attention.n_heads if head is None else 1
        )
        if not isinstance(scene, CodeScene):
            self._announce(Focus(scene, attention, layer, head, wanted))
            return
        if weights > _KEPT_WEIGHTS:
            self._summarise(scene, layer, head)
            return
        if heads * weights <= _QUICK_WEIGHTS:
            # Worked out once: the heatmap, the tints, the bars and the sentence all read it.
            self._keep(scene, wanted, DenseAttention(attention.weights(layer, head)))
            return

        def work(job: Job) -> DenseAttention:
            mean = np.empty((attention.n_queries, attention.n_keys), dtype=np.float32)
            for start in range(0, attention.n_queries, _ROWS_AT_ONCE):
                job.check()
                stop = min(start + _ROWS_AT_ONCE, attention.n_queries)
                mean[start:stop] = attention.weights(layer, head, rows=slice(start, stop))
                job.report(f"mean over {heads} heads", stop / attention.n_queries, None)
            return DenseAttention(mean)

        def done(mean: DenseAttention) -> None:
            self._keep(scene, wanted, mean)

        self.run(work, done, message=f"mean over {heads} heads")

    def _keep(self, scene: CodeScene, wanted: Wanted, matrix: DenseAttention) -> None:
        """Put the weights of the chosen head in view, and keep them for when the tab comes back."""
        self._matrix = (scene.attention, wanted, matrix)
        self._announce(Focus(scene, matrix, 0, 0, wanted))

    def _announce(self, focus: Focus | None) -> None:
        with together():  # the heatmap, and the bars that follow from the same head
            self.state.focus = focus
            self.on_focus()

    def _summarise(self, scene: CodeScene, layer: int | None, head: int | None) -> None:
        attention, rows = scene.attention, scene.rows

        def work(job: Job) -> Summary:
            total = np.zeros(attention.n_keys, dtype=np.float64)
            for start in range(0, len(rows), _ROWS_AT_ONCE):
                job.check()
                part = attention.weights(layer, head, rows=rows[start : start + _ROWS_AT_ONCE])
                total += part.sum(axis=0, dtype=np.float64)
                job.report("adding up the rows", start / len(rows), None)
            mean_row = DenseAttention((total / len(rows))[None, :])
            return Summary(attention.received_from_others(layer, head, rows=rows), mean_row)

        def done(summary: Summary) -> None:
            self._announce(Focus(scene, attention, layer, head, (layer, head), summary))

        self.run(work, done, message="adding up the rows")


def head_measure(scene: CodeScene | TraceScene, name: str) -> NDArray[np.float32] | None:
    """Return the measure of every head of a scene, float32 (layers, heads).

    Code has the measures of `explorer.attention.measures`. Traces have ``mass``, the attention to
    all hyperedges together, ``labelled``, its share on hyperedges labelled used, and ``focus``, the
    largest share of one hyperedge.
    """
    attention = scene.attention
    if attention is None:
        return None
    if isinstance(scene, CodeScene):
        return measures.MEASURES[name](attention)
    mass = score_all_heads(attention, scene.evidence.units, scene.evidence.rows, reduction="mass")
    total: NDArray[np.float32] = mass.sum(axis=-1)
    if name == "mass":
        return total
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = mass / total[..., None]
    if name == "focus":
        largest: NDArray[np.float32] = shares.max(axis=-1)
        return largest
    used = np.array([edge.label is True for edge in scene.trace.hyperedges])
    if not used.any():
        return None
    share: NDArray[np.float32] = shares[..., used].sum(axis=-1)
    return share
