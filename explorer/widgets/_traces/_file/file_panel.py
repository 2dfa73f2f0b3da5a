"""The top of the RAG traces tab: which file is open, what it brings, and what went wrong."""

from __future__ import annotations

from typing import Any

from explorer.traces import TraceSet
from explorer.traces._io.format_detection import known_formats
from explorer.traces._model.label_store import SUFFIX
from explorer.widgets._base.panel import Panel
from explorer.widgets._session import Session
from explorer.widgets._shell.uploads import Uploads
from explorer.widgets._state import ExplorerState
from explorer.widgets._traces._file import texts

_MOST_PROBLEMS = 100


class TraceFilePanel(Panel):
    """Loads trace files and shows which one is open."""

    TAB = "traces"
    session: Session

    def __init__(self, state: ExplorerState, session: Session) -> None:
        super().__init__(state, session)
        traces = session.traces
        gestures = {
            "load_path": lambda message: traces.load_path(str(message["path"])),
            "load_as": lambda message: traces.load_as(str(message["format"])),
            "load_examples": lambda _: traces.load_examples(),
            "dismiss": lambda _: traces.dismiss(),
            "save_labels": lambda _: self._hand_labels(),
            "write_labels": lambda message: session.labels.write_with_labels(str(message["path"])),
        }
        self.widget = self.file = self.part("trace_file", texts.PAGE_TEXTS["trace_file"], gestures)
        Uploads(self.file, self._load, traces.refuse)
        self.draw_on(self._show, "loaded", "source", "counts", "opening", "refused", of=traces)
        self.draw_on(self._show, "unsaved", of=session.labels)
        self.begin()

    def _load(self, contents: bytes, name: str) -> None:
        if name.endswith(SUFFIX):
            self.session.labels.take(contents, name)
        else:
            self.session.traces.load_bytes(contents, name)

    def _hand_labels(self) -> None:
        found = self.session.labels.download()
        if found is not None:
            self.file.tell({"kind": "download", **found})

    def _show(self) -> None:
        traces = self.session.traces
        source, counts, loaded = traces.source, traces.counts, traces.loaded
        formats = [list(pair) for pair in known_formats().items()]
        self.file.show(
            name=texts.NO_FILE if source is None else source.name,
            format="" if loaded is None else loaded.format,
            formats=formats if source is not None and source.has_formats else [],
            counts=[]
            if counts is None
            else texts.file_counts(
                counts.traces,
                counts.counted,
                counts.hyperedges,
                counts.answers,
                counts.attention,
                counts.scores,
            ),
            labels="" if counts is None else texts.labels_given(counts.labelled, counts.hyperedges),
            kept=self._labels_kept(),
            unsaved=self.session.labels.unsaved > 0,
            problems=file_problems(loaded),
            opening=traces.opening,
            failure=self._failure(formats),
        )

    def _labels_kept(self) -> str:
        """Say where labels are kept."""
        loaded, source = self.session.traces.loaded, self.session.traces.source
        if loaded is None or source is None:
            return ""
        store = loaded.given_labels
        if store.path is not None:
            return texts.labels_in(store.path.name)
        if self.session.labels.unsaved:
            return texts.labels_in_memory(store.count)
        return "" if source.kind == "examples" else texts.LABELS_STAY_IN_MEMORY

    def _failure(self, formats: list[list[str]]) -> dict[str, Any] | None:
        """Return what the page says of a file that could not be loaded."""
        refused, source = self.session.traces.refused, self.session.traces.source
        if refused is None:
            return None
        readable = refused.source is not None and refused.source.can_be_read
        return {
            "title": texts.not_loaded(refused.name),
            "message": refused.message,
            "still": "" if source is None else texts.still_shown(source.name),
            "formats": formats if readable else [],
        }


def file_problems(traces: TraceSet | None) -> dict[str, Any]:
    """Return the problems of the loaded file: title, the first of them, and how many more."""
    found = () if traces is None else traces.problems
    lines = [problem for problem in found if problem.line]
    left_out = sum(not problem.loaded for problem in lines)
    return {
        "title": texts.problems_title(left_out, len(lines) - left_out, len(found) - len(lines)),
        "lines": [[problem.line, problem.message] for problem in found[:_MOST_PROBLEMS]],
        "more": texts.more_problems(len(found) - _MOST_PROBLEMS),
    }
