"""Bad input at every door of the Python side: a typed error that says what to do, or a diagnosis.

Each case was once a bare TypeError or OSError, a silent mistake, or a message that said it twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from explorer import DenseAttention, FeedbackPolicy, feedback_table, load_traces, save_traces
from explorer.attention import record_attention
from explorer.errors import InputError, ModelNotFoundError, TraceError
from explorer.feedback import Unit
from explorer.models import Model, load_model
from explorer.traces import Hyperedge, Trace, TraceSet, evidence

from .support.tiny_models import TINY_ENCODER, tiny_model

PAIR = DenseAttention(np.array([[1.0, 0.0], [0.25, 0.75]]))
UNIT = Unit.from_spans("u", "u", [(0, 1)])


def trace_line(name: str = "t", **fields: object) -> str:
    edges = [{"id": "a", "hyperedge": "A fact."}, {"id": "b", "hyperedge": "B fact."}]
    return json.dumps({"id": name, "query": "q", "answer": "a", "hyperedges": edges} | fields)


# trace files


def test_a_folder_is_named_once(tmp_path: Path):
    with pytest.raises(TraceError) as refused:
        load_traces(tmp_path)
    endings = ".jsonl, .ndjson, .json, .csv, .tsv, .parquet, .xlsx"
    assert str(refused.value) == f"{tmp_path} is a folder without trace files ({endings})."


@pytest.mark.parametrize("path", [None, 0, ""])
def test_what_is_no_path_is_refused(path: object):
    with pytest.raises(TraceError, match="Give the path of a trace file"):
        load_traces(path)


def test_the_home_folder_of_nobody_is_a_file_that_is_not_there():
    with pytest.raises(TraceError, match="There is no file"):
        load_traces("~no-such-user-here/traces.jsonl")


def test_a_sparse_gigabyte_is_refused_unread(tmp_path: Path):
    path = tmp_path / "large.jsonl"
    with path.open("wb") as file:
        file.truncate(2**30)
    with pytest.raises(TraceError, match="begins with NUL bytes"):
        load_traces(path)


def test_what_follows_an_array_is_told(tmp_path: Path):
    path = tmp_path / "traces.json"
    path.write_text(f"[{trace_line()}]\n{trace_line('lost')}")
    loaded = load_traces(path)
    assert [trace.id for trace in loaded] == ["t"]
    assert "left out" in loaded.problems[0].message


@pytest.mark.parametrize("wrong", [[1, 2], 3, np.eye(2), [None]])
def test_a_set_of_traces_holds_traces(wrong: object):
    with pytest.raises(TraceError, match="class Trace"):
        TraceSet(wrong)


def test_saving_what_is_no_trace_is_refused_and_leaves_the_old_file(tmp_path: Path):
    path = tmp_path / "traces.jsonl"
    save_traces([Trace("old", "q")], path)
    with pytest.raises(TraceError, match="class Trace"):
        save_traces([Trace("new", "q"), 1], path)
    assert [trace.id for trace in load_traces(path)] == ["old"]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("weights", "word"),
    [([[5.0, -3.0], [2.0, 9.0]], "negative"), ([[None, 1.0], [0.0, 1.0]], "NaN")],
)
def test_what_a_trace_brings_that_is_no_attention_is_told(weights: object, word: str):
    edges = [Hyperedge("a", "A fact."), Hyperedge("b", "B fact.")]
    found = evidence(Trace("t", "q", edges, "a", {"attention_matrix": weights}))
    odd = [note.message for note in found.diagnostics if note.code == "odd-attention"]
    assert any(word in message for message in odd)
    table = feedback_table(found.attention, found.units, diagnostics=found.diagnostics)
    assert "odd-attention" in {note.code for note in table.attrs["notes"]}


# attention


def test_masked_weights_are_refused_not_unmasked():
    masked = np.ma.masked_array(np.full((2, 2), 5.0), mask=[[0, 1], [0, 0]])
    with pytest.raises(InputError, match=r"filled\(0\)"):
        DenseAttention(masked)
    np.testing.assert_array_equal(
        DenseAttention(masked.filled(0)).weights(), [[5.0, 0.0], [5.0, 5.0]]
    )
    nothing_masked = np.ma.masked_array(np.eye(2), mask=False)
    np.testing.assert_array_equal(DenseAttention(nothing_masked).weights(), np.eye(2))


# Made within the test: other tests go through all living tensors, which these do not bear.
@pytest.mark.parametrize(
    "made",
    [lambda: torch.eye(2).to_sparse(), lambda: torch.empty(2, 2, device="meta")],
    ids=["sparse", "meta"],
)
def test_tensors_without_plain_numbers_are_refused(made: Callable[[], torch.Tensor]):
    with pytest.raises(InputError, match="dense tensor"):
        DenseAttention(made())


def test_doubles_beyond_float32_are_infinite_without_a_warning():
    assert np.isinf(DenseAttention(np.full((2, 2), 1e300)).weights()).all()


def test_tokens_of_any_type_become_text():
    assert DenseAttention(np.eye(3), tokens=[1, None, np.str_("a")]).tokens == ("1", "None", "a")


@pytest.mark.parametrize("rows", [slice(None, None, 0), slice("a", None)])
def test_slices_without_steps_are_refused(rows: slice):
    with pytest.raises(InputError, match="slice of rows"):
        PAIR.weights(rows=rows)


@pytest.mark.parametrize("ids", [[[1, 2]], np.array([[1, 2]]), "text"])
def test_inputs_that_are_no_tensors_are_named(ids: object):
    model = tiny_model(TINY_ENCODER)
    with pytest.raises(InputError, match="input_ids must be a torch tensor"):
        record_attention(model, input_ids=ids)


# spans, scores, policies


@pytest.mark.parametrize(
    "spans", [[(0.5, 2)], [("a", "b")], [(0,)], None, [(0, float("nan"))], [None]]
)
def test_spans_that_are_no_pairs_of_whole_numbers_are_refused(spans: object):
    with pytest.raises(InputError, match="pairs of whole numbers"):
        Unit.from_spans("u", "u", spans)


@pytest.mark.parametrize("threshold", [10**400, -(10**400), True, "0.1", None, float("nan")])
def test_thresholds_that_are_none_are_refused(threshold: object):
    with pytest.raises(InputError, match="from 0 to 1"):
        FeedbackPolicy(threshold=threshold)


def test_a_masked_score_is_no_score():
    scores = np.ma.masked_array([0.9, 0.9], mask=[True, False])
    feedback = FeedbackPolicy().convert(scores)
    assert np.isnan(feedback[0])
    assert feedback[1] == 1.0
    assert FeedbackPolicy().verdicts(scores).tolist() == ["unknown", "used"]


def test_integers_beyond_all_floats_are_no_scores():
    with pytest.raises(InputError, match="numbers"):
        FeedbackPolicy().convert([10**400])


@pytest.mark.parametrize("policy", [0.2, {"threshold": 0.2}])
def test_a_bare_threshold_is_no_policy(policy: object):
    with pytest.raises(InputError, match=r"FeedbackPolicy\(threshold"):
        feedback_table(PAIR, [UNIT], policy)


def test_an_array_is_no_map_and_a_pair_no_unit():
    with pytest.raises(InputError, match="DenseAttention"):
        feedback_table(np.eye(2), [UNIT])
    with pytest.raises(InputError, match="from_spans"):
        feedback_table(PAIR, [(0, 1)])


# models


@pytest.mark.parametrize("name", ["x" * 10_000, "/" + "x" * 10_000, "~no-such-user-here/model"])
def test_names_that_no_file_system_takes_are_not_found(name: str):
    with pytest.raises(ModelNotFoundError) as refused:
        load_model(name)
    assert len(str(refused.value)) < 300


def test_what_only_looks_like_a_model_is_refused():
    fake = type("Fake", (), {"config": SimpleNamespace(), "__call__": lambda self: None})()
    tokenizer = type(
        "Tokenizer", (), {"convert_ids_to_tokens": list, "__call__": lambda self: None}
    )()
    with pytest.raises(InputError, match="text model of transformers"):
        Model.wrap(fake, tokenizer)
