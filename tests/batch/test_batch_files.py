"""Batches: the numbers of the notebook, whatever happened on the way."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest

from explorer.batch import feedback_files, score_files
from explorer.batch._trace_files import TraceFiles
from explorer.errors import Cancelled, InputError, ModelError, TraceError
from explorer.rag import FeedbackExtractor, score_traces
from explorer.run_control import RunControl, silent
from explorer.traces import TraceSet, evidence, load_traces, save_traces
from explorer.traces._files.writer_lock import only_writer
from explorer.traces._io.trace_writing import encoded_line

from ..support.tiny_folder import labelled_trace

QUIET = RunControl(silent)
ATTENTION = {"method": "attention", "layer": 1, "head": 2, "attention_threshold": 0.02}


def no_embedding(texts: list[str]) -> np.ndarray:
    return np.ones((len(texts), 2))


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def assert_same_traces(path: Path, expected: Path) -> None:
    """The same traces once each, in order; a pass of other traces differs in the last digits."""
    found, wanted = lines(path), lines(expected)
    assert [one["id"] for one in found] == [one["id"] for one in wanted]
    for one, other in zip(found, wanted, strict=True):
        assert one["hyperedges"] == other["hyperedges"]
        for name in ("unit_attention", "unit_topk"):
            np.testing.assert_allclose(
                one["metadata"][name], other["metadata"][name], rtol=1e-3, atol=1e-6
            )


@pytest.fixture
def scored(traces: Path, tiny: str, tmp_path: Path) -> Path:
    """What the notebook writes."""
    path = tmp_path / "notebook.jsonl"
    score_traces(load_traces(traces), tiny, path=path, control=QUIET)
    return path


def test_scores_are_those_of_the_notebook(traces: Path, tiny: str, scored: Path) -> None:
    out = scored.with_name("batch.jsonl")
    summary = score_files(traces, out, model=tiny, control=QUIET)
    assert out.read_bytes() == scored.read_bytes()
    assert (summary.traces, summary.kept, summary.failed, summary.problems) == (9, 0, 0, None)
    assert summary.complete


def test_parquet_has_the_same_traces(traces: Path, tiny: str, scored: Path) -> None:
    out = scored.with_name("batch.parquet")
    score_files(traces, out, model=tiny, control=QUIET)
    again = score_files(traces, out, model=tiny, control=QUIET)
    assert again.kept == 9
    for one, other in zip(load_traces(out), load_traces(scored), strict=True):
        assert (one.id, one.hyperedges) == (other.id, other.hyperedges)
        weights = [evidence(trace).attention.layer_weights(1) for trace in (one, other)]
        np.testing.assert_array_equal(*weights)
    assert not list(scored.parent.glob("*.partial*"))


@pytest.mark.parametrize("cut", [1, 40, -1])
def test_a_torn_file_is_continued(traces: Path, tiny: str, scored: Path, cut: int) -> None:
    """Four whole lines and a part of the fifth, as a kill in the middle of a write leaves them."""
    whole = scored.read_bytes().splitlines(keepends=True)
    out = scored.with_name("torn.jsonl")
    out.write_bytes(b"".join(whole[:4]) + whole[4][:cut])
    summary = score_files(traces, out, model=tiny, control=QUIET)
    assert_same_traces(out, scored)
    assert summary.kept == 4


def test_the_notebook_continues_a_batch_and_the_other_way_round(
    traces: Path, tiny: str, scored: Path
) -> None:
    out = scored.with_name("out.jsonl")
    out.write_bytes(b"".join(scored.read_bytes().splitlines(keepends=True)[:3]))
    score_traces(load_traces(traces), tiny, path=out, control=QUIET)
    assert_same_traces(out, scored)
    assert score_files(traces, out, model=tiny, control=QUIET).kept == 9


def test_many_files_and_a_pattern(tiny: str, tmp_path: Path) -> None:
    for name in ("b", "a"):
        save_traces([labelled_trace(0), labelled_trace(ord(name))], tmp_path / f"{name}.jsonl")
    out = tmp_path / "out.json"
    summary = score_files(str(tmp_path / "?.jsonl"), out, model=tiny, control=QUIET)
    assert [line["id"] for line in lines(out)] == ["t0", "t97", "t0#2", "t98"]
    assert summary.renamed == 1
    assert summary.complete
    (problem,) = lines(tmp_path / "out.json.problems.jsonl")
    assert "used before" in problem["reason"]
    with pytest.raises(TraceError, match="No file matches"):
        score_files(str(tmp_path / "x*.jsonl"), out, model=tiny)


def test_bad_records_have_a_file_of_their_own(traces: Path, tiny: str) -> None:
    given = traces.read_bytes().splitlines(keepends=True)
    given[2] = b'{"id": "broken", \n'
    given[5] = b'{"query": 3}\n'
    given[7] = encoded_line(msgspec.structs.replace(labelled_trace(50), answer=""))
    traces.write_bytes(b"".join(given))
    out = traces.with_name("out.jsonl")
    summary = score_files(traces, out, model=tiny, control=QUIET)
    assert (summary.traces, summary.bad_records, summary.failed) == (7, 2, 1)
    assert not summary.complete
    problems = lines(out.with_name("out.jsonl.problems.jsonl"))
    assert [(one["file"], one["line"], one["kept"]) for one in problems] == [
        ("traces.jsonl", 3, False),
        ("traces.jsonl", 6, False),
        (None, 8, True),
    ]
    assert "no answer" in problems[2]["reason"]
    traces.write_bytes(b"".join(given[:2]))
    out.unlink()
    assert score_files(traces, out, model=tiny, control=QUIET).problems is None
    assert not out.with_name("out.jsonl.problems.jsonl").exists()


def test_labels_given_in_the_app_are_written(traces: Path, tiny: str) -> None:
    load_traces(traces).label("t0", "h0", False)
    out = traces.with_name("out.jsonl")
    score_files(traces, out, model=tiny, control=QUIET)
    assert load_traces(out)[0].hyperedges[0].label is False


def test_a_second_writer_is_refused(traces: Path, tiny: str) -> None:
    out = traces.with_name("out.jsonl")
    script = (
        "import sys, pathlib\nfrom explorer.traces._files.writer_lock import only_writer\n"
        "with only_writer(pathlib.Path(sys.argv[1])):\n    print('held', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script, str(out)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(TraceError, match=f"written by process {other.pid}"):
            score_files(traces, out, model=tiny, control=QUIET)
        with pytest.raises(TraceError, match=str(other.pid)):
            score_traces(load_traces(traces), tiny, path=out, control=QUIET)
        other.kill()
        other.wait()
    # The lock of a killed process locks nothing.
    assert score_files(traces, out, model=tiny, control=QUIET).traces == 9
    assert not list(traces.parent.glob(".*lock"))


def test_a_lock_is_given_to_one_of_many_threads(tmp_path: Path) -> None:
    held, refused = [], []
    begin, end = threading.Barrier(8), threading.Barrier(8)

    def claim() -> None:
        begin.wait()
        try:
            with only_writer(tmp_path / "out"):
                held.append(1)
                end.wait()
        except TraceError:
            refused.append(1)
            end.wait()

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(held), len(refused)) == (1, 7)


def test_a_full_disk_leaves_whole_lines(traces: Path, tiny: str, scored: Path) -> None:
    """A limit on the size of files stands for the full disk: a part of a line is refused."""
    out = scored.with_name("out.jsonl")
    whole = scored.read_bytes().splitlines(keepends=True)
    limit = sum(len(line) for line in whole) // 2
    script = (
        "import resource, sys\nfrom explorer.batch import score_files\n"
        "from explorer.run_control import RunControl, silent\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))\n"
        "try:\n    score_files(*sys.argv[1:3], model=sys.argv[3], control=RunControl(silent))\n"
        "except Exception as error:\n    print(type(error).__name__, error)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, str(traces), str(out), tiny],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.startswith("TraceError")
    assert "cannot be written (File too large)" in ran.stdout
    kept = out.read_bytes()
    assert 0 < len(kept) <= limit
    assert all(line in whole for line in kept.splitlines(keepends=True))
    score_files(traces, out, model=tiny, control=QUIET)
    assert_same_traces(out, scored)


@pytest.mark.parametrize("name", ["out.parquet", "out.jsonl"])
def test_a_foreign_file_stays(traces: Path, tiny: str, name: str) -> None:
    out = traces.with_name(name)
    save_traces([labelled_trace(77)], out)
    before = out.read_bytes()
    with pytest.raises(TraceError, match="cannot continue it"):
        score_files(traces, out, model=tiny, control=QUIET)
    with pytest.raises(TraceError, match="already exists"):
        feedback_files(traces, out, config=ATTENTION, control=QUIET)
    assert out.read_bytes() == before
    assert not list(traces.parent.glob("*.partial*"))


def test_an_input_is_no_output(traces: Path, tiny: str) -> None:
    with pytest.raises(TraceError, match="the file that the traces come from"):
        score_files(traces, traces, model=tiny)
    with pytest.raises(TraceError, match="folder"):
        score_files(traces, traces.parent, model=tiny)
    with pytest.raises(InputError, match='"local" or "ray"'):
        score_files(traces, traces.with_name("o"), engine="spark")
    with pytest.raises(ModelError, match="cannot run on"):
        score_files(traces, traces.with_name("o"), model=tiny, device="tpu:0", control=QUIET)


def test_a_stopped_batch_keeps_what_is_finished(traces: Path, tiny: str, scored: Path) -> None:
    stop = threading.Event()
    seen = []

    def stop_soon(progress: Any) -> None:
        seen.append(progress.message)
        if "trace 3" in progress.message:
            stop.set()

    out = scored.with_name("out.jsonl")
    with pytest.raises(Cancelled):
        score_files(traces, out, model=tiny, batch_tokens=1, control=RunControl(stop_soon, stop))
    assert 0 < len(lines(out)) < 9
    score_files(traces, out, model=tiny, control=QUIET)
    assert_same_traces(out, scored)


def test_feedback_is_that_of_the_extractor(scored: Path) -> None:
    out = scored.with_name("feedback.jsonl")
    summary = feedback_files(
        scored, out, config=ATTENTION, embedding_func=no_embedding, control=QUIET
    )
    extractor = FeedbackExtractor(no_embedding, ATTENTION)
    table = asyncio.run(extractor.explain_traces(load_traces(scored)))
    rows = [(one["id"], row) for one in lines(out) for row in one["hyperedges"]]
    assert [name for name, _ in rows] == table["trace"].tolist()
    for name in ("unit", "text", "verdict", "method"):
        assert [row[name] for _, row in rows] == table[name].tolist()
    for name in ("score", "feedback"):
        np.testing.assert_array_equal([row[name] for _, row in rows], table[name])
    first = load_traces(scored)[0]
    assert lines(out)[0]["feedback"] == asyncio.run(extractor.extract_feedback(first))
    assert summary.traces == 9

    flat = scored.with_name("feedback.parquet")
    feedback_files(scored, flat, config=ATTENTION, embedding_func=no_embedding, control=QUIET)
    found = pd.read_parquet(flat)
    np.testing.assert_array_equal(found["score"], table["score"])
    assert found["unit"].tolist() == table["unit"].tolist()


def test_feedback_is_made_anew_for_another_config_alone(scored: Path) -> None:
    out = scored.with_name("feedback.jsonl")
    for config, kept in ((ATTENTION, 0), (ATTENTION, 9), (ATTENTION | {"layer": 2}, 0)):
        summary = feedback_files(
            scored, out, config=config, embedding_func=no_embedding, control=QUIET
        )
        assert summary.kept == kept
    assert len(lines(out)) == 9


def test_failed_embeddings_are_tried_again(traces: Path) -> None:
    broken = True

    def embed(texts: list[str]) -> np.ndarray:
        if broken:
            raise OSError("the embedding server is gone")
        return no_embedding(texts)

    out = traces.with_name("feedback.jsonl")
    summary = feedback_files(traces, out, embedding_func=embed, control=QUIET)
    assert (summary.failed, summary.traces) == (9, 9)
    assert "the embedding server is gone" in lines(Path(summary.problems))[0]["reason"]
    broken = False
    summary = feedback_files(traces, out, embedding_func=embed, control=QUIET)
    assert (summary.failed, summary.kept, summary.problems) == (0, 0, None)
    assert all(one["problem"] is None for one in lines(out))


def test_an_event_loop_may_run(scored: Path) -> None:
    async def cell() -> int:
        out = scored.with_name("feedback.jsonl")
        return feedback_files(
            scored, out, config=ATTENTION, embedding_func=no_embedding, control=QUIET
        ).traces

    assert asyncio.run(cell()) == 9


def test_files_without_traces_are_reported(tmp_path: Path) -> None:
    path = tmp_path / "empty.jsonl"
    path.write_text("{}\n")
    with pytest.raises(TraceError, match=r"empty\.jsonl"):
        score_files(path, tmp_path / "out.jsonl")
    with pytest.raises(TraceError, match="There is no file"):
        feedback_files(tmp_path / "missing.jsonl", tmp_path / "out.jsonl")


def test_only_one_trace_is_held_at_a_time(traces: Path) -> None:
    found = iter(TraceFiles(traces))
    assert next(found).id == "t0"
    assert not isinstance(TraceFiles(traces), TraceSet)
    assert len(TraceFiles([traces, traces])) == 9, "A file that is given twice is read once."
    assert os.fspath(TraceFiles(str(traces.with_name("t*.jsonl"))).paths[0]) == str(traces)
