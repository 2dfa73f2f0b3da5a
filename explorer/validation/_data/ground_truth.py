"""What the label of a hyperedge rests on, for every kind of truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from math import exp, isfinite, isnan, log
from numbers import Real
from typing import TYPE_CHECKING, Any, Final, get_args

import numpy as np
from numpy.typing import NDArray

from explorer.errors import EvidenceError, InputError
from explorer.feedback import Diagnostic
from explorer.validation._ablation.ablation_record import (
    MARK,
    ablation_of,
    ablation_record,
    texts_digest,
)
from explorer.validation._data.labelled_scores import Truth, first_few

if TYPE_CHECKING:
    from explorer.traces import Trace

LabelsByTrace = Mapping[str, Mapping[str, bool | None]]

LEAST_DROP: Final = log(2)
"""From this drop of the answer's log-probability on a hyperedge counts as used: the answer becomes
half as likely without it. In natural logarithms (nats)."""


def labels_of(
    trace: Trace, truth: Truth = "labels", *, least_drop: float = LEAST_DROP
) -> list[bool | None]:
    """Return what is known of each hyperedge of a trace: used, not used, or None for nothing.

    Parameters
    ----------
    trace
        The trace, ablated (`ablate`) for causal use.
    truth
        ``"labels"``: the labels in the trace. ``"ablation"``: a hyperedge counts as used when the
        answer's log-probability falls by at least `least_drop` where it alone is left out.
    least_drop
        In nats, of the whole answer. Without the default, log 2, the answer is half as likely. The
        drop is not divided by the answer's tokens: a name in the middle of a long sentence hangs on
        its fact as a name alone does, while the words around it would thin the drop out.

    Returns
    -------
    list of bool or None
        In the order of the hyperedges. For causal use None where the effect is no number, in a
        trace that was not ablated, and in one that has changed since.

    Raises
    ------
    EvidenceError
        What stands in the metadata was not written by `ablate`.
    InputError
        `least_drop` is no number above 0, or traces bring no such truth themselves.

    Examples
    --------
    >>> from explorer.traces import Hyperedge, Trace
    >>> edges = [Hyperedge("a", "Ada was born in London.", label=True), Hyperedge("b", "It rains.")]
    >>> labels_of(Trace("q", "Where was Ada born?", edges, "London"))
    [True, None]
    """
    check_truth(truth, least_drop)
    if truth == "labels":
        return [edge.label for edge in trace.hyperedges]
    if truth != "ablation":
        raise InputError(not_in_traces(truth))
    found = ablation_of(trace)
    if found is None:
        return [None] * len(trace.hyperedges)
    return [effect >= least_drop if isfinite(effect) else None for effect in found.effects.tolist()]


def check_truth(truth: object, least_drop: object = LEAST_DROP) -> None:
    """Refuse what is no truth, or no drop.

    Raises
    ------
    InputError
        It says what there is.
    """
    if truth not in get_args(Truth):
        known = ", ".join(repr(name) for name in get_args(Truth))
        raise InputError(f"There is no truth {truth!r}. It is one of {known}.")
    number = isinstance(least_drop, Real) and not isinstance(least_drop, bool)
    if not number or not 0 < least_drop < float("inf"):  # type: ignore[operator]
        raise InputError(
            "`least_drop` is a number above 0, in natural logarithms: log(2) where the answer must "
            f"become half as likely; got {least_drop!r}."
        )


def not_in_traces(truth: str) -> str:
    """Say that traces do not bring labels of this kind."""
    return (
        f"Traces bring no labels of the truth {truth!r} with them. Give them as `labels`; "
        "calls_of(table) makes some of what another method calls."
    )


def _ids_of(given: object) -> dict[str, set[str]]:
    """The ids that labels are given for, by trace.

    Raises
    ------
    InputError
        They are no mapping of mappings.
    """
    odd = given
    if isinstance(given, Mapping):
        others = [by for by in given.values() if not isinstance(by, Mapping)]
        if not others:
            return {name: set(by) for name, by in given.items()}
        odd = others[0]
    raise InputError(
        "`labels` maps the id of each trace to a mapping from the ids of its hyperedges to True, "
        f"False or None, but there is a {type(odd).__name__} in its place."
    )


def _label(value: Any, unit: str, trace: str) -> bool | None:
    """A label as it was given: 0 and 1 are one too, NaN is none.

    Raises
    ------
    InputError
        It is neither: a word such as "no" must not count as true.
    """
    if isinstance(value, bool | np.bool_):
        return bool(value)
    number = isinstance(value, Real)
    if value is None or type(value).__name__ == "NAType" or (number and isnan(value)):
        return None
    if number and value in (0, 1):
        return bool(value)
    raise InputError(
        f"The label of hyperedge {unit:.80} of trace {trace:.80} must be True, False or None, but "
        f"it is {str(value)[:40]!r}."
    )


class LabelSource:
    """Where labels come from, and what has to be told of it.

    Parameters
    ----------
    truth, least_drop
        As for `labels_of`.
    given
        Labels by trace and hyperedge, in place of what the traces bring.

    Raises
    ------
    InputError
        There is no such truth, or the traces do not bring it.
    """

    def __init__(
        self, truth: Truth, given: LabelsByTrace | None = None, least_drop: float = LEAST_DROP
    ) -> None:
        check_truth(truth, least_drop)
        if given is None and truth == "agreement":
            raise InputError(not_in_traces(truth))
        self.truth: Truth = truth
        self._least_drop = least_drop
        self._given = given
        self._unused = {} if given is None else _ids_of(given)
        self._seen: set[str] = set()
        self._without = 0
        self._models: Counter[tuple[str, str]] = Counter()
        self._left_out: dict[str, list[str]] = {}
        self._effects: list[float] = []

    def of(self, trace: Trace) -> list[bool | None]:
        """Return the label of each hyperedge, None where there is none."""
        self._seen.add(trace.id)
        if self._given is not None:
            by_id = self._given.get(trace.id, {})
            self._unused.get(trace.id, set()).difference_update(e.id for e in trace.hyperedges)
            found = [_label(by_id.get(edge.id), edge.id, trace.id) for edge in trace.hyperedges]
        elif self.truth == "ablation":
            found = self._by_ablation(trace)
        else:
            found = labels_of(trace, self.truth)
        self._without += all(label is None for label in found)
        return found

    def _by_ablation(self, trace: Trace) -> list[bool | None]:
        try:
            found = labels_of(trace, "ablation", least_drop=self._least_drop)
            mark = ablation_record(trace)
        except EvidenceError as error:
            self._leave_out("unusable", f"{trace.id} ({error})")
            return [None] * len(trace.hyperedges)
        if any(label is not None for label in found):
            assert mark is not None  # noqa: S101 - what is not recorded has no labels
            self._models[mark.model, mark.reader] += 1
            self._effects += [one for one in mark.leave_one_out if one is not None]
        elif mark is not None:
            changed = mark.texts != texts_digest(trace)
            self._leave_out("changed" if changed else "nothing", trace.id)
        elif trace.metadata.get(MARK) is not None:
            self._leave_out("failed", f"{trace.id} ({trace.metadata[MARK]['problem']})")
        else:
            self._leave_out("never", trace.id)
        return found

    def _leave_out(self, why: str, said: str) -> None:
        self._left_out.setdefault(why, []).append(said)

    def notes(self) -> list[Diagnostic]:
        """Return what the user should know of the labels."""
        notes = []
        if self._given is None and self.truth == "ablation":
            notes += self._ablation_notes()
        elif self._without:
            message = (
                f"{self._without} of {len(self._seen)} traces have no labels: they are left out."
            )
            notes.append(Diagnostic("traces-without-labels", message))
        unknown = [
            f"{unit} of trace {name}"
            if name in self._seen
            else f"{unit} of an unknown trace {name}"
            for name, units in self._unused.items()
            for unit in sorted(map(str, units))
        ]
        if unknown:
            message = f"Labels for ids that are in no trace are left out: {first_few(unknown)}."
            notes.append(Diagnostic("labels-for-unknown-ids", message))
        return notes

    def _ablation_notes(self) -> list[Diagnostic]:
        notes = []
        if self._models:
            models = sorted({model for model, _ in self._models})
            try:
                times = f"{exp(self._least_drop):.3g}"
            except OverflowError:
                times = f"e^{self._least_drop:.3g}"
            message = (
                f"Used means that the answer is at least {times} times less "
                f"likely without the hyperedge (its log-probability falls by {self._least_drop:.3g}"
                f" or more), for {' and '.join(models)}."
            )
            notes.append(Diagnostic("causal-use", message))
        notes += _noise(np.array(self._effects, dtype=np.float64), self._least_drop)
        if len(self._models) > 1:
            named = ", ".join(f"{model} ({n})" for (model, _), n in self._models.items())
            message = (
                f"Models that differ, in name or weights, ablated these traces: {named}. What one "
                "needs another may know by heart: ablate all traces with one."
            )
            notes.append(Diagnostic("several-models", message))
        reasons = [
            words.format(len(names), first_few(names))
            for why, words in _LEFT_OUT.items()
            if (names := self._left_out.get(why))
        ]
        if reasons:
            message = (
                f"{self._without} of {len(self._seen)} traces are left out. {' '.join(reasons)}"
            )
            notes.append(Diagnostic("traces-without-ablation", message))
        return notes


_MUCH_NOISE = 0.2
"""Where more than this share of what is called used may be noise, it is told."""


def _noise(effects: NDArray[np.float64], least_drop: float) -> list[Diagnostic]:
    """Say how many effects of that size may be noise.

    What leaving out moves besides the fact itself, such as the places of those behind it, moves
    the answer's probability both ways. So the rises of a size say how many of the drops of that
    size to distrust; too many, since a fact that misleads makes a rise that is none.
    """
    known = effects[np.isfinite(effects)]
    drops, rises = np.sort(known[known > 0]), np.sort(-known[known < 0])
    sizes = np.unique(np.ceil(100 * drops[drops > least_drop]) / 100)  # as they are told
    many = len(drops) - np.searchsorted(drops, [least_drop, *sizes])
    against = len(rises) - np.searchsorted(rises, [least_drop, *sizes])
    if not many[0] or against[0] <= _MUCH_NOISE * many[0]:
        return []
    quiet = np.flatnonzero(against <= _MUCH_NOISE * many)
    instead = ""
    if len(quiet):
        at = quiet[0]
        instead = (
            f" With least_drop={sizes[at - 1]:.4g} it is {against[at]:,} against {many[at]:,}."
        )
    message = (
        f"{against[0]:,} hyperedges make the answer more likely when they are left out, by as much "
        f"as the {many[0]:,} used ones make it less likely. What moves both ways is mostly noise, "
        f"so up to as many of those may be chance.{instead}"
    )
    return [Diagnostic("noisy-effects", message)]


_LEFT_OUT = {
    "never": "Not ablated: {0} (ablate(traces) does it).",
    "failed": "Could not be ablated: {1}.",
    "changed": "Changed since they were ablated: {1}.",
    "nothing": "Without any effect that is a number: {1}.",
    "unusable": "Hold an ablation that cannot be used: {1}.",
}
