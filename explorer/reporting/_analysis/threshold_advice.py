"""The answer of a threshold analysis: what to use, what to expect, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from explorer._number_format import NO_NUMBER
from explorer.errors import ValidationError
from explorer.figures import three_digits
from explorer.reporting._analysis.expectation import HALVED, Expectation
from explorer.reporting._analysis.number_text import bounds, count, digits, interval, many
from explorer.reporting._analysis.threshold_analysis import ThresholdAnalysis

if TYPE_CHECKING:
    from explorer.validation import Interval, Objective
    from explorer.validation._data.truth import TruthKind
    from explorer.validation._thresholds.cross_validation import MissingLabels
    from explorer.validation._thresholds.threshold_selection import BestThreshold
    from explorer.validation._thresholds.threshold_sweep import Plateau

Kind = Literal["few", "none", "keep", "set", "words"]

NEEDED = "20 labelled traces, with at least 10 hyperedges that are used and 10 that are not"


class Figure(NamedTuple):
    """A number of the answer: the value, what it is, and its interval or another detail."""

    value: str
    label: str
    detail: str


@dataclass(frozen=True)
class ThresholdAdvice:
    """The answer.

    Attributes
    ----------
    kind
        ``"keep"`` the threshold, ``"set"`` another, use the ``"words"``; ``"none"`` where the
        objective cannot be reached, ``"few"`` where there are too few labels.
    sentence
        What to use.
    figures
        Threshold, what to expect on new traces, and what the scores add to the words.
    sure
        How sure that is, and what more labels would do.
    held_out
        What was held out, and what was not.
    threshold
        The threshold to use, of the scores or of the words; None where there is none.
    """

    kind: Kind
    sentence: str
    figures: tuple[Figure, ...] = ()
    sure: str = ""
    held_out: str = ""
    threshold: float | None = None


def threshold_advice(
    analysis: ThresholdAnalysis,
    expectation: Expectation,
    name: str,
    threshold: float,
    *,
    picked: Sequence[str] = (),
    lexical: bool = False,
) -> ThresholdAdvice:
    """Return the answer for scores and the threshold in use.

    Parameters
    ----------
    analysis, expectation
        Of the same scores.
    name
        Name of the scores.
    threshold
        The threshold in use.
    picked
        What was picked after the labels were seen: "head", "layer", "method" ...
    lexical
        Whether the scores are the words themselves.
    """
    objective = expectation.objective
    if expectation.too_few:
        return _too_few(analysis, expectation.missing)
    try:
        best, plateau = analysis.best(objective)
    except ValidationError as error:
        return ThresholdAdvice("none", str(error))
    own = expectation.own
    if own is None:
        return ThresholdAdvice("few", expectation.problem)
    if expectation.words is not None and expectation.words_are_better and not lexical:
        return _words(expectation, name, picked)
    kind: Kind = "keep" if _is_good(analysis, objective, threshold, best, plateau) else "set"
    around = f"from {three_digits(plateau.low)} to {three_digits(plateau.high)}"
    if kind == "keep":
        sentence = (
            f"Keep {three_digits(threshold)} for {name}: every threshold {around} does about as "
            f"well (within {plateau.tolerance:g} of the best {objective.name})."
        )
    else:
        sentence = (
            f"Set the threshold of {name} to {three_digits(best.threshold)}, instead of "
            f"{three_digits(threshold)}; {around} does about as well."
        )
    if not lexical and expectation.lead is not None and not expectation.is_surely_ahead:
        sentence += " The words alone may do as well: no lead is certain."
    used = threshold if kind == "keep" else best.threshold
    detail = f"best {three_digits(best.threshold)}" if kind == "keep" else "threshold to use"
    shown = own.held_out
    floor = own.held_out_floor
    nested = expectation.nested if _is_head_only(picked) else None
    if nested is not None:
        shown, floor = nested.held_out, nested.held_out_floor
    figures = [
        Figure(three_digits(used), "threshold", detail if kind == "keep" else ""),
        _expected(objective, shown, floor),
    ]
    if lexical:
        figures.append(Figure(NO_NUMBER, "over the words", "these scores are the words"))
    elif expectation.lead is not None and expectation.words is not None:
        figures.append(
            _lead(
                objective,
                expectation.lead,
                "over the words",
                f"words alone: {digits(expectation.words.held_out.value, 2)}",
            )
        )
    return ThresholdAdvice(
        kind,
        sentence,
        tuple(figures),
        _sure(objective, shown, own.traces, own.truth),
        _held_out(expectation, name, picked),
        used,
    )


def _is_good(
    analysis: ThresholdAnalysis,
    objective: Objective,
    threshold: float,
    best: BestThreshold,
    plateau: Plateau,
) -> bool:
    """Return whether a threshold is about as good as the best one."""
    from explorer.validation import confusion_at

    calls = confusion_at(analysis.judged, threshold)
    merit = float(objective.merit(calls))
    top = -best.value if objective.kind == "cost" else best.value
    return not math.isnan(merit) and merit >= top - plateau.tolerance - 1e-12


def _words(found: Expectation, name: str, picked: Sequence[str]) -> ThresholdAdvice:
    words, own, lead = found.words, found.own, found.lead
    if words is None or own is None or lead is None:  # the caller has made sure
        raise ValueError("Words are recommended only where they were compared.")
    behind = _Negated(lead)
    return ThresholdAdvice(
        "words",
        f"Use the words instead of {name}: the method lexical, with the threshold "
        f"{three_digits(words.threshold)}. It needs no attention, and does better on new traces.",
        (
            Figure(three_digits(words.threshold), "threshold of the words", ""),
            _expected(found.objective, words.held_out, words.held_out_floor),
            _lead(
                found.objective,
                behind.interval,
                f"over {name}",
                f"{name}: {digits(own.held_out.value, 2)}",
            ),
        ),
        _sure(found.objective, words.held_out, words.traces, words.truth),
        _held_out(found, name, picked),
        words.threshold,
    )


class _Negated(NamedTuple):
    of: Interval

    @property
    def interval(self) -> Interval:
        """The interval of the negative."""
        return type(self.of)(-self.of.value, -self.of.high, -self.of.low)


def _expected(objective: Objective, held_out: Interval, floor: Interval | None) -> Figure:
    detail = bounds(held_out.low, held_out.high, 2)
    if floor is not None and objective.floor is not None:
        detail += f"; {objective.floor[0]} {interval(*floor, 2)}"
    unit = "cost per hyperedge" if objective.kind == "cost" else objective.name
    return Figure(digits(held_out.value, 2), f"{unit} on new traces", detail)


def _lead(objective: Objective, lead: Interval, label: str, detail: str) -> Figure:
    sign = "+" if lead.value > 0 else ""
    ends = bounds(lead.low, lead.high, 2)
    what = f"{objective.name} {label}"
    return Figure(f"{sign}{_minus(digits(lead.value, 2))}", what, f"{_minus(ends)}; {detail}")


def _minus(text: str) -> str:
    return text.replace("-", "\u2212")


def _sure(objective: Objective, held_out: Interval, traces: int, truth: TruthKind) -> str:
    from explorer.validation._data.truth import TRUTH_WORDS

    more = TRUTH_WORDS[truth].more
    half = (held_out.high - held_out.low) / 2
    if math.isnan(half):
        return ""
    return (
        f"From {many(traces, 'trace')}, {objective.name} is known to about ±{digits(half, 2)}. "
        f"{more} {count(HALVED * traces)} more traces to halve that."
    )


def _is_head_only(picked: Sequence[str]) -> bool:
    return bool(picked) and set(picked) <= {"layer", "head"}


def _held_out(found: Expectation, name: str, picked: Sequence[str]) -> str:
    """Say what the held-out figure left out, and what it did not."""
    own = found.own
    only = "Each trace was judged at a threshold that other traces chose."
    if not picked or own is None:
        return only
    named = dict.fromkeys("layer and head" if _is_head(one) else one for one in picked)
    were = "was" if list(named) == [picked[0]] else "were"
    said = (
        f"Only the threshold was held out: the {' and '.join(named)} {were} picked after the "
        f"labels were seen, so {digits(own.held_out.value, 2)} for {name} is optimistic."
    )
    nested = found.nested
    if nested is None or not _is_head_only(picked):
        return f"{said} “search all settings” tests such choices on held-out traces."
    return (
        f"{said} Where other traces choose the head too, the best single head reaches "
        f"{found.objective.name} {interval(*nested.held_out, 2)} and ROC-AUC {digits(nested.auc)}."
    )


def _is_head(name: str) -> bool:
    return name in ("layer", "head")


def _too_few(analysis: ThresholdAnalysis, missing: MissingLabels) -> ThresholdAdvice:
    from explorer.validation._data.truth import TRUTH_WORDS

    words = TRUTH_WORDS[analysis.judged.truth]
    sweep = analysis.sweep
    lacks = []
    if missing.traces:
        lacks.append(f"{words.more} {many(missing.traces, 'more trace')}")
    short = [
        f"{number} more that {'is' if number == 1 else 'are'} {what}"
        for number, what in ((missing.used, "used"), (missing.not_used, "not used"))
        if number
    ]
    if short:
        start = "among them" if lacks else f"{words.more} traces with"
        lacks.append(f"{start} at least {' and '.join(short)}")
    return ThresholdAdvice(
        "few",
        f"Too few {words.known} for a threshold: {many(sweep.units, 'hyperedge')} of "
        f"{many(sweep.traces, 'trace')}, {count(sweep.positives)} used. {', '.join(lacks)}.",
        sure=f"A threshold needs {NEEDED}; with fewer its figures are chance.",
    )
