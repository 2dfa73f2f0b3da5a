"""A method beside baselines against measured effects; figures worked out with SciPy and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from explorer.errors import InputError, ValidationError
from explorer.traces import Trace
from explorer.validation import Resampling, ablation_table, judge

from ..made_ablations import ablated

TEXT_BASELINES = ("always-no", "random", "length", "position")


def with_masks(name, effects, masks, logprobs):
    return ablated(name, effects, masks=masks, mask_logprobs=logprobs)


def row_of(table, name):
    return table[table["scores"] == name].iloc[0]


def test_figures_are_those_of_scipy_and_of_counting():
    random = np.random.default_rng(3)
    traces, scores = [], {}
    for n in range(8):
        masks = random.integers(0, 2, (12, 5))
        traces.append(
            with_masks(
                f"t{n}", random.normal(size=5).tolist(), masks.tolist(), random.normal(size=12)
            )
        )
        traces[-1].metadata["ablation"]["mask_logprobs"] = random.normal(size=12).tolist()
        scores[f"t{n}"] = random.random(5)
    judged = judge(traces, scores, "ablation")
    table = ablation_table(
        traces, judged, method="mine", names=TEXT_BASELINES, k=2, resampling=Resampling(samples=100)
    )
    assert table["scores"].tolist() == ["mine", *TEXT_BASELINES]
    assert table.attrs["truth"] == "ablation"
    marks = [trace.metadata["ablation"] for trace in traces]
    expected = {"mine": list(scores.values()), "position": [[1, 0.75, 0.5, 0.25, 0]] * 8}
    by_name = {}
    for name, values in expected.items():
        pairs = list(zip(values, marks, strict=True))
        rhos = [spearmanr(one, mark["leave_one_out"]).statistic for one, mark in pairs]
        drops = [np.array(mark["leave_one_out"])[np.argsort(one)[-2:]].sum() for one, mark in pairs]
        sums = [
            spearmanr(np.array(mark["masks"]) @ one, mark["mask_logprobs"]).statistic
            for one, mark in pairs
        ]
        by_name[name] = np.array([rhos, drops, sums])
        found = row_of(table, name)
        for figure, want in zip(("spearman", "top_k_drop", "lds"), by_name[name], strict=True):
            assert found[figure] == pytest.approx(want.mean())
            assert found[f"{figure}_low"] <= found[figure] <= found[f"{figure}_high"]
    ahead = (by_name["mine"] - by_name["position"]).mean(axis=1)
    found = row_of(table, "position")
    assert [found[f"{name}_ahead"] for name in ("spearman", "top_k_drop", "lds")] == pytest.approx(
        ahead.tolist()
    )
    effects = np.array([mark["leave_one_out"] for mark in marks])
    assert table.attrs["random_drop"].value == pytest.approx(2 * effects.mean())
    assert table.attrs["best_drop"].value == pytest.approx(
        np.sort(effects, axis=1)[:, -2:].sum(axis=1).mean()
    )
    assert row_of(table, "mine")["spearman_ahead"] == 0


def test_a_score_that_is_equal_everywhere_ranks_nothing():
    traces = [ablated(f"t{n}", [2.0, 0.1, 0.3, -1.0]) for n in range(3)]
    judged = judge(traces, [[0.5] * 4, [4, 2, 3, 1], [4, 2, 3, 1]], "ablation")
    table = ablation_table(
        traces, judged, names=("always-no",), k=1, resampling=Resampling(samples=20)
    )
    first, none = row_of(table, "attention"), row_of(table, "always-no")
    assert (first["traces"], none["traces"]) == (2, 0)
    assert first["spearman"] == 1.0
    assert first["top_k_drop"] == 2.0
    assert np.isnan([none["spearman"], none["top_k_drop"], none["top_k_drop_ahead"]]).all()
    # Without random masks there is nothing to predict.
    assert table["lds"].isna().all()


def test_hyperedges_without_an_effect_or_a_score_are_left_out():
    traces = [ablated("a", [None, 3.0, 2.0, 1.0, 9.0]), ablated("b", [0.0, 1.0])]
    judged = judge(traces, [[99, 3, 2, 1, np.nan], [0.1, 0.2]], "ablation")
    row = ablation_table(traces, judged, names=(), k=3, resampling=Resampling(samples=0)).iloc[0]
    assert row["spearman"] == 1.0
    assert row["top_k_drop"] == 6.0
    assert row["traces"] == 1


def test_other_truths_and_names_are_refused():
    trace = ablated("a", [2.0, 0.0])
    trace.hyperedges[0].label, trace.hyperedges[1].label = True, False
    with pytest.raises(InputError, match=r'judged by labels, .*"ablation"'):
        ablation_table([trace], judge([trace], {"a": [0.1, 0.2]}))
    judged = judge([trace], {"a": [0.1, 0.2]}, "ablation")
    with pytest.raises(InputError, match="name of a baseline"):
        ablation_table([trace], judged, method="length")
    with pytest.raises(InputError, match="k, the number"):
        ablation_table([trace], judged, names=(), k=0)
    with pytest.raises(ValidationError, match=r"ablate\(traces\)"):
        ablation_table([Trace("a", "What?")], judged, names=TEXT_BASELINES)
