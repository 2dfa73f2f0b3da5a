"""Under the file: where heads and threshold come from, and what else can be asked for."""

from __future__ import annotations

from explorer.feedback._auto_threshold import DEFAULT_THRESHOLD
from explorer.widgets._base.panel import Panel
from explorer.widgets._session import Session
from explorer.widgets._state import ExplorerState
from explorer.widgets._traces._file import texts

_DRAWN_BY = (
    "threshold", "threshold_mode", "similarity_threshold", "citation_threshold",
    "lexical_threshold", "layer", "head", "heads", "reduction", "normalisation", "method",
    "packaged", "trace_scene",
)  # fmt: skip


class TraceSettingsPanel(Panel):
    """Says where the settings in view come from, a moment after the figures."""

    TAB = "traces"
    session: Session

    def __init__(self, state: ExplorerState, session: Session) -> None:
        super().__init__(state, session)
        settings = session.settings
        gestures = {
            "packaged": lambda _: settings.use_packaged(),
            "reference": lambda _: settings.use_reference(),
            "auto": lambda _: settings.use_auto(),
            "previous": lambda _: settings.use_previous(),
            "by_labels": lambda _: setattr(state, "tab", "thresholds"),
        }
        self.widget = self.settings = self.part(
            "trace_settings", texts.PAGE_TEXTS["trace_settings"], gestures
        )
        self.draw_on(self._show, *_DRAWN_BY, later=True)
        self.draw_on(self._show, "previous", of=settings, later=True)
        self.draw_on(self._show, "counts", of=session.traces, later=True)
        self.begin()

    def _show(self) -> None:
        state, session = self.state, self.session
        origin = session.settings.origin
        if state.method == "attention":
            title, text = texts.settings_origin(
                origin, None if state.packaged is None else state.packaged.held_out
            )
        else:
            name = state.threshold_name
            default = state.trait_defaults(name) if name != "threshold" else DEFAULT_THRESHOLD
            title = state.method
            text = texts.method_threshold(
                moves=state.method != "ensemble", default=getattr(state, name) == default
            )
        source, counts = session.traces.source, session.traces.counts
        offered = []
        if state.method == "attention":
            if source is not None and source.kind == "examples" and origin != "packaged":
                offered.append(["packaged", *texts.PACKAGED])
            if origin != "auto" and not origin.startswith("packaged"):
                offered.append(["auto", *texts.AUTO])
            if counts is not None and counts.labelled and origin not in ("packaged", "reference"):
                offered.append(["by_labels", *texts.BY_LABELS])
            if origin != "reference":
                offered.append(["reference", *texts.REFERENCE])
        if session.settings.previous:
            offered.append(["previous", *texts.settings_of(session.settings.previous)])
        self.settings.show(
            hidden=state.trace_scene is None, title=title, text=text, actions=offered
        )
