"""Recording and scoring beside the bare forward pass, on this machine's best device.

    python benchmarks/devices.py [--device auto] [--quick] [--only scoring recorded window units]

Models have the usual shapes and random weights, so nothing is loaded. Every ratio is taken within
one run, bare and ours in turn. What the device cannot hold is skipped with a note. Prints Markdown
tables.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from explorer import record_attention
from explorer.models import Model
from explorer.rag import StandInSettings, score_traces
from explorer.run_control import RunControl, silent
from explorer.traces import Hyperedge, Trace, TraceSet

SHAPES = {
    # hidden, feed-forward, layers, heads, key heads
    "135M": (576, 1536, 30, 9, 3),
    "1B": (2048, 8192, 16, 32, 8),
    "8B": (4096, 14336, 32, 32, 8),
}
ROUNDS = 5


def chosen_device(name: str) -> torch.device:
    if name != "auto":
        return torch.device(name)
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def made(shape: str, device: torch.device, positions: int, vocabulary: int = 32_000) -> Any:
    """Return a Llama with random weights; bfloat16 on a GPU."""
    from transformers import LlamaConfig, LlamaForCausalLM

    hidden, feed, layers, heads, key_heads = SHAPES[shape]
    config = LlamaConfig(
        vocab_size=vocabulary, hidden_size=hidden, intermediate_size=feed,
        num_hidden_layers=layers, num_attention_heads=heads, num_key_value_heads=key_heads,
        max_position_embeddings=positions, attn_implementation="sdpa",
    )  # fmt: skip
    dtype = torch.float32 if device.type == "cpu" else torch.bfloat16
    torch.manual_seed(0)
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with device:
            model = LlamaForCausalLM(config)
    finally:
        torch.set_default_dtype(before)
    return model.eval()


def wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def timed(device: torch.device, *ways: Callable[[], Any], rounds: int = ROUNDS) -> list[float]:
    """Return the median seconds of each way; the ways take turns."""
    taken: list[list[float]] = [[] for _ in ways]
    for turn in range(rounds + 1):  # the first warms up
        for way, seconds in zip(ways, taken, strict=True):
            wait(device)
            began = time.perf_counter()
            kept = way()
            wait(device)
            if turn:
                seconds.append(time.perf_counter() - began)
            del kept
    return [statistics.median(seconds) for seconds in taken]


def recorded(device: torch.device, quick: bool) -> Iterator[str]:
    """A recorded pass beside a plain one."""
    cases = [("1B", 2048), ("1B", 8192), ("8B", 2048), ("8B", 8192)]
    if quick or device.type == "cpu":
        cases = [("135M", 256), ("135M", 512)]
    yield "| model, tokens | plain | recorded | recorded / plain |\n| --- | --- | --- | --- |"
    for shape in dict.fromkeys(shape for shape, _ in cases):
        model = made(shape, device, 131_072)
        for n_tokens in [n for one, n in cases if one == shape]:
            ids = torch.randint(0, 32_000, (1, n_tokens), device=device)

            def plain(model: Any = model, ids: Any = ids) -> Any:
                with torch.no_grad():
                    return model.model(input_ids=ids, use_cache=False)

            def ours(model: Any = model, ids: Any = ids) -> Any:
                return record_attention(model, input_ids=ids)

            bare, with_us = timed(device, plain, ours)
            yield (
                f"| {shape}, {n_tokens:,} | {bare * 1e3:.1f} ms | {with_us * 1e3:.1f} ms "
                f"| {with_us / bare:.3f} |"
            )
        del model
        gc.collect()
        if device.type == "cuda":
            torch.cuda.empty_cache()


def window(device: torch.device, quick: bool) -> Iterator[str]:
    """One head's 512 x 512 window of a long recording."""
    n_tokens = 32_768 if device.type == "cuda" and not quick else 2_048
    model = made("1B" if device.type == "cuda" else "135M", device, 131_072)
    ids = torch.randint(0, 32_000, (1, n_tokens), device=device)
    attention = record_attention(model, input_ids=ids)
    rows = np.arange(n_tokens - 512, n_tokens)
    columns = np.arange(1000, 1512)
    (taken,) = timed(device, lambda: attention.weights(3, 1, rows, columns), rounds=20)
    yield "| window | time |\n| --- | --- |"
    yield f"| 512 x 512 of {n_tokens:,} tokens, one head | {taken * 1e3:.1f} ms |"


def units(device: torch.device, quick: bool) -> Iterator[str]:
    """Memory of a long text that is reduced to units."""
    if device.type != "cuda":
        yield "Memory of long texts: skipped, it needs a CUDA GPU."
        return
    from explorer.attention._recorder import record_units

    yield "| model, tokens | plain, peak | reduced to 100 units, peak | more | time / plain |"
    yield "| --- | --- | --- | --- | --- |"
    for shape, n_tokens in [("8B", 16_384)] if quick else [("8B", 32_768), ("8B", 131_072)]:
        model = made(shape, device, 131_072)
        ids = torch.randint(0, 32_000, (1, n_tokens), device=device)
        spans = [
            (start, start + n_tokens // 120)
            for start in range(0, n_tokens - n_tokens // 100, n_tokens // 100)
        ]
        rows = np.arange(n_tokens - 40, n_tokens)

        def peak(way: Callable[[], Any]) -> tuple[float, float]:
            gc.collect()
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
            base = torch.cuda.memory_allocated()
            wait(device)
            began = time.perf_counter()
            kept = way()
            wait(device)
            del kept
            return (torch.cuda.max_memory_allocated() - base) / 1e9, time.perf_counter() - began

        def plain(model: Any = model, ids: Any = ids) -> Any:
            with torch.no_grad():
                return model.model(input_ids=ids, use_cache=False)

        bare, seconds = peak(plain)
        bare, seconds = peak(plain)

        def ours_way(model: Any = model, spans: Any = spans, rows: Any = rows) -> Any:
            return record_units(model, spans, rows, input_ids=ids)  # noqa: B023

        more, ours = peak(ours_way)
        yield (
            f"| {shape}, {n_tokens:,} | {bare:.1f} GB | {more:.1f} GB | {more - bare:.1f} GB "
            f"| {ours / seconds:.2f} |"
        )
        del model, plain, ours_way
        gc.collect()


def some_traces(n_traces: int, paragraph: int, n_paragraphs: int = 20) -> TraceSet:
    """Return questions with paragraphs of about `paragraph` words from a small vocabulary."""
    from explorer.examples import example_traces

    words = sorted(
        {
            word
            for trace in example_traces()
            for edge in trace.hyperedges
            for word in edge.hyperedge.split()
        }
    )
    random = np.random.default_rng(0)

    def text(size: int) -> str:
        return " ".join(random.choice(words, size))

    return TraceSet(
        [
            Trace(
                f"q{number}",
                text(12) + "?",
                [
                    Hyperedge(
                        f"h{i}",
                        text(int(random.integers(paragraph // 2, 2 * paragraph))),
                        label=i < 2,
                    )
                    for i in range(n_paragraphs)
                ],
                text(4),
            )
            for number in range(n_traces)
        ]
    )


def scoring(device: torch.device, quick: bool) -> Iterator[str]:
    """`score_traces` beside the bare forwards of the same batches."""
    n_traces = 8 if quick or device.type == "cpu" else 100
    model = scoring_model(device)
    both = StandInSettings(rows=("answer", "question"), content_free=True)
    yield "| scoring | passes | bare | ours | ours / bare |\n| --- | --- | --- | --- | --- |"
    for words, rows, settings in (
        (30, "answer", StandInSettings()), (60, "answer", StandInSettings()),
        (60, "answer and question, content-free", both),
    ):  # fmt: skip
        traces = some_traces(n_traces, words)
        batches: list[dict[str, Any]] = []

        def note(_: Any, __: Any, named: dict[str, Any], batches: Any = batches) -> None:
            batches.append(named)

        inner = model.torch_model.model
        handle = inner.register_forward_pre_hook(note, with_kwargs=True)
        score_traces(traces, model, settings=settings, control=RunControl(progress=silent))
        handle.remove()
        inputs = [
            {
                "input_ids": one["input_ids"],
                "attention_mask": one.get("attention_mask"),
                "use_cache": False,
            }
            for one in batches
        ]

        def bare(inputs: Any = inputs) -> None:
            with torch.no_grad():
                for one in inputs:
                    inner(**one)  # noqa: B023

        def ours(traces: Any = traces, settings: Any = settings) -> Any:
            return score_traces(
                traces, model, settings=settings, control=RunControl(progress=silent)
            )

        plain, with_us = timed(device, bare, ours, rounds=3)
        tokens = sum(one["input_ids"].numel() for one in inputs)
        yield (
            f"| {n_traces} questions, {tokens / len(inputs):,.0f} tokens a pass, {rows} "
            f"| {len(inputs)} | {plain:.2f} s | {with_us:.2f} s | {with_us / plain:.2f} |"
        )


def scoring_model(device: torch.device) -> Model:
    """Return a model of SmolLM2's shape with random weights and a byte-level tokenizer."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    from explorer.examples import example_traces

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    texts = [edge.hyperedge for trace in example_traces() for edge in trace.hyperedges]
    trainer = trainers.BpeTrainer(
        vocab_size=4000, special_tokens=["<s>", "</s>"], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    tokenizer.train_from_iterator(texts, trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer)
    return Model.wrap(made("135M", device, 8192, vocabulary=len(fast)), fast, name="135M shape")


PARTS = {"scoring": scoring, "recorded": recorded, "window": window, "units": units}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="+", default=list(PARTS), choices=list(PARTS))
    options = parser.parse_args()
    device = chosen_device(options.device)
    name = (
        torch.cuda.get_device_name()
        if device.type == "cuda"
        else f"{torch.get_num_threads()} threads"
    )
    print(f"{device.type} ({name}), torch {torch.__version__}\n", flush=True)
    warnings.simplefilter("ignore")
    for part in options.only:
        try:
            for line in PARTS[part](device, options.quick):
                print(line, flush=True)
        except torch.OutOfMemoryError:
            print(f"{part}: the device has too little memory", flush=True)
        print(flush=True)


if __name__ == "__main__":
    sys.exit(main())
