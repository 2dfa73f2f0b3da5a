"""The shell: header, toolbar, head selector and status line around the tabs."""

from __future__ import annotations

from collections.abc import Callable

from explorer.widgets._session import Session
from explorer.widgets._shell.head_selector import HeadSelectorPanel
from explorer.widgets._shell.header import HeaderPanel
from explorer.widgets._shell.status_line import StatusLinePanel
from explorer.widgets._shell.toolbar import ToolbarPanel
from explorer.widgets._state import ExplorerState


class Shell:
    """The panels that all tabs share; each follows the state, and none knows the others.

    Parameters
    ----------
    state, session, save, copy
        As for `HeaderPanel`.
    """

    def __init__(
        self,
        state: ExplorerState,
        session: Session,
        *,
        save: Callable[[str], None],
        copy: Callable[[], str],
    ) -> None:
        self.header = HeaderPanel(state, session, save=save, copy=copy)
        self.toolbar = ToolbarPanel(state, session)
        self.head_selector = HeadSelectorPanel(state, session)
        self.status_line = StatusLinePanel(state, session)

    def close(self) -> None:
        """Remove the panels from every page."""
        for panel in (self.header, self.toolbar, self.head_selector, self.status_line):
            panel.close()
