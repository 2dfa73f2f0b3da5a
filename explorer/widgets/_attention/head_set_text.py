"""A head set in words, and where it lies on the grid of heads."""

from __future__ import annotations

from typing import Any

from explorer.feedback import HeadCombination

_MOST_LISTED = 8


def listed(heads: HeadCombination) -> str:
    """Return the strongest heads with their weights, one a line, and what else takes part."""
    strongest = sorted(heads.terms, key=lambda term: -abs(term.weight))
    lines = [
        f"layer {term.layer}, head {term.head}, {term.rows} rows: {term.weight:+.3g}"
        for term in strongest[:_MOST_LISTED]
    ]
    more = len(strongest) - _MOST_LISTED
    if more > 0:
        lines.append(f"and {more:,} weaker")
    if heads.content_free:
        lines.append("minus the attention of a content-free question")
    return "\n".join(lines)


def shown_set(heads: HeadCombination | None, caption: str) -> dict[str, Any] | None:
    """Return a combination as the page shows it; None where there is none.

    Its ``caption`` stands under the grid of heads. Its ``cells`` are (layer, head, share), the
    share being the size of the head's weights, all rows together, against the largest of them.
    """
    if heads is None:
        return None
    sizes: dict[tuple[int, int], float] = {}
    for term in heads.terms:
        place = (term.layer, term.head)
        sizes[place] = sizes.get(place, 0.0) + abs(term.weight)
    largest = max(sizes.values()) or 1.0
    return {
        "name": heads.name,
        "title": listed(heads),
        "caption": caption,
        "cells": [[layer, head, round(size / largest, 3)] for (layer, head), size in sizes.items()],
    }
