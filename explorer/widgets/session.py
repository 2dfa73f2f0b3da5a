"""What happens when the state changes: models load, code is recorded, traces open."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import traitlets as t

from explorer.errors import Cancelled, ExplorerError, InputError, ModelCapabilityError
from explorer.feedback import Unit
from explorer.models import DEFAULT_MODEL, Model, Progress, available_models
from explorer.traces import Evidence, TraceSet, evidence, load_traces, parse_traces
from explorer.widgets.jobs import Job, JobReport, JobRunner
from explorer.widgets.scenes import CodeScene, TraceScene
from explorer.widgets.state import ExplorerState

if TYPE_CHECKING:
    from explorer.models.reading import Reading

_SETTABLE = frozenset(
    {
        "tab", "layer", "head", "threshold", "threshold_scale", "reduction", "normalisation",
        "unit_kind", "model", "colour_scale", "scaling", "hide_special", "hide_sink", "measure",
        "bar_order", "direction", "trace",
    }
)  # fmt: skip


class Session(t.HasTraits):
    """Turns what the user asked for into scenes, off the UI thread, and says what went wrong.

    Parameters
    ----------
    state
        The state to follow; its `code_scene` and `trace_scene` are set from here only.
    """

    reports = t.Dict(help="Lane -> JobReport of what is under way.")
    error = t.Unicode(None, allow_none=True, help="What went wrong, and what to do.")
    model_status = t.Dict({"kind": "idle", "text": "not loaded"})
    traces = t.Instance(TraceSet, allow_none=True)
    draft = t.Unicode(None, allow_none=True, help="The answer generated so far.")

    def __init__(self, state: ExplorerState) -> None:
        super().__init__()
        self.state = state
        self.runner = JobRunner(self._on_report)
        self.failure: BaseException | None = None
        self._models: dict[str, Model] = {}
        self._loading = threading.Lock()
        self._last_model = state.model
        self._readings: dict[tuple[int, int], TraceScene] = {}
        self._quiet = False
        self._selection: dict[str, Any] | None = None
        state.find_trace = self.trace_index
        state.register_model = self.register
        state.observe(self._on_model, names="model")
        state.observe(self._on_source, names="source")
        state.observe(self._on_trace, names="trace")
        state.observe(self._on_tab, names="tab")

    # models

    def register(self, model: Any) -> str:
        """Accept a `Model`, or a pair of transformers model and tokenizer; return its name."""
        if isinstance(model, tuple) and len(model) == 2:
            model = Model.wrap(*model)
        if not isinstance(model, Model):
            raise InputError(
                "model must be a name, a Model from load_model, or a pair (transformers model, "
                f"tokenizer); got {type(model).__name__}."
            )
        self._models[model.name] = model
        return model.name

    def model_choices(self) -> list[tuple[str, str, str, bool]]:
        """Name, label, note, and whether it is here already, for every model of the menu."""
        choices = [(c.name, c.label, c.note, c.installed) for c in available_models()]
        known = {name for name, *_ in choices}
        own = [
            (name, model.label, "A model of this session.", True)
            for name, model in self._models.items()
            if name not in known
        ]
        return [*own, *choices]

    def warm_up(self) -> None:
        """Import what running a model needs, in the background: the user is about to run one."""
        if not self._models:
            from explorer.models import warm_up

            warm_up()

    def _model_of(self, name: str, job: Job) -> Model:
        """Return the model, loading it first when needed (on the worker's thread)."""
        if name in self._models:
            return self._models[name]
        from explorer.models import load_model

        with self._loading:
            job.check()
            if name not in self._models:
                self._models[name] = load_model(
                    name, progress=lambda p: self._pass_on(job, p), cancel=job.cancel
                )
        return self._models[name]

    @staticmethod
    def _pass_on(job: Job, progress: Progress) -> None:
        job.report(progress.message, progress.fraction, None)

    def _on_model(self, change: Mapping[str, Any]) -> None:
        if self._quiet:
            return
        self.error = None
        if change["new"] is None:
            return
        name = str(change["new"])
        if self.state.tab == "code" and self.state.source:
            self.record_code()
            return
        self.model_status = {"kind": "busy", "text": "loading"}
        self.runner.start(
            "model",
            lambda job: self._model_of(name, job),
            done=lambda model: self._model_ready(model.name),
            failed=self._model_failed,
            message=f"loading {name}",
        )

    def _model_ready(self, name: str) -> None:
        self._last_model = name
        self.model_status = {"kind": "ready", "text": "ready"}

    def _model_failed(self, error: BaseException) -> None:
        self._tell(error)
        self._take_model_back()

    def _take_model_back(self) -> None:
        """Name the last model that worked, unless the one named has been loaded."""
        if self.state.model not in self._models:
            self._quiet = True
            try:
                self.state.model = self._last_model
            finally:
                self._quiet = False
        loaded = self.state.model in self._models
        self.model_status = {
            "kind": "ready" if loaded else "idle",
            "text": "ready" if loaded else "not loaded",
        }

    # code

    def _on_tab(self, change: Mapping[str, Any]) -> None:
        # The model may have been changed while the other tab was in front.
        scene = self.state.code_scene
        stale = scene is not None and scene.model not in (None, self.state.model)
        if change["new"] == "code" and stale and not self.runner.running("code"):
            self.record_code()

    def _on_source(self, change: Mapping[str, Any]) -> None:
        if not self._quiet and change["new"]:
            self.record_code()

    def record_code(self, start: int = 0, *, afresh: bool = False) -> None:
        """Record the attention of the state's code from token `start` on.

        What was recorded with the package is shown at once, unless it is asked for `afresh`.
        """
        self.error = None
        name = self.state.model or DEFAULT_MODEL
        text = self.state.source
        afresh = afresh or start > 0 or name in self._models
        packaged = None if afresh else _packaged_scene(text, name)
        if packaged is not None:
            self._show_code(packaged)
            return

        def work(job: Job) -> CodeScene:
            model = self._model_of(name, job)
            tokenized = model.tokenize(text, start)
            job.report(f"recording {len(tokenized.tokens):,} tokens", None, None)
            attention = model.record(tokenized, cancel=job.cancel)
            return CodeScene(
                text=text,
                tokens=tokenized.tokens,
                offsets=tokenized.offsets,
                special=tokenized.special,
                attention=attention,
                model=name,
                language=_language(text),
                start=tokenized.start,
                stop=tokenized.stop,
                n_total=tokenized.n_total,
                notes=tuple(attention.notes),
            )

        self.model_status = {
            "kind": "ready" if name in self._models else "busy",
            "text": "ready" if name in self._models else "loading",
        }
        self.runner.start(
            "code",
            work,
            done=lambda scene: self._code_recorded(scene, name),
            failed=lambda error: self._code_failed(error, name),
            message=f"loading {name}" if name not in self._models else "recording",
        )

    def _code_recorded(self, scene: CodeScene, name: str) -> None:
        self._model_ready(name)
        self._show_code(scene)

    def _code_failed(self, error: BaseException, name: str) -> None:
        if name in self._models:
            self._model_ready(name)
            self._tell(error)
        else:
            self._model_failed(error)

    def show_matrix(self, scene: CodeScene) -> None:
        """Show a user's own matrix: there is no model behind it."""
        self._quiet = True
        try:
            self.state.model = None
            if scene.text.strip():
                self.state.source = scene.text
        finally:
            self._quiet = False
        self.model_status = {"kind": "idle", "text": "your own matrix"}
        self._show_code(scene)

    def _show_code(self, scene: CodeScene) -> None:
        self.error = None
        if self.state.tab == "code":
            self.state.selection = None
        self.state.code_scene = scene
        self._pin_what_was_asked_for("code")

    def pin_later(self, selection: dict[str, Any]) -> None:
        """Pin this as soon as the tab in front has a map to check it against."""
        self._selection = selection
        self._pin_what_was_asked_for(self.state.tab)

    def _pin_what_was_asked_for(self, tab: str) -> None:
        if self._selection is None or self.state.tab != tab or self.state.scene is None:
            return
        selection, self._selection = self._selection, None
        try:
            self.state.selection = selection
        except InputError as error:
            self._tell(error)

    # traces

    def load_path(self, path: str | Path) -> None:
        """Load a trace file by path; a bad one leaves everything as it was."""
        self._load(lambda: load_traces(Path(path).expanduser()), str(path))

    def load_bytes(self, contents: bytes, name: str) -> None:
        """Load an uploaded trace file."""
        self._load(lambda: parse_traces(contents, name), name)

    def load_examples(self) -> None:
        """Load the packaged traces."""
        from explorer.examples import example_traces

        self.show_traces(example_traces())

    def _load(self, read: Callable[[], TraceSet], name: str) -> None:
        self.error = None
        self.runner.start(
            "traces",
            lambda _: read(),
            done=self.show_traces,
            failed=self._tell,
            message=f"reading {Path(name).name}",
        )

    def show_traces(self, traces: TraceSet) -> None:
        """Show the first of these traces."""
        self.error = None
        self._readings.clear()
        self.runner.cancel("trace")
        self.traces = traces
        self._quiet = True
        try:
            self.state.trace = 0 if len(traces) else None
        finally:
            self._quiet = False
        self._open_trace()

    def trace_index(self, value: Any) -> int | None:
        """Return the index of a trace given by index or id.

        Raises
        ------
        InputError
            There is no such trace.
        """
        if value is None:
            return None
        traces = self.traces
        count = 0 if traces is None else len(traces)
        if traces is not None and isinstance(value, str):
            for index, trace in enumerate(traces):
                if trace.id == value:
                    return index
            raise InputError(f"No trace here has the id {value!r}; there are {count} traces.")
        if isinstance(value, int | np.integer) and -count <= value < count:
            return int(value % count)
        if count == 0:
            raise InputError("No traces are loaded. Use Explorer.from_traces(path) first.")
        raise InputError(f"trace must lie in 0 to {count - 1}, or be an id; got {value!r}.")

    def _on_trace(self, _: Mapping[str, Any]) -> None:
        if not self._quiet:
            self._open_trace()

    def _open_trace(self) -> None:
        self.runner.cancel("trace")
        self.draft = None
        traces, index = self.traces, self.state.trace
        if traces is None or index is None:
            self.state.trace_scene = None
            return
        if self.state.tab == "traces":
            self.state.selection = None
        key = (id(traces), index)
        if key in self._readings:
            self.state.trace_scene = self._readings[key]
            return
        trace = traces[index]
        try:
            found = evidence(trace)
            self.error = None
        except ExplorerError as error:
            self._tell(error)
            found = Evidence(
                "none", None, [Unit(e.id, e.hyperedge, (), 0) for e in trace.hyperedges]
            )
        self.state.trace_scene = TraceScene(trace, index, found)

    def read_trace(self) -> None:
        """Let the model answer the trace (or read its given answer), and record the attention."""
        scene: TraceScene | None = self.state.trace_scene
        if scene is None:
            return
        name = self.state.model or DEFAULT_MODEL
        key = (id(self.traces), scene.index)
        trace = scene.trace
        self.error = None
        self.draft = "" if not trace.answer.strip() else None

        def work(job: Job) -> TraceScene:
            model = self._model_of(name, job)
            answer = trace.answer.strip() or None
            if answer is None and model.kind == "encoder":
                raise ModelCapabilityError(
                    f"{model.label} is an encoder and cannot write an answer. Choose a causal "
                    f"model such as {DEFAULT_MODEL}, or give the trace an answer."
                )
            pieces: list[str] = []

            def draft(piece: str) -> None:
                pieces.append(piece)
                job.report("answering", None, "".join(pieces))

            reading = model.read(
                trace.query,
                [edge.hyperedge for edge in trace.hyperedges],
                answer,
                progress=lambda p: self._pass_on(job, p),
                on_text=draft,
                cancel=job.cancel,
            )
            return _read_scene(scene, reading, name)

        self.model_status = {
            "kind": "ready" if name in self._models else "busy",
            "text": "ready" if name in self._models else "loading",
        }

        def done(read: TraceScene) -> None:
            self._model_ready(name)
            self.error = None
            self.draft = None
            # Only the newest reading keeps its token map: each may hold some hundred MB.
            for other, older in self._readings.items():
                self._readings[other] = replace(older, token_attention=None, token_units=())
            self._readings[key] = read
            self.state.trace_scene = read

        def failed(error: BaseException) -> None:
            self.draft = None
            self._code_failed(error, name)

        self.runner.start("trace", work, done=done, failed=failed, message="reading the trace")

    # gestures

    def set_from_page(self, message: Mapping[str, Any], _: Any = None) -> None:
        """Set a trait that the page asks for; what is refused is said in the app."""
        if message["name"] not in _SETTABLE:
            return
        try:
            setattr(self.state, str(message["name"]), message["value"])
        except (ExplorerError, t.TraitError) as error:
            self._tell(error)

    # reports

    def cancel(self, lane: str | None = None) -> None:
        """Stop what is under way; what was there before stays."""
        lanes = [lane] if lane else list(self.reports)
        for name in lanes:
            self.runner.cancel(name)
        self.draft = None
        if self.state.model is not None:
            self._take_model_back()

    def tell(self, error: BaseException) -> None:
        """Show an error in the app."""
        self._tell(error)

    def _tell(self, error: BaseException) -> None:
        self.failure = error
        if isinstance(error, Cancelled):
            self.error = None
        elif isinstance(error, ExplorerError):
            self.error = str(error)
        elif isinstance(error, MemoryError):
            self.error = (
                "There is not enough memory for this. Take a shorter text or a smaller model."
            )
        else:
            self.error = (
                f"Something went wrong that explorer did not expect: {type(error).__name__}: "
                f"{error}. What was shown before is kept; try again, or choose another model."
            )

    def _on_report(self, lane: str, report: JobReport | None) -> None:
        reports = {name: value for name, value in self.reports.items() if name != lane}
        if report is not None:
            reports[lane] = report
            if isinstance(report.partial, str):
                self.draft = report.partial
        self.reports = reports


def _read_scene(scene: TraceScene, reading: Reading, model: str) -> TraceScene:
    trace = scene.trace
    found = {
        "unit_attention": reading.attention.array,
        "unit_topk": reading.attention.topk,
        "unit_topk_k": reading.attention.k,
        "unit_tokens": [len(tokens) for tokens in reading.unit_tokens],
        "answer_tokens": list(reading.answer_tokens),
        "model": model,
    }
    read = msgspec.structs.replace(
        trace, answer=reading.answer, metadata={**trace.metadata, **found}
    )
    token_units = tuple(
        Unit(edge.id, edge.hyperedge, spans, sum(stop - start for start, stop in spans))
        for edge, spans in zip(trace.hyperedges, reading.spans, strict=True)
    )
    return TraceScene(
        read, scene.index, evidence(read), reading.token_attention, token_units, reading.notes
    )


def _language(text: str) -> str | None:
    from explorer.source import detect_language

    return detect_language(text)


def _packaged_scene(text: str, model: str) -> CodeScene | None:
    """Return the recorded scene of a packaged program, so that the first view needs no model."""
    from explorer.examples import recorded_program

    found = recorded_program(text, model)
    if found is None:
        return None
    return CodeScene(
        text=text,
        tokens=found.tokens,
        offsets=found.offsets,
        special=found.special,
        attention=found.attention,
        model=model,
        language=found.language,
        stop=len(found.tokens),
        n_total=len(found.tokens),
        notes=tuple(found.attention.notes),
    )
