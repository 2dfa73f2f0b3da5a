"""What the thresholds tab calls things under each kind of truth."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TruthWords:
    """Words for one kind of truth.

    Attributes
    ----------
    title
        What the choice says on hover.
    judges
        What the scores are judged by.
    units
        The hyperedges that take part.
    used, not_used
        Heads of the table of counts.
    say
        How the number of used ones is told.
    which
        How those are called that are used, in a sentence.
    these
        What was measured on.
    choosers
        What chooses a threshold and judges it as well.
    """

    title: str
    judges: str
    units: str
    used: str
    not_used: str
    say: str
    which: str
    these: str
    choosers: str


WORDS = {
    "labels": TruthWords(
        title="Used is what somebody labelled so",
        judges="the labels",
        units="labelled hyperedges",
        used="labelled used",
        not_used="labelled not",
        say="labels say",
        which="those labelled used",
        these="these labels",
        choosers="the labels",
    ),
    "ablation": TruthWords(
        title="Causal use: used is what lowers the log-probability of the answer by the drop, or "
        "more, when it is left out",
        judges="causal use",
        units="ablated hyperedges",
        used="used by ablation",
        not_used="not used",
        say="ablation says",
        which="those used by ablation",
        these="these effects",
        choosers="the measured effects",
    ),
}
