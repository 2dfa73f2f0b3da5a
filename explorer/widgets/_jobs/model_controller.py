"""The models of the session, and the status of the chosen one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import traitlets as t

from explorer.errors import InputError
from explorer.models import Model, available_models
from explorer.widgets._jobs.job_manager import JobManager
from explorer.widgets._jobs.job_runner import Job
from explorer.widgets._state import ExplorerState

_IDLE = {"kind": "idle", "text": "not loaded"}
_BUSY = {"kind": "busy", "text": "loading"}
_READY = {"kind": "ready", "text": "ready"}


class ModelController(t.HasTraits):
    """Loads models when they are needed and keeps them.

    Attributes
    ----------
    quiet
        Whether traits change without starting what a change by the user starts.
    """

    status = t.Dict(_IDLE, help="Status of the model, for the header.")

    def __init__(self, state: ExplorerState, jobs: JobManager) -> None:
        super().__init__()
        self.state = state
        self.jobs = jobs
        self.quiet = False
        self._models: dict[str, Model] = {}
        self._loading = threading.Lock()
        self._last = state.model
        jobs.observe(self._loaded_meanwhile, names="reports")

    def __contains__(self, name: object) -> bool:
        """Whether a model of this name is loaded."""
        return name in self._models

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

    def choices(self) -> list[tuple[str, str, str, bool]]:
        """Return name, label, note, and whether it is installed, for every model of the menu."""
        choices = [(c.name, c.label, c.note, c.installed) for c in available_models()]
        known = {name for name, *_ in choices}
        own = [
            (name, model.label, "A model of this session.", True)
            for name, model in self._models.items()
            if name not in known
        ]
        return [*own, *choices]

    def warm_up(self) -> None:
        """Import what a model needs in the background: the user is about to run one."""
        if not self._models:
            from explorer.models import warm_up

            warm_up()

    def of(self, name: str, job: Job) -> Model:
        """Return the model, loading it first when needed (on the worker's thread)."""
        if name in self._models:
            return self._models[name]
        from explorer.models import load_model

        with self._loading:
            job.check()
            if name not in self._models:
                self._models[name] = load_model(
                    name, progress=job.control.progress, cancel=job.cancel
                )
        return self._models[name]

    def choose(self, name: str) -> None:
        """Load the chosen model in the background."""
        self.status = _BUSY
        self.jobs.runner.start(
            "model",
            lambda job: self.of(name, job),
            done=lambda model: self.ready(model.name),
            failed=self.failed,
            message=f"loading {name}",
        )

    def starting(self, name: str) -> str:
        """Set the status for a job with this model; return the message of its first step."""
        loaded = name in self
        self.status = _READY if loaded else _BUSY
        return "" if loaded else f"loading {name}"

    def _loaded_meanwhile(self, _: Any) -> None:
        """Set the status to ready once the model is loaded: its job may go on for long."""
        if self.status == _BUSY and self.state.model in self:
            self.status = _READY

    def ready(self, name: str) -> None:
        """Remember a model that works."""
        self._last = name
        self.status = _READY

    def failed(self, error: BaseException, name: str | None = None) -> None:
        """Show the error; a model that never worked is no longer the chosen one."""
        self.jobs.tell(error)
        if name is not None and name in self:
            self.ready(name)
        else:
            self.take_back()

    def take_back(self) -> None:
        """Choose the last model that worked, unless the chosen one is loaded."""
        if self.state.model not in self:
            with self.silently():
                self.state.model = self._last
        self.status = _READY if self.state.model in self else _IDLE

    def own_matrix(self) -> None:
        """Set the status for a matrix that the user brought, without a model."""
        with self.silently():
            self.state.model = None
        self.status = {"kind": "idle", "text": "your own matrix"}

    @contextmanager
    def silently(self) -> Iterator[None]:
        """Change traits without starting what a change by the user starts."""
        self.quiet = True
        try:
            yield
        finally:
            self.quiet = False
