"""Sections on the judged scores and on thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

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
from explorer.reporting._analysis.sentences import TRUTHS, held_out, report_warning
from explorer.reporting._page.markup import folded, joined, paragraph, table, tag
from explorer.reporting._page.report_figures import WIDTHS
from explorer.reporting._page.section import ReportSection, figure, rows_of, section
from explorer.validation import METRICS

if TYPE_CHECKING:
    from explorer.validation._metrics.confusion import Metric

MOST_ROWS = 600
"""Of more thresholds than this, as many evenly spaced ones are listed."""

_SWEPT: tuple[Metric, ...] = ("precision", "recall", "f1", "mcc", "youden", "coverage")


def about(found: ReportContents) -> ReportSection:
    """Make the section on what was judged, and by which truth."""
    subject = found.subject
    name, means = TRUTHS[found.analysis.judged.truth]
    config = found.scores.config
    how = "given scores, of unknown origin"
    if config is not None:
        how = score_description(config, given=found.scores.given)
    if found.scores.held_out:
        how += "; each trace is scored with the choice made on the other traces (held out)"
    models = [
        tag("span", f"{model}: {role} ({many(number, 'trace')})")
        for model, role, number in subject.models
    ]
    facts: list[tuple[str, object]] = [
        ("file", subject.name or "traces made in memory"),
        ("traces", _traces(found)),
        ("judged", _judged(found)),
        ("ground truth", f"{name}: {means.format(drop=subject.least_drop)}"),
        ("scores", how),
        ("best threshold", f"chosen for {found.objective}"),
        ("models", tag("span", *_lines(models)) if models else "not named in the traces"),
        (
            "intervals",
            f"95 % bootstrap intervals over traces, {count(subject.resampling.samples)} samples "
            f"(seed {subject.resampling.seed})"
            if subject.resampling.samples
            else "not requested",
        ),
        ("made", f"{subject.made:%Y-%m-%d %H:%M %Z}, explorer {subject.release}"),
    ]
    body = tag("dl", *(tag("div", tag("dt", term), tag("dd", what)) for term, what in facts))
    return ReportSection("about", "What was judged", body)


def _traces(found: ReportContents) -> str:
    subject, judged = found.subject, found.analysis.sweep.traces
    return (
        f"{count(subject.traces)} with {many(subject.hyperedges, 'hyperedge')}; "
        f"{count(judged)} of them with labels and scores"
    )


def _judged(found: ReportContents) -> str:
    swept = found.analysis.sweep
    text = (
        f"{many(swept.units, 'hyperedge')}: {count(swept.positives)} used, "
        f"{count(swept.units - swept.positives)} not used"
    )
    if swept.unknown:
        text += f"; {count(swept.unknown)} more have no score and are left out"
    return text


def at_threshold(found: ReportContents) -> ReportSection:
    """Make the section with the confusion matrix and every measure at the threshold."""
    here, there = found.row(found.threshold), found.row(found.reference)
    best = found.analysis.best(found.objective)[0].threshold
    columns = [(f"at {score(found.threshold)}", here)]
    if found.reference != found.threshold:
        columns.append((f"at the reference {score(found.reference)}", there))
    if not np.isnan(best):
        columns.append((f"at the best {found.objective.name}, {score(best)}", found.row(best)))
    rows = [
        [
            tag("span", metric.name, title=metric.meaning),
            *(interval(row[name], row[f"{name}_low"], row[f"{name}_high"]) for _, row in columns),
        ]
        for name, metric in METRICS.items()
    ]
    confusion = table(
        ["", "used", "not used"],
        [
            ["called used", _right(here["tp"]), count(here["fp"])],
            ["called not used", count(here["fn"]), _right(here["tn"])],
        ],
        caption=f"Confusion matrix at {score(found.threshold)}",
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
            for metric in METRICS.values()
            for part in (tag("b", metric.name), f" {metric.meaning}. ")
        ),
        class_="note",
    )
    return section(
        "threshold",
        f"At the threshold {score(found.threshold)}",
        "A hyperedge is called used if its score reaches the threshold. Bold counts are right "
        "calls. In brackets: 95 % bootstrap intervals over traces. The best threshold was chosen "
        "on these same labels, so its figures are optimistic.",
        tag("div", confusion, measures, class_="columns"),
        meanings,
    )


def every_threshold(found: ReportContents) -> ReportSection:
    """Make the section with the histogram, the curves and the table of all thresholds."""
    swept = found.analysis.sweep
    best, plateau = found.analysis.best(found.objective)
    best_text = (
        f"Best {found.objective}: {_best_value(found)} at {score(best.threshold)}. "
        f"Any threshold from {score(plateau.low)} to {score(plateau.high)} does almost as well "
        f"(within {plateau.tolerance:g})."
    )
    return section(
        "thresholds",
        "Every threshold",
        "The histogram shows the scores of used hyperedges above the axis and of the others below. "
        "A good score separates the two, and a good threshold lies between them. The curves show "
        "the measures at every threshold.",
        figure("histogram", "Histogram of scores, used above the axis and not used below"),
        figure("curves", "Precision, recall and F1 at every threshold"),
        paragraph(best_text),
        folded("The histogram in numbers", _bins(found)),
        folded(f"All {many(len(swept.table), 'threshold')}", *_sweep(found)),
    )


def _best_value(found: ReportContents) -> str:
    best, kind = found.analysis.best(found.objective)[0], found.objective.kind
    if kind == "cost" or np.isnan(best.threshold):
        return digits(best.value)
    row = found.row(best.threshold)
    return interval(row[kind], row[f"{kind}_low"], row[f"{kind}_high"])


def in_sample(found: ReportContents) -> ReportSection:
    """Make the section that compares the threshold chosen in sample with cross-validation."""
    chosen = found.comparison.chosen
    how = (
        "A threshold looks too good on the labels that chose it. Here the traces are split into "
        "folds, and each fold is judged at the threshold chosen on the others."
    )
    title = "Held-out traces"
    if chosen is None:
        return section("heldout", title, how, paragraph(held_out(found.comparison)))
    warned = report_warning(found)
    word = chosen.objective.name
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
        caption="The threshold in sample and cross-validated",
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
        caption="The choice of every fold",
        texts=(),
    )
    return section(
        "heldout",
        title,
        how,
        paragraph(warned, class_="warning") if warned else None,
        facts,
        paragraph(
            f"{_expected(found)} {share(chosen.calls_that_differ)} of the calls change with the "
            "traces used to choose the threshold."
        ),
        folded(f"The choices of {many(len(chosen.folds), 'fold')}", folds),
    )


def _expected(found: ReportContents) -> str:
    if report_warning(found):
        return "Only the threshold was cross-validated, not the heads."
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
        "Empty bins are left out. The first and the last bin include scores beyond them.",
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
    selection = None
    if len(whole) > MOST_ROWS:
        places = np.linspace(0, len(whole) - 1, MOST_ROWS).round().astype(int)
        shown = whole.iloc[np.unique(places)]
        selection = paragraph(
            f"{count(len(shown))} of {many(len(whole), 'threshold')}, evenly spaced among them.",
            class_="note",
        )
    columns = {str(name): shown[name].tolist() for name in shown}
    rows = []
    for at, threshold in enumerate(columns["threshold"]):
        cells: list[object] = [score(threshold)]
        cells += [count(columns[name][at]) for name in ("tp", "fp", "fn", "tn", "changed_calls")]
        for name in _SWEPT:
            low, high = columns[f"{name}_low"][at], columns[f"{name}_high"][at]
            cells += [digits(columns[name][at]), bounds(low, high)]
        rows.append(cells)
    heads = ["threshold", "tp", "fp", "fn", "tn", "changed calls"]
    for name in _SWEPT:
        heads += [METRICS[name].name, "95 %"]
    legend = paragraph(
        "tp: called used, is used. fp: called used, is not. fn: missed. tn: rightly not used. "
        "changed calls: units whose call differs from the row above.",
        class_="note",
    )
    parts = [legend, selection, table(heads, rows, caption="Every threshold", texts=())]
    return [part for part in parts if part is not None]
