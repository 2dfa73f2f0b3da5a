"""Sections on the scores: ranking, heads, bias, and comparison with baselines."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from explorer.figures import BiasBins
from explorer.figures._thresholds.quality_map import QUALITY_LOOKS
from explorer.reporting._analysis.number_text import (
    bounds,
    count,
    digits,
    interval,
    many,
    score,
    share,
)
from explorer.reporting._analysis.report_contents import MAPS, ReportContents
from explorer.reporting._analysis.sentences import report_warning
from explorer.reporting._analysis.threshold_analysis import lead_over_words
from explorer.reporting._page.markup import folded, joined, paragraph, table, tag
from explorer.reporting._page.section import (
    COMPARED,
    ReportSection,
    comparison_rows,
    figure,
    rows_of,
    section,
)

BEST_HEADS = 12
MOST_HEADS = 2_000
"""Of more heads than this only the best are listed."""


def ranking(found: ReportContents) -> ReportSection:
    """Make the section with ROC and PR curves and the figures of the ranking."""
    one = found.analysis.ranking
    rows = [
        ["ROC-AUC, all traces pooled", digits(one.auc.value), bounds(*one.auc[1:]), "0.500"],
        [
            "average precision",
            digits(one.average_precision.value),
            bounds(*one.average_precision[1:]),
            digits(one.prevalence),
        ],
        [
            f"ROC-AUC within a trace, mean of {many(one.traces_within, 'trace')}",
            digits(one.within_trace_auc.value),
            bounds(*one.within_trace_auc[1:]),
            "0.500",
        ],
    ]
    return section(
        "ranking",
        "Ranking, independent of any threshold",
        "ROC-AUC is how often a used hyperedge scores above one that is not used: 1 is perfect, "
        "0.5 is chance. Average precision is the mean precision along the ranking; chance is the "
        f"share of used hyperedges, here {share(one.prevalence)}. If the ranking within a trace is "
        "much better than the pooled one, traces differ in level, and one threshold cannot suit "
        "all of them.",
        figure("ranks", "ROC curve and precision-recall curve"),
        table(
            ["figure", "value", "95 % interval", "chance"],
            rows,
            caption="How well the scores rank",
        ),
    )


def heads(found: ReportContents) -> ReportSection:
    """Make the section with the maps of heads and tables of their figures."""
    title = "Layers and heads"
    how = (
        "Each cell is the ROC-AUC of one head's attention on these labels. The best of many heads "
        "is partly the best by chance: it will do less well on other traces."
    )
    if isinstance(found.heads, str):
        return section("heads", title, how, paragraph(f"There is no map. {found.heads}"))
    maps = found.heads.maps
    auc = maps["auc"]
    order = np.argsort(-np.nan_to_num(auc.ravel(), nan=-1.0), kind="stable")
    rows = [
        [
            *map(str, divmod(int(place), auc.shape[1])),
            *(digits(maps[m].ravel()[place]) for m in MAPS),
        ]
        for place in order[:MOST_HEADS]
    ]
    names = ["layer", "head", *(QUALITY_LOOKS[name].word for name in MAPS)]
    best = table(names, rows[:BEST_HEADS], caption="The heads that rank best", texts=())
    left_out = auc.size - len(rows)
    every = f"All {count(auc.size)} heads" if not left_out else f"The best {count(len(rows))} heads"
    said = paragraph(f"{many(left_out, 'head')} that rank worse are left out.", class_="note")
    return section(
        "heads",
        title,
        how,
        figure("heads auc", "Map of ROC-AUC by layer and head"),
        folded(
            "Maps of average precision and of the best F1",
            figure("heads average_precision", "Map of average precision by layer and head"),
            figure("heads f1", "Map of the best F1 by layer and head"),
        ),
        paragraph(
            f"From {many(found.heads.units, 'hyperedge')} of {many(found.heads.traces, 'trace')} "
            "with attention. The heads that rank best:"
        ),
        best,
        folded(
            every,
            said if left_out else None,
            table(names, rows, caption="Heads, those that rank best first", texts=()),
        ),
    )


def bias(found: ReportContents) -> ReportSection:
    """Make the section on scores by position and by length."""
    parts: list[Markup] = []
    for what, bins in (
        ("position", found.comparison.position),
        ("length", found.comparison.length),
    ):
        parts.append(_bias_table(what, bins))
    drawn = found.comparison.position is not None or found.comparison.length is not None
    return section(
        "bias",
        "Does the score just follow position or length?",
        "A score that falls with the position in the prompt, although the share of used hyperedges "
        "does not, depends on the position rather than on the fact. The figure shows the mean "
        "score in each bin as a multiple of the overall mean: a flat line is no bias. The dotted "
        "line is the share of used hyperedges on the same scale.",
        figure("bias", "Score against position and against length") if drawn else None,
        *parts,
    )


def baselines(found: ReportContents) -> ReportSection:
    """Make the section that compares the scores with baselines."""
    whole = found.comparison.baselines
    heads_of = ["scores", *COMPARED.values(), "at threshold", "known"]
    rows = [
        [*compared, score(row["threshold"]), count(row["units"])]
        for compared, row in zip(comparison_rows(whole), rows_of(whole), strict=True)
    ]
    notes = whole.attrs.get("notes", {})
    said = [
        tag("li", tag("b", name), ": ", "; ".join(note.message for note in of))
        for name, of in notes.items()
        if of and name != str(whole["scores"].iloc[0])
    ]
    return section(
        "baselines",
        "Compared with baselines that need no attention",
        "The scores are better than a baseline only if the interval of the difference (ahead by) "
        "is above 0; whether the intervals of two rows overlap does not matter. Each F1 is at the "
        "best threshold on these labels. Known: number of hyperedges that have such a score.",
        paragraph(report_warning(found) or lead_over_words(found.comparison)),
        figure("dots", "The scores and the baselines with their intervals"),
        table(heads_of, rows, caption="The scores and the baselines", strong=(0,)),
        tag("ul", *said, class_="note") if said else None,
    )


def _bias_table(what: str, bins: BiasBins | None) -> Markup:
    if bins is None:
        return paragraph(f"The {what} of the hyperedges is not known.")
    counted = f" in {bins.counted_in}" if bins.counted_in else ""
    said = paragraph(
        f"Within a trace, the rank correlation of score and {what} is "
        f"{interval(*bins.spearman)}; 0 is no bias."
    )
    rows = [
        [
            score(row["low"]),
            score(row["high"]),
            count(row["units"]),
            score(row["score"]),
            " to ".join(score(row[f"score_{end}"]) for end in ("low", "high")),
            digits(row["used"]),
        ]
        for row in rows_of(bins.table)
    ]
    numbers = table(
        ["from", "to", "hyperedges", "mean score", "95 % interval", "share used"],
        rows,
        caption=f"Scores by {what}{counted}",
        texts=(),
    )
    return joined([said, folded(f"By {what}{counted}, in numbers", numbers)])
