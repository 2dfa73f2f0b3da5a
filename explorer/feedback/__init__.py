"""The conversion core: attention -> score per unit -> feedback. NumPy only."""

from __future__ import annotations

from explorer.feedback.combination import HeadCombination, HeadTerm
from explorer.feedback.normalisations import NORMALISATIONS, Normalisation
from explorer.feedback.policy import VERDICTS, FeedbackPolicy, Verdict
from explorer.feedback.reductions import REDUCTIONS, Attention, Reduction
from explorer.feedback.scores import reachable_scores, score_all_heads, score_units
from explorer.feedback.table import feedback_table, scores_table
from explorer.feedback.units import Diagnostic, Part, Span, Unit

__all__ = [
    "NORMALISATIONS",
    "REDUCTIONS",
    "VERDICTS",
    "Attention",
    "Diagnostic",
    "FeedbackPolicy",
    "HeadCombination",
    "HeadTerm",
    "Normalisation",
    "Part",
    "Reduction",
    "Span",
    "Unit",
    "Verdict",
    "feedback_table",
    "reachable_scores",
    "score_all_heads",
    "score_units",
    "scores_table",
]
