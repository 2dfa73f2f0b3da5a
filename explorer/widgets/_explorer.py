"""`Explorer`: the app, and the same state as public traits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import ipywidgets

from explorer.attention import AttentionMap, DenseAttention
from explorer.errors import InputError
from explorer.models import DEFAULT_MODEL
from explorer.rag._options import did_you_mean
from explorer.traces import Trace, TraceSet
from explorer.widgets._code.panel import CodePanel
from explorer.widgets._code.scene import matrix_scene
from explorer.widgets._results import ExplorerResults, as_trace_set
from explorer.widgets._session import Session
from explorer.widgets._shell import export
from explorer.widgets._shell.notebook_display import show_in_notebook
from explorer.widgets._shell.replaced_apps import SHOWN_APPS, running_cell
from explorer.widgets._shell.saving import ViewSaver
from explorer.widgets._shell.shell import Shell
from explorer.widgets._state import HEAD_SET_OVERRIDES, METHOD_THRESHOLDS, SETTINGS
from explorer.widgets._thresholds.panel import ThresholdsPanel
from explorer.widgets._traces.panel import TracesPanel

_ARGUMENTS = (*SETTINGS, "measure", "source", "trace", "selection")
_CONTENTS = frozenset({"model", "source", "trace", "selection", "heads"})
"""Arguments that say what is shown; the others say how."""
_OF_TRACES = frozenset({"heads", "method", *METHOD_THRESHOLDS.values()} - {"threshold"})
_SCORING = frozenset({"threshold", "threshold_mode", *HEAD_SET_OVERRIDES})
"""Arguments that say how traces are scored, the latter in the tab in front: with one of them the
first file takes no other settings."""

_CHOSEN = frozenset({"layer", "head", "heads", "selection"})
"""Arguments that say where to look; without any, the Code tab begins with a name and its uses."""


class Explorer(ExplorerResults, ipywidgets.VBox):
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
        unknown = [name for name in traits if name not in _ARGUMENTS and name != "layout"]
        if unknown:
            raise InputError(_unknown_argument(unknown[0]))
        layout = {"layout": traits.pop("layout")} if "layout" in traits else {}
        ipywidgets.VBox.__init__(self, **layout)
        model = traits.get("model", DEFAULT_MODEL)
        self.model = model if isinstance(model, str) or model is None else DEFAULT_MODEL
        self._session = Session(self)
        self._build(traits)
        self._show_first(traits, traces)
        if self._session.head_view.refused is not None:
            raise self._session.head_view.refused
        self.add_class("explorer-app")
        self.observe(self._on_tab, names="tab")
        self._on_tab()

    def _build(self, traits: dict[str, Any]) -> None:
        """Set the traits that say how things are shown, and make the panels."""
        session = self._session
        shown = {name: value for name, value in traits.items() if name not in _CONTENTS}
        session.head_view.want(
            **{name: shown.pop(name) for name in ("layer", "head") if name in shown}
        )
        # The tab first: threshold and normalisation are those of a tab.
        for name in sorted(shown, key=lambda name: name != "tab"):
            setattr(self, name, shown[name])
        self.heads = traits.get("heads")  # last: setting what it overrides removes it
        self._code = CodePanel(self, session)
        self._traces_panel = TracesPanel(self, session)
        self._thresholds_panel = ThresholdsPanel(self, session)
        self._saver = ViewSaver(self, session)
        self._shell = Shell(
            self,
            session,
            save=lambda kind: self._saver.hand_over(kind, self._shell.header.hand_file),
            copy=lambda: export.python_of(self),
        )
        tabs = [panel.widget for panel in self._tabs.values()]
        self._main = ipywidgets.Box(
            [self._shell.head_selector.widget, *tabs], _dom_classes=("ex-main",)
        )
        above = [self._shell.header.widget, self._shell.toolbar.widget]
        self.children = [*above, self._main, self._shell.status_line.widget]

    @property
    def _tabs(self) -> dict[str, Any]:
        """The panel of each tab."""
        return {
            "code": self._code,
            "traces": self._traces_panel,
            "thresholds": self._thresholds_panel,
        }

    def _show_first(self, traits: dict[str, Any], traces: TraceSet | None) -> None:
        """Show the code, traces and selection that the app begins with."""
        session, model = self._session, traits.get("model", DEFAULT_MODEL)
        of_traces = _OF_TRACES if traits.get("tab", "code") == "code" else _OF_TRACES | _SCORING
        if of_traces & traits.keys():
            session.settings.keep_given()
        if not _CHOSEN & traits.keys():
            session.look_first()
        if not isinstance(model, str) and model is not None:
            self.model = model
        if traits.get("source") is not None:
            self.source = traits["source"]  # refused when empty
        elif model == DEFAULT_MODEL:
            self._show_example()
        if traces is None:
            session.traces.load_examples()
        else:
            session.traces.show(traces)
        if traits.get("trace") is not None:
            self.trace = traits["trace"]
        if traits.get("selection") is not None:
            session.pin_later(traits["selection"])
        session.begin()

    def _show_example(self) -> None:
        from explorer.examples import example_programs

        self.source = example_programs()[0].code

    # construction

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
            The code is empty; without a running kernel also an error of the model about the code.
        ModelError
            Without a running kernel: the model cannot be loaded. In a notebook the app shows it.
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
        loaded = None if traces is None else as_trace_set(traces)
        return cls(traces=loaded, **{"tab": "traces", **traits})

    @classmethod
    def from_attention(
        cls, attention: Any, tokens: Sequence[str] | None = None, **traits: Any
    ) -> Self:
        """Explore your own attention.

        Parameters
        ----------
        attention
            An `AttentionMap`, or an array (queries, keys), (heads, queries, keys) or (layers,
            heads, queries, keys) with as many queries as keys; memory maps are not read whole.
        tokens
            One text per position.
        **traits
            Any trait of the app. By default all columns are shown (``hide_sink=False``), and scores
            are the numbers of the map (``normalisation="raw"``, ``threshold=0.1``).

        Raises
        ------
        ShapeError, InputError
            The array is not attention, or the tokens do not fit it.
        """
        refused = {"model", "source", "trace", "traces"} & traits.keys()
        if refused:
            raise InputError(
                f"from_attention shows your own matrix and takes no {min(refused)}; use from_code "
                "or from_traces."
            )
        made = attention if isinstance(attention, AttentionMap) else DenseAttention(attention)
        scene = matrix_scene(made, None if tokens is None else list(tokens))
        # Your numbers as they are; and the first key need not be a sink: encoders have none.
        own = {
            "hide_sink": False,
            "normalisation": "raw",
            "threshold_scale": "log",
            "threshold": 0.1,
        }
        app = cls(model=None, **{"unit_kind": "token", **own, **traits})
        app._session.code.show_matrix(scene)
        if app._session.head_view.refused is not None:
            raise app._session.head_view.refused
        return app

    def close(self) -> None:
        """Stop every job and remove the app from every page."""
        if hasattr(self, "_main"):  # missing when the arguments were refused
            self._session.close()
            for part in (self._shell, *self._tabs.values()):
                part.close()
            self._main.layout.close()
            self._main.close()
            self.layout.close()
        super().close()

    def save(self, path: str | Path) -> None:
        """Write the view to a file, by its suffix: .csv, .html, .png or .json (settings).

        In the thresholds tab .html is the report, as `explorer.threshold_report` writes it. With
        .jsonl or .parquet all loaded traces are written, with their labels and the attention that
        was recorded here.

        Raises
        ------
        InputError
            The suffix is not one of these, there is nothing to write yet, or the file cannot be
            written; an older file then stays as it was.
        TraceError
            The traces cannot be written to that path.
        """
        self.wait()
        self._saver.write(Path(path))

    def __repr__(self) -> str:
        """Return what is shown, in a line."""
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
        show_in_notebook(self, self._repr_mimebundle_())
        SHOWN_APPS.show(self, running_cell())

    # gestures

    def _on_tab(self, _: Any = None) -> None:
        for name, panel in self._tabs.items():
            away = panel.widget.remove_class if self.tab == name else panel.widget.add_class
            away("ex-away")

    def _raise_failure(self) -> None:
        # Without a running loop the work is done by now, and an error belongs to the caller.
        if not self._session.jobs.runner.busy and self._session.jobs.failure is not None:
            raise self._session.jobs.failure


def _unknown_argument(name: str) -> str:
    hint = did_you_mean(name, _ARGUMENTS)
    return f"Explorer takes no argument {name!r}.{hint} It takes: {', '.join(_ARGUMENTS)}."
