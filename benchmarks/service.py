"""The HTTP service: what an answer costs beyond its forward pass, load, and memory over time.

    .venv/bin/python benchmarks/service.py                # all tables, about ten minutes
    .venv/bin/python benchmarks/service.py --only answer  # or: older, load, memory

The service runs with the packaged SmolLM2: for memory in a process of its own, otherwise in this
one, so that service and bare forward passes use one model under the same conditions. The older way,
rebuilt from its description, loads a CodeBERT-sized encoder (random weights) for each call, asks it
for ``output_attentions``, and draws with matplotlib.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import io
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from measuring import seconds

from explorer.models import DEFAULT_MODEL, Model, load_model
from explorer.service import RunningService, ServiceSettings, start_service

ROOT = Path(__file__).resolve().parents[1]
SOURCE = (ROOT / "explorer" / "attention" / "_attention_map.py").read_text(encoding="utf-8")
LINES = SOURCE.splitlines()
HUNDRED = "\n".join(LINES[100:200])

SERVE = """
from explorer.service import ServiceSettings, serve
serve(ServiceSettings(port=0))
"""


def service_of(model: Model) -> RunningService:
    """Start a service in this process that uses this model."""
    settings = ServiceSettings(
        port=0, model="model", extra_models={"model": model.name}, request_seconds=3600
    )
    return start_service(settings, load=lambda name: model)


@contextmanager
def service_alone() -> Iterator[tuple[str, int]]:
    """Run the service in a process of its own; give its address and process id."""
    command = [sys.executable, "-c", SERVE]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            address = process.stderr.readline().split()[4]
            while httpx.get(f"{address}/health", trust_env=False).status_code != 200:
                time.sleep(0.2)
            yield address, process.pid
        finally:
            process.terminate()


# -- one answer ------------------------------------------------------------------------------------


def print_answer(repeats: int) -> None:
    model = load_model(DEFAULT_MODEL)
    tokenized = model.tokenize(HUNDRED)
    formats = {
        "JSON, with picture": "application/json",
        "safetensors": "application/x-safetensors",
    }
    times: dict[str, list[float]] = {"forward": [], **{name: [] for name in formats}}
    with service_of(model) as service, httpx.Client(trust_env=False, timeout=3600) as ask:

        def answer(accept: str) -> Any:
            found = ask.post(
                f"{service.url}/v1/analyze-attention",
                json={"code": HUNDRED},
                headers={"Accept": accept},
            )
            assert found.status_code == 200, found.text
            return found

        model.record(tokenized)
        for accept in formats.values():
            answer(accept)
        for _ in range(repeats):
            times["forward"].append(seconds(lambda: model.record(tokenized)))
            for name, accept in formats.items():
                times[name].append(seconds(lambda accept=accept: answer(accept)))
        size = len(answer("application/json").content)
    forward = statistics.median(times["forward"])
    print(f"| /analyze-attention, 100 lines, {len(tokenized)} tokens | median | / forward |")
    print("| --- | --- | --- |")
    print(f"| bare recorded forward | {forward * 1e3:.0f} ms | 1 |")
    for name in formats:
        ratio = statistics.median(
            one / bare for one, bare in zip(times[name], times["forward"], strict=True)
        )
        print(f"| {name} | {statistics.median(times[name]) * 1e3:.0f} ms | {ratio:.2f} |")
    print(f"\nThe JSON answer has {size / 1e6:.1f} MB.\n")


# -- the older way ---------------------------------------------------------------------------------


def make_encoder(folder: str) -> None:
    """Save an encoder of CodeBERT's size, with random weights and a small tokenizer."""
    import torch
    from transformers import RobertaConfig, RobertaModel

    sys.path.insert(0, str(ROOT / "tests" / "support"))
    from tiny_tokenizers import byte_level_tokenizer

    torch.manual_seed(0)
    config = RobertaConfig(
        vocab_size=50_265, max_position_embeddings=514, type_vocab_size=1, pad_token_id=1
    )
    RobertaModel(config).save_pretrained(folder)
    tokenizer = byte_level_tokenizer(SOURCE.splitlines(), 1200)
    tokenizer.model_max_length = 512
    tokenizer.save_pretrained(folder)


def older_way(folder: str, code: str) -> dict[str, Any]:
    """Answer as the older service did: load, run eagerly, keep all attention, plot."""
    import matplotlib as mpl

    mpl.use("Agg")
    import torch
    from matplotlib import pyplot as plt
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    inputs = tokenizer(code, return_tensors="pt", truncation=True, max_length=512)
    inputs.pop("token_type_ids", None)
    with torch.no_grad():
        outputs = model(**inputs, output_attentions=True)
    attention = outputs.attentions[-1][0].mean(dim=0).numpy()
    tokens = tokenizer.convert_ids_to_tokens(inputs["input_ids"][0])
    figure, axes = plt.subplots(figsize=(10, 8))
    axes.imshow(attention, cmap="viridis")
    axes.set_xticks(range(len(tokens)), tokens, rotation=90)
    axes.set_yticks(range(len(tokens)), tokens)
    file = io.BytesIO()
    figure.savefig(file, format="png", bbox_inches="tight")
    plt.close(figure)
    answer = {
        "tokens": tokens,
        "attention": attention.tolist(),
        "importance": dict(zip(tokens, attention.mean(axis=0).tolist(), strict=True)),
        "visualization": base64.b64encode(file.getvalue()).decode(),
        "error": None,
    }
    json.dumps(answer)
    return answer


def print_older(repeats: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        make_encoder(folder)
        model = load_model(folder)
        tokenized = model.tokenize(HUNDRED)
        times: dict[str, list[float]] = {"older": [], "ours": [], "forward": []}
        with service_of(model) as service, httpx.Client(trust_env=False, timeout=3600) as ask:

            def ours() -> Any:
                found = ask.post(f"{service.url}/analyze-attention", json={"code": HUNDRED})
                assert found.status_code == 200, found.text
                return found

            ours()
            older_way(folder, HUNDRED)
            for _ in range(repeats):
                times["forward"].append(seconds(lambda: model.record(tokenized)))
                times["ours"].append(seconds(ours))
                times["older"].append(seconds(lambda: older_way(folder, HUNDRED)))
    middle = {name: statistics.median(values) for name, values in times.items()}
    print(f"| CodeBERT-sized encoder, {len(tokenized)} tokens | median |")
    print("| --- | --- |")
    print(f"| bare recorded forward | {middle['forward'] * 1e3:.0f} ms |")
    print(f"| /analyze-attention | {middle['ours'] * 1e3:.0f} ms |")
    print(f"| the older way | {middle['older'] * 1e3:.0f} ms |")
    print(f"\nThe older way takes {middle['older'] / middle['ours']:.1f} times as long.\n")


# -- load ------------------------------------------------------------------------------------------


def mixed(count: int, longest: int, seed: int = 0) -> list[tuple[str, dict[str, Any]]]:
    """Return requests: paths and bodies with code of 1 to `longest` lines."""
    chance = random.Random(seed)  # noqa: S311
    paths = ["/v1/analyze", "/v1/analyze-with-attention", "/v1/analyze-attention"]
    found = []
    for _ in range(count):
        lines = chance.randint(1, longest)
        start = chance.randrange(len(LINES) - lines)
        code = "\n".join(LINES[start : start + lines])
        code = code if code.strip() else "pass"
        path = chance.choice([*paths, "/v1/get-attention"])
        body: dict[str, Any] = {"code": code}
        if path == "/v1/get-attention":
            body |= {"layer": chance.randrange(30), "head": chance.randrange(9)}
        found.append((path, body))
    return found


async def ask_all(
    address: str, requests: list[tuple[str, dict[str, Any]]], at_once: int = 16
) -> tuple[list[float], float]:
    """Send requests, some at once; return the latency of each and the time of all."""
    waiting = iter(requests)
    latencies: list[float] = []

    async def client() -> None:
        for path, body in waiting:
            began = time.perf_counter()
            answer = await ask.post(address + path, json=body)
            assert answer.status_code == 200, answer.text
            latencies.append(time.perf_counter() - began)

    began = time.perf_counter()
    async with httpx.AsyncClient(trust_env=False, timeout=3600) as ask:
        await asyncio.gather(*(client() for _ in range(at_once)))
    return latencies, time.perf_counter() - began


def forwards(model: Model, requests: list[tuple[str, dict[str, Any]]]) -> float:
    """Return how long the same forward passes take in a loop."""
    texts = [model.tokenize(body["code"]) for _, body in requests]
    began = time.perf_counter()
    for text in texts:
        model.record(text)
    return time.perf_counter() - began


def print_load(count: int, repeats: int) -> None:
    model = load_model(DEFAULT_MODEL)
    requests = mixed(count, 20)
    runs = []
    with service_of(model) as service:
        asyncio.run(ask_all(service.url, requests[:20]))
        forwards(model, requests[:20])
        for _ in range(repeats):
            bare = forwards(model, requests)
            latencies, whole = asyncio.run(ask_all(service.url, requests))
            runs.append((bare / whole, bare, whole, latencies))
        metrics = httpx.get(f"{service.url}/metrics", trust_env=False).text
    runs.sort(key=lambda run: run[0])
    share, bare, whole, latencies = runs[len(runs) // 2]
    p50, p95, p99 = np.quantile(latencies, [0.5, 0.95, 0.99])
    passes = metrics.partition("\nexplorer_forward_passes_total ")[2].split()[0]
    texts = metrics.partition("\nexplorer_forward_texts_total ")[2].split()[0]
    print(f"| {count} mixed requests, 16 at once | |")
    print("| --- | --- |")
    print(f"| errors | 0 of {count} |")
    print(f"| p50, p95, p99 | {p50:.2f} s, {p95:.2f} s, {p99:.2f} s |")
    print(f"| requests a second | {count / whole:.1f} |")
    print(f"| the same forwards in a loop | {count / bare:.1f} |")
    print(f"| throughput / that of the loop | {share:.2f} |")
    print(f"| texts a forward pass | {float(texts) / float(passes):.2f} |")
    print(f"\nAll runs: {', '.join(f'{run[0]:.2f}' for run in runs)}.\n")


# -- memory ----------------------------------------------------------------------------------------


def resident(process: int) -> int:
    """Return the resident memory of a process in bytes."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if "VmRSS" in line).split()[1]) * 1024


def print_memory(count: int) -> None:
    sizes = []
    with service_alone() as (address, process):
        for part in range(count // 200):
            asyncio.run(ask_all(address, mixed(200, 12, seed=part)))
            sizes.append(resident(process) / 1e6)
    print("| requests | resident memory |")
    print("| --- | --- |")
    for part, size in enumerate(sizes):
        print(f"| {200 * (part + 1)} | {size:.0f} MB |")
    change = max(abs(size / sizes[0] - 1) for size in sizes)
    print(f"\nLargest change after the first 200: {change:.1%}.\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=["answer", "older", "load", "memory"])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--requests", type=int, default=2000, help="of the table on memory")
    parser.add_argument("--load", type=int, default=200, help="requests of the table on load")
    parser.add_argument("--threads", type=int, help="of torch; by default its own choice")
    given = parser.parse_args()
    if given.threads:
        import torch

        torch.set_num_threads(given.threads)
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    if given.only in (None, "answer"):
        print_answer(given.repeats)
    if given.only in (None, "older"):
        print_older(given.repeats)
    if given.only in (None, "load"):
        print_load(given.load, 3)
    if given.only in (None, "memory"):
        print_memory(given.requests)


if __name__ == "__main__":
    main()
