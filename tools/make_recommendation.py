"""Make explorer/examples/recommendation.json, with which the RAG traces tab opens.

    python tools/make_recommendation.py

The packaged traces are cut into ten folds at random. For each fold `explorer.calibrate` chooses
heads and a threshold on the traces of the other nine, and these judge the fold. So no hyperedge is
judged with the help of its own label. The file also holds what the calls of all folds reach.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.examples import example_traces
from explorer.examples._example_recommendation import RECOMMENDATION, packed_heads
from explorer.feedback import HeadCombination
from explorer.traces import Trace, head_readings
from explorer.validation import CrossValidation, calibrate

FOLDS = 10
SEED = 0
METRIC = "f1"
THRESHOLD = 0.5
SAMPLES = 2_000
"""Bootstrap samples of whole traces for the interval of F1."""


def folds_of(traces: Sequence[Trace]) -> list[list[int]]:
    """Return the places of the traces of each fold, in order."""
    order = np.random.default_rng(SEED).permutation(len(traces))
    return [sorted(order[number::FOLDS].tolist()) for number in range(FOLDS)]


def heads_from(traces: Sequence[Trace]) -> HeadCombination:
    """Return the head set that `calibrate` chooses on traces, its threshold shifted to 0.5."""
    found = calibrate(
        traces,
        metric=METRIC,
        # Only the choice on all of them is used; its own held-out figures are not.
        cross_validation=CrossValidation(folds=2, repeats=1),
    )
    heads, threshold = HeadCombination.of(found.config["heads"]), found.threshold
    # score >= threshold, and sum >= log(threshold / (1 - threshold)), say the same.
    shifted = heads.intercept - float(np.log(threshold / (1 - threshold)))
    return replace(heads, intercept=float(f"{shifted:.6g}"))


def calls(trace: Trace, heads: HeadCombination) -> NDArray[np.bool_]:
    """Return which hyperedges of a trace count as used."""
    called: NDArray[np.bool_] = (
        heads.scores(head_readings(trace, heads.reduction, heads.k)) >= THRESHOLD
    )
    return called


def held_out(traces: Sequence[Trace], heads: Mapping[str, HeadCombination]) -> dict[str, Any]:
    """Return what the calls reach, with a 95 % bootstrap interval of F1 over traces."""
    counts = []
    for trace in traces:
        labels = np.array([edge.label is True for edge in trace.hyperedges])
        called = calls(trace, heads[trace.id])
        counts.append(
            [(called & labels).sum(), (called & ~labels).sum(), (~called & labels).sum(),
             (~called & ~labels).sum()]
        )  # fmt: skip
    each = np.array(counts, dtype=np.float64)
    tp, fp, fn, tn = each.sum(axis=0)
    drawn = np.random.default_rng(SEED).integers(len(traces), size=(SAMPLES, len(traces)))
    sums = each[drawn].sum(axis=1)
    samples = 2 * sums[:, 0] / (2 * sums[:, 0] + sums[:, 1] + sums[:, 2])
    low, high = np.percentile(samples, [2.5, 97.5])
    return {
        "facts": int(each.sum()),
        "used": int(tp + fn),
        "right": int(tp + tn),
        "f1": round(float(2 * tp / (2 * tp + fp + fn)), 6),
        "f1_low": round(float(low), 6),
        "f1_high": round(float(high), 6),
    }


def main() -> None:
    """Write the file."""
    traces = list(example_traces())
    folds = folds_of(traces)
    packed, heads = [], {}
    for places in folds:
        chosen = heads_from([trace for place, trace in enumerate(traces) if place not in places])
        names = [traces[place].id for place in places]
        heads |= dict.fromkeys(names, chosen)
        packed.append({"traces": names, **packed_heads(chosen, 30, 9)})
    figures = held_out(traces, heads)
    contents = {
        "about": (
            "Heads and a threshold for the packaged traces, for each fold chosen by "
            "explorer.calibrate on the traces of the other folds."
        ),
        "made_with": "python tools/make_recommendation.py",
        "metric": METRIC,
        "threshold": THRESHOLD,
        "held_out": figures,
        "folds": packed,
    }
    text = json.dumps(contents, ensure_ascii=False, separators=(",", ":"))
    RECOMMENDATION.write_text(text.replace('{"traces"', '\n{"traces"') + "\n", "utf-8")
    print(figures)


if __name__ == "__main__":
    main()
