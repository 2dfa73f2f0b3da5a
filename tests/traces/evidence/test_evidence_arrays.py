"""Array files beside a trace: read lazily, only where they may lie, and never unpickled."""

from __future__ import annotations

import contextlib
import io
import json
import os
import zipfile

import numpy as np
import pytest
from safetensors.numpy import save_file

from explorer.errors import EvidenceError
from explorer.feedback import score_units
from explorer.traces import evidence, load_traces, parse_traces
from explorer.traces._evidence import evidence_arrays as arrays_module

MATRIX = np.array([[1.0, 0.0], [0.25, 0.75]])
TEXTS = ["Nile", "Rhine"]


@pytest.fixture
def load(tmp_path):
    """Write one trace that names a file, and load it."""

    def write(file, key="matrix", folder=tmp_path):
        trace = {
            "id": "t",
            "query": "q",
            "hyperedges": [{"id": text, "hyperedge": text} for text in TEXTS],
            "metadata": {
                "attention_matrix": {"file": file, "key": key},
                "context_texts": TEXTS,
                "answer_start_pos": 1,
                "context_end_pos": 2,
            },
        }
        path = folder / "traces.jsonl"
        path.write_text(json.dumps(trace))
        return load_traces(path)[0]

    return write


def scores(found):
    return score_units(found.attention, found.units, found.rows).tolist()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_npz_and_safetensors(load, tmp_path, dtype):
    np.savez_compressed(tmp_path / "a.npz", matrix=MATRIX.astype(dtype))
    save_file({"matrix": MATRIX.astype(dtype)}, tmp_path / "a.safetensors")
    assert scores(evidence(load("a.npz"))) == [0.25, 0.75]
    assert scores(evidence(load("a.safetensors"))) == [0.25, 0.75]


def test_fortran_order_and_integers(load, tmp_path):
    np.savez(tmp_path / "a.npz", matrix=np.asfortranarray(MATRIX), ones=np.ones((2, 2), np.int8))
    assert scores(evidence(load("a.npz"))) == [0.25, 0.75]
    assert scores(evidence(load("a.npz", "ones"))) == [1.0, 1.0]


def test_a_folder_below_is_fine(load, tmp_path):
    (tmp_path / "arrays").mkdir()
    np.savez(tmp_path / "arrays" / "a.npz", matrix=MATRIX)
    assert scores(evidence(load("arrays/a.npz"))) == [0.25, 0.75]


def test_files_are_opened_when_evidence_is_asked_for(load, tmp_path):
    trace = load("later.npz")
    with pytest.raises(EvidenceError, match="no such file"):
        evidence(trace)
    np.savez(tmp_path / "later.npz", matrix=MATRIX)
    assert scores(evidence(trace)) == [0.25, 0.75]


@pytest.mark.parametrize(
    "name",
    ["../a.npz", "inner/../../a.npz", "/etc/a.npz", "C:\\a.npz", "..\\a.npz", "\\\\host\\a.npz"],
)
def test_files_outside_the_traces_folder_are_refused(load, tmp_path, name):
    inner = tmp_path / "inner"
    inner.mkdir()
    np.savez(tmp_path / "a.npz", matrix=MATRIX)
    with pytest.raises(EvidenceError, match="outside the folder"):
        evidence(load(name, folder=inner))


def test_an_absolute_path_into_the_folder_is_refused_too(load, tmp_path):
    np.savez(tmp_path / "a.npz", matrix=MATRIX)
    with pytest.raises(EvidenceError, match="outside the folder"):
        evidence(load(str(tmp_path / "a.npz")))


def test_a_link_that_leaves_the_folder_is_refused(load, tmp_path):
    inner = tmp_path / "inner"
    inner.mkdir()
    np.savez(tmp_path / "a.npz", matrix=MATRIX)
    (inner / "link.npz").symlink_to(tmp_path / "a.npz")
    (inner / "folder").symlink_to(tmp_path)
    for name in ("link.npz", "folder/a.npz"):
        with pytest.raises(EvidenceError, match="outside the folder"):
            evidence(load(name, folder=inner))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_no_array_file(load, tmp_path):
    os.mkfifo(tmp_path / "a.npz")
    with pytest.raises(EvidenceError, match="no such file"):
        evidence(load("a.npz"))


@pytest.mark.parametrize("name", ["", ".", "a\x00.npz", "x" * 5000 + ".npz", "a.npy", "a.pkl"])
def test_names_that_are_no_array_files(load, tmp_path, name):
    np.save(tmp_path / "a.npy", MATRIX)
    (tmp_path / "a.pkl").write_bytes(b"")
    with pytest.raises(EvidenceError):
        evidence(load(name))


def test_uploads_have_no_folder():
    line = (
        b'{"id":"t","query":"q","hyperedges":[{"id":"a","hyperedge":"x"}],'
        b'"metadata":{"attention_matrix":{"file":"a.npz","key":"matrix"}}}'
    )
    with pytest.raises(EvidenceError, match="uploaded"):
        evidence(parse_traces(line, "upload.jsonl")[0])


def test_a_missing_key_names_those_that_there_are(load, tmp_path):
    np.savez(tmp_path / "a.npz", matrix=MATRIX)
    save_file({"matrix": MATRIX}, tmp_path / "a.safetensors")
    for name in ("a.npz", "a.safetensors"):
        with pytest.raises(EvidenceError, match="holds matrix"):
            evidence(load(name, "attention"))
    with pytest.raises(EvidenceError, match="no `key`"):
        evidence(load("a.npz", None))


def test_pickled_objects_are_refused(load, tmp_path):
    np.savez(tmp_path / "a.npz", matrix=np.array([{"a": 1}], dtype=object))
    with pytest.raises(EvidenceError, match="Python objects"):
        evidence(load("a.npz"))


def test_damaged_files(load, tmp_path):
    np.savez_compressed(tmp_path / "a.npz", matrix=np.random.default_rng(0).random((40, 40)))
    save_file({"matrix": MATRIX}, tmp_path / "a.safetensors")
    for name in ("a.npz", "a.safetensors"):
        whole = (tmp_path / name).read_bytes()
        for damaged in (b"", b"hello", whole[: len(whole) // 2], whole[:-3], b"x" + whole[1:]):
            (tmp_path / name).write_bytes(damaged)
            with pytest.raises(EvidenceError):
                evidence(load(name))
        middle = len(whole) // 2
        (tmp_path / name).write_bytes(whole[:middle] + b"\xff\x00\xff" + whole[middle + 3 :])
        with contextlib.suppress(EvidenceError):
            evidence(load(name))


def test_a_header_that_claims_more_than_is_there_allocates_nothing(load, tmp_path):
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"descr": "<f8", "fortran_order": False, "shape": (10**6, 10**6)}
    )
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("matrix.npy", stream.getvalue() + bytes(64))
    with pytest.raises(EvidenceError, match="cut off"):
        evidence(load("a.npz"))


def test_arrays_that_would_fill_the_memory_are_refused(load, tmp_path, monkeypatch):
    monkeypatch.setattr(arrays_module, "MAX_ARRAY_BYTES", 1000)
    np.savez_compressed(tmp_path / "a.npz", matrix=np.zeros((100, 100)))
    save_file({"matrix": np.zeros((100, 100))}, tmp_path / "a.safetensors")
    for name in ("a.npz", "a.safetensors"):
        with pytest.raises(EvidenceError, match="at most"):
            evidence(load(name))
