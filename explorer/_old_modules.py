"""Old module paths that the documentation named: they import for one release, with a warning."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

MOVED: dict[str, str] = {
    "explorer.rag.order": "explorer.rag._weights.update_order",
    "explorer.rag.trajectory": "explorer.rag._weights.weight_trajectory",
    "explorer.rag.updater": "explorer.rag._weights.updater",
    "explorer.widgets.plot": "explorer.widgets._plot.plot",
}
"""Old path to the module that holds its names now."""

RENAMED = {"explorer.rag.trajectory": {"follow": "follow_weights"}}
"""Names of an old module that have a new name now."""


class _OldModuleLoader(Loader):
    """Load an old path as a module that takes every name from the new one."""

    def __init__(self, new: str) -> None:
        self._new = new

    def exec_module(self, module: ModuleType) -> None:
        """Fill the module and warn about its path."""
        package = ".".join(module.__name__.split(".")[:2])
        renamed = RENAMED.get(module.__name__, {})
        changed = "".join(f", where {old} is now {new}" for old, new in renamed.items())
        warnings.warn(
            f"The module {module.__name__} is no longer public; import its names from "
            f"{package}{changed}. The old path will be removed in the next release.",
            DeprecationWarning,
            stacklevel=2,
        )
        current = import_module(self._new)
        names = {name: value for name, value in vars(current).items() if name[:2] != "__"}
        vars(module).update(names)
        for old, new in renamed.items():
            vars(module)[old] = names[new]


class OldModuleFinder(MetaPathFinder):
    """Find the modules of `MOVED` under their old paths."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Return the spec of an old path; None for any other name."""
        new = MOVED.get(fullname)
        return None if new is None else ModuleSpec(fullname, _OldModuleLoader(new))


def install() -> None:
    """Let the old paths be imported. Calling it again changes nothing."""
    if not any(isinstance(finder, OldModuleFinder) for finder in sys.meta_path):
        sys.meta_path.append(OldModuleFinder())
