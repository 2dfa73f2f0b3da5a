"""Sections on the consequences: changed calls, weights, other methods, recommendation, notes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from explorer.figures._style.label_text import shortened
from explorer.rag import ExtractorConfig
from explorer.rag._methods.extractor_config import as_python
from explorer.reporting._analysis.final_weights import final_weights
from explorer.reporting._analysis.number_text import (
    bounds,
    count,
    digits,
    interval,
    many,
    score,
    share,
)
from explorer.reporting._analysis.report_contents import HeadMaps, ReportContents
from explorer.reporting._analysis.score_names import THRESHOLD_NAMES
from explorer.reporting._analysis.sentences import advice, weight_summary
from explorer.reporting._analysis.threshold_analysis import MOST_TEXT
from explorer.reporting._page.markup import folded, joined, paragraph, passage, table, tag
from explorer.reporting._page.section import (
    COMPARED,
    ReportSection,
    comparison_rows,
    figure,
    rows_of,
    section,
)

if TYPE_CHECKING:
    from explorer.validation import Recommendation

FEW_CHANGES, MOST_CHANGES = 12, 200
"""Changed calls shown at once, and in all; those nearest to the threshold come first."""

MOST_MOVED = 10
MOST_PROBLEMS = 20


def changed_calls(found: ReportContents) -> ReportSection:
    """Make the section on calls that change between the reference and the threshold."""
    whole = found.changed_calls
    near = np.argsort(np.abs(whole["score"].to_numpy() - found.threshold), kind="stable")
    shown = whole.iloc[near[:MOST_CHANGES]]
    rows: list[list[object]] = [
        [
            passage(row["trace"]),
            passage(row["unit"]),
            passage(row["text"]),
            score(row["score"]),
            _called(row["label"]),
            _called(row["at_other"]),
            "right" if row["label"] == row["at_other"] else "wrong",
        ]
        for row in rows_of(shown)
    ]
    right = int((whole["label"] == whole["at_other"]).sum())
    one, other = score(found.reference), score(found.threshold)
    summary = f"{many(len(whole), 'call')} {'changes' if len(whole) == 1 else 'change'}: "
    summary += f"{count(right)} of the new calls are right, {count(len(whole) - right)} wrong."
    if not len(whole):
        summary = f"No call changes between {one} and {other}."
    left_out = len(whole) - len(shown)
    heads = ["trace", "id", "text", "score", "truth", f"at {other}", "the new call is"]

    def listed(some: list[list[object]]) -> Markup:
        return table(heads, some, caption="Calls that change", texts=(0, 1, 2, 4, 5, 6))

    return section(
        "changed-calls",
        f"Calls that change between {one} and {other}",
        f"The reference is {one}. Hyperedges whose call differs at the threshold, those nearest to "
        "the threshold first.",
        paragraph(summary),
        listed(rows[:FEW_CHANGES]) if rows else None,
        folded(f"{count(len(rows) - FEW_CHANGES)} more", listed(rows[FEW_CHANGES:]))
        if len(rows) > FEW_CHANGES
        else None,
        paragraph(
            f"{many(left_out, 'hyperedge')} farther from the threshold are left out.",
            class_="note",
        )
        if left_out
        else None,
    )


def _called(used: bool) -> str:
    return "used" if used else "not\u00a0used"


def agreement(found: ReportContents) -> ReportSection | None:
    """Make the section on agreement with other methods."""
    whole = found.agreement
    if whole is None:
        return None
    rows = [
        [
            row["first"],
            row["second"],
            count(row["units"]),
            share(row["agreement"]),
            interval(row["kappa"], row["kappa_low"], row["kappa_high"]),
        ]
        for row in rows_of(whole)
    ]
    return section(
        "agreement",
        "Agreement with other methods (not ground truth)",
        "Cohen's kappa is the agreement of two methods beyond chance: 1 is full agreement, 0 is "
        "chance. Two methods may agree and both be wrong.",
        table(
            ["method", "and", "hyperedges", "same calls", "kappa (95 % interval)"],
            rows,
            caption="Agreement of methods",
            texts=(0, 1),
        ),
    )


def weights(found: ReportContents) -> ReportSection:
    """Make the section on how feedback at this threshold moves the weights."""
    moves = found.weights
    final, moved = moves.final(), moves.moved()
    order = np.lexsort((-moves.order.counts, -moved))[:MOST_MOVED]
    # Hyperedges identified by their texts have no other name.
    heads = ["hyperedge"] if moves.order.identity == "text" else ["hyperedge", "text"]
    rows = [
        [
            *(
                passage(shortened(part(int(edge)), MOST_TEXT))
                for part in (moves.order.name, moves.order.text)[: len(heads)]
            ),
            count(moves.order.counts[edge]),
            digits(moves.start[edge]),
            digits(final[edge]),
        ]
        for edge in order
    ]
    left_out = len(final) - len(rows)
    same = int((moves.order.counts > 1).sum())
    return section(
        "weights",
        "Weights after feedback",
        "At this threshold scores become feedback, and feedback moves the weight of each "
        "hyperedge, trace by trace. Only hyperedges that are retrieved more than once gather "
        "evidence.",
        figure("weights", "Weights of the hyperedges that move most, over the traces")
        if rows
        else None,
        paragraph(
            weight_summary(final_weights(found.weights, found.analysis.judged), "used hyperedges")
        ),
        paragraph(
            f"{many(len(final), 'hyperedge')}, {count(same)} of them retrieved more than once. The "
            "weights that move most:"
        ),
        table(
            [*heads, "updates", "weight before", "weight after"],
            rows,
            caption="Weights that move most",
            texts=range(len(heads)),
        ),
        paragraph(f"{many(left_out, 'hyperedge')} that move less are left out.", class_="note")
        if left_out
        else None,
    )


def recommendation(found: ReportContents) -> ReportSection | None:
    """Make the section on the result of calibration, with all its figures."""
    one = found.recommendation
    how = (
        "Calibration chooses heads, weights and a threshold on some traces and is judged on the "
        "others. Expect these figures on new traces of this kind."
    )
    if one is None:
        if not found.refused:
            return None
        return section("recommendation", "Recommendation", how, paragraph(advice(found)))
    word = one.objective.name
    facts = table(
        ["", word, "95 % interval"],
        [
            ["held out", digits(one.held_out.value), bounds(*one.held_out[1:])],
            ["in sample", digits(one.in_sample), ""],
        ],
        caption="The recommended choice, held out and in sample",
    )
    judged_by = (
        f"Judged by {many(one.units, 'hyperedge')} of {many(one.traces, 'trace')}, "
        f"{count(one.positives)} of them used. Chosen: {one.choice}, threshold "
        f"{score(one.threshold)}."
    )
    return section(
        "recommendation",
        "Recommendation",
        how,
        paragraph(advice(found), class_=None if one.accepted else "warning"),
        paragraph(judged_by),
        facts,
        figure("recommended", "The recommended scores, held out, and the baselines"),
        table(
            ["scores", *COMPARED.values()],
            comparison_rows(one.table),
            caption="Held-out scores and baselines",
            strong=(0,),
        ),
        folded(f"The choices of {many(len(one.folds), 'outer fold')}", _folds(one)),
        *(
            (
                folded("As JSON", tag("pre", one.to_json())),
                folded("As Python", tag("pre", one.to_python())),
            )
            if one.accepted
            else ()
        ),
    )


def configuration(found: ReportContents) -> ReportSection | None:
    """Make the section with the settings of the judged scores and threshold."""
    config = found.scores.config
    if config is None or found.scores.held_out:
        return None
    settings = settings_of(config, found.threshold)
    return section(
        "config",
        "Configuration",
        "A FeedbackExtractor with this config uses the scores and the threshold of this report.",
        folded("As JSON", tag("pre", json.dumps(settings, indent=2))),
        folded("As Python", tag("pre", as_python(settings))),
    )


def settings_of(config: ExtractorConfig, threshold: float) -> dict[str, Any]:
    """Return the settings of a `FeedbackExtractor` with this threshold, with JSON types.

    Settings that the method does not use are left out.
    """
    names = ["positive_feedback", "negative_feedback", "neutral_feedback"]
    settings: dict[str, Any] = {
        "method": config.method,
        THRESHOLD_NAMES[config.method]: min(1.0, max(0.0, threshold)),
    }
    if config.method == "attention" and config.heads is not None:
        settings["heads"] = config.heads.to_dict()
    elif config.method == "attention":
        names = ["layer", "head", "reduction", "normalisation", "top_k", *names]
    return settings | {name: getattr(config, name) for name in names}


def notes(found: ReportContents) -> ReportSection | None:
    """Make the section with the notes of all figures, and doubts about single scores."""
    analysis, comparison = found.analysis, found.comparison
    given = [
        *analysis.sweep.notes,
        *analysis.ranking.notes,
        *(comparison.chosen.notes if comparison.chosen is not None else ()),
        *(found.heads.notes if isinstance(found.heads, HeadMaps) else ()),
        *(found.recommendation.notes if found.recommendation is not None else ()),
    ]
    rows = [[note.code.replace("-", " "), note.message] for note in _once(given)]
    rows += [
        [f"{code.replace('-', ' ')}, {many(number, 'hyperedge')}", f"First case: {message}"]
        for code, number, message in found.doubts
    ]
    rows += [["loading", problem] for problem in found.subject.problems[:MOST_PROBLEMS]]
    more = len(found.subject.problems) - MOST_PROBLEMS
    if more > 0:
        rows.append(["loading", f"{many(more, 'more line')} left out or changed."])
    if not rows:
        return None
    return section(
        "notes",
        "Notes",
        "Limits of the figures, and data that were left out.",
        table(["note", "message"], rows, caption="Notes", texts=(0, 1)),
    )


def _once(given: Iterable[Any]) -> list[Any]:
    return list({(note.code, note.message): note for note in given}.values())


def _folds(one: Recommendation) -> Markup:
    rows = [
        [
            count(row["repeat"] + 1),
            count(row["fold"] + 1),
            row["choice"],
            row["head"],
            score(row["strength"]),
            score(row["threshold"]),
        ]
        for row in rows_of(one.folds)
    ]
    return joined(
        [
            table(
                ["repeat", "fold", "choice", "head", "strength", "threshold"],
                rows,
                caption="The choices of the outer folds",
                texts=(2, 3),
            )
        ]
    )
