"""A part of a report, and what all parts are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from explorer.reporting._analysis.number_text import bounds, digits
from explorer.reporting._page.markup import Markup, joined, paragraph, tag

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ReportSection:
    """A part of a report: its name on the page, its title, and what it holds."""

    name: str
    title: str
    body: Markup

    @property
    def markup(self) -> Markup:
        """The part as it stands on the page."""
        return tag("section", tag("h2", self.title), self.body, id=self.name)


def section(name: str, title: str, how: str, *children: object) -> ReportSection:
    """Make a part that begins with how it is to be read."""
    return ReportSection(name, title, joined([paragraph(how, class_="how"), *children]))


def figure(name: str, label: str) -> Markup:
    """The place of a figure; a script draws it, and its numbers stand in a table beside it."""
    return tag("figure", data_figure=name, role="img", aria_label=label)


STANDINGS = {
    "auc": "ROC-AUC",
    "average_precision": "average precision",
    "f1": "best F1",
    "auc_ahead": "AUC ahead by",
    "f1_ahead": "F1 ahead by",
}
"""Figures of a table of `explorer.validation.side_by_side`, and what their columns are called."""


def standings(table: pd.DataFrame) -> list[list[object]]:
    """Rows of scores beside baselines: the name, then each of `STANDINGS` with its interval.

    The first row holds the scores themselves, which are not ahead of themselves.
    """
    return [
        [
            row["scores"],
            *(
                estimate(row, name) if place or not name.endswith("_ahead") else ""
                for name in STANDINGS
            ),
        ]
        for place, row in enumerate(rows_of(table))
    ]


def rows_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table, each by the names of its columns."""
    columns = {str(name): table[name].tolist() for name in table}
    return [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]


def estimate(row: Mapping[str, Any], name: str) -> Markup:
    """A figure of a table's row with its interval below it."""
    ends = bounds(row[f"{name}_low"], row[f"{name}_high"])
    return joined([digits(row[name]), tag("small", f" {ends}") if ends else None])
