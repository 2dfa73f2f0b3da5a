"""`Explorer` without a page: traits, tables, files; everything runs in place without a loop."""

from __future__ import annotations

import csv
import json
import warnings
from pathlib import Path

import numpy as np
import pytest

from explorer.errors import InputError, TraceError
from explorer.feedback import FeedbackPolicy
from explorer.widgets._code.controller import CodeController
from explorer.widgets._explorer import Explorer
from explorer.widgets._jobs.job_runner import JobRunner
from explorer.widgets._jobs.model_controller import ModelController

from ..support.app_driver import AppDriver

TOKENS = ["the", " cat", " sat", " on", " the", " mat"]


def causal(layers: int = 1, heads: int = 1, n: int = 6, seed: int = 0) -> np.ndarray:
    """Return random causal attention (layers, heads, n, n) with rows that sum to 1."""
    weights = np.tril(np.random.default_rng(seed).random((layers, heads, n, n)))
    return weights / weights.sum(-1, keepdims=True)


def trace_line(name: str = "t", **metadata: object) -> str:
    """Return one native trace with three hyperedges."""
    edges = [
        {"id": f"h{i}", "hyperedge": f"fact {i}", "label": i == 0, "entities": [f"e{i}"]}
        for i in range(3)
    ]
    trace = {"id": name, "query": "q?", "answer": "a", "hyperedges": edges, "metadata": metadata}
    return json.dumps(trace)


@pytest.fixture
def traces(tmp_path: Path) -> Path:
    """Return a file of two traces with direct scores."""
    path = tmp_path / "traces.jsonl"
    scores = [{"h0": 0.45, "h1": 0.05, "h2": 0.15}, {"h0": 0.01, "h1": 0.3, "h2": 0.02}]
    path.write_text(
        "\n".join(trace_line(f"t{i}", hyperedge_attention=s) for i, s in enumerate(scores))
    )
    return path


def test_a_matrix_of_ones_own_gives_feedback_per_token() -> None:
    weights = causal()
    app = Explorer.from_attention(weights, TOKENS)
    table = app.feedback
    assert table is not None
    received = weights[0, 0].mean(axis=0)
    np.testing.assert_allclose(table["score"], received, rtol=1e-6)
    np.testing.assert_allclose(table["feedback"], FeedbackPolicy().convert(received), rtol=1e-6)
    assert app.attention is not None
    assert app.attention.n_keys == 6


def test_a_pinned_token_scores_by_its_own_row() -> None:
    weights = causal(2, 3)
    app = Explorer.from_attention(weights, TOKENS, layer=1, head=2)
    app.selection = {"kind": "token", "index": 4}
    table = app.feedback
    assert table is not None
    # The last token comes later: this map only looks back, so nothing is known about it.
    np.testing.assert_allclose(table["score"][:5], weights[1, 2, 4, :5], rtol=1e-6)
    assert table["verdict"].tolist()[5:] == ["unknown"]
    assert [d.code for d in table["diagnostics"][5]] == ["comes-later"]
    app.selection = None
    np.testing.assert_allclose(app.feedback["score"], weights[1, 2].mean(axis=0), rtol=1e-6)


def test_layer_and_head_are_means_when_none() -> None:
    weights = causal(2, 3)
    app = Explorer.from_attention(weights, TOKENS)
    app.layer, app.head = None, None
    np.testing.assert_allclose(
        app.feedback["score"], weights.mean(axis=(0, 1)).mean(axis=0), rtol=1e-6
    )
    app.layer = 0
    np.testing.assert_allclose(
        app.feedback["score"], weights[0].mean(axis=0).mean(axis=0), rtol=1e-6
    )


def test_traces_give_the_feedback_of_the_formula(traces: Path) -> None:
    app = Explorer.from_traces(traces, threshold=0.1)
    assert app.tab == "traces"
    table = app.feedback
    assert table["unit"].tolist() == ["h0", "h1", "h2"]
    # By hand: 0.45 and 0.15 reach 0.1 and give positive 1.0; 0.05 gives 0.3 + 0.5 * 0.2.
    np.testing.assert_allclose(table["feedback"], [1.0, 0.4, 1.0])
    assert table["verdict"].tolist() == ["used", "near", "used"]
    app.threshold = 0.2
    assert app.feedback["verdict"].tolist() == ["used", "not used", "near"]
    app.trace = 1
    np.testing.assert_allclose(app.feedback["score"], [0.01, 0.3, 0.02], rtol=1e-6)
    app.threshold = 0.3  # float32 has no 0.3, and the score has reached it all the same
    assert app.feedback["verdict"].tolist() == ["not used", "used", "not used"]
    app.trace = "t0"
    assert app.trace == 0


def test_one_conversion_core_serves_both_tabs(traces: Path) -> None:
    app = Explorer.from_traces(traces)
    from_traces = app.feedback
    app = Explorer.from_attention(causal(), TOKENS)
    assert app.feedback.columns.tolist() == from_traces.columns.tolist()


def test_a_trace_that_does_not_exist(traces: Path) -> None:
    app = Explorer.from_traces(traces)
    for wrong in (2, "t9", 1.5):
        with pytest.raises(InputError, match="trace"):
            app.trace = wrong
    assert app.trace == 0


def test_a_file_that_cannot_be_read(tmp_path: Path, traces: Path) -> None:
    with pytest.raises(TraceError):
        Explorer.from_traces(tmp_path / "missing.jsonl")
    app = Explorer.from_traces(traces)
    page = AppDriver(app)
    page.load_path(tmp_path / "missing.jsonl")
    assert "missing.jsonl" in app.error
    assert len(app.traces) == 2  # nothing is lost
    page.upload(b"\xff\xfe\x00", "odd.jsonl")
    assert "odd.jsonl" in app.error
    assert app.feedback is not None


def test_bad_lines_are_listed_and_good_ones_loaded(traces: Path) -> None:
    app = Explorer.from_traces(traces)
    page = AppDriver(app)
    contents = (trace_line("good") + "\n{broken\n" + trace_line("fine")).encode()
    page.upload(contents, "mixed.jsonl")
    assert [trace.id for trace in app.traces] == ["good", "fine"]
    assert [problem.line for problem in app.traces.problems] == [2]


def test_a_trace_with_broken_evidence_says_so_and_the_next_one_works(tmp_path: Path) -> None:
    path = tmp_path / "traces.jsonl"
    path.write_text(
        trace_line("bad", unit_attention=[[1.0, 2.0]])
        + "\n"
        + trace_line("good", hyperedge_attention={"h0": 1, "h1": 0, "h2": 0.5})
    )
    app = Explorer.from_traces(path)
    assert "unit_attention" in app.error
    assert app.feedback is None
    app.trace = 1
    assert app.error is None
    assert app.feedback["score"].tolist() == [1.0, 0.0, 0.5]


def test_evidence_outside_the_folder_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "secret.npz", a=np.ones((1, 1, 3)))
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / "traces.jsonl"
    path.write_text(trace_line("t", unit_attention={"file": "../secret.npz", "key": "a"}))
    app = Explorer.from_traces(path)
    assert "outside" in app.error
    assert app.feedback is None


def test_unknown_arguments_are_refused_with_a_hint() -> None:
    with pytest.raises(InputError, match="Did you mean 'threshold'"):
        Explorer(treshold=0.1)


@pytest.mark.parametrize("code", ["", "  \n\t"])
def test_empty_code_is_refused(code: str) -> None:
    with pytest.raises(InputError, match="code"):
        Explorer.from_code(code)


def test_wrong_shapes_are_refused() -> None:
    for wrong in (np.ones(3), np.ones((2, 3)), np.ones((1, 1, 1, 2, 2)), np.empty((0, 0))):
        with pytest.raises(InputError):
            Explorer.from_attention(wrong)


def test_nan_negative_and_large_weights_are_shown_and_explained() -> None:
    weights = causal(n=3)[0, 0]
    weights[2] = [np.nan, -0.5, 2.0]
    app = Explorer.from_attention(weights, ["a", "b", "c"])
    table = app.feedback
    assert table["verdict"].tolist()[0] == "unknown"
    codes = {d.code for row in table["diagnostics"] for d in row}
    assert "nan-score" in codes


def test_traits_can_be_linked(traces: Path) -> None:
    import ipywidgets

    app = Explorer.from_traces(traces)
    slider = ipywidgets.FloatSlider(min=0, max=1, step=0.001)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ipywidgets.link((app, "threshold"), (slider, "value"))
    slider.value = 0.5
    assert app.threshold == 0.5
    assert app.feedback.attrs["threshold"] == 0.5


@pytest.mark.slow
def test_saved_files(traces: Path, tmp_path: Path) -> None:
    app = Explorer.from_traces(traces, threshold=0.15)
    app.save(tmp_path / "t.csv")
    rows = list(csv.DictReader((tmp_path / "t.csv").read_text().splitlines()))
    assert [row["unit"] for row in rows] == ["h0", "h1", "h2"]
    assert float(rows[0]["feedback"]) == 1.0
    app.save(tmp_path / "t.png")
    assert (tmp_path / "t.png").read_bytes().startswith(b"\x89PNG")
    app.save(tmp_path / "t.html")
    page = (tmp_path / "t.html").read_text()
    assert 'src="http' not in page
    assert "fact 1" in page or "h1" in page
    app.save(tmp_path / "t.json")
    settings = json.loads((tmp_path / "t.json").read_text())
    again = Explorer(**settings)
    assert again.threshold == app.threshold
    with pytest.raises(InputError, match=r"\.csv"):
        app.save(tmp_path / "t.pkl")


def test_tokens_that_are_html_stay_text_in_saved_pages(tmp_path: Path) -> None:
    app = Explorer.from_attention(causal(n=3), ["<script>alert(1)</script>", "<b>", "&amp;"])
    app.save(tmp_path / "t.html")
    assert "<script>alert(1)" not in (tmp_path / "t.html").read_text()


def test_the_view_as_python_shows_the_view_again(traces: Path) -> None:
    from explorer.widgets._shell.export import python_of

    app = Explorer.from_traces(traces, trace=1, threshold=0.25)
    scope: dict[str, object] = {}
    code = python_of(app)
    before, call = code.rstrip().rsplit("\n\n", 1)
    exec(before, scope)  # noqa: S102 - what the copy button puts on the clipboard
    again = eval(call, scope)  # noqa: S307
    assert again.trace == 1
    assert again.threshold == 0.25
    assert again.feedback.equals(app.feedback)


def test_a_still_picture_for_readers_without_a_kernel(
    traces: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[dict[str, str]] = []
    monkeypatch.setattr("IPython.display.display", lambda data, **_: shown.append(data))
    app = Explorer.from_traces(traces)
    app._ipython_display_()
    assert "application/vnd.jupyter.widget-view+json" in shown[0]
    assert "data:image/png;base64," in shown[1]["text/html"]


def test_layer_and_head_given_at_the_start_are_checked_against_the_map(traces: Path) -> None:
    app = Explorer(layer=-1, head=4)
    assert (app.layer, app.head) == (29, 4)
    with pytest.raises(InputError, match="0 to 29"):
        Explorer(layer=99)
    with pytest.raises(InputError, match="0 to 2"):
        Explorer.from_attention(causal(2, 3), TOKENS, head=3)
    # One number a hyperedge: any layer will do, as there is none.
    assert Explorer.from_traces(traces, layer=40).feedback is not None


def test_a_colour_scale_or_measure_that_does_not_exist_is_refused(traces: Path) -> None:
    app = Explorer.from_traces(traces)
    for name in ("colour_scale", "measure"):
        with pytest.raises(InputError, match=name):
            setattr(app, name, "neon")
    app.layer = None
    assert app.feedback is not None


def test_a_selection_given_at_the_start_is_pinned_when_there_is_a_map() -> None:
    chosen = {"kind": "token", "index": 2}
    app = Explorer.from_attention(causal(), TOKENS, selection=chosen)
    assert app.selection == chosen


def test_a_long_map_gives_the_same_feedback_as_a_short_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Above a limit the map is added up by a worker instead of being kept."""
    weights = causal(2, 3, 40, seed=3)
    names = [f"t{i}" for i in range(40)]
    short = Explorer.from_attention(weights, names, layer=1)
    monkeypatch.setattr("explorer.widgets._attention.head_view._KEPT_WEIGHTS", 100)
    monkeypatch.setattr("explorer.widgets._attention.heatmap_view.QUICK_WEIGHTS", 100)
    long = Explorer.from_attention(weights, names, layer=1)
    assert long.focus.summary is not None
    np.testing.assert_allclose(long.feedback["score"], short.feedback["score"], rtol=1e-6)
    np.testing.assert_allclose(
        long.focus.received.weights, short.focus.received.weights, rtol=1e-4, atol=1e-7
    )
    assert long.focus.received.rows.tolist() == short.focus.received.rows.tolist()
    drawn = AppDriver(long).plots["code_heatmap"].plot.on_exact(range(40))
    np.testing.assert_allclose([drawn[row] for row in range(40)], weights[1].mean(0), rtol=1e-6)
    long.selection = short.selection = {"kind": "token", "index": 30}
    np.testing.assert_allclose(long.feedback["score"], short.feedback["score"], rtol=1e-6)


def test_closing_leaves_nothing_behind(traces: Path) -> None:
    from ipywidgets.widgets.widget import _instances as alive

    before = len(alive)
    app = Explorer.from_traces(traces)
    made = len(alive) - before
    app.close()
    assert made > 25
    assert len(alive) == before


def test_changing_the_model_on_the_other_tab_records_the_code_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = Explorer()
    asked: list[str] = []
    monkeypatch.setattr(CodeController, "record", lambda *_, **__: asked.append(app.model))
    monkeypatch.setattr(ModelController, "choose", lambda *_: None)  # nothing is loaded
    app.tab = "traces"
    app.model = "all-MiniLM-L6-v2"
    assert asked == []
    app.tab = "code"
    assert asked == ["all-MiniLM-L6-v2"]


def test_half_a_character_in_a_token_does_not_stop_the_display() -> None:
    app = Explorer.from_attention(causal(n=3), ["\ud800", "a", "\udc80"])
    sent = json.dumps(AppDriver(app).code.document, ensure_ascii=False).encode()
    assert b"a" in sent
    assert app.feedback is not None


def test_a_cancelled_model_is_no_longer_named(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Explorer()
    app.tab = "traces"
    monkeypatch.setattr(JobRunner, "start", lambda *_, **__: None)  # it goes on loading
    app.model = "slow/model"
    app.cancel()
    assert app.model == "SmolLM2-135M-Instruct"


def test_many_bad_lines_are_summed_up(traces: Path) -> None:
    app = Explorer.from_traces(traces)
    page = AppDriver(app)
    lines = [trace_line("good"), *["{broken"] * 250]
    page.upload("\n".join(lines).encode(), "many.jsonl")
    problems = page.file["problems"]
    assert len(app.traces.problems) == 250
    assert len(problems["lines"]) == 100
    assert problems["title"] == "250 lines not read"
    assert problems["more"].startswith("and 150 more")


def test_from_attention_takes_no_model_and_from_code_no_none() -> None:
    with pytest.raises(InputError, match="model"):
        Explorer.from_attention(causal(), TOKENS, model="x")
    with pytest.raises(InputError, match="string"):
        Explorer.from_code(None)  # type: ignore[arg-type]


def test_a_still_picture_comes_later_when_there_is_nothing_to_show_yet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Handle:
        updates: list[dict[str, str]] = []  # noqa: RUF012 - one handle, one list

        def update(self, data: dict[str, str], raw: bool) -> None:
            self.updates.append(data)

    monkeypatch.setattr(
        "IPython.display.display", lambda *_, **how: Handle() if how.get("display_id") else None
    )
    app = Explorer(model="all-MiniLM-L6-v2")  # nothing is loaded, so the code tab is empty
    app._ipython_display_()
    assert Handle.updates == []
    app.tab = "traces"
    app.trace = 3
    (update,) = Handle.updates
    assert "data:image/png;base64," in update["text/html"]


def test_white_space_is_visible_in_the_sentence() -> None:
    app = Explorer.from_attention(causal(n=3), ["a", "  ", "\n"], layer=0, head=0)
    page = AppDriver(app)
    app.selection = {"kind": "token", "index": 1}
    assert "“··”" in page.sentence
