"""`CodePage`: the Code tab on a page of its own, with the panels and controllers of the app."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import traitlets as t

from explorer.errors import ExplorerError, InputError
from explorer.widgets._code.controller import Recorded
from explorer.widgets._code.panel import CodePanel
from explorer.widgets._jobs.job_manager import JobManager
from explorer.widgets._jobs.job_runner import Job
from explorer.widgets._jobs.model_controller import ModelController
from explorer.widgets._plot.separate_page import Send, SeparatePage
from explorer.widgets._session import Session
from explorer.widgets._shell import export
from explorer.widgets._shell.saving import ViewSaver
from explorer.widgets._shell.shell import Shell
from explorer.widgets._state import ExplorerState

SETTINGS = (
    "model", "unit_kind", "threshold", "threshold_mode", "threshold_scale", "reduction",
    "normalisation", "direction", "colour_scale", "colour_range", "scaling", "hide_special",
    "hide_sink", "measure", "bar_order",
)  # fmt: skip
"""Traits that a page may begin with; layer and head are chosen when there is a map."""


class CodePage(ExplorerState):
    """State, session and panels of the Code tab, for one page.

    It is made, used and closed in one thread, inside a callback of that thread's event loop.

    Parameters
    ----------
    send
        Gets what the panels send; see `SeparatePage`.
    make_models
        Makes the controller that loads and keeps models.
    read
        Records a text with a model, on a worker's thread: as `CodeController.read`.

    Attributes
    ----------
    places
        From the name of each part of the page to its model id.
    """

    def __init__(
        self,
        send: Send,
        make_models: Callable[[ExplorerState, JobManager], ModelController],
        read: Callable[[Any, str, int, Job], Recorded],
    ) -> None:
        super().__init__()
        self._page = SeparatePage(send)
        session = self._session = Session(self, make_models, live=True)
        session.code.read = read
        with self._page.building():
            self._code = CodePanel(self, session)
            self._saver = ViewSaver(self, session)
            self._shell = Shell(
                self,
                session,
                save=lambda kind: self._saver.hand_over(kind, self._shell.header.hand_file),
                copy=lambda: export.python_of(self),
            )
        parts = {
            "header": self._shell.header.header,
            "toolbar": self._shell.toolbar.toolbar,
            "head_selector": self._shell.head_selector.selector,
            "code_text": self._code.text,
            "status": self._shell.status_line.status,
        }
        plots = {"heatmap": self._code.heat.plot, "bars": self._code.bars.plot}
        self._wires = {name: part.wire for name, part in parts.items()}
        self._wires |= {name: plot.channel for name, plot in plots.items()}
        self.places = {name: wire.model_id for name, wire in self._wires.items()}

    def begin(self, view: Mapping[str, Any]) -> None:
        """Show this view: settings, layer, head and ``source``; what is not valid is said there."""
        session = self._session
        indices = {name: view[name] for name in ("layer", "head") if name in view}
        session.head_view.want(**indices)
        refused: Exception | None = None
        for name in SETTINGS:
            if name not in view:
                continue
            try:
                # Models are loaded with the first text.
                with session.models.silently():
                    setattr(self, name, view[name])
            except (ExplorerError, t.TraitError) as error:
                refused = error
        session.begin()
        for wire in self._wires.values():
            self._page.follow(wire)
        try:
            self.source = view.get("source") or _example()
        except (ExplorerError, t.TraitError) as error:
            refused = error
        if refused is not None:
            session.jobs.tell(refused)
        elif self.model not in session.models and not session.jobs.runner.running("code"):
            # A packaged recording is in view; the first key needs the model.
            session.models.choose(self.model)

    def receive(
        self, model_id: str, content: Mapping[str, Any], buffers: Sequence[memoryview] = ()
    ) -> None:
        """Give a part of the page what the page sends it.

        Raises
        ------
        InputError
            There is no such part.
        """
        if content.get("kind") == "set" and content.get("name") == "tab":
            raise InputError("This page has one tab. Open a notebook for the others.")
        if not self._page.receive(model_id, content, buffers):
            raise InputError("The page has no part of this name. Reload the page.")

    def close(self) -> None:
        """Stop every job, and release what the page showed."""
        self._session.close()
        self._shell.close()
        self._code.close()
        self._page.close()
        self.unobserve_all()
        # References that form cycles through call-backs, and hold the attention.
        self.code_scene = self.focus = self.table = None


def _example() -> str:
    from explorer.examples import example_programs

    return example_programs()[0].code
