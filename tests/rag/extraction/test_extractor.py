"""The extractor as its users call it: one answer, many, at once, and with a broken embedding."""

from __future__ import annotations

import asyncio
import math
import subprocess
import sys
import threading
import warnings

import numpy as np
import pandas as pd
import pytest

from explorer.errors import Cancelled, ExplorerError, ExtractionWarning, InputError, TraceError
from explorer.feedback import Diagnostic, feedback_table
from explorer.rag._extraction import extractor as extractor_module
from explorer.rag._extraction.extractor import FeedbackExtractor
from explorer.rag._methods.extractor_config import METHODS
from explorer.run_control import RunControl
from explorer.traces import Hyperedge, Trace, TraceSet, evidence

EDGES = [
    {"id": "he1", "hyperedge": "The Nile is long."},
    {"id": "he2", "hyperedge": "Quartz is hard."},
]
SCORES = {"hyperedge_attention": {"he1": 0.45, "he2": 0.05}}


def same(texts):
    return [[1.0, 0.0] for _ in texts]


def extract(answer="x", edges=EDGES, metadata=None, function=same, **config):
    extractor = FeedbackExtractor(function, config)
    return asyncio.run(extractor.extract_feedback(answer, edges, metadata))


def test_the_example_of_the_reference():
    edges = [{"id": name, "hyperedge": name} for name in ("he1", "he2", "he3")]
    metadata = {"hyperedge_attention": {"he1": 0.45, "he2": 0.05, "he3": 0.15}}
    feedback = extract(edges=edges, metadata=metadata, method="attention")
    assert list(feedback) == ["he1", "he2", "he3"]
    assert feedback == pytest.approx({"he1": 1.0, "he2": 0.4, "he3": 1.0}, abs=1e-6)
    assert all(type(value) is float for value in feedback.values())


def test_the_default_method_is_the_embedding():
    assert extract(metadata=SCORES) == {"he1": 1.0, "he2": 1.0}


@pytest.mark.parametrize("method", METHODS)
def test_nothing_retrieved_gives_nothing(method):
    assert extract(edges=[], method=method) == {}
    table = asyncio.run(FeedbackExtractor(same, {"method": method}).explain("x", []))
    assert table.empty
    assert table.columns[:2].tolist() == ["unit", "text"]


def test_of_two_hyperedges_with_one_id_the_larger_feedback_counts():
    edges = [{"id": "a", "hyperedge": "x"}, {"id": "a", "hyperedge": "y"}, {"id": "b", "text": "z"}]
    metadata = {"hyperedge_attention": [0.05, 0.45, 0.0]}
    for order in (metadata, {"hyperedge_attention": [0.45, 0.05, 0.0]}):
        assert extract(edges=edges, metadata=order, method="attention") == {"a": 1.0, "b": 0.3}
    for method in METHODS:
        table = asyncio.run(
            FeedbackExtractor(same, {"method": method}).explain("x", edges, metadata)
        )
        for row, known in enumerate((True, True, False)):
            codes = [note.code for note in table.diagnostics[row]]
            assert codes.count("duplicate-hyperedge-id") == known


@pytest.mark.parametrize("answer", [3, b"x", ["x"], 1.5])
def test_an_answer_that_is_no_text_is_refused(answer):
    with pytest.raises(InputError, match="answer must be a text"):
        extract(answer)


@pytest.mark.parametrize("metadata", [3, "x", [1], [("a", 1)]])
def test_metadata_that_are_no_mapping_are_refused(metadata):
    with pytest.raises(InputError, match="metadata must be a mapping"):
        extract(metadata=metadata)


def test_no_answer_is_an_empty_answer():
    assert extract(None) == {"he1": 0.5, "he2": 0.5}
    assert extract(None, metadata=SCORES, method="attention") == pytest.approx(
        {"he1": 1.0, "he2": 0.4}, abs=1e-6
    )


# -- an embedding that fails


def raises(texts):
    raise ConnectionError("no service")


async def async_raises(texts):
    raise ConnectionError("no service")


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (raises, "ConnectionError: no service"),
        (async_raises, "ConnectionError: no service"),
        (lambda texts: same(texts)[1:], "2 vectors for 3 texts"),
        (lambda texts: [[1.0], [1.0, 2.0], [1.0]], "different widths"),
        (lambda texts: [[1.0], [math.nan], [1.0]], "NaN or infinity for text 2"),
        (lambda texts: "vectors", "must return numbers"),
        (lambda texts: None, "returned None"),
    ],
    ids=["raises", "async", "count", "width", "NaN", "text", "None"],
)
def test_all_is_neutral_and_we_say_so(function, reason):
    with pytest.warns(ExtractionWarning, match=f"that of 2 is neutral.*{reason}"):
        assert extract(function=function) == {"he1": 0.5, "he2": 0.5}
    with warnings.catch_warnings():  # the table has room for the reason itself
        warnings.simplefilter("error")
        table = asyncio.run(FeedbackExtractor(function).explain("x", EDGES))
    for notes in table.diagnostics:
        (failed,) = [note for note in notes if note.code == "embedding-failed"]
        assert reason in failed.message
    assert table.verdict.tolist() == ["unknown"] * 2
    assert table.score.isna().all()


def test_an_ensemble_without_its_embedding_is_not_neutral_and_still_told():
    with pytest.warns(ExtractionWarning, match="2 hyperedges goes without.*that of 0 is neutral"):
        feedback = extract("We say: the Nile is long.", method="ensemble", function=raises)
    assert feedback == {"he1": 1.0, "he2": 0.3}


def test_a_broken_embedding_does_not_matter_to_who_needs_none():
    assert extract("The Nile is long.", method="citation", function=raises)["he1"] == 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        extract(metadata=SCORES, method="attention", function=raises)


def test_a_task_that_is_cancelled_is_cancelled():
    async def forever(texts):
        await asyncio.sleep(60)

    async def cancelled():
        task = asyncio.ensure_future(FeedbackExtractor(forever).extract_feedback("x", EDGES))
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())


# -- many


def test_a_batch_is_embedded_at_once_and_in_order():
    calls = []

    def function(texts):
        calls.append(list(texts))
        return same(texts)

    extractor = FeedbackExtractor(function)
    found = asyncio.run(
        extractor.batch_extract_feedback(["x", "y", ""], [EDGES, EDGES[:1], EDGES[1:]])
    )
    assert found == [{"he1": 1.0, "he2": 1.0}, {"he1": 1.0}, {"he2": 0.5}]
    assert calls == [["x", "The Nile is long.", "Quartz is hard.", "y"]]


def test_a_batch_takes_metadata_one_by_one():
    extractor = FeedbackExtractor(same, {"method": "attention"})
    found = asyncio.run(
        extractor.batch_extract_feedback(["x", "y"], [EDGES, EDGES], [SCORES, None])
    )
    assert found[0] == pytest.approx({"he1": 1.0, "he2": 0.4}, abs=1e-6)
    assert found[1] == {"he1": 1.0, "he2": 1.0}  # fell back
    assert asyncio.run(extractor.batch_extract_feedback([], [])) == []


def test_a_batch_that_does_not_fit_together_is_refused():
    batch = FeedbackExtractor(same).batch_extract_feedback
    with pytest.raises(InputError, match="2 answers, 1 lists of hyperedges and 2 of metadata"):
        asyncio.run(batch(["x", "y"], [EDGES]))
    with pytest.raises(InputError, match="1 of metadata"):
        asyncio.run(batch(["x", "y"], [EDGES, EDGES], [None]))
    with pytest.raises(InputError, match="one text"):
        asyncio.run(batch("xy", [EDGES, EDGES]))
    with pytest.raises(InputError, match="Answer 2: Hyperedge 1"):
        asyncio.run(batch(["x", "y"], [EDGES, [{"hyperedge": "nameless"}]]))


def test_many_calls_at_once_do_not_disturb_each_other():
    async def function(texts):
        await asyncio.sleep(0)
        return [[1.0, float(len(text))] for text in texts]

    extractor = FeedbackExtractor(function, {"method": "ensemble"})
    answers = ["y" * (1 + place % 7) for place in range(200)]

    async def all_at_once():
        return await asyncio.gather(
            *(extractor.extract_feedback(answer, EDGES) for answer in answers)
        )

    together = asyncio.run(all_at_once())
    for answer, found in zip(answers[:7], together, strict=False):
        assert found == asyncio.run(extractor.extract_feedback(answer, EDGES))
    assert all(together[place] == together[place % 7] for place in range(200))


# -- traces


def traces(count=3, **metadata):
    return [
        Trace(f"t{place}", "?", [Hyperedge("a", "Nile"), Hyperedge("b", "Rhine")], "x", metadata)
        for place in range(count)
    ]


def test_a_trace_can_be_given_in_place_of_its_answer():
    (trace,) = traces(1, hyperedge_attention={"a": 0.3})
    extractor = FeedbackExtractor(same, {"method": "attention"})
    assert asyncio.run(extractor.extract_feedback(trace)) == {"a": 1.0, "b": 0.3}
    assert asyncio.run(extractor.explain(trace)).feedback.tolist() == [1.0, 0.3]
    for more in ([EDGES], [(), {}]):
        with pytest.raises(InputError, match="Give only a trace"):
            asyncio.run(extractor.explain(trace, *more))


def test_the_table_of_many_traces_is_that_of_each():
    given = TraceSet(traces(150, hyperedge_attention={"a": 0.3}))
    extractor = FeedbackExtractor(same, {"method": "attention"})
    table = asyncio.run(extractor.explain_traces(given))
    assert table.columns[0] == "trace"
    assert table.trace.tolist() == [f"t{place}" for place in range(150) for _ in "ab"]
    one = asyncio.run(extractor.explain("x", given[0].hyperedges, given[0].metadata))
    pd.testing.assert_frame_equal(table.iloc[:2, 1:].reset_index(drop=True), one, check_flags=False)
    assert table.attrs["method"] == "attention"
    assert table.attrs["notes"] == {}


def test_a_column_has_its_type_whatever_the_traces():
    extractor = FeedbackExtractor(same)
    for given in ([], traces(1)):
        table = asyncio.run(extractor.explain_traces(given))
        kinds = {name: str(table[name].dtype) for name in table}
        assert kinds == {
            **dict.fromkeys(("trace", "unit", "text", "method", "evidence"), "str"),
            "tokens": "int64",
            **dict.fromkeys(("score", "threshold", "feedback"), "float64"),
            **dict.fromkeys(("verdict", "matched_to"), "str"),
            "diagnostics": "object",
        }


def test_more_traces_than_are_held_at_once_come_in_order(monkeypatch):
    monkeypatch.setattr(extractor_module, "_TOGETHER", 4)
    calls = []

    def function(texts):
        calls.append(len(texts))
        return same(texts)

    steps = []
    table = asyncio.run(
        FeedbackExtractor(function).explain_traces(
            iter(traces(10)), control=RunControl(steps.append)
        )
    )
    assert table.trace.tolist() == [f"t{place}" for place in range(10) for _ in "ab"]
    assert calls == [3, 3, 3]  # four, four and two traces of the same three texts
    assert steps[-1].message == "Explaining traces: 10 ..."


def test_the_attention_table_agrees_with_the_conversion_core():
    trace = Trace(
        "t",
        "?",
        [Hyperedge("a", "The Nile is long."), Hyperedge("b", "Quartz"), Hyperedge("c", "else")],
        metadata={
            "attention_matrix": [[0.125, 0.5, 0.25]],
            "context_texts": ["the nile is long", "Quartz"],
            "context_spans": [[0, 2], [2, 3]],
        },
    )
    found = evidence(trace)
    core = feedback_table(found.attention, found.units, rows=found.rows)
    table = asyncio.run(FeedbackExtractor(same, {"method": "attention"}).explain_traces([trace]))
    shared = ["unit", "text", "tokens", "score", "feedback", "verdict"]
    pd.testing.assert_frame_equal(table.loc[:1, shared], core.loc[:1, shared], check_flags=False)
    assert table.diagnostics[:2].tolist() == core.diagnostics[:2].tolist()
    assert table.method.tolist() == ["attention", "attention", "embedding"]


def test_notes_are_kept_by_trace():
    given = [*traces(1), *traces(1, attention_weights=[0.1])]
    given[1].id = "half"
    extractor = FeedbackExtractor(same, {"method": "attention"})
    notes = asyncio.run(extractor.explain_traces(given)).attrs["notes"]
    assert [note.code for note in notes["t0"]] == ["no-attention"]
    assert [note.code for note in notes["half"]] == ["half-evidence", "no-attention"]
    assert isinstance(notes["t0"][0], Diagnostic)


def test_what_is_no_trace_is_refused():
    extractor = FeedbackExtractor(same)
    for wrong in ([{"id": "a"}], ["t"], "t", None, 3):
        with pytest.raises(TraceError, match="class Trace"):
            asyncio.run(extractor.explain_traces(wrong))
    assert len(asyncio.run(extractor.explain_traces(traces(1)[0]))) == 2


def test_a_trace_made_in_memory_may_lack_what_a_file_cannot():
    extractor = FeedbackExtractor(same, {"method": "attention"})
    odd = Trace("t", "?", [Hyperedge("a", None), {"id": "b", "text": "Nile"}], None, None)
    table = asyncio.run(extractor.explain_traces([odd]))
    assert table.unit.tolist() == ["a", "b"]
    assert table.feedback.tolist() == [0.5, 0.5]
    with pytest.raises(InputError, match=r"Trace t: Hyperedge 1 .* has no `id`"):
        asyncio.run(extractor.explain_traces([Trace("t", "?", [Hyperedge(None, "x")])]))
    with pytest.raises(InputError, match="Trace t: The answer must be a text"):
        asyncio.run(extractor.compare(Trace("t", "?", [], 3)))


def test_progress_is_told_and_a_stop_is_heeded():
    steps, stop = [], threading.Event()
    extractor = FeedbackExtractor(same)
    asyncio.run(extractor.explain_traces(traces(250), control=RunControl(steps.append)))
    assert {step.stage for step in steps} == {"explaining", "embedding"}
    explained = [step.fraction for step in steps if step.stage == "explaining"]
    assert explained == sorted(explained)
    assert explained[-1] == 1.0
    assert steps[-1].message == "Explaining traces: 250 of 250 ..."
    steps.clear()
    asyncio.run(extractor.explain_traces(iter(traces(250)), control=RunControl(steps.append)))
    assert {step.fraction for step in steps if step.stage == "explaining"} == {None}

    def once(step):
        stop.set()

    with pytest.raises(Cancelled):
        asyncio.run(extractor.explain_traces(traces(250), control=RunControl(once, stop)))
    stop.clear()
    with (
        pytest.warns(DeprecationWarning, match=r"explain_traces\(progress=, cancel=\) is now"),
        pytest.raises(Cancelled),
    ):
        asyncio.run(extractor.explain_traces(traces(250), progress=once, cancel=stop))


def test_other_tasks_have_their_turn_meanwhile():
    turns = []

    async def clock():
        while True:
            turns.append(1)
            await asyncio.sleep(0)

    async def both():
        ticking = asyncio.ensure_future(clock())
        await FeedbackExtractor(same, {"method": "citation"}).explain_traces(traces(1000))
        ticking.cancel()

    asyncio.run(both())
    assert len(turns) >= 10


def test_the_extractor_says_what_it_does():
    assert (
        repr(FeedbackExtractor(config={"method": "hybrid"})) == "FeedbackExtractor(method='hybrid')"
    )
    with pytest.raises(ExplorerError):
        FeedbackExtractor(3)


def test_attention_needs_neither_torch_nor_pandas():
    code = (
        "import asyncio, sys\n"
        "from explorer.rag._extraction.extractor import FeedbackExtractor\n"
        "call = FeedbackExtractor(config={'method': 'attention'}).extract_feedback\n"
        "edges = [{'id': 'a', 'hyperedge': 'x'}]\n"
        "print(asyncio.run(call('y', edges, {'hyperedge_attention': {'a': 0.45}})))\n"
        "print(sorted({'torch', 'transformers', 'pandas', 'plotly'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["{'a': 1.0}", "[]"]


@pytest.mark.parametrize(
    "arguments", [(None, []), (["x"], None), (["x"], [EDGES], 5), ("x", [EDGES]), (["x"], "EDGES")]
)
def test_a_batch_of_no_lists_is_refused(arguments):
    with pytest.raises(InputError, match="must be a list of"):
        asyncio.run(FeedbackExtractor(same).batch_extract_feedback(*arguments))


def test_a_trace_without_a_list_of_hyperedges_is_refused():
    with pytest.raises(InputError, match="must be a list"):
        asyncio.run(FeedbackExtractor(same).explain_traces([Trace("t", "q", None, "x")]))


@pytest.mark.parametrize("key", ["method", "reduction", "normalisation"])
def test_an_array_is_no_name(key):
    with pytest.raises(InputError, match="There is no"):
        FeedbackExtractor(same, {key: np.array([1, 2])})
