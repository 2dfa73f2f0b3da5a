"""A plot of units that can be clicked."""

from __future__ import annotations

from collections.abc import Callable

from explorer.widgets._plot.incremental_plot import WidePlot


class ClickablePlot(WidePlot):
    """A plot of a figure whose points are units.

    Parameters
    ----------
    name
        What a screen reader calls it.
    again
        Draws it; called when its width has changed.
    pick
        Called with the name of the unit that was clicked.
    """

    def __init__(self, name: str, again: Callable[[], None], pick: Callable[[str], None]) -> None:
        super().__init__(name, again)
        self._pick = pick
        self.plot.observe(self._clicked, "clicked")

    def _clicked(self, _: object) -> None:
        unit = self.clicked_unit()
        if unit is not None:
            self._pick(unit)

    def clicked_unit(self) -> str | None:
        """Return the unit that was clicked; None for a click elsewhere."""
        clicked, figure = self.plot.clicked or {}, self.figure
        index, trace = clicked.get("index"), clicked.get("trace")
        if figure is None or not isinstance(index, int) or not isinstance(trace, int):
            return None
        units = figure["layout"]["meta"].get("units", ())
        about_entities = str(figure["data"][trace].get("name", "")).startswith("entity")
        return str(units[index]) if index < len(units) and not about_entities else None
