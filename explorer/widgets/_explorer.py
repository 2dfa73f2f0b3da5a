"""`Explorer`: the app, and the same state as public traits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import ipywidgets

from explorer.attention import AttentionMap, DenseAttention
from explorer.errors import InputError
from explorer.models import DEFAULT_MODEL
from explorer.rag._options import did_you_mean
from explorer.traces import Trace, TraceSet, load_traces, save_traces
from explorer.traces._files.file_streams import write_whole
from explorer.widgets._attention.feedback_controller import FeedbackController
from explorer.widgets._attention.head_view import HeadViewController
from explorer.widgets._code.panel import CodePanel
from explorer.widgets._code.scene import matrix_scene
from explorer.widgets._session import Session
from explorer.widgets._shell import export
from explorer.widgets._shell.shell import Shell
from explorer.widgets._state import ExplorerState
from explorer.widgets._thresholds.config_files import report_file
from explorer.widgets._thresholds.panel import ThresholdsPanel
from explorer.widgets._traces.panel import TracesPanel

if TYPE_CHECKING:
    import pandas as pd

_OWN_TRAITS = (
    "tab", "layer", "head", "threshold", "threshold_scale", "reduction", "normalisation",
    "unit_kind", "model", "source", "trace", "selection", "direction", "colour_scale", "scaling",
    "hide_special", "hide_sink", "measure", "bar_order", "method", "compare",
    "similarity_threshold", "citation_threshold", "reading_view", "weight_view", "update_strategy",
    "reference_threshold", "quality", "truth", "least_drop",
    "heads",
)  # fmt: skip


class Explorer(ExplorerState, ipywidgets.VBox):
    """Explore attention: code or RAG traces, a heatmap and feedback bars, in a notebook.

    Parameters
    ----------
    traces
        Traces for the traces tab; the packaged ones when left out.
    **traits
        Any trait of the app: ``layer``, ``head``, ``threshold``, ``reduction``,
        ``normalisation``, ``model``, ``source``, ``trace``, ``selection``, ``unit_kind`` ...; see
        `ExplorerState`. With none, the packaged examples are shown and no model is loaded.

    Attributes
    ----------
    feedback : pandas.DataFrame or None
        The feedback table in view.
    attention : AttentionMap or None
        The attention map in view.
    traces : TraceSet or None
        The loaded traces.

    Raises
    ------
    InputError
        An argument is unknown, or a value is not one that its trait takes.

    Examples
    --------
    >>> from explorer import Explorer
    >>> app = Explorer()
    >>> app.threshold = 0.05
    """

    def __init__(self, *, traces: TraceSet | None = None, **traits: Any) -> None:
        unknown = [name for name in traits if name not in _OWN_TRAITS and name != "layout"]
        if unknown:
            raise InputError(_unknown_argument(unknown[0]))
        layout = {"layout": traits.pop("layout")} if "layout" in traits else {}
        ipywidgets.VBox.__init__(self, **layout)
        self._ready_session(traits, traces)
        if self._focus_keeper.refused is not None:
            raise self._focus_keeper.refused
        self.add_class("explorer-app")
        self._main = ipywidgets.Box(
            [
                self._chrome.rail,
                self._code.widget,
                self._traces_panel.widget,
                self._thresholds_panel.widget,
            ],
            _dom_classes=("ex-main",),
        )
        self.children = [self._chrome.header, self._chrome.strip, self._main, self._chrome.status]
        self.observe(self._on_tab, names="tab")
        self._on_tab()

    def _ready_session(self, traits: dict[str, Any], traces: TraceSet | None) -> None:
        source, trace = traits.pop("source", None), traits.pop("trace", None)
        selection = traits.pop("selection", None)
        heads = traits.pop("heads", None)
        model = traits.pop("model", DEFAULT_MODEL)
        self.set_trait("model", model if isinstance(model, str) or model is None else DEFAULT_MODEL)
        self._session = Session(self)
        self._focus_keeper = HeadViewController(self, self._session.jobs.runner)
        self._focus_keeper.failed = self._session.jobs.tell
        self._focus_keeper.want(
            **{name: traits.pop(name) for name in ("layer", "head") if name in traits}
        )
        for name, value in traits.items():
            setattr(self, name, value)
        self.heads = heads  # last: what it is in the place of takes it away
        self._code = CodePanel(self, self._session)
        self._traces_panel = TracesPanel(self, self._session)
        self._thresholds_panel = ThresholdsPanel(self, self._session)
        self._table_keeper = FeedbackController(self, self._session.jobs.tell)
        self._focus_keeper.on_focus = self._table_keeper.focus_changed
        self._chrome = Shell(self, self._session)
        self._chrome.on_save(self._save)
        self._chrome.on_copy(lambda: export.python_of(self))
        if not isinstance(model, str) and model is not None:
            self.model = model
        if source is not None:
            self.source = source  # refused when empty
        elif model == DEFAULT_MODEL:
            self._show_example()
        if traces is None:
            self._session.traces.load_examples()
        else:
            self._session.traces.show(traces)
        if trace is not None:
            self.trace = trace
        if selection is not None:
            self._session.pin_later(selection)
        self._session.begin()

    def _show_example(self) -> None:
        from explorer.examples import example_programs

        self.source = example_programs()[0].code

    # made from something

    @classmethod
    def from_code(cls, code: str, **traits: Any) -> Self:
        """Explore the attention of a model over code.

        Parameters
        ----------
        code
            The code. The model (default SmolLM2-135M-Instruct) is loaded in the background.
        **traits
            Any trait of the app.

        Raises
        ------
        InputError
            The code is empty; without a running kernel also what the model says of the code.
        ModelError
            Without a running kernel: the model cannot be loaded. In a notebook the app says so.
        """
        if not isinstance(code, str):
            raise InputError(f"The code must be a string, but it is a {type(code).__name__}.")
        app = cls(source=code, **traits)
        app._raise_failure()
        return app

    @classmethod
    def from_traces(
        cls, traces: str | Path | TraceSet | Sequence[Trace] | None = None, **traits: Any
    ) -> Self:
        """Explore RAG traces.

        Parameters
        ----------
        traces
            Path of a trace file, or loaded traces; None for the packaged ones.
        **traits
            Any trait of the app.

        Raises
        ------
        TraceError
            The file cannot be read.
        """
        if isinstance(traces, str | Path):
            traces = load_traces(Path(traces).expanduser())
        elif traces is not None and not isinstance(traces, TraceSet):
            traces = TraceSet(traces)
        return cls(traces=traces, **{"tab": "traces", **traits})

    @classmethod
    def from_attention(
        cls, attention: Any, tokens: Sequence[str] | None = None, **traits: Any
    ) -> Self:
        """Explore attention that you bring.

        Parameters
        ----------
        attention
            An `AttentionMap`, or an array (queries, keys), (heads, queries, keys) or (layers,
            heads, queries, keys) with as many queries as keys; memory maps are not read whole.
        tokens
            One text per position.
        **traits
            Any trait of the app.

        Raises
        ------
        ShapeError, InputError
            The array is no attention, or the tokens do not fit it.
        """
        refused = {"model", "source", "trace", "traces"} & traits.keys()
        if refused:
            raise InputError(
                f"from_attention shows your own matrix and takes no {min(refused)}; use from_code "
                "or from_traces."
            )
        made = attention if isinstance(attention, AttentionMap) else DenseAttention(attention)
        scene = matrix_scene(made, None if tokens is None else list(tokens))
        app = cls(model=None, **{"unit_kind": "token", **traits})
        app._session.code.show_matrix(scene)
        if app._focus_keeper.refused is not None:
            raise app._focus_keeper.refused
        return app

    # results

    @property
    def feedback(self) -> pd.DataFrame | None:
        """The feedback table in view: one row per unit; waits for what is under way."""
        self.wait()
        table = self.table
        return None if table is None else table.copy()

    @property
    def attention(self) -> AttentionMap | None:
        """The attention map in view; waits for what is under way."""
        self.wait()
        return getattr(self.scene, "attention", None)

    @property
    def sweep(self) -> pd.DataFrame | None:
        """The sweep of the thresholds tab: one row per threshold; waits for what is under way.

        None before the tab was in front, and where the labels cannot judge what is chosen.
        """
        self.wait()
        analysis = self._session.thresholds.analysis
        return None if analysis is None else analysis.sweep.table.copy()

    @property
    def traces(self) -> TraceSet | None:
        """The loaded traces; set to show others: a `TraceSet`, traces, or a path."""
        self.wait()
        return self._session.traces.loaded

    @traces.setter
    def traces(self, traces: str | Path | TraceSet | Sequence[Trace]) -> None:
        if isinstance(traces, str | Path):
            traces = load_traces(Path(traces).expanduser())
        elif not isinstance(traces, TraceSet):
            traces = TraceSet(traces)
        self._session.traces.show(traces)

    @property
    def error(self) -> str | None:
        """What the app says went wrong; None when all is well."""
        return self._session.jobs.error

    def wait(self, timeout: float | None = None) -> bool:
        """Block until nothing is under way; False when `timeout` seconds were not enough."""
        return self._session.jobs.runner.wait(timeout, but=frozenset({"grid"}))

    def cancel(self) -> None:
        """Stop what is under way; what was shown before stays."""
        self._session.cancel()

    def close(self) -> None:
        """Stop what is under way and take the app off every page."""
        if hasattr(self, "_main"):  # missing when the arguments were refused
            self._session.close()
            for part in (self._chrome, self._code, self._traces_panel, self._thresholds_panel):
                part.close()
            self._main.layout.close()
            self._main.close()
            self.layout.close()
        super().close()

    def save(self, path: str | Path) -> None:
        """Write the view to a file, by its suffix: .csv, .html, .png or .json (settings).

        In the thresholds tab .html is the report, as `explorer.threshold_report` writes it.

        With .jsonl or .parquet all loaded traces are written, with their labels and what was
        recorded here.

        Raises
        ------
        InputError
            The suffix is none of these, there is nothing to write yet, or the file cannot be
            written; one that was there before stays then.
        TraceError
            The traces cannot be written there.
        """
        self.wait()
        path = Path(path)
        if path.suffix in (".jsonl", ".parquet"):
            if self.traces is None:
                raise InputError("There are no traces to save: load some first.")
            save_traces(self.traces, path)
            return
        kind = {".csv": "table", ".html": "html", ".png": "png", ".json": "settings"}.get(
            path.suffix
        )
        if kind is None:
            raise InputError(
                "Save to .csv, .html, .png or .json, or the traces to .jsonl or .parquet; "
                f"{path.name!r} ends in none of them."
            )
        if kind == "html" and self.tab == "thresholds":
            write_whole(path, self._session.report.page().encode(), "The report")
            return
        write_whole(path, export.contents(self, kind), "The view")

    def settings(self) -> dict[str, Any]:
        """The traits that say how things are shown, ready for JSON and for ``Explorer(**...)``."""
        return export.settings_of(self)

    def __repr__(self) -> str:
        """Say what is shown, in a line."""
        what = (
            f"tab={self.tab!r}, layer={self.layer}, head={self.head}, threshold={self.threshold:g}"
        )
        return f"Explorer({what}, model={self.model!r})"

    # showing

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        if data is not None:
            data["text/plain"] = repr(self)
        return bundle

    def _ipython_display_(self, **_: Any) -> None:
        from IPython.display import display

        display(self._repr_mimebundle_(), raw=True)
        still = export.still_picture(self)
        handle = display(_still_output(still), raw=True, display_id=True)
        if still is None and handle is not None:
            self._show_still_later(handle)

    def _show_still_later(self, handle: Any) -> None:
        """Put the still picture into the notebook once there is something to show."""

        def look(_: Any) -> None:
            still = export.still_picture(self)
            if still is not None:
                self.unobserve(look, names="table")
                handle.update(_still_output(still), raw=True)

        self.observe(look, names="table")

    # gestures

    def _on_tab(self, _: Any = None) -> None:
        for name, panel in (
            ("code", self._code),
            ("traces", self._traces_panel),
            ("thresholds", self._thresholds_panel),
        ):
            away = panel.widget.remove_class if self.tab == name else panel.widget.add_class
            away("ex-away")

    def _save(self, message: Mapping[str, Any]) -> None:
        kind = str(message.get("what"))
        if kind == "html" and self.tab == "thresholds":
            self._session.report.write(
                lambda page: self._chrome.header.tell({"kind": "download", **report_file(page)})
            )
            return
        try:
            self._chrome.header.tell({"kind": "download", **export.download(self, kind)})
        except Exception as error:  # noqa: BLE001 - whatever fails is said in the app
            self._session.jobs.tell(error)

    def _raise_failure(self) -> None:
        # Without a running loop the work is done by now, and an error belongs to the caller.
        if not self._session.jobs.runner.busy and self._session.jobs.failure is not None:
            raise self._session.jobs.failure


def _still_output(still: str | None) -> dict[str, str]:
    return {"text/html": still or "", "text/plain": ""}


def _unknown_argument(name: str) -> str:
    hint = did_you_mean(name, _OWN_TRAITS)
    return f"Explorer takes no argument {name!r}.{hint} It takes: {', '.join(_OWN_TRAITS)}."
