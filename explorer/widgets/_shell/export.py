"""The view as files: table, figure, picture, settings."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from explorer.errors import InputError
from explorer.traces import save_traces
from explorer.widgets._shell.saved_view import described_table, page, picture
from explorer.widgets._state import SETTINGS, ExplorerState

_FILES = {
    "table": ("feedback.csv", "text/csv"),
    "html": ("attention.html", "text/html"),
    "png": ("attention.png", "image/png"),
    "traces": ("traces.jsonl", "application/x-ndjson"),
    "settings": ("explorer.json", "application/json"),
}
_LARGEST_DOWNLOAD = 64 * 2**20


def settings_of(state: ExplorerState) -> dict[str, Any]:
    """Return the traits that say how things are shown, as JSON and `Explorer` take them."""
    settings = {name: getattr(state, name) for name in SETTINGS}
    if state.threshold_mode == "auto":
        settings["threshold"] = "auto"
    return settings | {"heads": None if state.heads is None else state.heads.to_dict()}


def contents(state: ExplorerState, kind: str) -> bytes:
    """Return the contents of a file of this kind.

    Raises
    ------
    InputError
        There is nothing to save yet, or no such kind.
    """
    if kind == "settings":
        return json.dumps(settings_of(state), indent=2).encode()
    if kind == "traces":
        return _traces_file(state)
    if state.table is None:
        raise InputError("There is nothing to save yet: run some code or load a trace first.")
    if kind == "table":
        csv: str = described_table(state, state.table).to_csv(index=False)
        return csv.encode()
    if kind == "html":
        return page(state).encode()
    if kind == "png":
        return picture(state)
    raise InputError(f"The kind of file must be one of {', '.join(_FILES)}; got {kind!r}.")


def download(state: ExplorerState, kind: str) -> dict[str, Any]:
    """Return a file as the page gets it."""
    if kind not in _FILES:
        raise InputError(f"The kind of file must be one of {', '.join(_FILES)}; got {kind!r}.")
    name, mime = _FILES[kind]
    encoded = base64.b64encode(contents(state, kind)).decode()
    return {"name": name, "mime": mime, "base64": encoded}


def python_of(state: ExplorerState) -> str:
    """Return Python that shows this view again."""
    shown = settings_of(state)
    defaults: dict[str, Any] = {name: state.default_of(name) for name in SETTINGS}
    defaults = {**defaults, "model": None}
    arguments = [
        f"{name}={value!r}"
        for name, value in shown.items()
        if value != defaults[name] or name in ("layer", "threshold")
    ]
    if state.selection is not None:
        arguments.append(f"selection={state.selection!r}")
    if state.tab == "code" and state.code_scene is not None and state.code_scene.model is None:
        arguments = [a for a in arguments if not a.startswith("model=")]
        call = f"Explorer.from_attention(attention, tokens, {', '.join(arguments)})"
        comment = "# attention, tokens: your own matrix"
        return f"from explorer import Explorer\n\n{comment}\n{call}\n"
    if state.tab != "code":
        path = getattr(getattr(state, "traces", None), "path", None)
        first = "" if path is None else f"{str(path)!r}, "
        arguments = [a for a in arguments if a != "tab='traces'"] + [f"trace={state.trace!r}"]
        call = f"Explorer.from_traces({first}{', '.join(arguments)})"
    else:
        call = f"Explorer.from_code({state.source!r}, {', '.join(arguments)})"
    return f"from explorer import Explorer\n\n{call}\n"


def _traces_file(state: ExplorerState) -> bytes:
    """Return the loaded traces as JSON Lines, with their labels and the attention recorded here."""
    traces = getattr(state, "traces", None)
    if traces is None or not len(traces):
        raise InputError("There are no traces to save: load some first.")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "traces.jsonl"
        save_traces(traces, path)
        size = path.stat().st_size
        if size > _LARGEST_DOWNLOAD:
            raise InputError(
                f"The traces are {size / 2**20:,.0f} MB, too large to download through the page. "
                'Write them from the notebook: app.save("traces.jsonl").'
            )
        return path.read_bytes()
