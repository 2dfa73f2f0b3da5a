"""The parts of a report that are about the scores: how they rank, and what they follow."""

from __future__ import annotations

import numpy as np

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
from explorer.reporting._page.markup import Markup, folded, joined, paragraph, table, tag
from explorer.reporting._page.section import (
    STANDINGS,
    ReportSection,
    figure,
    rows_of,
    section,
    standings,
)

BEST_HEADS = 12
MOST_HEADS = 2_000
"""Beyond these heads only the best are listed."""


def ranking(found: ReportContents) -> ReportSection:
    """ROC and PR curves, and the three figures of the ranking."""
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
        "Ranking, whatever the threshold",
        "ROC-AUC is how often a used hyperedge scores above one that was not: 1 is perfect, 0.5 a "
        "coin. Average precision is the precision met on the way down the ranking; a coin gives "
        f"the share of used hyperedges, here {share(one.prevalence)}. Where the ranking within a "
        "trace is much better than the pooled one, traces differ in level, and one threshold "
        "cannot suit all.",
        figure("ranks", "ROC curve and precision-recall curve"),
        table(
            ["figure", "value", "95 % interval", "chance"],
            rows,
            caption="How well the scores rank",
        ),
    )


def heads(found: ReportContents) -> ReportSection:
    """The map of heads, its best in a table, and all of it folded away."""
    title = "Layers and heads"
    how = (
        "Each cell is the ROC-AUC of one head's attention on these labels. The best of many heads "
        "is the best by luck too: on other traces it will do less well."
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


def leaning(found: ReportContents) -> ReportSection:
    """Scores against position and length."""
    parts: list[Markup] = []
    for what, bins in (
        ("position", found.comparison.position),
        ("length", found.comparison.length),
    ):
        parts.append(_leaning(what, bins))
    drawn = found.comparison.position is not None or found.comparison.length is not None
    return section(
        "leaning",
        "What the score may follow instead",
        "A score that falls with the position in the prompt, where the truth does not, looks at "
        "the place and not at the fact. The figure shows the mean score in each bin as a multiple "
        "of the overall mean: flat is no bias. Dotted is the share of used hyperedges, by the same "
        "measure.",
        figure("leaning", "Score against position and against length") if drawn else None,
        *parts,
    )


def baselines(found: ReportContents) -> ReportSection:
    """The scores beside baselines."""
    whole = found.comparison.baselines
    heads_of = ["scores", *STANDINGS.values(), "at threshold", "known"]
    rows = [
        [*standing, score(row["threshold"]), count(row["units"])]
        for standing, row in zip(standings(whole), rows_of(whole), strict=True)
    ]
    notes = whole.attrs.get("notes", {})
    said = [
        tag("li", tag("b", name), ": ", "; ".join(note.message for note in of))
        for name, of in notes.items()
        if of and name != str(whole["scores"].iloc[0])
    ]
    return section(
        "beside",
        "Compared with baselines",
        "Scores that look at no attention. The scores are better than a baseline when the whole "
        "interval of how far they are ahead lies above 0; intervals of two rows that overlap prove "
        "nothing. Each F1 is at the threshold that is best on these labels; known is how many "
        "hyperedges have such a score.",
        paragraph(report_warning(found) or lead_over_words(found.comparison)),
        figure("dots", "The scores and the baselines with their intervals"),
        table(heads_of, rows, caption="The scores beside baselines", strong=(0,)),
        tag("ul", *said, class_="note") if said else None,
    )


def _leaning(what: str, bins: BiasBins | None) -> Markup:
    if bins is None:
        return paragraph(f"Nothing is known of the {what} of the hyperedges.")
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
