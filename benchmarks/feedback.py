"""What feedback costs: converting scores, explaining and loading traces, reading with a stand-in.

    python benchmarks/feedback.py                       # all rows, six minutes on two cores
    python benchmarks/feedback.py --repeats 3 --skip scoring batching

Each row gives a result and its requirement. Times are medians of runs in one process, after a
warm-up; scoring and the bare forward take turns, and their ratio is the median of the ratios of
neighbouring runs, so that a machine that is busy for a while slows both sides. The same ratio of
processor time follows it. Loading runs in processes of its own, where the kernel's high-water
mark of memory is reset just before.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from measuring import forget_peak, peak_memory, seconds

MODEL = "SmolLM2-135M-Instruct"
SCORES = 10_000_000
TRACES = 10_000
LOADED = (100_000, 200_000)
PROMPT = 1500
SHORT = 16
MEGABYTE = 1e6
HERE = Path(__file__).resolve()
sys.path.insert(0, str(HERE.parents[1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument(
        "--skip",
        nargs="*",
        default=[],
        choices=["conversion", "explaining", "loading", "scoring", "batching"],
    )
    parser.add_argument("--load", metavar="FILE", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.load:
        print(json.dumps(load_alone(arguments.load)))
        return
    print("| what | measured | asked for |")
    print("| --- | --- | --- |")
    if "conversion" not in arguments.skip:
        print_conversion(arguments.repeats)
    if "explaining" not in arguments.skip:
        print_explaining(max(1, arguments.repeats // 2))
    if "loading" not in arguments.skip:
        print_loading()
    if "scoring" not in arguments.skip:
        print_scoring(arguments.repeats)
    if "batching" not in arguments.skip:
        print_batching(max(1, arguments.repeats // 2))


def row(what: str, measured: str, asked: str = "") -> None:
    print(f"| {what} | {measured} | {asked} |", flush=True)


def median(run: Callable[[], Any], repeats: int) -> float:
    run()
    return statistics.median(seconds(run) for _ in range(repeats))


# -- scores and tables -----------------------------------------------------------------------------


def print_conversion(repeats: int) -> None:
    from explorer.feedback import FeedbackPolicy

    policy = FeedbackPolicy()
    random = np.random.default_rng(0)
    for dtype in (np.float32, np.float64):
        scores = random.random(SCORES, dtype=dtype)
        middle = median(partial(policy.convert, scores), repeats)
        rate = SCORES / middle / 1e6
        name = f"FeedbackPolicy.convert, {SCORES:,} {np.dtype(dtype).name} scores"
        row(name, f"{rate:.0f} million a second", "at least 20 million a second on one core")


def trace_of(number: int, n_hyperedges: int = 10) -> Any:
    """Return a trace with direct scores."""
    from explorer.traces import Hyperedge, Trace

    edges = [
        Hyperedge(f"he{place}", f"Fact {place} of question {number} says what was built, and when.")
        for place in range(n_hyperedges)
    ]
    scores = {edge.id: ((number + place * 7) % 50) / 100 for place, edge in enumerate(edges)}
    metadata = {"hyperedge_attention": scores}
    return Trace(f"t{number}", f"What was built, question {number}?", edges, "It was.", metadata)


def print_explaining(repeats: int) -> None:
    from explorer.rag._extraction.extractor import FeedbackExtractor

    traces = [trace_of(number) for number in range(TRACES)]
    extractor = FeedbackExtractor(config={"method": "attention"})

    def explain() -> Any:
        return asyncio.run(extractor.explain_traces(traces))

    assert len(explain()) == TRACES * 10
    middle = median(explain, repeats)
    row(f"explain_traces, {TRACES:,} traces of 10", f"{middle:.2f} s", "under 5 s")


def print_loading() -> None:
    from explorer.traces import save_traces

    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for count in LOADED:
            path = Path(folder) / f"{count}.jsonl"
            save_traces((trace_of(number) for number in range(count)), path)
            found[count] = measured_alone(path) | {"file": path.stat().st_size}
            path.unlink()
    for count, numbers in found.items():
        asked = "under 10 s" if count == min(LOADED) else ""
        row(
            f"load_traces, {count:,} traces of 10, {numbers['file'] / MEGABYTE:.0f} MB",
            f"{numbers['seconds']:.1f} s, {numbers['peak'] / MEGABYTE:.0f} MB of memory",
            asked,
        )
    few, many = (found[count] for count in LOADED)
    growth = (many["peak"] - few["peak"]) / (many["file"] - few["file"])
    row("memory for each further byte of file", f"{growth:.2f} bytes", "less than 1")
    row(f"going through {min(LOADED):,} of them", f"{few['through']:.1f} s")


def measured_alone(path: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, str(HERE), "--load", str(path)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "MALLOC_ARENA_MAX": "2"},
    )
    return json.loads(done.stdout.splitlines()[-1])


def load_alone(path: str) -> dict[str, float]:
    from explorer.traces import load_traces

    gc.collect()
    before = forget_peak()
    start = time.perf_counter()
    traces = load_traces(path)
    numbers = {"seconds": time.perf_counter() - start, "peak": peak_memory() - before}
    assert len(traces[len(traces) - 1].hyperedges) == 10
    start = time.perf_counter()
    assert sum(1 for _ in traces) == len(traces)
    return numbers | {"through": time.perf_counter() - start}


# -- reading with a stand-in -----------------------------------------------------------------------


def to_be_read(model: Any, n_tokens: int) -> tuple[Any, int]:
    """Return a trace whose prompt and answer have about so many tokens, and how many."""
    from explorer.models._running.prepared_prompt import prepare_prompt
    from explorer.run_control import RunControl
    from explorer.traces import Hyperedge, Trace

    sentence = (
        "the harbour of Veldin was built by the firm of Maro and Tessa in the year in which the "
        "bridge over the Ask was opened, and its cranes came from the yard of Holm"
    )
    answer = "The firm of Maro and Tessa built it, with cranes from the yard of Holm."
    words = sentence.split()
    long = max(4, (n_tokens - 130) // 10)
    while True:
        text = " ".join(words[place % len(words)] for place in range(long))
        edges = [Hyperedge(f"he{place}", f"Fact {place}: {text}.") for place in range(10)]
        trace = Trace("t", "Who built the harbour of Veldin?", edges, answer)
        texts = [edge.hyperedge for edge in edges]
        asked = prepare_prompt(model, trace.query, texts, trace.answer, control=RunControl())
        if len(asked.encoded) <= n_tokens or long <= 4:
            return trace, len(asked.encoded)
        long -= 1


def print_scoring(repeats: int) -> None:
    import torch

    from explorer import load_model
    from explorer.models._running.prepared_prompt import prepare_prompt
    from explorer.rag._scoring.trace_scoring import score_traces
    from explorer.run_control import RunControl, silent

    model = load_model(MODEL)
    trace, n_tokens = to_be_read(model, PROMPT)
    texts = [edge.hyperedge for edge in trace.hyperedges]
    sequence = prepare_prompt(model, trace.query, texts, trace.answer, control=RunControl()).encoded
    inputs = model.tensors(sequence.ids)

    def bare() -> Any:
        with torch.no_grad():
            return model.torch_model.base_model(**inputs, use_cache=False)

    with tempfile.TemporaryDirectory() as folder:
        ways: dict[str, Callable[[], Any]] = {
            "bare": bare,
            "scored": lambda: score_traces([trace], model, control=RunControl(silent)),
            "filed": lambda: score_traces(
                [trace],
                model,
                control=RunControl(silent),
                path=Path(folder) / f"{time.monotonic_ns()}.jsonl",
            ),
        }
        for run in ways.values():
            run()
        times: dict[str, list[float]] = {way: [] for way in ways}
        work: dict[str, list[float]] = {way: [] for way in ways}
        for repeat in range(repeats):
            # The order changes, so that no side always runs after the other.
            for way in ways if repeat % 2 else reversed(ways):
                worked = time.process_time()
                times[way].append(seconds(ways[way]))
                work[way].append(time.process_time() - worked)
    middle = {way: statistics.median(found) for way, found in times.items()}
    row(f"bare forward, {n_tokens} tokens", f"{middle['bare']:.2f} s")
    for way, what in (("scored", "score_traces"), ("filed", "score_traces with a file")):
        ratio, worked = (
            statistics.median(one / other for one, other in zip(of[way], of["bare"], strict=True))
            for of in (times, work)
        )
        row(
            f"{what}, {len(sequence.rows)} answer rows",
            f"{middle[way]:.2f} s, {ratio:.2f} x the bare forward ({worked:.2f} x its work)",
            "at most 1.15 x",
        )


def print_batching(repeats: int) -> None:
    """Time short traces alone and in batches of several sizes."""
    from explorer import load_model
    from explorer.rag._scoring.trace_scoring import score_traces
    from explorer.run_control import RunControl, silent

    model = load_model(MODEL)
    for wanted in (100, 250, 500):
        trace, n_tokens = to_be_read(model, wanted)
        traces = [trace] * SHORT
        times: dict[int, list[float]] = {bound: [] for bound in (1, 512, 1024, 2048)}
        for turn in range(repeats + 1):
            for bound, found in times.items():
                run = partial(
                    score_traces, traces, model, batch_tokens=bound, control=RunControl(silent)
                )
                elapsed = seconds(run)
                if turn:  # the first is a warm-up
                    found.append(elapsed)
        for bound, found in times.items():
            what = "one by one" if bound == 1 else f"batches of at most {bound} tokens"
            ratio = statistics.median(t / a for t, a in zip(found, times[1], strict=True))
            row(
                f"{SHORT} traces of {n_tokens} tokens, {what}",
                f"{statistics.median(found) / SHORT * 1e3:.0f} ms a trace, {ratio:.2f} x",
            )


if __name__ == "__main__":
    main()
