"""Where loaded traces come from, so that they can be read again in another format."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from explorer.traces import TraceSet, load_traces, parse_traces
from explorer.widgets._traces._file import texts


@dataclass(frozen=True, eq=False)
class TraceSource:
    """Where traces come from.

    Parameters
    ----------
    kind
        The packaged examples, a path, an upload, or traces given in a notebook.
    name
        Name for people, such as that of the file.
    path
        The path of a file.
    contents
        The contents of an upload.
    """

    kind: Literal["examples", "path", "upload", "given"]
    name: str
    path: Path | None = None
    contents: bytes | None = None

    @classmethod
    def of_path(cls, path: str | Path) -> Self:
        """Return the source of a path as a user gives it."""
        wanted = Path(path).expanduser()
        return cls("path", wanted.name or str(path), wanted)

    @classmethod
    def of_upload(cls, contents: bytes, name: str) -> Self:
        """Return the source of an uploaded file."""
        return cls("upload", Path(name).name or name, contents=contents)

    @classmethod
    def of_traces(cls, traces: TraceSet) -> Self:
        """Return the source of traces that a notebook gives: their file where there is one."""
        path = traces.path
        if path is not None and path.is_file():
            return cls("path", path.name, path)
        return cls("given", texts.GIVEN_TRACES if path is None else path.name)

    @classmethod
    def examples(cls) -> Self:
        """Return the source of the packaged traces."""
        return cls("examples", texts.EXAMPLE_TRACES)

    @property
    def key(self) -> tuple[object, ...]:
        """What tells this source from another, also when it is opened again."""
        if self.path is not None:
            return (self.kind, str(self.path.absolute()))
        return (self.kind, self.name, None if self.contents is None else len(self.contents))

    @property
    def has_formats(self) -> bool:
        """Whether it can be read again in a format that the user names."""
        return self.path is not None or self.contents is not None

    @property
    def can_be_read(self) -> bool:
        """Whether there is something to read: contents, or a file at the path."""
        return self.contents is not None or (self.path is not None and self.path.is_file())

    def read(self, format: str | None = None) -> TraceSet:  # noqa: A002 - what users call it
        """Return its traces, in this format or in the one that is detected.

        Raises
        ------
        TraceError
            It cannot be read.
        """
        if self.contents is not None:
            return parse_traces(self.contents, self.name, format=format)
        if self.path is not None:
            return load_traces(self.path, format=format)
        from explorer.examples import example_traces

        return example_traces()
