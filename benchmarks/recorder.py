"""What recording attention costs, next to a plain forward pass and to `output_attentions=True`.

    python benchmarks/recorder.py                  # all tables, about ten minutes on two cores
    python benchmarks/recorder.py --repeats 3 --eager-repeats 1 --skip long

Times are medians of runs that take turns in one process, after a warm-up; ratios are medians of
the ratios of neighbouring runs, so that a machine that is busy for a while slows both sides. Peak
memory is measured in a process of its own per way: the kernel's high-water mark is reset just
before the run. "Extra" is the peak above that of a plain forward. The model runs without its
language head everywhere.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from measuring import forget_peak, peak_memory, seconds

MODEL = "SmolLM2-135M-Instruct"
LENGTHS = (512, 2048)
LONG = 8192
MEGABYTE = 1e6
HERE = Path(__file__).resolve()
sys.path.insert(0, str(HERE.parents[1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--eager-repeats", type=int, default=2)
    parser.add_argument(
        "--skip", nargs="*", default=[], choices=["times", "memory", "long", "differences"]
    )
    parser.add_argument("--measure", nargs=2, metavar=("WAY", "TOKENS"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        way, tokens = arguments.measure
        print(json.dumps(measure_alone(way, int(tokens))))
        return
    transformers.logging.set_verbosity_error()
    print(f"{torch.get_num_threads()} threads, torch {torch.__version__}, {MODEL}\n")
    if "times" not in arguments.skip:
        print_times(arguments.repeats, arguments.eager_repeats)
    if "memory" not in arguments.skip:
        print_memory()
    if "long" not in arguments.skip:
        print_long()
    if "differences" not in arguments.skip:
        print_differences()


# -- ways to get attention -------------------------------------------------------------------------


def load() -> torch.nn.Module:
    import explorer

    return explorer.load_model(MODEL).torch_model.eval()


def prompt(model: torch.nn.Module, n_tokens: int) -> torch.Tensor:
    random = torch.Generator().manual_seed(0)
    return torch.randint(0, model.config.vocab_size, (1, n_tokens), generator=random)


def plain(model: torch.nn.Module, ids: torch.Tensor) -> Any:
    with torch.no_grad():
        return model.base_model(input_ids=ids, use_cache=False)


def recorded(model: torch.nn.Module, ids: torch.Tensor) -> Any:
    from explorer.attention import record_attention

    return record_attention(model, input_ids=ids)


def eager(model: torch.nn.Module, ids: torch.Tensor) -> Any:
    model.set_attn_implementation("eager")
    try:
        with torch.no_grad():
            return model.base_model(input_ids=ids, use_cache=False, output_attentions=True)
    finally:
        model.set_attn_implementation("sdpa")


WAYS: dict[str, Callable[[torch.nn.Module, torch.Tensor], Any]] = {
    "plain": plain,
    "recorded": recorded,
    "eager": eager,
}


# -- tables ----------------------------------------------------------------------------------------


def print_times(repeats: int, eager_repeats: int) -> None:
    model = load()
    print("| tokens | plain SDPA | recorded | recorded / plain | eager | recorded / eager |")
    print("| --- | --- | --- | --- | --- | --- |")
    for n_tokens in LENGTHS:
        ids = prompt(model, n_tokens)
        plain(model, ids)
        recorded(model, ids)
        times: dict[str, list[float]] = {way: [] for way in WAYS}
        for repeat in range(repeats):
            # The order changes, so that neither side always runs after the other.
            for way in ("plain", "recorded") if repeat % 2 else ("recorded", "plain"):
                times[way].append(seconds(partial(WAYS[way], model, ids)))
        for _ in range(eager_repeats):
            times["eager"].append(seconds(partial(eager, model, ids)))
        middle = {way: statistics.median(values) for way, values in times.items()}
        ratio = statistics.median(
            r / p for r, p in zip(times["recorded"], times["plain"], strict=True)
        )
        print(
            f"| {n_tokens} | {middle['plain']:.2f} s | {middle['recorded']:.2f} s | {ratio:.2f} "
            f"| {middle['eager']:.2f} s | {middle['recorded'] / middle['eager']:.2f} |",
            flush=True,
        )
    print()
    print_reading(model, LENGTHS[-1])


def print_reading(model: torch.nn.Module, n_tokens: int) -> None:
    """Time what is worked out on demand from a record."""
    from explorer.attention.measures import MEASURES

    attention = recorded(model, prompt(model, n_tokens))
    spans = [(start, start + 40) for start in range(0, 400, 50)]
    rows = [np.arange(n_tokens - 32 - shift, n_tokens - shift) for shift in range(7)]
    reads: dict[str, Callable[[int], Any]] = {
        "one head": lambda turn: attention.weights(turn, 4),
        "one head, 100 x 100 in the middle": lambda turn: attention.weights(
            turn, 4, slice(1000, 1100), slice(900, 1000)
        ),
        "one layer, mean over heads": attention.weights,
        "span_mass, all heads, 32 rows": lambda turn: attention.span_mass(spans, rows[turn]),
        "entropy of all heads": lambda _turn: MEASURES["entropy"](attention),
    }
    print(f"| from a record of {n_tokens} tokens | median |")
    print("| --- | --- |")
    for name, read in reads.items():
        read(0)
        middle = statistics.median(seconds(partial(read, turn)) for turn in range(7))
        print(f"| {name} | {middle * 1e3:.0f} ms |", flush=True)
    print()


def print_memory() -> None:
    print("| tokens | plain, peak | recorded, extra | eager, extra | recorded / eager |")
    print("| --- | --- | --- | --- | --- |")
    for n_tokens in LENGTHS:
        peak = {way: alone(way, n_tokens)["peak"] / MEGABYTE for way in WAYS}
        more = {way: peak[way] - peak["plain"] for way in ("recorded", "eager")}
        print(
            f"| {n_tokens} | {peak['plain']:.0f} MB | {more['recorded']:.0f} MB "
            f"| {more['eager']:.0f} MB | {more['recorded'] / more['eager']:.3f} |",
            flush=True,
        )
    print()


def print_long() -> None:
    found = {way: alone(way, LONG) for way in ("plain", "recorded")}
    print(f"| {LONG} tokens | time | whole process, peak | a head's 512 x 512 window | last row |")
    print("| --- | --- | --- | --- | --- |")
    for way, numbers in found.items():
        window, row = (
            (f"{numbers['window'] * 1e3:.0f} ms", f"{numbers['row'] * 1e3:.0f} ms")
            if way == "recorded"
            else ("", "")
        )
        print(
            f"| {way} | {numbers['seconds']:.1f} s | {numbers['total'] / 1e9:.2f} GB "
            f"| {window} | {row} |",
            flush=True,
        )
    print()


def print_differences() -> None:
    sys.path.insert(0, str(HERE.parents[1] / "tests" / "attention"))
    import tiny_models as tiny

    from explorer.attention import record_attention

    ids = torch.randint(3, tiny.VOCABULARY, (1, 48), generator=torch.Generator().manual_seed(1))
    written = ids[:, :17]
    print("| architecture | largest difference from eager, float32 |")
    print("| --- | --- |")
    every = {**tiny.ARCHITECTURES, "qwen3-next": tiny.HYBRID, **tiny.WITHOUT_INTERFACE}
    for name, entry in every.items():
        model = tiny.tiny_model(entry)
        expected = tiny.item_of(tiny.eager_outputs(model, input_ids=ids).attentions)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = tiny.every_weight(record_attention(model, input_ids=ids))
        fallback = " (falls back to eager)" if name in tiny.WITHOUT_INTERFACE else ""
        print(f"| {name}{fallback} | {np.abs(found - expected).max():.1e} |")
    for name, entry in tiny.ENCODER_DECODERS.items():
        model = tiny.tiny_model(entry)
        outputs = tiny.eager_outputs(model, input_ids=ids, decoder_input_ids=written)
        found = record_attention(model, input_ids=ids, decoder_input_ids=written)
        for part, layers, attention in [
            ("encoder", outputs.encoder_attentions, found.encoder),
            ("decoder", outputs.decoder_attentions, found),
            ("cross", outputs.cross_attentions, found.cross),
        ]:
            difference = np.abs(tiny.every_weight(attention) - tiny.item_of(layers)).max()
            print(f"| {name}, {part} | {difference:.1e} |")
    model = load()
    ids = prompt(model, 128)
    expected = tiny.item_of(eager(model, ids).attentions)
    difference = np.abs(tiny.every_weight(recorded(model, ids)) - expected).max()
    print(f"| {MODEL}, 128 tokens | {difference:.1e} |")


# -- memory, in a process of its own ---------------------------------------------------------------


def alone(way: str, n_tokens: int) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, str(HERE), "--measure", way, str(n_tokens)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "MALLOC_ARENA_MAX": "2"},
    )
    return json.loads(done.stdout.splitlines()[-1])


def measure_alone(way: str, n_tokens: int) -> dict[str, float]:
    model = load()
    WAYS[way](model, prompt(model, 16))
    ids = prompt(model, n_tokens)
    gc.collect()
    before = forget_peak()
    start = time.perf_counter()
    kept = WAYS[way](model, ids)
    numbers = {"seconds": time.perf_counter() - start, "peak": peak_memory() - before}
    if way == "recorded":
        middle = n_tokens // 2
        numbers["window"] = seconds(
            lambda: kept.weights(7, 3, slice(middle, middle + 512), slice(middle - 512, middle))
        )
        numbers["row"] = seconds(lambda: kept.weights(7, 3, rows=[-1]))
    numbers["total"] = peak_memory()
    return numbers


if __name__ == "__main__":
    main()
