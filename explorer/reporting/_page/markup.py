"""Elements of a page, in which every text is escaped unless it is markup already."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from typing import Any

# What HTML has no character for: controls but tab and newline, lone surrogates, noncharacters.
_NOT_IN_PAGES = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
# What turns the order of the letters after it around, so that a text seems to say another.
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_ALONE = frozenset({"meta", "br", "hr"})


class Markup(str):
    """Text that is markup already, and is not escaped again."""

    __slots__ = ()


def escaped(text: object) -> Markup:
    """Text of any kind as a page shows it, also within an attribute.

    Examples
    --------
    >>> escaped("</script> & '")
    '&lt;/script&gt; &amp; &#x27;'
    """
    if isinstance(text, Markup):
        return text
    shown = _NOT_IN_PAGES.sub("\ufffd", str(text).replace("\r\n", "\n"))
    shown = _TURNS.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", shown)
    return Markup(html.escape(shown, quote=True))


def joined(parts: Iterable[object]) -> Markup:
    """Several pieces in a row; None is left out."""
    return Markup("".join(escaped(part) for part in parts if part is not None))


def tag(name: str, /, *children: object, **attributes: object) -> Markup:
    """An element. Children that are None are left out; so are attributes that are None or False.

    A trailing underscore of an attribute is dropped and others become hyphens, so that ``class_``
    and ``aria_label`` can be said.

    Examples
    --------
    >>> tag("td", "<b>", class_="number")
    '<td class="number">&lt;b&gt;</td>'
    """
    attribute_text = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{escaped(value)}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in _ALONE:
        return Markup(f"<{name}{attribute_text}>")
    return Markup(f"<{name}{attribute_text}>{joined(children)}</{name}>")


def paragraph(*children: object, class_: str | None = None) -> Markup:
    """A paragraph."""
    return tag("p", *children, class_=class_)


def table(
    heads: Sequence[object],
    rows: Iterable[Sequence[object]],
    *,
    caption: str,
    texts: Iterable[int] = (0,),
    strong: Iterable[int] = (),
) -> Markup:
    """A table that scrolls within itself where it is wider than the page.

    Parameters
    ----------
    heads
        The heading of each column.
    rows
        Cells; the first of each row is its heading.
    caption
        What the table says, for those who cannot see where it stands.
    texts
        Columns of text; the others are numbers, aligned at the right.
    strong
        Rows to bring forward.
    """
    words, forward = set(texts), set(strong)

    def look(column: int) -> str | None:
        return None if column in words else "number"

    def row(number: int, cells: Sequence[object]) -> Markup:
        return tag(
            "tr",
            *(
                tag("th", cell, scope="row", class_=look(column))
                if column == 0
                else tag("td", cell, class_=look(column))
                for column, cell in enumerate(cells)
            ),
            class_="strong" if number in forward else None,
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
    """What is there for those who open it."""
    return tag("details", tag("summary", title), *children, open=open_)


def listing(items: Iterable[object], **attributes: Any) -> Markup:
    """A list of points."""
    return tag("ul", *(tag("li", item) for item in items), **attributes)


def passage(text: object) -> Markup:
    """Text of a trace: in whatever direction it is written, it moves nothing around it."""
    return tag("bdi", text, class_="passage")
