"""The scene of the code: recorded by a model, or with the package."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from explorer.attention import AttentionMap
from explorer.models import DEFAULT_MODEL, Model, TokenizedText
from explorer.widgets._code import texts
from explorer.widgets._code.scene import CodeScene
from explorer.widgets._jobs.job_manager import JobManager
from explorer.widgets._jobs.job_runner import Job
from explorer.widgets._jobs.model_controller import ModelController
from explorer.widgets._state import ExplorerState

Recorded = tuple[TokenizedText, AttentionMap]
"""The tokens of a text and their attention."""


def record_text(model: Model, text: str, start: int, job: Job) -> Recorded:
    """Record a text from token `start` on."""
    tokenized = model.tokenize(text, start)
    job.report(texts.recording(len(tokenized.tokens)), None, None)
    return tokenized, model.record(tokenized, cancel=job.cancel)


class CodeController:
    """Keeps `state.code_scene` in step with the code and the model.

    Attributes
    ----------
    read
        Records a text with a model, on a worker's thread.
    """

    def __init__(self, state: ExplorerState, jobs: JobManager, models: ModelController) -> None:
        self.state = state
        self.jobs = jobs
        self.models = models
        self.on_showing: Callable[[CodeScene], None] = lambda _: None
        self.on_shown: Callable[[], None] = lambda: None
        self.read: Callable[[Model, str, int, Job], Recorded] = record_text

    @property
    def stale(self) -> bool:
        """Whether the code in view was read by another model than the chosen one."""
        scene = self.state.code_scene
        return scene is not None and scene.model not in (None, self.state.model)

    def record(self, start: int = 0, *, afresh: bool = False) -> None:
        """Record the attention of the state's code from token `start` on.

        A recording of the package is shown at once, unless `afresh` is set.
        """
        self.jobs.clear()
        name = self.state.model or DEFAULT_MODEL
        text = self.state.source
        afresh = afresh or start > 0 or name in self.models
        packaged = None if afresh else _packaged_scene(text, name)
        if packaged is not None:
            self.show(packaged)
            return

        def work(job: Job) -> CodeScene:
            model = self.models.of(name, job)
            tokenized, attention = self.read(model, text, start, job)
            return CodeScene(
                text=text,
                tokens=tokenized.tokens,
                offsets=tokenized.offsets,
                special=tokenized.special,
                attention=attention,
                model=name,
                found=_language(text),
                start=tokenized.start,
                stop=tokenized.stop,
                n_total=tokenized.n_total,
                notes=tuple(attention.notes),
            )

        def done(scene: CodeScene) -> None:
            self.models.ready(name)
            self.show(scene)

        message = self.models.starting(name) or texts.RECORDING
        self.jobs.runner.start(
            "code",
            work,
            done=done,
            failed=lambda error: self.models.failed(error, name),
            message=message,
        )

    def show_matrix(self, scene: CodeScene) -> None:
        """Show a user's own matrix: there is no model behind it."""
        self.models.own_matrix()
        if scene.text.strip():
            with self.models.silently():
                self.state.source = scene.text
        self.show(scene)

    def show(self, scene: CodeScene) -> None:
        """Put a scene in view."""
        self.jobs.clear()
        if self.state.tab == "code":
            self.state.selection = None
            self.on_showing(replace(scene, language=self._language_of(scene)))
        self._put(scene)
        self.on_shown()

    def language_changed(self, _: object = None) -> None:
        """Find the units of the code anew, by another language; its attention stays."""
        scene = self.state.code_scene
        if scene is not None and self._language_of(scene) != scene.language:
            self._put(scene)

    def _language_of(self, scene: CodeScene) -> str | None:
        chosen = self.state.language
        return {"auto": scene.found, "text": None}.get(chosen, chosen)

    def _put(self, scene: CodeScene) -> None:
        """Put a scene in view, with units that its language has."""
        state = self.state
        scene = replace(scene, language=self._language_of(scene))
        with state.batch():
            if state.unit_kind not in scene.unit_kinds:
                if state.selection is not None and state.selection["kind"] == "unit":
                    state.selection = None
                state.unit_kind = "line"
            state.code_scene = scene


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
        found=found.language,
        stop=len(found.tokens),
        n_total=len(found.tokens),
        notes=tuple(found.attention.notes),
    )
