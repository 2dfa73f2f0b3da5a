"""What leaving out each hyperedge costs, next to one forward pass for every prompt.

    python benchmarks/ablation.py                 # about five minutes on two cores
    python benchmarks/ablation.py --repeats 1 --masks 0 --threads 1

One trace of 10 hyperedges, 1,500 tokens: the prompt with all of them and the ten without one each.
Ways take turns in one process, after a warm-up; ratios are medians of the ratios within a round,
so that a machine that is busy for a while slows all sides. CPU time is given beside wall time,
since it hardly depends on what else the machine does.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from explorer.run_control import RunControl, silent

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

MODEL = "SmolLM2-135M-Instruct"
HYPEREDGES = 10
TOKENS_EACH = 140


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--masks", type=int, default=32)
    parser.add_argument("--threads", type=int, help="one, where others use the machine too")
    arguments = parser.parse_args()
    transformers.logging.set_verbosity_error()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)

    import explorer
    from explorer.models._running.answer_scorer import AnswerScorer
    from explorer.models._text.prompt_encoding import encode_given_answer
    from explorer.models._text.prompts import fact_prompt
    from explorer.validation._ablation.ablation import ablate
    from explorer.validation._ablation.prompt_masks import random_masks, reading_order, without_each

    model = explorer.load_model(MODEL)
    trace = long_trace(model)
    reader, control = AnswerScorer(model), RunControl()

    def prompts(masks: Any) -> list[Any]:
        unique, _ = reading_order(masks)
        return [
            encode_given_answer(
                model,
                fact_prompt(
                    model.tokenizer,
                    trace.query,
                    [e.hyperedge for e, stays in zip(trace.hyperedges, mask, strict=True) if stays],
                ),
                trace.answer,
            )
            for mask in unique
        ]

    each = np.concatenate([np.ones((1, HYPEREDGES), dtype=bool), without_each(HYPEREDGES)])
    eleven = prompts(each)
    print(
        f"{torch.get_num_threads()} threads, torch {torch.__version__}, {MODEL}; "
        f"{HYPEREDGES} hyperedges, {max(len(one) for one in eleven):,} tokens\n"
    )
    reader.logprobs(eleven[-1:], control)  # a warm-up, in which the cache is tried
    ways: dict[str, Callable[[], Any]] = {
        "shared beginnings": lambda: reader.logprobs(eleven, control),
        "ablate(): the same, and the prompt without any": lambda: ablate(
            trace, model, control=RunControl(progress=silent)
        ),
        "11 passes, head on the answer's rows": lambda: [
            reader.logprobs([one], control, reuse=False)[0] for one in eleven
        ],
        "11 passes, head on all rows": lambda: [whole(model, one) for one in eleven],
    }
    table("leave one out", ways, arguments.repeats, "11 passes, head on the answer's rows")
    difference(ways["shared beginnings"](), ways["11 passes, head on the answer's rows"]())
    if arguments.masks:
        drawn = random_masks(
            np.ones(HYPEREDGES, dtype=bool), arguments.masks, np.random.default_rng(0)
        )
        some = prompts(drawn)
        apart = f"{len(some)} passes, head on the answer's rows"
        more = {
            "shared beginnings": lambda: reader.logprobs(some, control),
            apart: lambda: [reader.logprobs([one], control, reuse=False)[0] for one in some],
        }
        table(f"{len(some)} random prompts", more, max(1, arguments.repeats // 2), apart)
        difference(*(way() for way in more.values()))


def long_trace(model: Any) -> Any:
    """A trace of the asked length, of the packaged traces' texts."""
    from explorer.examples import example_traces
    from explorer.traces import Hyperedge, Trace

    text = " ".join(edge.hyperedge for trace in example_traces() for edge in trace.hyperedges)
    ids = model.tokenizer(text, verbose=False)["input_ids"]
    while len(ids) < HYPEREDGES * TOKENS_EACH:
        ids = ids + ids[::-1]
    pieces = [ids[start : start + TOKENS_EACH] for start in range(0, len(ids), TOKENS_EACH)]
    edges = [
        Hyperedge(f"h{place}", model.tokenizer.decode(piece).strip())
        for place, piece in enumerate(pieces[:HYPEREDGES])
    ]
    return Trace("long", "Which of these was the first?", edges, "The first of them.")


def whole(model: Any, sequence: Any) -> np.ndarray:
    """One prompt as transformers itself reads it: logits of every token."""
    with torch.no_grad():
        logits = model.torch_model(**model.tensors(sequence.ids), use_cache=False).logits[0]
    logs = torch.log_softmax(logits[sequence.rows].double(), dim=-1)
    return logs[torch.arange(len(sequence.rows)), sequence.answer_ids].numpy()


def table(title: str, ways: dict[str, Callable[[], Any]], repeats: int, beside: str) -> None:
    wall: dict[str, list[float]] = {name: [] for name in ways}
    cpu: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            began = time.perf_counter(), time.process_time()
            way()
            wall[name].append(time.perf_counter() - began[0])
            cpu[name].append(time.process_time() - began[1])
            print(f"  {name}: {wall[name][-1]:.1f} s", file=sys.stderr, flush=True)
    print(
        f"| {title} | wall | CPU | wall / passes | CPU / passes |\n| --- | --- | --- | --- | --- |"
    )
    for name in ways:
        ratios = [
            statistics.median(a / b for a, b in zip(times[name], times[beside], strict=True))
            for times in (wall, cpu)
        ]
        print(
            f"| {name} | {statistics.median(wall[name]):.2f} s | "
            f"{statistics.median(cpu[name]):.2f} s | {ratios[0]:.2f} | {ratios[1]:.2f} |",
            flush=True,
        )


def difference(some: list[np.ndarray], others: list[np.ndarray]) -> None:
    largest = max(float(np.abs(a - b).max()) for a, b in zip(some, others, strict=True))
    print(f"\nLargest difference of a token's log-probability: {largest:.1e}\n")


if __name__ == "__main__":
    main()
