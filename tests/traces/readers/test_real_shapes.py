"""What people bring: shapes of real files, each with the values that they hold."""

from __future__ import annotations

import bz2
import json
import lzma

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from explorer.errors import TraceError
from explorer.traces import evidence, iter_traces, load_traces, parse_traces


def facts(trace):
    return [(edge.id, edge.hyperedge, edge.label) for edge in trace.hyperedges]


def row(**more):
    return {"question": "Which?", "answer": "Nile", "contexts": ["One fact.", "Two facts."], **more}


# -- labels --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["label", "relevant", "relevance", "grade"])
def test_graded_labels_of_single_facts(name):
    rows = [
        {"qid": 1, "query": "Q", "text": f"fact {grade}", name: grade} for grade in (3, 2, 1, 0)
    ]
    trace = load_traces(rows)[0]
    assert [edge.label for edge in trace.hyperedges] == [True, True, True, False]
    assert [edge.extra.get("grade") for edge in trace.hyperedges] == [3, 2, None, None]
    cut = load_traces(rows, label_cut=1)[0]
    assert [edge.label for edge in cut.hyperedges] == [True, True, False, False]


@pytest.mark.parametrize(
    ("given", "label"),
    [
        ("Relevant", True),
        ("not_relevant", False),
        ("irrelevant", False),
        ("Partially Relevant", True),
        ("POSITIVE", True),
        ("hard-negative", False),
        ("distractor", False),
        ("supporting", True),
        ("2", True),
        ("0.0", False),
        (np.float64(0.5), True),
        (np.True_, True),
        ("", None),
        (None, None),
        (float("nan"), None),
    ],
)
def test_words_of_the_field(given, label):
    traces = load_traces([row(labels=[given, False])])
    assert [edge.label for edge in traces[0].hyperedges] == [label, False]
    assert traces.problems == ()


def test_unknown_words_are_listed_once_and_kept():
    rows = [row(labels=["so so", "yes"]), row(labels=["so so", "hmm"])]
    traces = load_traces(rows)
    assert [edge.label for edge in traces[0].hyperedges] == [None, True]
    (problem,) = traces.problems
    assert "'so so', 'hmm'" in problem.message
    assert "3 times" in problem.message
    assert traces[0].extra["labels"] == ["so so", "yes"]


@pytest.mark.parametrize("cut", ["1", None, float("nan"), True])
def test_a_cut_that_is_no_number(cut):
    with pytest.raises(TraceError, match="label_cut must be a finite number"):
        load_traces([row()], label_cut=cut)


# -- columns beside the facts --------------------------------------------------------------------


@pytest.mark.parametrize(
    "shape",
    [
        {"question": "Q", "answer": "A", "contexts": ["One.", "Two."]},
        {"user_input": "Q", "response": "A", "retrieved_contexts": ["One.", "Two."]},
        {"query": "Q", "answer": "A", "passages": ["One.", "Two."]},
        {"input": "Q", "actual_output": "A", "retrieval_context": ["One.", "Two."]},
        {"query": "Q", "response": "A", "retrieved_context": ["One.", "Two."]},
    ],
    ids=["ragas 1", "ragas 2", "table", "deepeval", "ragchecker"],
)
def test_labels_scores_and_ids_mean_the_same_in_every_shape(shape):
    beside = {"labels": [1, 0], "scores": [0.9, 0.4], "doc_ids": ["d7", "d9"]}
    trace = load_traces([{**shape, **beside}])[0]
    assert facts(trace) == [("d7", "One.", True), ("d9", "Two.", False)]
    assert [edge.extra["retrieval_score"] for edge in trace.hyperedges] == [0.9, 0.4]
    assert evidence(trace).kind != "direct"
    attended = load_traces([{**shape, "attention": [0.5, 0.25]}])[0]
    assert attended.metadata["hyperedge_attention"] == [0.5, 0.25]


def test_a_retrievers_score_of_one_fact_is_no_attention():
    rows = [
        {"qid": 1, "query": "Q", "text": "One.", "score": 0.9},
        {"qid": 1, "query": "Q", "text": "Two.", "score": "0.4"},
    ]
    trace = load_traces(rows)[0]
    assert "hyperedge_attention" not in trace.metadata
    assert [edge.extra["retrieval_score"] for edge in trace.hyperedges] == [0.9, 0.4]
    said = load_traces(
        rows, columns={"query": "question", "text": "fact", "score": "attention", "qid": "id"}
    )[0]
    assert said.metadata["hyperedge_attention"] == [0.9, 0.4]


@pytest.mark.parametrize("shape", ["wide", "long"])
def test_distances_rank_the_nearest_first_and_are_told(shape):
    rows = [row(distances=[0.2, 1.5])]
    if shape == "long":
        rows = [
            {"qid": 1, "query": "Q", "text": "One.", "distance": 0.2},
            {"qid": 1, "query": "Q", "text": "Two.", "distance": 1.5},
        ]
    traces = load_traces(rows)
    assert [edge.extra["retrieval_score"] for edge in traces[0].hyperedges] == [-0.2, -1.5]
    assert "lowest is best" in traces.problems[0].message


def test_facts_without_text_keep_the_columns_in_step():
    given = row(contexts=["One.", None, "Three."], labels=[0, 1, 1], attention=[0.1, 0.2, 0.3])
    traces = load_traces([given])
    assert facts(traces[0]) == [("c1", "One.", False), ("c3", "Three.", True)]
    assert traces[0].metadata["hyperedge_attention"] == [0.1, 0.3]
    assert "context 2 of 3 has no text" in traces.problems[0].message


# -- what pandas, NumPy and Python print ---------------------------------------------------------


@pytest.mark.parametrize(
    "cell",
    [
        "[np.float32(0.5), np.float32(0.25)]",
        "[0.5  0.25]",
        "array([0.5 , 0.25], dtype=float32)",
        "tensor([0.5000, 0.2500], device='cuda:0')",
        '"[0.5, 0.25]"',
        "(0.5, 0.25)",
        "[0.5, np.float64(0.25)]",
    ],
)
def test_numbers_as_they_are_printed(cell):
    table = pd.DataFrame([row(contexts="['One.', 'Two.']", attention=cell)])
    trace = parse_traces(table.to_csv(index=False).encode(), "x.csv")[0]
    assert trace.metadata["hyperedge_attention"] == [0.5, 0.25]


def test_a_number_that_is_not_there_stays_unknown():
    table = pd.DataFrame([row(contexts="['One.', 'Two.']", attention="[nan 0.25]")])
    trace = parse_traces(table.to_csv(index=False).encode(), "x.csv")[0]
    first, second = trace.metadata["hyperedge_attention"]
    assert np.isnan(first)
    assert second == 0.25


def test_arrays_and_tensors_in_a_frame():
    torch = pytest.importorskip("torch")
    table = pd.DataFrame(
        [row(attention=torch.tensor([0.5, 0.25])), row(attention=np.array([1, 0]))]
    )
    traces = load_traces(table)
    assert [trace.metadata["hyperedge_attention"] for trace in traces] == [[0.5, 0.25], [1, 0]]


@pytest.mark.parametrize(
    "cell",
    [
        "[Document(page_content='One.', metadata={'a': 'b'}), Document(page_content='Two.')]",
        "[\"{'page_content': 'One.', 'metadata': {}}\", \"Two.\"]",
        '"[\\"One.\\", \\"Two.\\"]"',
        "[\"['One.', 'Two.']\"]",
    ],
)
def test_documents_as_python_prints_them(cell):
    table = pd.DataFrame([row(contexts=cell)])
    trace = parse_traces(table.to_csv(index=False).encode(), "x.csv")[0]
    assert [edge.hyperedge for edge in trace.hyperedges] == ["One.", "Two."]


@pytest.mark.parametrize("cell", ["[0.5 0.25 ... 0.1]", "[0.5, 0.25"])
def test_numbers_that_were_cut_when_printed_are_told(cell):
    table = pd.DataFrame([row(contexts="['One.', 'Two.']", attention=cell)])
    traces = parse_traces(table.to_csv(index=False).encode(), "x.csv")
    assert "hyperedge_attention" not in traces[0].metadata
    assert any("list of numbers in `attention`" in one.message for one in traces.problems)
    assert traces[0].extra["attention"] == cell


# -- rows of one question ------------------------------------------------------------------------


def test_two_answers_to_one_question_are_two_traces():
    rows = [
        {"question": "Q", "text": "One.", "answer": "A"},
        {"question": "Q", "text": "Two.", "answer": "A"},
        {"question": "Q", "text": "One.", "answer": "B"},
    ]
    traces = load_traces(rows)
    assert [(trace.answer, len(trace.hyperedges)) for trace in traces] == [("A", 2), ("B", 1)]


@pytest.mark.parametrize("name", ["run", "model", "system"])
def test_runs_are_told_apart(name):
    rows = [
        {"qid": "1", "question": "Q", "text": text, name: run}
        for run in ("x", "y")
        for text in ("One.", "Two.")
    ]
    traces = load_traces(rows)
    assert [trace.id for trace in traces] == ["1", "1#2"]
    assert [len(trace.hyperedges) for trace in traces] == [2, 2]


def test_records_with_ids_of_their_own_stay_records():
    rows = [
        {"id": f"r{number}", "question": f"Q{number % 9}", "context": "One.", "answer": "A"}
        for number in range(10)
    ]
    traces = load_traces(rows, format="table")
    assert [trace.id for trace in traces] == [f"r{number}" for number in range(10)]


def test_ids_alone_in_a_list_and_as_keys_are_kept():
    assert load_traces([row(id=[2])])[0].id == "2"
    named = {"q7": row(), "q9": row()}
    assert [trace.id for trace in parse_traces(json.dumps(named).encode(), "x")] == ["q7", "q9"]


def test_records_without_facts_are_told():
    traces = load_traces([row(), row(contexts=[])])
    assert "has no facts" in traces.problems[0].message
    with pytest.raises(TraceError, match="No trace of list has a fact"):
        load_traces([row(contexts=[]), row(contexts=[])])


# -- columns by name -----------------------------------------------------------------------------

ODD = [
    {"ask": {"text": "Which?"}, "docs": ["One fact here.", "Two facts here."], "gold": [1, 0]},
    {"ask": {"text": "Where?"}, "docs": ["Three facts here."], "gold": [0]},
]


def test_a_shape_that_nobody_knows_by_its_columns():
    with pytest.raises(TraceError, match="`docs` looks like the facts; there is no question"):
        load_traces(ODD)
    traces = load_traces(ODD, columns={"ask.text": "question", "docs": "facts", "gold": "labels"})
    assert [trace.query for trace in traces] == ["Which?", "Where?"]
    assert [edge.label for edge in traces[0].hyperedges] == [True, False]
    columns = {"ask.text": "question", "docs": "facts"}
    assert len(parse_traces(json.dumps(ODD).encode(), "x", columns=columns)) == 2
    assert [trace.query for trace in iter_traces(ODD, columns=columns)] == ["Which?", "Where?"]


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({}, "columns must map"),
        ("docs", "columns must map"),
        ({"ask": "question"}, 'one that holds the "facts"'),
        ({"ask": "query", "docs": "facts"}, "is not what a column can be"),
        ({"ask": "question", "docs": "facts", "x": "facts"}, "only one can be"),
        ({"asked": "question", "docs": "facts"}, "has no column 'asked'.*ask, docs, gold"),
    ],
)
def test_columns_that_cannot_be(columns, reason):
    with pytest.raises(TraceError, match=reason):
        load_traces(ODD, columns=columns)


# -- containers ----------------------------------------------------------------------------------

LINES = "".join(json.dumps({"id": f"t{n}", **row()}) + "\n" for n in range(3))


@pytest.mark.parametrize("packed", ["bz2", "xz", "zstd"])
def test_other_compressions(packed, tmp_path):
    contents = LINES.encode()
    if packed == "zstd":
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, "zstd") as stream:
            stream.write(contents)
        raw = sink.getvalue().to_pybytes()
    else:
        raw = (bz2 if packed == "bz2" else lzma).compress(contents)
    path = tmp_path / "traces.jsonl.x"
    path.write_bytes(raw)
    assert [trace.id for trace in load_traces(path)] == ["t0", "t1", "t2"]
    cut = parse_traces(raw[: len(raw) - 9], "x") if packed == "bz2" else None
    assert cut is None or cut.problems


@pytest.mark.parametrize(
    ("encoding", "told"), [("cp1252", True), ("utf-16", False), ("utf-8-sig", False)]
)
def test_tables_as_excel_saves_them(encoding, told):
    text = "question;answer;text\nWelche Größe?;„groß“;Rhône – größer, länger.\n"
    traces = parse_traces(text.encode(encoding), "x.csv")
    assert (traces[0].query, traces[0].answer) == ("Welche Größe?", "„groß“")
    assert traces[0].hyperedges[0].hyperedge == "Rhône – größer, länger."
    assert [("Windows-1252" in one.message) for one in traces.problems] == [True] * told


def test_a_table_of_two_encodings_is_told():
    contents = "question;text\nGröße;One.\n".encode() + b"Gr\xf6\xdfe;Two.\n"
    traces = parse_traces(contents, "x.csv")
    assert [trace.query for trace in traces] == ["Größe"]
    assert "is not UTF-8" in traces.problems[0].message


def test_a_workbook(tmp_path):
    contents = workbook([["question", "answer", "text", "label"], ["Which?", "Nile", "One.", 2]])
    path = tmp_path / "traces.xlsx"
    path.write_bytes(contents)
    trace = load_traces(path)[0]
    assert (trace.query, facts(trace)) == ("Which?", [("c1", "One.", True)])
    with pytest.raises(TraceError, match="damaged workbook"):
        parse_traces(workbook([["a"]], sheet=b"<broken"), "x.xlsx")


def test_a_workbook_without_the_library(monkeypatch):
    monkeypatch.setattr(
        "explorer.traces._io._containers.workbooks.is_installed", lambda extra: False
    )
    with pytest.raises(TraceError, match=r"Save it as CSV, or install.*\[excel\]"):
        parse_traces(workbook([["question", "text"], ["Q", "One."]]), "x.xlsx")


def workbook(rows, sheet=None):
    """Return a minimal workbook with one sheet."""
    import io
    import zipfile

    cells = "".join(
        "<row>"
        + "".join(
            f"<c><v>{cell}</v></c>"
            if isinstance(cell, int)
            else f'<c t="inlineStr"><is><t>{cell}</t></is></c>'
            for cell in line
        )
        + "</row>"
        for line in rows
    )
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    held = {
        "_rels/.rels": f'<Relationships xmlns="{package}"><Relationship Id="r1" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{space}" xmlns:r="{office}"><sheets>'
        '<sheet name="traces" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}"><Relationship Id="r1" '
        f'Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": sheet
        or f'<worksheet xmlns="{space}"><sheetData>{cells}</sheetData></worksheet>',
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, text in held.items():
            archive.writestr(name, text)
    return stream.getvalue()


def test_a_folder_and_a_pattern(tmp_path):
    (tmp_path / "a.jsonl").write_text(LINES)
    (tmp_path / "b.json").write_text(json.dumps([{"id": "t0", **row()}]))
    (tmp_path / "c.csv").write_text("x,y\n1,2\n")
    (tmp_path / "notes.txt").write_text("nothing")
    (tmp_path / "a.jsonl.labels.json").write_text('{"labels": {}}')
    traces = load_traces(tmp_path)
    assert [trace.id for trace in traces] == ["t0", "t1", "t2", "t0#2"]
    assert [one.message.split(":")[0] for one in traces.problems] == ["b.json", "c.csv"]
    assert len(load_traces(str(tmp_path / "*.jsonl"))) == 3
    assert len(list(iter_traces(tmp_path / "?.json*"))) == 4
    with pytest.raises(TraceError, match="No file matches"):
        load_traces(str(tmp_path / "*.parquet"))
