"""The label of each hyperedge, for every kind of truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from math import exp, isfinite, isnan
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer._deprecation import old_parameters
from explorer.errors import EvidenceError, InputError
from explorer.feedback import Diagnostic
from explorer.validation._ablation.ablation_record import (
    MARK,
    ablation_of,
    ablation_record,
    texts_digest,
)
from explorer.validation._data.effect_noise import noise_notes
from explorer.validation._data.score_checks import first_few
from explorer.validation._data.truth import Truth, TruthKind

if TYPE_CHECKING:
    from explorer.traces import Trace

LabelsByTrace = Mapping[str, Mapping[str, bool | None]]


@old_parameters(truth=(Truth, ("least_drop",), "kind"))
def labels_of(trace: Trace, truth: Truth | TruthKind = "labels") -> list[bool | None]:
    """Return the label of each hyperedge of a trace: used, not used, or None if unknown.

    Parameters
    ----------
    trace
        The trace; for causal use, as `ablate` returns it.
    truth
        ``"labels"``: the labels in the trace. ``"ablation"``: a hyperedge is used if the answer's
        log-probability drops by at least `Truth.least_drop` when it alone is left out.

    Returns
    -------
    list of bool or None
        In the order of the hyperedges. For causal use None if the effect is not a number, if the
        trace was not ablated, and if it has changed since.

    Raises
    ------
    EvidenceError
        The metadata of the trace were not written by `ablate`.
    InputError
        Traces do not hold labels of this truth.

    Examples
    --------
    >>> from explorer.traces import Hyperedge, Trace
    >>> edges = [Hyperedge("a", "Ada was born in London.", label=True), Hyperedge("b", "It rains.")]
    >>> labels_of(Trace("q", "Where was Ada born?", edges, "London"))
    [True, None]
    """
    wanted = Truth.of(truth)
    if wanted.kind == "labels":
        return [edge.label for edge in trace.hyperedges]
    if wanted.kind != "ablation":
        raise InputError(labels_needed(wanted.kind))
    ablation = ablation_of(trace)
    if ablation is None:
        return [None] * len(trace.hyperedges)
    return [
        effect >= wanted.least_drop if isfinite(effect) else None
        for effect in ablation.effects.tolist()
    ]


def labels_needed(kind: TruthKind) -> str:
    """Return an error message: traces do not hold labels of this kind."""
    return (
        f"Traces do not hold labels of the truth {kind!r}. Give them as `labels`; calls_of(table) "
        "makes labels of the calls of another method."
    )


class LabelSource:
    """Labels of traces, and notes on them.

    Parameters
    ----------
    truth
        As for `labels_of`.
    given
        Labels by trace and hyperedge, instead of those of the traces.

    Raises
    ------
    InputError
        There is no such truth, or traces do not hold it.
    """

    def __init__(self, truth: Truth | TruthKind, given: LabelsByTrace | None = None) -> None:
        self.truth = Truth.of(truth)
        if given is None and self.truth.kind == "agreement":
            raise InputError(labels_needed(self.truth.kind))
        self._given = given
        self._unused = {} if given is None else _ids_by_trace(given)
        self._seen: set[str] = set()
        self._unlabelled = 0
        self._models: Counter[tuple[str, str]] = Counter()
        self._left_out: dict[str, list[str]] = {}
        self._effects: list[float] = []

    def of(self, trace: Trace) -> list[bool | None]:
        """Return the label of each hyperedge, None if unknown."""
        self._seen.add(trace.id)
        if self._given is not None:
            by_id = self._given.get(trace.id, {})
            self._unused.get(trace.id, set()).difference_update(e.id for e in trace.hyperedges)
            labels = [_label(by_id.get(edge.id), edge.id, trace.id) for edge in trace.hyperedges]
        elif self.truth.kind == "ablation":
            labels = self._by_ablation(trace)
        else:
            labels = labels_of(trace, self.truth)
        self._unlabelled += all(label is None for label in labels)
        return labels

    def _by_ablation(self, trace: Trace) -> list[bool | None]:
        try:
            labels = labels_of(trace, self.truth)
            record = ablation_record(trace)
        except EvidenceError as error:
            self._leave_out("unusable", f"{trace.id} ({error})")
            return [None] * len(trace.hyperedges)
        if any(label is not None for label in labels):
            assert record is not None  # noqa: S101 - only an ablation record gives labels
            self._models[record.model, record.reader] += 1
            self._effects += [one for one in record.leave_one_out if one is not None]
        elif record is not None:
            changed = record.texts != texts_digest(trace)
            self._leave_out("changed" if changed else "nothing", trace.id)
        elif trace.metadata.get(MARK) is not None:
            self._leave_out("failed", f"{trace.id} ({trace.metadata[MARK]['problem']})")
        else:
            self._leave_out("never", trace.id)
        return labels

    def _leave_out(self, reason: str, trace: str) -> None:
        self._left_out.setdefault(reason, []).append(trace)

    def notes(self) -> list[Diagnostic]:
        """Return what the user should know about the labels."""
        notes = []
        if self._given is None and self.truth.kind == "ablation":
            notes += self._ablation_notes()
        elif self._unlabelled:
            message = (
                f"{self._unlabelled} of {len(self._seen)} traces have no labels: they are left out."
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
            message = f"Labels for ids that no trace has are left out: {first_few(unknown)}."
            notes.append(Diagnostic("labels-for-unknown-ids", message))
        return notes

    def _ablation_notes(self) -> list[Diagnostic]:
        notes = []
        least_drop = self.truth.least_drop
        if self._models:
            models = sorted({model for model, _ in self._models})
            try:
                times = f"{exp(least_drop):.3g}"
            except OverflowError:
                times = f"e^{least_drop:.3g}"
            message = (
                f"Used means that the answer is at least {times} times less likely without the "
                f"hyperedge (its log-probability drops by {least_drop:.3g} or more), for "
                f"{' and '.join(models)}."
            )
            notes.append(Diagnostic("causal-use", message))
        notes += noise_notes(np.array(self._effects, dtype=np.float64), least_drop)
        if len(self._models) > 1:
            named = ", ".join(f"{model} ({n})" for (model, _), n in self._models.items())
            message = (
                "These traces were ablated by models that differ in name or weights: "
                f"{named}. One model may know by heart what another reads from the prompt: ablate "
                "all traces with one model."
            )
            notes.append(Diagnostic("several-models", message))
        reasons = [
            sentence.format(len(names), first_few(names))
            for reason, sentence in _LEFT_OUT.items()
            if (names := self._left_out.get(reason))
        ]
        if reasons:
            message = (
                f"{self._unlabelled} of {len(self._seen)} traces are left out. {' '.join(reasons)}"
            )
            notes.append(Diagnostic("traces-without-ablation", message))
        return notes


_LEFT_OUT = {
    "never": "Not ablated: {0} (ablate(traces) does it).",
    "failed": "Could not be ablated: {1}.",
    "changed": "Changed since they were ablated: {1}.",
    "nothing": "Without any numeric effect: {1}.",
    "unusable": "With an ablation that cannot be used: {1}.",
}


def _ids_by_trace(given: object) -> dict[str, set[str]]:
    """Return the ids of the hyperedges with given labels, by trace.

    Raises
    ------
    InputError
        The labels are not a mapping of mappings.
    """
    wrong = given
    if isinstance(given, Mapping):
        others = [by_id for by_id in given.values() if not isinstance(by_id, Mapping)]
        if not others:
            return {name: set(by_id) for name, by_id in given.items()}
        wrong = others[0]
    raise InputError(
        "`labels` maps the id of each trace to a mapping from the ids of its hyperedges to True, "
        f"False or None, but it holds a {type(wrong).__name__}."
    )


def _label(value: Any, unit: str, trace: str) -> bool | None:
    """Return a given label; 0 and 1 are labels too, NaN is not.

    Raises
    ------
    InputError
        The value is something else: a word such as "no" must not count as true.
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
