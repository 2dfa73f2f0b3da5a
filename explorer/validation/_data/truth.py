"""What the labels rest on, as one object."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from numbers import Real
from typing import Final, Literal, NamedTuple, get_args

from explorer.errors import InputError

TruthKind = Literal["labels", "ablation", "agreement"]
"""Labels given by people, effects measured by ablation, or calls of another method."""

LEAST_DROP: Final = log(2)
"""The default drop of the answer's log-probability, in nats, from which a hyperedge counts as used:
without the hyperedge the answer is half as likely."""


class TruthWords(NamedTuple):
    """How messages name the units of one kind of truth.

    Attributes
    ----------
    labelled
        Adjective of the units and traces: "labelled".
    labelled_as
        A format of a class: "labelled {}".
    more
        Verb that asks for more of them: "Label".
    known
        Noun for the known truth: "labels".
    """

    labelled: str
    labelled_as: str
    more: str
    known: str


TRUTH_WORDS: Final[dict[TruthKind, TruthWords]] = {
    "labels": TruthWords("labelled", "labelled {}", "Label", "labels"),
    "ablation": TruthWords("ablated", "{} by ablation", "Ablate", "effects"),
    "agreement": TruthWords("compared", "called {} by the other", "Compare", "labels"),
}


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What counts as used.

    Parameters
    ----------
    kind : {"labels", "ablation", "agreement"}
        ``"labels"``: the labels of the traces. ``"ablation"``: causal use as measured by `ablate`.
        ``"agreement"``: the calls of another method.
    least_drop : float
        For ``"ablation"``: a hyperedge counts as used if the answer's log-probability drops by at
        least this much, in nats, when the hyperedge is left out. The default is log 2: the answer
        is half as likely. The drop is that of the whole answer; it is not divided by the number of
        tokens, because a fact that decides one word of a long sentence would then hardly count.

    Raises
    ------
    InputError
        There is no such kind, or `least_drop` is not a positive number.

    Examples
    --------
    >>> Truth(kind="ablation", least_drop=1.0)
    Truth(kind='ablation', least_drop=1.0)
    """

    kind: TruthKind = "labels"
    least_drop: float = LEAST_DROP

    def __post_init__(self) -> None:
        check_kind(self.kind)
        drop: object = self.least_drop
        number = isinstance(drop, Real) and not isinstance(drop, bool)
        if not number or not 0 < drop < float("inf"):  # type: ignore[operator]
            raise InputError(
                "`least_drop` must be a number above 0, in natural logarithms: log(2) if the "
                f"answer must become half as likely; got {drop!r}."
            )

    @classmethod
    def of(cls, truth: Truth | TruthKind) -> Truth:
        """Return the truth; the name of a kind stands for that kind with the default drop.

        Raises
        ------
        InputError
            There is no such kind.
        """
        return truth if isinstance(truth, cls) else cls(kind=check_kind(truth))


def check_kind(kind: object) -> TruthKind:
    """Return a kind of truth.

    Raises
    ------
    InputError
        There is no such kind.
    """
    known = get_args(TruthKind)
    if not isinstance(kind, str) or kind not in known:
        names = ", ".join(repr(name) for name in known)
        raise InputError(f"There is no truth {kind!r}. Choose one of {names}.")
    return kind  # type: ignore[return-value]
