"""What the caller of `ablate` wants: checked, and told apart from other wishes by a digest."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

import numpy as np

from explorer.errors import EvidenceError, InputError
from explorer.rag._scoring.trace_task import digest
from explorer.traces import Trace
from explorer.validation._ablation.ablation_record import ablation_record, texts_digest
from explorer.validation._ablation.surrogate import ALPHA

Sets = Mapping[str, Sequence[Collection[str]]]
"""For ids of traces, sets of ids of hyperedges."""


@dataclass(frozen=True)
class AblationSettings:
    """What the caller of `ablate` wants."""

    masks: int = 0
    seed: int = 0
    alpha: float | None = ALPHA
    generate: bool = False
    max_new_tokens: int = 48
    sets: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)

    def check(self) -> None:
        """Refuse what is none.

        Raises
        ------
        InputError
            A number is no number of its kind.
        """
        for name, value, least in (
            ("masks", self.masks, 0),
            ("seed", self.seed, 0),
            ("max_new_tokens", self.max_new_tokens, 1),
        ):
            whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
            if not whole or value < least:
                raise InputError(f"{name} is a whole number from {least}; got {value!r}.")
        alpha: Any = self.alpha
        number = isinstance(alpha, Real) and not isinstance(alpha, bool)
        if alpha is not None and not (number and 0 < alpha < float("inf")):
            raise InputError(f"alpha is a number above 0, or None to choose it; got {alpha!r}.")

    def of(self, trace: Trace) -> str:
        """Return a digest of what of it concerns one trace that has an answer."""
        alpha = None if self.alpha is None else float(self.alpha)
        masks = [int(self.masks), int(self.seed), alpha] if self.masks else []
        return digest([masks, self.sets.get(trace.id, ())])


def checked_sets(sets: object) -> dict[str, tuple[tuple[str, ...], ...]]:
    """Return the sets in an order that tells nothing.

    Raises
    ------
    InputError
        They are not sets of ids by the id of a trace.
    """
    if sets is None:
        return {}
    found = {}
    if isinstance(sets, Mapping):
        for name, listed in sets.items():
            if isinstance(listed, str) or not isinstance(listed, Iterable):
                break
            some = list(listed)
            if any(isinstance(one, str) or not isinstance(one, Collection) for one in some):
                break
            found[str(name)] = tuple(tuple(dict.fromkeys(map(str, one))) for one in some)
        else:
            return found
    raise InputError(
        "sets gives, for the id of a trace, a list of sets of ids of hyperedges, such as "
        '{"q1": [{"he1", "he2"}]}.'
    )


def is_done(trace: Trace, settings: AblationSettings, key: str) -> bool:
    """Whether this model has ablated this trace, with these settings and texts."""
    try:
        found = ablation_record(trace)
    except EvidenceError:
        return False
    return (
        found is not None
        and found.reader == key
        and found.texts == texts_digest(trace)
        and found.settings == settings.of(trace)
    )
