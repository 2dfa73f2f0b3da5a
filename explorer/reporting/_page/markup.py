"""HTML elements of a page. Every text is escaped unless it is `Markup` already."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from markupsafe import Markup, escape

# No characters in HTML: controls except tab and newline, lone surrogates, noncharacters.
_NOT_IN_PAGES = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
# Bidirectional controls reorder the letters after them, so that a text appears to say another.
_BIDI_CONTROLS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_VOID = frozenset({"meta", "br", "hr", "img"})


def escaped(text: object) -> Markup:
    """Escape a text for a page, also for an attribute.

    Examples
    --------
    >>> escaped("</script> & '")
    Markup('&lt;/script&gt; &amp; &#39;')
    """
    if isinstance(text, Markup):
        return text
    shown = _NOT_IN_PAGES.sub("\ufffd", str(text).replace("\r\n", "\n"))
    shown = _BIDI_CONTROLS.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", shown)
    return escape(shown)


def joined(parts: Iterable[object]) -> Markup:
    """Join pieces; None is left out."""
    return Markup("").join(escaped(part) for part in parts if part is not None)


def tag(name: str, /, *children: object, **attributes: object) -> Markup:
    """Make an element. Children that are None are left out, and attributes that are None or False.

    A trailing underscore of an attribute is dropped and other underscores become hyphens:
    ``class_``, ``aria_label``.

    Examples
    --------
    >>> tag("td", "<b>", class_="number")
    Markup('<td class="number">&lt;b&gt;</td>')
    """
    written = joined(
        Markup(" {}").format(key.rstrip("_").replace("_", "-"))
        + (Markup("") if value is True else Markup('="{}"').format(escaped(value)))
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in _VOID:
        return Markup("<{}{}>").format(name, written)
    return Markup("<{0}{1}>{2}</{0}>").format(name, written, joined(children))


def paragraph(*children: object, class_: str | None = None) -> Markup:
    """Make a paragraph."""
    return tag("p", *children, class_=class_)


def table(
    heads: Sequence[object],
    rows: Iterable[Sequence[object]],
    *,
    caption: str,
    texts: Iterable[int] = (0,),
    strong: Iterable[int] = (),
) -> Markup:
    """Make a table that scrolls if it is wider than the page.

    Parameters
    ----------
    heads
        The heading of each column.
    rows
        Cells; the first of each row is its heading.
    caption
        What the table shows, for screen readers.
    texts
        Columns of text; the others are numbers, aligned right.
    strong
        Rows to emphasise.
    """
    text_columns, emphasised = set(texts), set(strong)

    def look(column: int) -> str | None:
        return None if column in text_columns else "number"

    def row(number: int, cells: Sequence[object]) -> Markup:
        return tag(
            "tr",
            *(
                tag("th", cell, scope="row", class_=look(column))
                if column == 0
                else tag("td", cell, class_=look(column))
                for column, cell in enumerate(cells)
            ),
            class_="strong" if number in emphasised else None,
        )

    head = tag(
        "tr", *(tag("th", one, scope="col", class_=look(place)) for place, one in enumerate(heads))
    )
    body = joined(row(number, cells) for number, cells in enumerate(rows))
    return tag(
        "div",
        tag("table", tag("caption", caption), tag("thead", head), tag("tbody", body)),
        class_="scroll",
    )


def folded(title: object, *children: object, open_: bool = False) -> Markup:
    """Make a disclosure that shows its children when opened."""
    return tag("details", tag("summary", title), *children, open=open_)


def listing(items: Iterable[object], **attributes: Any) -> Markup:
    """Make a bulleted list."""
    return tag("ul", *(tag("li", item) for item in items), **attributes)


def passage(text: object) -> Markup:
    """Isolate a text of a trace, so that its direction does not affect its surroundings."""
    return tag("bdi", text, class_="passage")
