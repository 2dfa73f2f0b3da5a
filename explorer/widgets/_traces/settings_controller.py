"""Where the heads and the threshold of the RAG traces tab come from: each file has its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import traitlets as t

from explorer.feedback._auto_threshold import DEFAULT_THRESHOLD
from explorer.widgets._base.controller import Controller
from explorer.widgets._jobs.job_manager import JobManager
from explorer.widgets._state import HEAD_SET_OVERRIDES, METHOD_THRESHOLDS, ExplorerState
from explorer.widgets._traces._file.trace_source import TraceSource
from explorer.widgets._traces.controller import TracesController

if TYPE_CHECKING:
    from explorer.examples import ExampleRecommendation
    from explorer.traces import Trace

Origin = Literal["packaged", "packaged heads", "auto", "reference", "chosen"]
"""``"packaged heads"``: with another threshold than the packaged one."""

_OF_TAB = ("threshold", "threshold_mode", "normalisation")
"""Settings that the code has for itself."""
_THRESHOLDS = tuple(
    name
    for name in (*dict.fromkeys(METHOD_THRESHOLDS.values()), "reference_threshold")
    if name not in _OF_TAB
)
"""The other thresholds; all belong to the scores of a file, and not to the next one."""
_HEADS = tuple(name for name in HEAD_SET_OVERRIDES if name not in _OF_TAB)
_KEPT = (*_THRESHOLDS, *_HEADS, "heads", "packaged")

_REFERENCE = {"layer": None, "head": None, "reduction": "mean", "normalisation": "raw"}


class SettingsController(Controller):
    """Gives every file settings of its own, and knows where those in view come from.

    The packaged traces open with the packaged recommendation, which has a set of heads for each
    trace that was chosen on other traces. Other files open with a threshold that is found in each
    trace. A file that is opened again has its settings back.
    """

    previous = t.Unicode("", help="The file that was open before; its settings can be taken over.")

    def __init__(self, state: ExplorerState, jobs: JobManager, traces: TracesController) -> None:
        super().__init__(state, jobs)
        self.traces = traces
        self._given = False
        self._setting = False
        self._source: TraceSource | None = None
        self._of_files: dict[tuple[object, ...], dict[str, Any]] = {}
        self._previous: dict[str, Any] = {}
        traces.on_file = self._file_opened
        traces.on_copy = self._file_copied
        traces.on_trace = self._trace_opened
        self.follow(state, self._heads_chosen, "heads")

    def keep_given(self) -> None:
        """Let the first file open with the settings that the app was made with."""
        self._given = True

    @property
    def origin(self) -> Origin:
        """Where heads and threshold of the attention in view come from."""
        state, packaged = self.state, self.state.packaged
        if packaged is not None:
            same = state.threshold == packaged.threshold and state.threshold_mode == "fixed"
            return "packaged" if same else "packaged heads"
        if state.threshold_mode == "auto":
            return "auto"
        wanted = {**_REFERENCE, "heads": None, "threshold": DEFAULT_THRESHOLD}
        same = all(getattr(state, name) == value for name, value in wanted.items())
        return "reference" if same else "chosen"

    # settings that can be asked for

    def use_packaged(self) -> None:
        """Score by the packaged recommendation, if the packaged traces are open."""
        source, scene = self.traces.source, self.state.trace_scene
        if source is None or source.kind != "examples":
            return
        trace = None if scene is None else scene.trace
        self._set(lambda: self._apply_packaged(trace))

    def use_reference(self) -> None:
        """Score as a `FeedbackExtractor` does by default: means, and the threshold 0.1."""
        self._set(self._apply_reference)

    def use_auto(self) -> None:
        """Let the threshold be found in the scores of each trace."""
        self._set(lambda: self.state.set_for_traces(threshold_mode="auto"))

    def use_previous(self) -> None:
        """Take over the settings of the file that was open before."""
        values, self._previous, self.previous = self._previous, {}, ""
        self._set(lambda: self._apply(values))

    # what happens

    def _file_opened(self, source: TraceSource, first: Trace | None) -> None:
        """Set what belongs to a file; called before its first trace is shown."""
        left = self._source
        self._source = source
        if self._given:  # this file is the one that the settings were given for
            self._given = False
            return
        if left is not None:
            self._previous, self.previous = self._values(), left.name
            self._of_files[left.key] = self._previous
            if left.key == source.key:
                self._previous, self.previous = {}, ""
        known = self._of_files.get(source.key)
        if known is not None:
            self._set(lambda: self._apply(known))
        elif source.kind == "examples":
            self._set(lambda: self._apply_packaged(first))
        else:
            self._set(self._apply_for_new_file)

    def _file_copied(self, source: TraceSource) -> None:
        """Let a copy of the open file have the settings in view."""
        self._of_files[source.key] = self._values()

    def _trace_opened(self, trace: Trace) -> None:
        """Score a packaged trace by the heads that were chosen without it."""
        packaged = self.state.packaged
        if packaged is not None:
            heads = packaged.heads_for(trace.id)
            if heads is not None and heads is not self.state.heads:
                self._set(lambda: self._set_heads(heads, packaged))

    def _heads_chosen(self, change: Mapping[str, Any]) -> None:
        if self._setting:
            return
        state = self.state
        packaged, state.packaged = state.packaged, None
        # The threshold of a set of heads does not suit a single head.
        left = change["new"] is None and packaged is not None
        if left and (state.threshold, state.threshold_mode) == (packaged.threshold, "fixed"):
            self.use_auto()

    # helpers

    def _set(self, apply: Callable[[], None]) -> None:
        before, self._setting = self._setting, True
        try:
            with self.state.batch():
                apply()
        finally:
            self._setting = before

    def _values(self) -> dict[str, Any]:
        of_tab = self.state.traces_settings()
        values = {name: getattr(self.state, name) for name in _KEPT}
        return values | {name: of_tab[name] for name in _OF_TAB}

    def _apply(self, values: Mapping[str, Any]) -> None:
        # Heads after what they override.
        self.state.set_for_traces(**{name: values[name] for name in _OF_TAB})
        for name in _KEPT:
            setattr(self.state, name, values[name])

    def _apply_packaged(self, trace: Trace | None) -> None:
        from explorer.examples import example_recommendation

        packaged = example_recommendation()
        heads = None if trace is None else packaged.heads_for(trace.id)
        if heads is None:
            return
        self.state.method = "attention"
        self.state.set_for_traces(threshold=packaged.threshold, threshold_mode="fixed")
        self._set_heads(heads, packaged)

    def _set_heads(self, heads: Any, packaged: ExampleRecommendation) -> None:
        self.state.heads, self.state.packaged = heads, packaged

    def _apply_reference(self) -> None:
        state, values = self.state, dict(_REFERENCE)
        state.method = "attention"
        state.heads = state.packaged = None
        state.set_for_traces(
            normalisation=values.pop("normalisation"),
            threshold=DEFAULT_THRESHOLD,
            threshold_mode="fixed",
        )
        for name, value in values.items():
            setattr(state, name, value)

    def _apply_for_new_file(self) -> None:
        self.state.heads = self.state.packaged = None
        for name in _THRESHOLDS:
            setattr(self.state, name, self.state.trait_defaults(name))
        self.state.set_for_traces(threshold_mode="auto")
