"""A report as a reader has it: its tables by caption, and what an HTML parser makes of the page."""

from __future__ import annotations

import json
from html.parser import HTMLParser

ALONE = {"meta", "br", "hr"}
"""Elements that have no end."""


class ReadPage(HTMLParser):
    """What stands on a page.

    Attributes
    ----------
    tables
        By caption, every table as rows of cells; the first row has the headings.
    elements
        Each element's name and attributes, in the order of the page.
    scripts
        The contents of the script elements.
    sections
        By id, the text of each section.
    lead
        The first sentence.
    """

    def __init__(self, written: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: dict[str, list[list[str]]] = {}
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.sections: dict[str, str] = {}
        self.lead = ""
        self.text = ""
        self._open: list[tuple[str, dict[str, str | None]]] = []
        self._rows: list[list[str]] = []
        self._caption = ""
        self.feed(written)
        self.close()
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag, attrs):
        assert len({name for name, _ in attrs}) == len(attrs), attrs
        self.elements.append((tag, dict(attrs)))
        if tag in ALONE:
            return
        self._open.append((tag, dict(attrs)))
        if tag == "table":
            self._rows, self._caption = [], ""
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("td", "th"):
            self._rows[-1].append("")
        elif tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag):
        assert self._open, f"closes nothing: {tag}"
        opened, _ = self._open.pop()
        assert opened == tag, f"{opened} is closed by {tag}"
        if tag == "table":
            self.tables.setdefault(self._caption, []).extend(self._rows)

    def handle_data(self, data):
        names = [name for name, _ in self._open]
        if names and names[-1] == "script":
            self.scripts[-1] += data
            return
        if "style" in names:
            return
        self.text += data
        for name, attributes in self._open:
            if name == "section":
                where = attributes["id"]
                self.sections[where] = self.sections.get(where, "") + data
            elif attributes.get("class") == "lead":
                self.lead += data
        if "caption" in names:
            self._caption += data
        elif ("td" in names or "th" in names) and "table" in names:
            self._rows[-1][-1] += data

    def column(self, caption: str, heading: str) -> list[str]:
        """The cells below a heading."""
        heads, *rows = self.tables[caption]
        place = heads.index(heading)
        return [row[place] for row in rows]

    def row(self, caption: str, first: str) -> list[str]:
        """The cells of the row that begins with this, without it."""
        return next(row[1:] for row in self.tables[caption] if row[0] == first)

    @property
    def figures(self) -> dict:
        """The figures that the page draws, by name."""
        return json.loads(self.scripts[0])
