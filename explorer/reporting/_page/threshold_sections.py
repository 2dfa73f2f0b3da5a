"""The parts of a report that are about the threshold: what was judged, and what every one gives."""

from __future__ import annotations

import numpy as np

from explorer.reporting._analysis.number_text import (
    bounds,
    count,
    digits,
    interval,
    many,
    score,
    share,
)
from explorer.reporting._analysis.report_contents import ReportContents
from explorer.reporting._analysis.score_names import score_description
from explorer.reporting._analysis.sentences import MEASURES, TRUTHS, held_out, report_warning
from explorer.reporting._page.markup import Markup, folded, joined, paragraph, table, tag
from explorer.reporting._page.report_figures import WIDTHS
from explorer.reporting._page.section import ReportSection, figure, rows_of, section

MOST_ROWS = 600
"""A sweep of more thresholds than these is told by as many, evenly spaced."""

_SWEPT = ("precision", "recall", "f1", "mcc", "youden", "coverage")


def about(found: ReportContents) -> ReportSection:
    """What was judged, by which truth, and with what."""
    told_of = found.about
    name, means = TRUTHS[found.analysis.judged.truth]
    config = found.report_scores.config
    way = "scores that were given, without saying how they were made"
    if config is not None:
        way = score_description(config)
    if found.report_scores.held_out:
        way += "; each trace scored by what the other traces chose (held out)"
    models = [
        tag("span", f"{model}: {role} ({many(number, 'trace')})")
        for model, role, number in told_of.models
    ]
    facts: list[tuple[str, object]] = [
        ("file", told_of.name or "traces made in memory"),
        ("traces", _traces(found)),
        ("judged", _judged(found)),
        ("truth", f"{name}: {means.format(drop=told_of.least_drop)}"),
        ("scores", way),
        ("models", tag("span", *_lines(models)) if models else "the traces name none"),
        (
            "intervals",
            f"95 %, from {count(told_of.samples)} samples of whole traces (seed {told_of.seed})"
            if told_of.samples
            else "none were asked for",
        ),
        ("made", f"{told_of.made:%Y-%m-%d %H:%M %Z}, explorer {told_of.release}"),
    ]
    body = tag("dl", *(tag("div", tag("dt", term), tag("dd", what)) for term, what in facts))
    return ReportSection("about", "What was judged", body)


def _traces(found: ReportContents) -> str:
    there, judged = found.about, found.analysis.sweep.traces
    return (
        f"{count(there.traces)} with {many(there.hyperedges, 'hyperedge')}; "
        f"{count(judged)} of them with labels that can be judged"
    )


def _judged(found: ReportContents) -> str:
    swept = found.analysis.sweep
    told_of = (
        f"{many(swept.units, 'hyperedge')}: {count(swept.positives)} used, "
        f"{count(swept.units - swept.positives)} not used"
    )
    if swept.unknown:
        told_of += f"; {count(swept.unknown)} more have no score and are left out"
    return told_of


def at_threshold(found: ReportContents) -> ReportSection:
    """The table of confusion, and every measure with its interval."""
    here, there = found.row(found.threshold), found.row(found.reference)
    best = found.analysis.sweep.best("f1").threshold
    columns = [(f"at {score(found.threshold)}", here)]
    if found.reference != found.threshold:
        columns.append((f"at the reference {score(found.reference)}", there))
    if not np.isnan(best):
        columns.append((f"at the best F1, {score(best)}", found.row(best)))
    rows = [
        [
            tag("span", word, title=meaning),
            *(interval(row[name], row[f"{name}_low"], row[f"{name}_high"]) for _, row in columns),
        ]
        for name, (word, meaning) in MEASURES.items()
    ]
    confusion = table(
        ["", "used", "not used"],
        [
            ["called used", _right(here["tp"]), count(here["fp"])],
            ["called not used", count(here["fn"]), _right(here["tn"])],
        ],
        caption=f"Calls at {score(found.threshold)} against the truth",
    )
    measures = table(
        ["measure", *(name for name, _ in columns)],
        rows,
        caption="Measures with 95 % intervals",
    )
    meanings = tag(
        "p",
        *(
            part
            for word, meaning in MEASURES.values()
            for part in (tag("b", word), f" {meaning}. ")
        ),
        class_="note",
    )
    return section(
        "threshold",
        f"At the threshold {score(found.threshold)}",
        "A hyperedge is called used when its score reaches the threshold. Bold counts are right "
        "calls. Brackets hold what other traces of this kind would give, 95 times in 100. The best "
        "F1 was looked up on these very labels and flatters itself.",
        tag("div", confusion, measures, class_="beside"),
        meanings,
    )


def every_threshold(found: ReportContents) -> ReportSection:
    """Histogram, curves with the plateau, and the whole sweep."""
    swept = found.analysis.sweep
    best, plateau = swept.best("f1"), swept.plateau("f1")
    said = (
        f"The largest F1 is {interval(best.value, best.low, best.high)} at {score(best.threshold)}."
        f" From {score(plateau.low)} to {score(plateau.high)} it stays within "
        f"{plateau.tolerance:g} of that: the exact threshold matters little there."
    )
    return section(
        "thresholds",
        "Every threshold",
        "Above the axis are the scores of what was used, below it of what was not. A good score "
        "keeps the two apart, and a good threshold stands between them. The curves say how good "
        "the calls would be with the threshold elsewhere.",
        figure("histogram", "Histogram of scores, used above the axis and not used below"),
        figure("curves", "F1, MCC and Youden J at every threshold"),
        paragraph(said),
        folded("The histogram in numbers", _bins(found)),
        folded(f"The whole sweep: {many(len(swept.table), 'threshold')}", *_sweep(found)),
    )


def in_sample(found: ReportContents) -> ReportSection:
    """The threshold chosen in sample beside the one that was cross-validated."""
    chosen = found.comparison.chosen
    how = (
        "Who chooses a threshold and judges it by the same labels finds it too good. Here the "
        "traces are cut into folds; each fold is judged at the threshold that the others chose."
    )
    title = "On traces that did not choose"
    if chosen is None:
        return section("heldout", title, how, paragraph(held_out(found.comparison)))
    warned = report_warning(found)
    word = MEASURES[chosen.metric][0]
    facts = table(
        ["", word, "95 % interval", "threshold"],
        [
            ["in sample", digits(chosen.in_sample), "", score(chosen.threshold)],
            [
                "cross-validated",
                digits(chosen.held_out.value),
                bounds(chosen.held_out.low, chosen.held_out.high),
                f"{score(chosen.low)} to {score(chosen.high)}",
            ],
            ["optimism", digits(chosen.optimism), "", ""],
        ],
        caption="The choice in sample and cross-validated",
    )
    folds = table(
        ["repeat", "fold", "threshold", f"{word} in sample", f"{word} held out", "traces", "used"],
        [
            [
                count(row["repeat"] + 1),
                count(row["fold"] + 1),
                score(row["threshold"]),
                digits(row["in_sample"]),
                digits(row["held_out"]),
                count(row["traces"]),
                count(row["positives"]),
            ]
            for row in rows_of(chosen.folds)
        ],
        caption="What every fold chose",
        texts=(),
    )
    return section(
        "heldout",
        title,
        how,
        paragraph(warned, class_="warning") if warned else None,
        facts,
        paragraph(
            f"{_expected(found)} {share(chosen.calls_that_differ)} of the calls depend on which "
            "traces chose."
        ),
        folded(f"What each of {many(len(chosen.folds), 'fold')} chose", folds),
    )


def _expected(found: ReportContents) -> str:
    if report_warning(found):
        return "Here the threshold alone was kept from these traces; the heads were not."
    return held_out(found.comparison)


def _right(number: float) -> Markup:
    return tag("b", count(number))


def _lines(parts: list[Markup]) -> list[Markup]:
    lines: list[Markup] = []
    for part in parts:
        lines += [tag("br"), part] if lines else [part]
    return lines


def _bins(found: ReportContents) -> Markup:
    from explorer.figures import score_histogram_spec
    from explorer.reporting._page.report_figures import scale_of

    scale, span = scale_of(found)
    scores = found.analysis.scores
    drawn = score_histogram_spec(
        scores, found.threshold, scale=scale, span=span, width=WIDTHS["wide"]
    )
    edges = drawn["layout"]["meta"]["edges"]
    used, others = scores.counts(edges)
    rows = [
        [score(low), score(high), count(one), count(other)]
        for low, high, one, other in zip(edges[:-1], edges[1:], used, others, strict=True)
        if one or other
    ]
    note = paragraph(
        "Bins without a score are left out; the first and the last also hold what lies beyond.",
        class_="note",
    )
    return joined(
        [
            note,
            table(
                ["from", "to below", "used", "not used"],
                rows,
                caption="Scores by bin",
                texts=(),
            ),
        ]
    )


def _sweep(found: ReportContents) -> list[Markup]:
    whole = found.analysis.sweep.table
    shown = whole
    said = None
    if len(whole) > MOST_ROWS:
        places = np.linspace(0, len(whole) - 1, MOST_ROWS).round().astype(int)
        shown = whole.iloc[np.unique(places)]
        said = paragraph(
            f"{count(len(shown))} of {many(len(whole), 'threshold')}, evenly spaced among them.",
            class_="note",
        )
    columns = {str(name): shown[name].tolist() for name in shown}
    rows = []
    for at, threshold in enumerate(columns["threshold"]):
        cells: list[object] = [score(threshold)]
        cells += [count(columns[name][at]) for name in ("tp", "fp", "fn", "tn", "flips")]
        for name in _SWEPT:
            low, high = columns[f"{name}_low"][at], columns[f"{name}_high"][at]
            cells += [digits(columns[name][at]), bounds(low, high)]
        rows.append(cells)
    heads = ["threshold", "tp", "fp", "fn", "tn", "flips"]
    for name in _SWEPT:
        heads += [MEASURES[name][0], "95 %"]
    told_as = paragraph(
        "tp and fp are hyperedges called used that were and were not; fn and tn those called not "
        "used that were and were not; flips is how many calls change from the row above.",
        class_="note",
    )
    parts = [told_as, said, table(heads, rows, caption="Every threshold", texts=())]
    return [part for part in parts if part is not None]
