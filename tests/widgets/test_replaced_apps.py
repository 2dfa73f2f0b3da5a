"""A cell that runs again closes the app that it showed before."""

from __future__ import annotations

from typing import Any

import pytest
from ipywidgets.widgets.widget import _instances as models

from explorer import Explorer
from explorer.widgets._shell.replaced_apps import Cell, ShownApps


def _run(shown: ShownApps, run: int, names: dict[str, Any], cell: str = "a") -> Explorer:
    app = Explorer()
    names["app"] = app
    shown.show(app, Cell(cell, run, names))
    return app


def test_three_runs_of_a_cell_leave_one_app() -> None:
    Explorer().close()  # the code of the page stays
    shown, names = ShownApps(), {"Out": {}}  # type: dict[str, Any]
    before = len(models)
    app = _run(shown, 1, names)
    one = len(models) - before
    assert one > 50
    for number in (2, 3, 4):
        names["Out"][number] = names[f"_{number}"] = app  # as the history of outputs has it
        app = _run(shown, number, names)
        assert len(models) - before == one
    app.close()
    assert len(models) == before


@pytest.mark.parametrize("held", ["variable", "list", "dict", "other cell", "same run"])
def test_an_app_that_may_be_shown_again_stays(held: str) -> None:
    shown, names = ShownApps(), {}  # type: dict[str, Any]
    app = _run(shown, 1, names)
    if held == "other cell":
        shown.show(app, Cell("b", 2, names))
    names |= {"variable": {"mine": app}, "list": {"all": [app]}, "dict": {"by": {"x": app}}}.get(
        held, {}
    )
    other = _run(shown, 1 if held == "same run" else 3, names)
    assert app.comm is not None
    app.close()
    other.close()


def test_a_host_without_names_of_cells_closes_nothing() -> None:
    shown = ShownApps()
    first, second = Explorer(), Explorer()
    for app in (first, second):
        shown.show(app, None)
    assert first.comm is not None
    first.close()
    second.close()
