"""Settings of an ablation, as one object, and the digest that identifies them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

from explorer.errors import EvidenceError, InputError
from explorer.rag._scoring.trace_task import digest
from explorer.traces import Trace
from explorer.validation._ablation.ablation_record import ablation_record, texts_digest
from explorer.validation._ablation.surrogate import ALPHA
from explorer.validation._statistics.number_checks import check_count

Sets = Mapping[str, Sequence[Collection[str]]]
"""For the id of a trace, sets of ids of hyperedges."""


@dataclass(frozen=True, kw_only=True)
class AblationSettings:
    """Which hyperedges are left out of the prompt, and what is fitted.

    Parameters
    ----------
    masks : int
        Number of random prompts, each of which keeps each hyperedge with probability 1/2, for a
        sparse linear surrogate (Cohen-Wang et al. 2024: ContextCite, who use 32 to 256). If there
        are no more subsets than this, every subset is read once instead.
    seed : int
        Seed of the random masks. Those of a trace do not depend on the other traces.
    alpha : float or None
        Penalty of the surrogate; None to choose it by cross-validation, which needs 10 masks.
    sets : dict or None
        Further hyperedges to leave out together: for the id of a trace, sets of ids of hyperedges,
        for example the `top_units` of a score.
    generate : bool
        Let the model answer if a trace has no answer.
    max_new_tokens : int
        Largest number of tokens of such an answer.

    Raises
    ------
    InputError
        A value is not valid.

    Examples
    --------
    >>> AblationSettings(masks=32).masks
    32
    """

    masks: int = 0
    seed: int = 0
    alpha: float | None = ALPHA
    sets: Sets | None = None
    generate: bool = False
    max_new_tokens: int = 48

    def __post_init__(self) -> None:
        for name, least in (("masks", 0), ("seed", 0), ("max_new_tokens", 1)):
            object.__setattr__(self, name, check_count(name, getattr(self, name), least))
        alpha: Any = self.alpha
        number = isinstance(alpha, Real) and not isinstance(alpha, bool)
        if alpha is not None and not (number and 0 < alpha < float("inf")):
            raise InputError(
                f"alpha must be a number above 0, or None to choose it, not {alpha!r}."
            )
        object.__setattr__(self, "sets", _checked_sets(self.sets))

    @classmethod
    def of(cls, settings: AblationSettings | None) -> AblationSettings:
        """Return the settings, the default ones for None.

        Raises
        ------
        InputError
            The value is neither None nor `AblationSettings`.
        """
        if settings is None:
            return cls()
        if not isinstance(settings, cls):
            raise InputError(
                f"`settings` must be AblationSettings, but it is a {type(settings).__name__}. "
                "AblationSettings(masks=32) makes one."
            )
        return settings

    def sets_of(self, trace: Trace) -> tuple[tuple[str, ...], ...]:
        """Return the sets of a trace."""
        sets: Any = self.sets or {}
        found: tuple[tuple[str, ...], ...] = sets.get(trace.id, ())
        return found

    def digest(self, trace: Trace) -> str:
        """Return a digest of the settings that affect a trace with an answer."""
        alpha = None if self.alpha is None else float(self.alpha)
        masks = [self.masks, self.seed, alpha] if self.masks else []
        return digest([masks, self.sets_of(trace)])


def _checked_sets(sets: object) -> dict[str, tuple[tuple[str, ...], ...]]:
    """Return the sets as tuples of distinct ids.

    Raises
    ------
    InputError
        The value does not map ids of traces to sets of ids.
    """
    if sets is None:
        return {}
    checked = {}
    if isinstance(sets, Mapping):
        for name, listed in sets.items():
            if isinstance(listed, str) or not isinstance(listed, Iterable):
                break
            of_trace = list(listed)
            if any(isinstance(one, str) or not isinstance(one, Collection) for one in of_trace):
                break
            checked[str(name)] = tuple(tuple(dict.fromkeys(map(str, one))) for one in of_trace)
        else:
            return checked
    raise InputError(
        "sets must map the id of a trace to a list of sets of ids of hyperedges, such as "
        '{"q1": [{"he1", "he2"}]}.'
    )


def is_done(trace: Trace, settings: AblationSettings, key: str) -> bool:
    """Return whether this model has ablated this trace with these settings and texts."""
    try:
        record = ablation_record(trace)
    except EvidenceError:
        return False
    return (
        record is not None
        and record.reader == key
        and record.texts == texts_digest(trace)
        and record.settings == settings.digest(trace)
    )
