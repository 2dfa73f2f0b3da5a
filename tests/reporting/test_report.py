"""What a report says: the figures of `explorer.validation`, and nothing else."""

from __future__ import annotations

import asyncio
import json
import math
import threading
from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

import explorer
from explorer.errors import Cancelled, InputError, ShapeError, ValidationError
from explorer.examples import example_traces
from explorer.feedback import Diagnostic
from explorer.rag import FeedbackExtractor, weight_trajectory
from explorer.reporting import ReportOptions, threshold_report
from explorer.run_control import RunControl
from explorer.traces import Hyperedge, Trace, TraceSet
from explorer.validation import (
    Interval,
    Recommendation,
    Resampling,
    Truth,
    baseline_table,
    best_threshold,
    changed_units,
    confusion_at,
    cross_validated_threshold,
    head_scores,
    judge,
    method_agreement,
    quality_map,
    rank,
    sweep,
)

from .made_traces import made_traces
from .read_page import ReadPage

pytestmark = pytest.mark.slow

SAMPLES = 60
TEXT_BASELINES = ("lexical-overlap", "word-overlap", "length", "position", "random")
LAYER = {"method": "attention", "layer": 20, "head": 3, "attention_threshold": 0.0015}


OPTIONS = {field.name for field in fields(ReportOptions)}


def report(traces, scores=None, **settings):
    options = {name: settings.pop(name) for name in OPTIONS & set(settings)}
    return ReadPage(
        threshold_report(
            traces,
            scores,
            options=ReportOptions(**options),
            resampling=Resampling(samples=SAMPLES),
            **settings,
        )
    )


@pytest.fixture(scope="module")
def made():
    traces, scores = made_traces()
    return traces, judge(traces, scores)


@pytest.fixture(scope="module")
def read(made):
    traces, judged = made
    return report(traces, judged, threshold=0.4, reference=0.25)


@pytest.fixture(scope="module")
def packaged():
    traces = example_traces()
    table = asyncio.run(FeedbackExtractor(config=LAYER).explain_traces(traces))
    return traces, table


class TestFigures:
    def test_the_result_comes_first_in_a_sentence(self, made, read):
        judged = made[1]
        tp, fp, fn, _ = confusion_at(judged, 0.4)
        f1 = f1_score(judged.labels, judged.scores >= 0.4)
        assert read.lead.startswith(f"At 0.400, F1 {f1:.2f} (")
        assert f": {tp + fp} of {len(judged)} hyperedges are called used" in read.lead
        assert read.lead.endswith(f"among them {tp} of the {tp + fn} that are used.")

    def test_confusion(self, made, read):
        tp, fp, fn, tn = confusion_at(made[1], 0.4)
        rows = read.tables["Confusion matrix at 0.400"]
        assert rows == [
            ["", "used", "not used"],
            ["called used", str(tp), str(fp)],
            ["called not used", str(fn), str(tn)],
        ]

    @pytest.mark.parametrize(
        ("word", "name"),
        [
            ("precision", "precision"),
            ("recall", "recall"),
            ("F1", "f1"),
            ("MCC", "mcc"),
            ("Youden J", "youden"),
            ("kappa", "kappa"),
            ("coverage", "coverage"),
        ],
    )
    def test_measures_with_exact_intervals(self, made, read, word, name):
        best = sweep(made[1], resampling=Resampling(samples=0)).best("f1").threshold
        cells = read.row("Measures with 95 % intervals", word)
        for cell, threshold in zip(cells, (0.4, 0.25, best), strict=True):
            row = sweep(made[1], [threshold], resampling=Resampling(samples=SAMPLES)).table.iloc[0]
            assert (
                cell == f"{row[name]:.3f} ({row[f'{name}_low']:.3f} to {row[f'{name}_high']:.3f})"
            )

    def test_the_whole_sweep(self, made, read):
        table = sweep(made[1], resampling=Resampling(samples=SAMPLES)).table
        heads, *rows = read.tables["Every threshold"]
        assert len(rows) == len(table) == len(np.unique(made[1].scores))
        assert heads[:6] == ["threshold", "tp", "fp", "fn", "tn", "changed calls"]
        for cells, (_, row) in zip(rows, table.iterrows(), strict=True):
            assert [int(cell) for cell in cells[1:6]] == [
                row[name] for name in ("tp", "fp", "fn", "tn", "changed_calls")
            ]
            assert float(cells[heads.index("F1")]) == pytest.approx(row["f1"], abs=6e-4)
            assert float(cells[0]) == pytest.approx(row["threshold"], rel=6e-3)

    def test_the_plateau_and_the_best(self, made, read):
        swept = sweep(made[1], resampling=Resampling(samples=SAMPLES))
        best, plateau = swept.best("f1"), swept.plateau("f1")
        said = read.sections["thresholds"]
        assert f"Best F1: {best.value:.3f} ({best.low:.3f} to {best.high:.3f})" in said
        assert (
            f"Any threshold from {plateau.low:.3f} to {plateau.high:.3f} does almost as well"
            in said
        )

    def test_the_histogram_counts_every_score_once(self, made, read):
        used = sum(int(cell) for cell in read.column("Scores by bin", "used"))
        others = sum(int(cell) for cell in read.column("Scores by bin", "not used"))
        assert (used, others) == (made[1].positives, len(made[1]) - made[1].positives)

    def test_the_threshold_that_was_cross_validated(self, made, read):
        chosen = cross_validated_threshold(made[1], resampling=Resampling(samples=SAMPLES))
        caption = "The threshold in sample and cross-validated"
        assert read.row(caption, "in sample")[0] == f"{chosen.in_sample:.3f}"
        assert read.row(caption, "cross-validated")[:2] == [
            f"{chosen.held_out.value:.3f}",
            f"{chosen.held_out.low:.3f} to {chosen.held_out.high:.3f}",
        ]
        folds = read.tables["The choice of every fold"][1:]
        assert len(folds) == 50
        for cells, row in zip(folds, chosen.folds.itertuples(), strict=True):
            assert cells[:2] == [str(row.repeat + 1), str(row.fold + 1)]
            assert float(cells[2]) == pytest.approx(row.threshold, rel=6e-3)

    def test_ranking(self, made, read):
        judged = made[1]
        ranking = rank(judged, resampling=Resampling(samples=SAMPLES))
        rows = {row[0]: row[1:] for row in read.tables["How well the scores rank"][1:]}
        pooled, precision = rows["ROC-AUC, all traces pooled"], rows["average precision"]
        assert pooled[0] == f"{roc_auc_score(judged.labels, judged.scores):.3f}"
        assert pooled[1] == f"{ranking.auc.low:.3f} to {ranking.auc.high:.3f}"
        assert precision[0] == f"{average_precision_score(judged.labels, judged.scores):.3f}"
        assert precision[2] == f"{judged.labels.mean():.3f}"
        within = next(cells for name, cells in rows.items() if "within a trace" in name)
        assert within[0] == f"{ranking.within_trace_auc.value:.3f}"

    def test_changed_calls_with_their_texts(self, made, read):
        traces, judged = made
        table = changed_units(judged, 0.25, 0.4)
        rows = [row for row in read.tables["Calls that change"] if row[0] != "trace"]
        assert len(rows) == len(table)
        near = table.iloc[np.argsort(np.abs(table["score"] - 0.4), kind="stable")]
        texts = {(t.id, e.id): e.hyperedge for t in traces for e in t.hyperedges}
        for cells, row in zip(rows, near.itertuples(), strict=True):
            assert cells[:3] == [row.trace, row.unit, texts[row.trace, row.unit]]
            assert cells[4].replace("\u00a0", " ") == ("used" if row.label else "not used")
            assert cells[6] == ("right" if row.label == row.at_other else "wrong")

    def test_baselines_with_how_far_the_scores_are_ahead(self, made, read):
        table = baseline_table(
            made[0],
            made[1],
            method="these scores",
            names=TEXT_BASELINES,
            resampling=Resampling(samples=SAMPLES),
        ).set_index("scores")
        for name, *cells in read.tables["The scores and the baselines"][1:]:
            row = table.loc[name]
            for cell, figure in zip(cells, ("auc", "average_precision", "f1"), strict=False):
                ends = f"{row[f'{figure}_low']:.3f} to {row[f'{figure}_high']:.3f}"
                assert cell == f"{row[figure]:.3f} {ends}"
            if name != "these scores":
                assert cells[3].split()[0] == f"{row['auc_ahead'] + 0.0:.3f}".replace(
                    "-0.000", "0.000"
                )
                assert cells[4].split()[0] == f"{row['f1_ahead'] + 0.0:.3f}".replace(
                    "-0.000", "0.000"
                )

    def test_figures_are_there_wide_and_narrow(self, read):
        names = {"histogram", "curves", "ranks", "dots", "bias", "weights"}
        assert names | {"widths"} == set(read.figures)
        placed = {of["data-figure"] for name, of in read.elements if name == "figure"}
        assert placed == names
        for name in names:
            assert set(read.figures[name]) == {"wide", "narrow"}

    def test_the_weights_at_this_threshold(self, made, read):
        traces, judged = made
        texts = {(t.id, e.id): e.hyperedge for t in traces for e in t.hyperedges}
        names = [judged.traces[group] for group in judged.groups]
        signals = explorer.FeedbackPolicy(0.4).convert(judged.scores)
        moves = weight_trajectory(
            [
                (trace, unit, signal, texts[trace, unit])
                for trace, unit, signal in zip(names, judged.units, signals, strict=True)
            ]
        )
        last = moves.groupby("text")["weight"].last()
        rows = read.tables["Weights that move most"][1:]
        assert len(rows) == 10
        for text, updates, before, after in rows:
            assert (updates, before) == ("1", "1.000")
            assert float(after) == pytest.approx(last[text], abs=6e-4)
        # Each hyperedge occurs once, so that its weight at the end is that of its only update.
        used = moves["weight"][judged.labels].mean(), moves["weight"][~judged.labels].mean()
        assert used[0] > used[1]
        means = f"end at {used[0]:.3f} on average and the others at {used[1]:.3f}"
        said = f"used hyperedges {means}: used hyperedges end"
        assert said in read.sections["weights"]


@pytest.fixture(scope="module")
def of_heads(packaged):
    """The report of one head, beside citation; and the table of the latter."""
    cited = FeedbackExtractor(config={"method": "citation", "citation_threshold": 0.5})
    other = asyncio.run(cited.explain_traces(packaged[0]))
    return report(*packaged, config=LAYER, compared={"citation": other}), other


class TestHeads:
    def test_three_figures_of_every_head(self, packaged, of_heads):
        heads = head_scores(packaged[0])
        maps = [quality_map(heads, name) for name in ("auc", "average_precision", "f1")]
        rows = of_heads[0].tables["Heads, those that rank best first"][1:]
        assert len(rows) == maps[0].size == 270
        for layer, head, *figures in rows:
            for cell, values in zip(figures, maps, strict=True):
                assert cell == f"{values[int(layer), int(head)]:.3f}"
        best = of_heads[0].tables["The heads that rank best"][1]
        assert (int(best[0]), int(best[1])) == divmod(int(maps[0].argmax()), 9)

    @pytest.mark.parametrize("name", ["auc", "average_precision", "f1"])
    def test_each_figure_has_a_map_that_tells_all_three_on_hover(self, packaged, of_heads, name):
        cells = of_heads[0].figures[f"heads {name}"]["wide"]["data"][0]
        quality = quality_map(head_scores(packaged[0]), name)
        assert np.array(cells["z"], dtype=float) == pytest.approx(quality, abs=1e-6)
        said = cells["customdata"][20][3]
        assert [line.rsplit(" ", 1)[0] for line in said.split("<br>")] == [
            "ROC-AUC",
            "average precision",
            "best F1",
        ]

    def test_the_model_and_the_way_to_score_are_named(self, of_heads):
        about = of_heads[0].sections["about"]
        assert "SmolLM2-135M-Instruct: " in about
        assert "(67 traces)" in about
        assert (
            "attention, layer 20, head 3; mean over a hyperedge's tokens, not normalised" in about
        )
        assert "528 hyperedges: 154 used, 374 not used" in about

    def test_agreement_is_that_of_the_calls_at_this_threshold(self, packaged, of_heads):
        own = packaged[1]  # explained at the very threshold
        kappa = method_agreement(
            {"layer 20, head 3": own, "citation": of_heads[1]},
            resampling=Resampling(samples=SAMPLES),
        ).iloc[0]
        row = of_heads[0].tables["Agreement of methods"][1]
        assert row[:3] == ["layer 20, head 3", "citation", str(kappa["units"])]
        ends = f"({kappa['kappa_low']:.3f} to {kappa['kappa_high']:.3f})"
        assert row[4] == f"{kappa['kappa']:.3f} {ends}"

    def test_the_config_does_the_same(self, packaged, of_heads):
        traces, table = packaged
        written = next(text for text in of_heads[0].sections["config"].split("As JSON")[1:]).split(
            "As Python"
        )[0]
        config = json.loads(written)
        again = asyncio.run(FeedbackExtractor(config=config).explain_traces(traces))
        pd.testing.assert_series_equal(again["feedback"], table["feedback"])

    @pytest.mark.parametrize("form", ["config", "extractor", "table", "lists"])
    def test_scores_in_any_form_give_the_same_figures(self, packaged, of_heads, form):
        traces, table = packaged
        scores, more = {
            "config": (LAYER, {}),
            "extractor": (FeedbackExtractor(config=LAYER), {}),
            "table": (table, {"config": LAYER}),
            "lists": (
                [part["score"].tolist() for _, part in table.groupby("trace", sort=False)],
                {"threshold": 0.0015},
            ),
        }[form]
        found = report(traces, scores, heads=False, **more)
        for caption in ("Measures with 95 % intervals", "How well the scores rank"):
            assert found.tables[caption] == of_heads[0].tables[caption]
        assert "There is no map. It was not requested." in found.sections["heads"]


def recommended(judged, **changes):
    """A recommendation, put together by hand."""
    table = baseline_table(
        made_traces()[0],
        judged,
        method="recommended",
        names=("random",),
        resampling=Resampling(samples=20),
    )
    attributes = {
        "choice": "one head, rows of the answer",
        "config": {"method": "attention", "layer": 1, "head": 2, "attention_threshold": 0.35},
        "metric": "f1",
        "threshold": 0.35,
        "held_out": Interval(0.512, 0.401, 0.623),
        "in_sample": 0.7,
        "table": table,
        "folds": pd.DataFrame(
            {
                "repeat": [0, 0],
                "fold": [0, 1],
                "choice": ["one head", "set of heads"],
                "head": ["layer 1, head 2", "540 weights"],
                "strength": [math.nan, 0.1],
                "threshold": [0.3, 0.4],
            }
        ),
        "traces": judged.n_traces,
        "units": len(judged),
        "positives": judged.positives,
        "truth": "labels",
        "refusal": "",
        "notes": (Diagnostic("unstable-choice", "Other folds choose otherwise."),),
        "scores": judged,
        "scores_threshold": 0.35,
    }
    return Recommendation(**(attributes | changes))


def test_it_works_where_a_loop_runs_already_as_in_a_notebook(packaged, of_heads):
    async def cell():
        return report(packaged[0], LAYER, heads=False)

    assert asyncio.run(cell()).lead == of_heads[0].lead


class TestRecommendation:
    def test_its_held_out_figures_folds_and_config(self, made):
        traces, judged = made
        one = recommended(judged)
        read = report(traces, recommendation=one)
        caption = "The recommended choice, held out and in sample"
        assert read.row(caption, "held out") == ["0.512", "0.401 to 0.623"]
        assert read.row(caption, "in sample") == ["0.700", ""]
        assert [row[2:] for row in read.tables["The choices of the outer folds"][1:]] == [
            ["one head", "layer 1, head 2", "\u2013", "0.300"],
            ["set of heads", "540 weights", "0.100", "0.400"],
        ]
        assert one.to_json() in read.sections["recommendation"]
        assert one.to_python() in read.sections["recommendation"]
        assert "Other folds choose otherwise." in read.sections["notes"]
        # Judged are its held-out scores, at its threshold.
        tp, fp, *_ = confusion_at(judged, 0.35)
        assert read.row("Confusion matrix at 0.350", "called used") == [str(tp), str(fp)]
        assert "held out" in read.sections["about"]

    def test_figures_of_the_labels_that_chose_say_that_they_flatter(self, packaged):
        one = recommended(judge(packaged[0], packaged[1]), config=LAYER)
        read = report(packaged[0], LAYER, heads=False, recommendation=one)
        assert "F1 0.51 (0.40 to 0.62); expect about that" in read.text
        assert "shares with question and answer" not in read.sections["baselines"]
        other = report(packaged[0], {**LAYER, "head": 4}, heads=False, recommendation=one)
        assert "expect about that" not in other.text

    def test_a_refusal_is_said_and_offers_no_config(self, made):
        one = recommended(made[1], refusal="Words do as well.")
        read = report(*made, recommendation=one)
        assert (
            "Calibration recommends nothing. Words do as well." in read.sections["recommendation"]
        )
        assert "As JSON" not in read.sections["recommendation"]

    def test_too_few_labels_to_calibrate_are_said(self, made):
        read = report(*made, recommendation=ValidationError("The labels are too few."))
        assert "The labels are too few." in read.sections["recommendation"]


class TestTruth:
    def test_causal_use_is_called_so(self, made):
        used = {trace.id: {edge.id: edge.label for edge in trace.hyperedges} for trace in made[0]}
        scores = dict(zip(made[1].traces, np.split(made[1].scores, made[1].n_traces), strict=True))
        read = report(
            made[0],
            scores,
            threshold=0.4,
            truth=Truth(kind="ablation", least_drop=0.5),
            labels=used,
        )
        said = "if the answer's log-probability drops by 0.50 or more without it"
        assert said in read.sections["about"]
        drawn = json.dumps(read.figures["histogram"]["wide"])
        assert "judged by ablation" in drawn
        assert "labelled" not in drawn

    def test_agreement_is_not_called_truth(self, made):
        judged = replace(made[1], truth="agreement")
        read = report(made[0], judged, threshold=0.4)
        assert "this is not ground truth" in read.sections["about"]
        assert "agreement, not ground truth" in json.dumps(read.figures["ranks"]["wide"])


class TestBadInput:
    def test_no_labels(self):
        traces = TraceSet([Trace("a", "q", [Hyperedge("h", "text")], "x")])
        with pytest.raises(ValidationError, match="nothing can be measured"):
            threshold_report(traces, {"a": [0.5]})

    def test_one_class(self):
        traces = TraceSet([Trace("a", "q", [Hyperedge("h", "text", label=True)], "x")])
        with pytest.raises(ValidationError, match="All 1 labelled hyperedges"):
            threshold_report(traces, {"a": [0.5]})

    def test_no_attention(self, made):
        with pytest.raises(ValidationError, match="has a score"):
            threshold_report(made[0])

    @pytest.mark.parametrize("method", ["hybrid", "ensemble"])
    def test_methods_without_one_threshold(self, made, method):
        with pytest.raises(ValidationError, match="no single threshold to judge"):
            threshold_report(made[0], {"method": method})

    def test_scores_of_other_traces(self, made):
        others = TraceSet([Trace("z", "q", [Hyperedge("h", "text", label=True)], "x")])
        with pytest.raises(InputError, match="about traces that are not given"):
            threshold_report(others, made[1])

    def test_lists_that_do_not_fit(self, made):
        with pytest.raises(ShapeError):
            threshold_report(made[0], [[0.1]])

    @pytest.mark.parametrize("threshold", [math.inf, "high", None])
    def test_thresholds_that_are_none(self, made, threshold):
        if threshold is None:  # the best on these labels
            best = best_threshold(made[1].scores, made[1].labels).threshold
            assert report(*made).lead.startswith(f"At {best:.3f}, F1")
            return
        with pytest.raises(InputError):
            threshold_report(*made, threshold=threshold)

    def test_samples(self, made):
        with pytest.raises(InputError, match="samples"):
            threshold_report(*made, resampling=Resampling(samples=-1))
        read = ReadPage(threshold_report(*made, resampling=Resampling(samples=0)))
        assert "not requested" in read.sections["about"]
        assert "(" not in read.lead

    def test_verdicts_cannot_be_compared_without_a_table(self, made, packaged):
        with pytest.raises(InputError, match="must be a table"):
            threshold_report(*made, options=ReportOptions(compared={"other": packaged[1]}))

    def test_a_file_that_cannot_be_written(self, made, tmp_path):
        with pytest.raises(InputError, match="cannot be written"):
            threshold_report(
                *made, path=tmp_path / "missing" / "report.html", resampling=Resampling(samples=0)
            )

    def test_stopped(self, packaged):
        cancel = threading.Event()
        cancel.set()
        with pytest.raises(Cancelled):
            threshold_report(
                *packaged, options=ReportOptions(config=LAYER), control=RunControl(cancel=cancel)
            )

    def test_one_trace_has_no_intervals(self):
        traces, scores = made_traces(1, 12)
        read = report(traces, judge(traces, scores), threshold=0.4)
        assert "(" not in read.lead
        assert "one trace" in read.sections["notes"]
        assert "No estimate for new traces yet" in read.sections["heldout"]

    def test_scores_that_are_all_equal_or_missing(self, made):
        equal = replace(made[1], scores=np.full(len(made[1]), 0.2))
        assert "no threshold separates them" in report(made[0], equal).sections["notes"]
        some = made[1].scores.copy()
        some[::3] = np.nan
        read = report(made[0], replace(made[1], scores=some), threshold=0.4)
        assert f"{int(np.isnan(some).sum())} more have no score" in read.sections["about"]

    def test_scores_beyond_zero_and_one(self, made):
        wide = replace(made[1], scores=made[1].scores * 30 - 5)
        read = report(made[0], wide, threshold=3.0)
        tp, fp, *_ = confusion_at(wide, 3.0)
        assert read.row("Confusion matrix at 3.00", "called used") == [str(tp), str(fp)]


class TestFile:
    def test_it_is_written_and_named_after_the_traces(self, packaged, tmp_path):
        path = tmp_path / "report.html"
        assert (
            threshold_report(
                *packaged,
                options=ReportOptions(config=LAYER),
                path=path,
                resampling=Resampling(samples=0),
            )
            == path
        )
        read = ReadPage(path.read_text(encoding="utf-8"))
        titles = [name for name, _ in read.elements if name == "h1"]
        assert titles == ["h1"]
        assert "traces.jsonl" in read.text
        assert str(packaged[0].path.parent) not in path.read_text(encoding="utf-8")

    def test_what_does_not_fit_is_counted(self):
        traces, scores = made_traces(150, 8)
        read = report(traces, judge(traces, scores), threshold=0.0, reference=1.0)
        rows = [row for row in read.tables["Calls that change"] if row[0] != "trace"]
        changes = sum(1 for of in scores.values() for score in of if score < 1)
        assert len(rows) == 200
        assert (
            f"{changes - 200:,} hyperedges farther from the threshold"
            in read.sections["changed-calls"]
        )
        assert len(read.tables["Every threshold"]) - 1 <= 600
        assert f"{150 * 8 - 10:,} hyperedges that move less" in read.sections["weights"]

    def test_it_stays_small(self, packaged):
        assert (
            len(
                threshold_report(
                    *packaged,
                    options=ReportOptions(config=LAYER),
                    resampling=Resampling(samples=SAMPLES),
                )
            )
            < 4e6
        )
