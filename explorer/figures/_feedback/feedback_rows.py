"""Rows of a feedback table in drawing order, with the texts of each row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer._number_format import NO_NUMBER
from explorer.errors import ShapeError
from explorer.figures._style.label_text import escape_label, shortened, three_digits, wrapped
from explorer.source import visible_text

if TYPE_CHECKING:
    import pandas as pd

UnitLabels = Mapping[str, bool | None] | Sequence[bool | None]
"""Labels per unit, by name or in the table's order: used, not used, or None if unlabelled."""

LABEL_MARKS = {True: "✓", False: "✗", None: ""}
LABEL_WORDS = {True: ", labelled used", False: ", labelled not used", None: ""}

# Approximate letter widths; a wider text is clipped by its column.
_MONO_PIXELS = 6.75  # at 11 px
_SANS_PIXELS = 6.9  # at 12 px
_LABEL_PIXELS = 24
_LEAST_TEXT = 70
_LEAST_NAME = 36
NUMBERS_PIXELS = 230
"""Width in pixels of the columns score, feedback, verdict and diagnostics."""


class UnitLayout(NamedTuple):
    """Where names, texts and labels stand: their widths, and what decides their fonts.

    Attributes
    ----------
    name_pixels
        Width of the name column.
    gutter
        Width of names, texts and labels together.
    names_are_texts
        Whether the texts only repeat the names, as those of identifiers do.
    labelled
        Whether any unit has a label.
    """

    name_pixels: int
    gutter: int
    names_are_texts: bool
    labelled: bool


@dataclass(frozen=True)
class UnitRows:
    """Units in drawing order, with the texts at the left."""

    names: list[str]
    texts: list[str]
    labels: list[bool | None]

    @property
    def labelled(self) -> bool:
        """Whether any unit has a label."""
        return any(label is not None for label in self.labels)

    @cached_property
    def names_are_texts(self) -> bool:
        """Whether the texts only repeat the names, as those of identifiers do."""
        return all(
            text == name or visible_text(text).strip("· ") == name.split(" (")[0]
            for name, text in zip(self.names, self.texts, strict=True)
        )

    def layout(self, width: int, others: int) -> UnitLayout:
        """The widths that these units need.

        Parameters
        ----------
        width : int
            Pixels of the figure.
        others : int
            Pixels that must stay free for other columns.
        """
        label = _LABEL_PIXELS if self.labelled else 8
        longest = max((len(visible_text(name)) for name in self.names), default=4)
        if self.names_are_texts:
            names = int(min(12 + longest * _MONO_PIXELS, 0.34 * width))
            return UnitLayout(names, max(72, names + label), True, self.labelled)
        # At least as wide as the column heading.
        names = int(max(_LEAST_NAME, min(14 + longest * _SANS_PIXELS, 0.2 * width)))
        letters = max((len(text) for text in self.texts), default=0)
        # Texts take the width that the bars leave, or are dropped if it is too small to read.
        wanted = 8 + letters * _MONO_PIXELS
        texts = int(min(wanted, width - others - names - label))
        gutter = names + (texts if texts >= min(_LEAST_TEXT, int(wanted)) else 0) + label
        return UnitLayout(names, gutter, False, self.labelled)

    def fitting_names(self, layout: UnitLayout) -> list[str]:
        """Names, escaped and cut to the width of their column."""
        letters = max(3, int((layout.name_pixels - 6) / _MONO_PIXELS))
        return [escape_label(shortened(name, letters)) for name in self.names]

    def fitting_texts(self, layout: UnitLayout) -> list[str]:
        """Texts on one line each, escaped and cut; empty if they only repeat the names."""
        label = _LABEL_PIXELS if layout.labelled else 8
        room = layout.gutter - layout.name_pixels - label
        if layout.names_are_texts or room <= 0:
            return [""] * len(self.texts)
        letters = int(room / _MONO_PIXELS)
        flat = (" ".join(text.split()) or visible_text(text) for text in self.texts)
        return [escape_label(shortened(text, letters)) for text in flat]

    def headings(self) -> list[str]:
        """Name and full text of each unit, as plotly text."""
        return [
            "<br>".join(
                [f"<b>{escape_label(shortened(name, 80))}</b>"]
                + ([wrapped(text)] if text and text != name else [])
            )
            for name, text in zip(self.names, self.texts, strict=True)
        ]

    def hovers(self, tokens: Sequence[int]) -> list[str]:
        """Name, whole text, length and label of each unit, as plotly text."""
        return [
            f"{heading}<br>{number} token{'' if number == 1 else 's'}{LABEL_WORDS[label]}"
            for heading, number, label in zip(self.headings(), tokens, self.labels, strict=True)
        ]


@dataclass(frozen=True)
class FeedbackRows(UnitRows):
    """Rows of a feedback table; `scores` and `reachable` are clipped to [0, 1].

    `every` has all units of the table, also those that are not shown, in the table's order.
    """

    scores: NDArray[np.float64]
    feedback: NDArray[np.float64]
    verdicts: list[str]
    reachable: NDArray[np.float64]
    reasons: list[tuple[object, ...]]
    tokens: list[int]
    every: UnitRows

    @cached_property
    def seen_verdicts(self) -> list[str]:
        """The verdicts; ``"later"`` for a unit that comes after the row which is in view."""
        return list(map(seen_verdict, self.verdicts, self.reasons))

    @cached_property
    def score_texts(self) -> list[str]:
        """The scores to three digits."""
        return list(map(three_digits, self.scores.tolist()))

    @cached_property
    def feedback_texts(self) -> list[str]:
        """The feedback as `feedback_digits` has it."""
        known = np.isfinite(self.feedback).tolist()
        digits = self.feedback.tolist()
        return [
            f"{one:.3f}" if is_known else NO_NUMBER
            for one, is_known in zip(digits, known, strict=True)
        ]

    def numbers(self, words: Mapping[str, str]) -> list[str]:
        """Score, reachable score, feedback and verdict in words of each unit, as plotly text."""
        return [
            f"score {score} (at most {limit}), feedback {feedback}, {words.get(verdict, verdict)}"
            for score, limit, feedback, verdict in zip(
                self.score_texts,
                map(three_digits, self.reachable.tolist()),
                self.feedback_texts,
                self.seen_verdicts,
                strict=True,
            )
        ]

    def reason_texts(self) -> list[str]:
        """The diagnostics of each unit, as plotly text."""
        return [_wrapped_reasons(found) if found else "" for found in self.reasons]


def seen_verdict(verdict: str, reasons: Iterable[object]) -> str:
    """The verdict; ``"later"`` for a unit that comes after the row which is in view."""
    later = any(getattr(reason, "code", None) == "comes-later" for reason in reasons)
    return "later" if verdict == "unknown" and later else verdict


def feedback_digits(feedback: float) -> str:
    """Feedback to three decimals; a dash for NaN."""
    return NO_NUMBER if np.isnan(feedback) else f"{feedback:.3f}"


@lru_cache(maxsize=8192)
def _wrapped_reasons(reasons: tuple[object, ...]) -> str:
    return "<br>".join(wrapped(str(reason)) for reason in reasons)


def ordered_labels(names: Sequence[str], labels: UnitLabels | None) -> list[bool | None]:
    """The label of each unit, in the order of the names.

    Raises
    ------
    ShapeError
        If the number of labels differs from the number of units.
    """
    if labels is None:
        return [None] * len(names)
    truth = [labels.get(name) for name in names] if isinstance(labels, Mapping) else list(labels)
    if len(truth) != len(names):
        raise ShapeError(f"There are {len(names)} units, but {len(truth)} labels.")
    return [None if label is None else bool(label) for label in truth]


def feedback_rows(
    table: pd.DataFrame, labels: UnitLabels | None, sort: str, most: int | None = None
) -> FeedbackRows:
    """The rows of a feedback table; sorted by falling score, unknown ones last, or as they are.

    Of more than `most` units, those with the highest scores.

    Raises
    ------
    ShapeError
        If the number of labels differs from the number of units.
    """
    count = len(table)
    # Each column taken from a table with attributes costs a deep copy of these.
    columns = type(table)(table)
    scores = columns["score"].to_numpy(dtype=np.float64)
    reachable = np.asarray(table.attrs.get("reachable", np.ones(count)), dtype=np.float64)
    if reachable.shape != (count,):  # the table was filtered after it was made
        reachable = np.ones(count)
    names = list(map(str, columns["unit"].tolist()))
    truth = ordered_labels(names, labels)
    order = np.arange(count)
    if most is not None and count > most:
        highest = np.argsort(-np.nan_to_num(scores, nan=-1.0), kind="stable")
        order = np.sort(highest[:most])
    if sort == "score":
        # A stable sort: units with one score keep the table's order. NaN sorts last.
        order = order[np.argsort(-scores[order], kind="stable")]
    places = order.tolist()
    texts = list(map(str, columns["text"].tolist()))
    verdicts = list(map(str, columns["verdict"].tolist()))
    reasons = list(map(tuple, columns["diagnostics"].tolist()))
    tokens = columns["tokens"].tolist()
    return FeedbackRows(
        names=[names[i] for i in places],
        texts=[texts[i] for i in places],
        scores=np.clip(scores[order], 0.0, 1.0),
        feedback=columns["feedback"].to_numpy(dtype=np.float64)[order],
        verdicts=[verdicts[i] for i in places],
        reachable=np.clip(reachable[order], 0.0, 1.0),
        labels=[truth[i] for i in places],
        reasons=[reasons[i] for i in places],
        tokens=[int(tokens[i]) for i in places],
        every=UnitRows(names, texts, truth),
    )
