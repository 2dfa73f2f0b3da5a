"""Apps whose cell ran again: they are out of view for good, and are closed."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol


class Cell(NamedTuple):
    """A cell of a notebook that is running.

    Attributes
    ----------
    id
        What the page calls it.
    run
        Number of this run.
    names
        The variables of the notebook.
    """

    id: str
    run: int
    names: Mapping[str, Any]


class Closing(Protocol):
    """An app."""

    def close(self) -> None:
        """Stop its jobs and remove it from every page."""


class ShownApps:
    """Which app is shown in which cell, while the app lives.

    An app is closed when the only cell that shows it runs again and shows something else, unless a
    variable, or a list or dict that is one, still holds it: it may be shown again.
    """

    def __init__(self) -> None:
        self._runs: weakref.WeakKeyDictionary[Any, dict[str, int]] = weakref.WeakKeyDictionary()

    def show(self, app: Closing, cell: Cell | None) -> None:
        """Remember that an app is shown in a cell, and close those that it replaces there."""
        if cell is None:
            return
        for other, runs in list(self._runs.items()):
            replaced = runs.get(cell.id, cell.run) != cell.run
            if other is not app and replaced and len(runs) == 1 and not _held(other, cell.names):
                self._runs.pop(other)
                other.close()
        self._runs.setdefault(app, {})[cell.id] = cell.run


def running_cell() -> Cell | None:
    """Return the cell that runs; None where the host does not name its cells."""
    from IPython.core.getipython import get_ipython

    shell: Any = get_ipython()
    parent: Any = getattr(shell, "get_parent", dict)()
    name = (parent.get("metadata") or {}).get("cellId") if isinstance(parent, Mapping) else None
    if not isinstance(name, str):
        return None
    return Cell(name, int(shell.execution_count), shell.user_ns)


def _held(app: Any, names: Mapping[str, Any]) -> bool:
    """Whether a variable of the user holds an app; those of the history of outputs do not count."""
    for name, value in names.items():
        if name.startswith("_") or name == "Out":
            continue
        if value is app:
            return True
        inside = value.values() if isinstance(value, dict) else value
        if isinstance(value, dict | list | tuple) and any(one is app for one in inside):
            return True
    return False


SHOWN_APPS = ShownApps()
"""The apps of this kernel."""
