"""A section of a report, and parts that several sections share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from explorer.reporting._analysis.number_text import bounds, digits
from explorer.reporting._page.markup import joined, paragraph, tag

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ReportSection:
    """A section of a report: its name as a link target, its title, and its content."""

    name: str
    title: str
    body: Markup

    @property
    def markup(self) -> Markup:
        """The section as an element."""
        return tag("section", tag("h2", self.title), self.body, id=self.name)


def section(name: str, title: str, how: str, *children: object) -> ReportSection:
    """Make a section that starts with a paragraph on how to read it."""
    return ReportSection(name, title, joined([paragraph(how, class_="how"), *children]))


def figure(name: str, label: str) -> Markup:
    """Make the place of a figure. A script draws it; its numbers are in a table of the section."""
    return tag("figure", data_figure=name, role="img", aria_label=label)


COMPARED = {
    "auc": "ROC-AUC",
    "average_precision": "average precision",
    "f1": "best F1",
    "auc_ahead": "AUC ahead by",
    "f1_ahead": "F1 ahead by",
}
"""Figures of a table of `explorer.validation.compare_scores`, and the headings of their columns."""


def comparison_rows(table: pd.DataFrame) -> list[list[object]]:
    """Return rows of compared scores: the name, then each of `COMPARED` with its interval.

    The first row holds the scores themselves, which have no lead over themselves.
    """
    return [
        [
            row["scores"],
            *(
                estimate(row, name) if place or not name.endswith("_ahead") else ""
                for name in COMPARED
            ),
        ]
        for place, row in enumerate(rows_of(table))
    ]


def rows_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table, each by the names of its columns."""
    columns = {str(name): table[name].tolist() for name in table}
    return [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]


def estimate(row: Mapping[str, Any], name: str) -> Markup:
    """Format a figure of a row, with its interval below."""
    ends = bounds(row[f"{name}_low"], row[f"{name}_high"])
    return joined([digits(row[name]), tag("small", f" {ends}") if ends else None])
