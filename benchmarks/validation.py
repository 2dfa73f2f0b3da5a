"""What judging costs: sweep, ranking, quality of heads, cross-validation, and a million scores.

    python benchmarks/validation.py               # all rows, a minute on two cores
    python benchmarks/validation.py --skip large

Each row gives a result and its requirement. Times are medians of runs in one process, after a
warm-up; a million scores are judged once, each time in a process of its own, whose high-water mark
of memory is reset just before.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from explorer.validation import Resampling

HERE = Path(__file__).resolve()
sys.path.insert(0, str(HERE.parents[1]))
sys.path.insert(0, str(HERE.parent))

from feedback import forget_peak, median, peak_memory, row  # noqa: E402

SCORES, TRACES = 100_000, 10_000
LARGE, LARGE_TRACES = 1_000_000, 100_000
LAYERS, HEADS, MAPPED = 30, 9, 1000
THRESHOLDS, SAMPLES = 500, 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--skip", nargs="*", default=[], choices=["measures", "heads", "large"])
    parser.add_argument("--alone", choices=["sweep", "rank"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.alone:
        print(json.dumps(alone(arguments.alone)))
        return
    print("| what | measured | asked for |")
    print("| --- | --- | --- |")
    if "measures" not in arguments.skip:
        print_measures(arguments.repeats)
    if "heads" not in arguments.skip:
        print_heads(arguments.repeats)
    if "large" not in arguments.skip:
        print_large()


def units_of(n: int, n_traces: int) -> dict[str, Any]:
    """Return labelled units, 12 in 100 of them used."""
    random = np.random.default_rng(0)
    return {
        "labels": random.random(n) < 0.12,
        "groups": np.repeat(np.arange(n_traces), n // n_traces),
        "traces": tuple(f"t{number}" for number in range(n_traces)),
        "units": tuple(f"u{number}" for number in range(n)),
        "lengths": random.integers(5, 200, n).astype(np.float64),
        "positions": np.tile(np.linspace(0, 1, n // n_traces), n_traces),
        "truth": "labels",
    }


def judged_of(n: int, n_traces: int) -> Any:
    from explorer.validation import LabelledScores

    units = units_of(n, n_traces)
    scores = np.random.default_rng(1).normal(size=n) + units["labels"]
    return LabelledScores(scores=(1 / (1 + np.exp(-scores))).astype(np.float32), **units)


def print_measures(repeats: int) -> None:
    from explorer.validation import bias, confusion_at, cross_validated_threshold, rank, sweep

    judged = judged_of(SCORES, TRACES)
    many = f"{SCORES:,} scores, {SAMPLES:,} trace-level bootstrap samples"
    taken = median(
        lambda: sweep(judged, THRESHOLDS, resampling=Resampling(samples=SAMPLES)), repeats
    )
    row(f"sweep of {THRESHOLDS} thresholds, {many}", f"{taken:.2f} s", "under 2 s")
    taken = median(lambda: rank(judged, resampling=Resampling(samples=SAMPLES)), repeats)
    row(f"ROC-AUC and average precision, {many}", f"{taken:.2f} s", "some seconds at most")
    taken = median(lambda: confusion_at(judged, 0.5), repeats)
    row(f"counts at one threshold, {SCORES:,} scores", f"{taken * 1e3:.1f} ms", "")
    fewer = judged_of(10_000, 1000)
    taken = median(lambda: cross_validated_threshold(fewer), repeats)
    row("threshold by 5 folds x 10 repeats, 10,000 scores", f"{taken:.2f} s", "")
    taken = median(lambda: bias(fewer, "length"), repeats)
    row("score against length, 10,000 scores", f"{taken:.2f} s", "")


def print_heads(repeats: int) -> None:
    from explorer.examples import example_traces
    from explorer.validation import HeadScores, head_scores, quality_map

    units = units_of(MAPPED * 10, MAPPED)
    scores = np.random.default_rng(1).normal(size=(LAYERS, HEADS, MAPPED * 10))
    heads = HeadScores(scores=scores.astype(np.float32), **units)
    for metric in ("auc", "average_precision", "f1"):
        taken = median(lambda metric=metric: quality_map(heads, metric), repeats)
        what = f"quality map ({metric}) of {LAYERS} x {HEADS} heads, {MAPPED:,} traces"
        row(what, f"{taken:.2f} s", "under 1 s")
    traces = [*example_traces()]
    taken = median(lambda: head_scores(traces), repeats) / len(traces)
    row("scoring every head from recorded attention", f"{taken * 1e3:.1f} ms a trace", "")


def print_large() -> None:
    for what in ("sweep", "rank"):
        found = json.loads(
            subprocess.run(
                [sys.executable, HERE, "--alone", what], check=True, capture_output=True, text=True
            ).stdout
        )
        row(
            f"{what}, {LARGE:,} scores in {LARGE_TRACES:,} traces, {SAMPLES:,} samples",
            f"{found['seconds']:.1f} s, peak {found['peak'] / 1e6:,.0f} MB in all",
            "below 2,000 MB",
        )


def alone(what: str) -> dict[str, float]:
    from explorer import validation

    judged = judged_of(LARGE, LARGE_TRACES)
    forget_peak()
    start = time.perf_counter()
    getattr(validation, what)(judged, samples=SAMPLES)
    return {"seconds": time.perf_counter() - start, "peak": peak_memory()}


if __name__ == "__main__":
    main()
