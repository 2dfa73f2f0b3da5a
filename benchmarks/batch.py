"""Batches: throughput compared with the bare model, cost of a trace, `--help`.

    .venv/bin/python benchmarks/batch.py [--traces 24] [--rounds 3]

The bare model runs the same prompts, in the same passes, in the same process, and keeps nothing.
Both run alternately. The cost of a trace is what docs/scale.md begins with.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec
import torch
from measuring import forget_peak, peak_memory, seconds

from explorer.batch import score_files
from explorer.examples import example_traces
from explorer.models import load_model
from explorer.models._running.batches import default_batch_tokens, plan_batches
from explorer.models._running.prepared_prompt import prepare_prompt
from explorer.run_control import RunControl, silent
from explorer.traces import Trace, save_traces

QUIET = RunControl(silent)
PROGRAM = [sys.executable, "-c", "from explorer.cli import main; main()"]


def write_traces(path: Path, count: int) -> list[Trace]:
    """Write so many packaged traces, without their attention; repeated under other ids."""
    packaged = list(example_traces())
    traces = [
        msgspec.structs.replace(packaged[number % len(packaged)], id=f"t{number}", metadata={})
        for number in range(count)
    ]
    save_traces(traces, path)
    return traces


def bare_passes(model, traces):
    """Return a function that runs the model alone on the prompts of the traces."""
    encoded = [
        prepare_prompt(
            model, one.query, [edge.hyperedge for edge in one.hyperedges], one.answer, control=QUIET
        ).encoded
        for one in traces
    ]
    tokens = default_batch_tokens(model)
    vocabulary = int(model.torch_model.config.vocab_size)
    inputs = []
    for places in plan_batches(encoded, tokens, vocabulary):
        rows = [torch.as_tensor(encoded[place].ids) for place in places]
        ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
        mask = torch.nn.utils.rnn.pad_sequence([torch.ones_like(row) for row in rows], True)
        inputs.append({"input_ids": ids, "attention_mask": mask})

    def run() -> None:
        with torch.inference_mode():
            for one in inputs:
                model.torch_model(**one, logits_to_keep=1)

    return run, sum(len(one) for one in encoded)


def throughput(folder: Path, count: int, rounds: int) -> None:
    """Compare a batch with the bare model, alternating."""
    given = folder / "traces.jsonl"
    traces = write_traces(given, count)
    model = load_model("SmolLM2-135M-Instruct")
    run, tokens = bare_passes(model, traces)
    out = folder / "scored.jsonl"

    def batch() -> None:
        out.unlink(missing_ok=True)
        score_files(given, out, model=model, control=QUIET)

    run()
    batch()
    bare, ours, busy = [], [], []
    for _ in range(rounds):
        bare.append(seconds(run))
        start = time.process_time()
        ours.append(seconds(batch))
        busy.append(time.process_time() - start)
    one, other = statistics.median(bare), statistics.median(ours)
    ratio = statistics.median(b / o for b, o in zip(bare, ours, strict=True))
    size = out.stat().st_size / count
    print(f"{count} traces of {tokens / count:.0f} tokens, {torch.get_num_threads()} threads")
    print(f"bare model             {one:8.2f} s   {count / one:6.2f} traces/s")
    print(f"batch                  {other:8.2f} s   {count / other:6.2f} traces/s")
    print(f"share of bare          {ratio:8.3f}     (asked: at least 0.9)")
    each = other / count
    print(f"cost of a trace        {each:8.3f} s   {other / tokens * 1e6:.0f} us a token")
    cpu = statistics.median(busy)
    print(f"the same, CPU time     {cpu / count:8.3f} s   {cpu / tokens * 1e6:.0f} us a token")
    print(f"size of a scored trace {size / 1e3:8.1f} kB")
    parquet = folder / "scored.parquet"
    score_files(given, parquet, model=model, control=QUIET)
    print(f"the same as Parquet    {parquet.stat().st_size / count / 1e3:8.1f} kB")


def memory(folder: Path, count: int) -> None:
    """Measure what a batch holds for each trace, by traces that bring their attention."""
    given, out = folder / "many.jsonl", folder / "many-out.jsonl"
    traces = [
        Trace(f"t{number}", "q", example_traces()[0].hyperedges, "a", {"hyperedge_attention": {}})
        for number in range(1)
    ]
    with given.open("wb") as stream:
        line = msgspec.json.encode(msgspec.to_builtins(traces[0]))
        found = json.loads(line)
        for name in ("line", "folder"):
            found.pop(name, None)
        found["metadata"] = {
            "hyperedge_attention": {edge["id"]: 0.1 for edge in found["hyperedges"]}
        }
        for number in range(count):
            found["id"] = f"t{number}"
            stream.write(json.dumps(found).encode() + b"\n")
    before = forget_peak()
    start = time.process_time()
    score_files(given, out, control=QUIET)
    elapsed = time.process_time() - start
    grown = peak_memory() - before
    print(
        f"{count:,} traces passed through ({given.stat().st_size / 1e6:.0f} MB): "
        f"{elapsed / count * 1e6:.0f} us of CPU time and {grown / count:.0f} bytes of memory each"
    )


def help_time(rounds: int) -> None:
    """Measure `attention-explorer --help`, and Python alone."""
    for name, command in (
        ("python -c pass", [sys.executable, "-c", "pass"]),
        ("--help", [*PROGRAM, "--help"]),
        ("score --help", [*PROGRAM, "score", "--help"]),
    ):
        times = [
            seconds(
                lambda command=command: subprocess.run(command, capture_output=True, check=True)
            )
            for _ in range(rounds)
        ]
        print(f"{name:16} {statistics.median(times):6.3f} s, fastest {min(times):6.3f} s")


def main() -> None:
    """Run all parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traces", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--many", type=int, default=20_000)
    asked = parser.parse_args()
    if asked.threads:
        torch.set_num_threads(asked.threads)
    help_time(15)
    with tempfile.TemporaryDirectory() as name:
        throughput(Path(name), asked.traces, asked.rounds)
        memory(Path(name), asked.many)


if __name__ == "__main__":
    main()
