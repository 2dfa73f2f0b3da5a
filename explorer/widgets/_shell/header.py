"""The header: tabs, the model menu, and the buttons to copy, save and read help."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from explorer.widgets._base.panel import Panel
from explorer.widgets._session import Session
from explorer.widgets._shell import texts
from explorer.widgets._state import ExplorerState


class HeaderPanel(Panel):
    """Draws the header.

    Parameters
    ----------
    state, session
        As for every panel.
    save
        Called with the kind of file that was chosen from the save menu.
    copy
        Returns the text that the copy button puts on the clipboard.
    """

    def __init__(
        self,
        state: ExplorerState,
        session: Session,
        *,
        save: Callable[[str], None],
        copy: Callable[[], str],
    ) -> None:
        super().__init__(state, session)
        self._models = session.models
        self._copy = copy
        self._own_page = session.live
        gestures = {"save": lambda message: save(message["what"]), "copy": self._hand_copy}
        words = texts.PAGE_TEXTS["header"]
        if session.live:
            words = {**words, "keys_list": texts.PAGE_KEYS}
        self.widget = self.header = self.part("header", words, gestures, styled=True)
        self.draw_on(self._show, "tab", "model")
        self.draw_on(self._show, "status", of=session.models)
        self.begin()

    def _hand_copy(self, _: Mapping[str, Any]) -> None:
        self.header.tell({"kind": "copy", "text": self._copy()})

    def hand_file(self, download: Mapping[str, Any]) -> None:
        """Give the page a file to save."""
        self.header.tell({"kind": "download", **download})

    def _show(self) -> None:
        choices = self._models.choices()
        here = [[name, label, note] for name, label, note, installed in choices if installed]
        away = [[name, label, note] for name, label, note, installed in choices if not installed]
        name = self.state.model
        if name is None:
            here = [["", *texts.NO_MODEL], *here]
        elif name not in {entry[0] for entry in (*here, *away)}:
            here = [[name, str(name), ""], *here]
        self.header.show(
            tab=self.state.tab,
            tabs=[] if self._own_page else texts.TABS,
            own_page=self._own_page,
            model=name or "",
            models=[
                {"group": texts.INSTALLED_MODELS, "options": here},
                {"group": texts.HUB_MODELS, "options": away},
            ],
            status=self._models.status,
        )
