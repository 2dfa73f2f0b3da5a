"""The traces tab: methods, comparison, labels, weights, and what is saved of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from explorer.errors import InputError
from explorer.traces import Hyperedge, Trace, load_traces
from explorer.widgets._attention.bars_view import MOST_BARS
from explorer.widgets._explorer import Explorer
from explorer.widgets._traces.cards import MOST_CARDS

from ...support.app_driver import AppDriver

FACTS = ("The Nile is long.", "The Rhine is short.", "Bees sleep.")
ANSWER = "The Nile is long. That is all there is to say about it."


def trace(name: str = "t", **metadata: object) -> Trace:
    edges = [Hyperedge(f"h{i}", text, ["Nile"] * (i == 0)) for i, text in enumerate(FACTS)]
    return Trace(name, "Which river is long?", edges, ANSWER, metadata)


@pytest.fixture
def app() -> Explorer:
    return Explorer.from_traces(
        [
            trace("a", hyperedge_attention={"h0": 0.45, "h1": 0.05, "h2": 0.15}),
            trace("b", hyperedge_attention={"h0": 0.05, "h1": 0.2, "h2": 0.0}),
        ],
        threshold=0.1,
    )


def test_the_citation_method_gives_its_own_table(app: Explorer) -> None:
    app.method = "citation"
    table = app.feedback
    assert table is not None
    # The first fact is in the answer word for word; the others are not.
    assert table["feedback"].tolist() == [1.0, 0.3, 0.3]
    assert table["verdict"].tolist()[0] == "used"
    app.method = "attention"
    assert app.feedback["feedback"].tolist() == pytest.approx([1.0, 0.4, 1.0])


def test_the_threshold_of_the_method_is_the_one_that_moves(app: Explorer) -> None:
    assert app.threshold_name == "threshold"
    app.method = "citation"
    assert app.threshold_name == "citation_threshold"
    bars = AppDriver(app).plots["trace_bars"]
    assert bars.line == pytest.approx(app.citation_threshold)
    bars.drag(0.55)
    assert app.citation_threshold == 0.55
    assert app.threshold == 0.1


def test_methods_side_by_side(app: Explorer) -> None:
    app.compare = True
    app.wait()
    compared = app.comparison
    assert compared.attrs["methods"] == (
        "attention",
        "embedding",
        "citation",
        "lexical",
        "ensemble",
    )
    assert compared["attention"].tolist() == pytest.approx([1.0, 0.4, 1.0])
    assert compared["citation"].tolist() == [1.0, 0.3, 0.3]
    plots = AppDriver(app).plots
    assert plots["method_bars"].shown
    assert not plots["trace_bars"].shown
    app.compare = False
    assert not plots["method_bars"].shown
    assert plots["trace_bars"].shown


def test_a_trace_without_attention_has_feedback_by_its_text() -> None:
    app = Explorer.from_traces([trace("a")], method="citation")
    page = AppDriver(app)
    table = app.feedback
    assert table is not None
    assert table["feedback"].tolist() == [1.0, 0.3, 0.3]
    assert app.error is None
    assert "by citation: 1 of 3" in page.sentence
    cards = page.cards
    assert [card["verdict"] for card in cards["cards"]] == table["verdict"].tolist()
    assert cards["offer"] is None


def test_labels_are_kept_beside_the_trace_file(tmp_path: Path) -> None:
    path = tmp_path / "traces.jsonl"
    line = {
        "id": "t0", "query": "q", "answer": "a",
        "hyperedges": [
            {"id": "h0", "hyperedge": "x"},
            {"id": "h1", "hyperedge": "y", "label": True},
        ],
        "metadata": {"hyperedge_attention": {"h0": 0.5, "h1": 0.1}},
    }  # fmt: skip
    path.write_text(json.dumps(line) + "\n")
    app = Explorer.from_traces(path)
    page = AppDriver(app)
    page.label("h0", False)
    page.label("h1", None)
    assert [edge.label for edge in app.traces[0].hyperedges] == [False, None]
    cards = page.cards["cards"]
    assert [card["label"] for card in cards] == [False, None]
    assert path.read_text() == json.dumps(line) + "\n"  # the trace file itself is left alone
    assert [edge.label for edge in load_traces(path)[0].hyperedges] == [False, None]


def test_a_label_keeps_what_is_pinned(app: Explorer) -> None:
    page = AppDriver(app)
    app.selection = {"kind": "unit", "name": "h1"}
    page.label("h1", True)
    assert app.selection == {"kind": "unit", "name": "h1"}
    assert app.traces[0].hyperedges[1].label is True


def test_weights_move_over_all_traces_by_the_formula(app: Explorer) -> None:
    app.weight_view = "weights"
    app.wait()
    moves = app.trajectory
    # ema from 1 with a = 0.1: (0.9 + 0.1 f) x 0.99, kept at most at 0.5 x 2.
    first, second = 0.99 * (0.9 + 0.1), 0.99 * (0.9 + 0.1 * 0.4)
    again = 0.99 * (0.9 * first + 0.1 * 0.4)  # h0 scores 0.05 in the second trace
    assert moves.final().tolist() == pytest.approx(
        [again, 0.99 * (0.9 * second + 0.1), 0.99 * (0.9 * 0.99 + 0.1 * 0.3)]
    )
    app.threshold = 0.5
    app.wait()
    assert moves is not app.trajectory
    # Nothing reaches 0.5 now: h0 gets 0.3 + 0.9 x 0.2 first.
    assert app.trajectory.feedback[0] == pytest.approx(0.3 + 0.45 / 0.5 * 0.2)


def test_out_of_reach_says_why_and_offers_auto_and_labels() -> None:
    edges = [
        Hyperedge("h0", "a", [], label=True), Hyperedge("h1", "b", []), Hyperedge("h2", "c", []),
    ]  # fmt: skip
    read = {
        "unit_attention": [[[0.2, 0.1, 0.02]]], "unit_tokens": [40, 20, 10],
    }  # fmt: skip
    app = Explorer.from_traces([Trace("t", "q", edges, "x", read)], threshold=0.1)
    page = AppDriver(app)
    offer = page.cards["offer"]
    # 0.2 / 40, 0.1 / 20 and 0.02 / 10 are the means over tokens.
    assert "the largest score is 0.00500" in offer["text"]
    assert "over 20 tokens" in offer["text"]
    assert "at most 1/20" in offer["text"]
    assert [action[0] for action in offer["actions"]] == ["auto", "by_labels"]
    page.cards.press("auto")
    assert app.threshold_mode == "auto"
    assert page.cards["offer"] is None
    app.threshold = 0.1
    page.cards.press("by_labels")
    assert app.tab == "thresholds"


def test_the_page_says_whose_attention_is_shown(app: Explorer) -> None:
    page = AppDriver(app)
    assert "given by the trace" in page.cards["source"]
    packaged = Explorer.from_traces()
    said = AppDriver(packaged).cards["source"]
    assert said == (
        "attention of SmolLM2-135M-Instruct, a stand-in for the model that answered; 30 layers of "
        "9 heads, stored in the trace"
    )


@pytest.mark.parametrize(
    ("trait", "value"),
    [
        ("method", "guess"),
        ("reading_view", "list"),
        ("weight_view", "x"),
        ("update_strategy", "sgd"),
        ("similarity_threshold", 1.2),
        ("citation_threshold", float("nan")),
    ],
)
def test_values_that_do_not_exist_are_refused(app: Explorer, trait: str, value: object) -> None:
    before = getattr(app, trait)
    with pytest.raises(InputError):
        setattr(app, trait, value)
    assert getattr(app, trait) == before


def test_traces_are_saved_with_their_labels(app: Explorer, tmp_path: Path) -> None:
    page = AppDriver(app)
    page.label("h2", True)
    for name in ("traces.jsonl", "traces.parquet"):
        app.save(tmp_path / name)
        assert [e.label for e in load_traces(tmp_path / name)[0].hyperedges] == [None, None, True]
    page.header.press("save", what="traces")
    assert page.downloads[0]["name"] == "traces.jsonl"


def test_pictures_of_a_trace_without_attention(tmp_path: Path) -> None:
    app = Explorer.from_traces([trace("a")], method="citation")
    app.save(tmp_path / "view.html")
    page = (tmp_path / "view.html").read_text()
    assert "trace a · by citation · threshold 0.8" in page
    with pytest.raises(InputError, match="no attention"):
        app.save(tmp_path / "view.png")


def test_a_trace_without_hyperedges_shows_no_bars() -> None:
    app = Explorer.from_traces([Trace("a", "q", [], "a"), trace("b")], method="citation")
    page = AppDriver(app)
    assert app.feedback is None
    assert page.methods["hidden"]
    app.trace = 1
    assert len(app.feedback) == 3
    app.trace = 0
    assert not page.plots["trace_bars"].shown
    assert not page.plots["entities"].shown


def test_more_hyperedges_than_bars_by_any_method() -> None:
    edges = [Hyperedge(f"h{i}", f"fact {i}") for i in range(MOST_BARS + 1)]
    app = Explorer.from_traces([Trace("a", "q", edges, "fact 7")], method="citation")
    page = AppDriver(app)
    assert app.error is None
    assert len(page.plots["trace_bars"].meta["units"]) == MOST_BARS
    assert "h7" in page.plots["trace_bars"].meta["units"]


def test_thousands_of_hyperedges_are_shown_in_part_and_kept_in_whole() -> None:
    edges = [Hyperedge(f"h{i}", f"Fact {i}.", [f"e{i}"]) for i in range(1000)]
    scores = {f"h{i}": i / 1000 for i in range(1000)}
    app = Explorer.from_traces([Trace("t", "q", edges, "a", {"hyperedge_attention": scores})])
    page = AppDriver(app)
    assert len(app.feedback) == 1000
    cards = page.cards
    assert len(cards["cards"]) == MOST_CARDS
    assert cards["filter"]["matching"] == 1000
    assert page.methods["message"] == (
        "The 40 of 1,000 hyperedges with the highest scores are shown."
    )
    # Every one can be reached and labelled.
    page.cards.press("filter", words="", which="all", first=800)
    assert [card["id"] for card in page.cards["cards"]][::199] == ["h800", "h999"]
    page.label("h999", True)
    assert app.traces[0].hyperedges[999].label is True
    page.cards.press("filter", words="FACT 77.", which="all", first=0)
    assert [card["id"] for card in page.cards["cards"]] == ["h77"]
    page.cards.press("filter", words="", which="all", first=0)
    drawn = page.plots["entities"].meta["units"]
    assert drawn == [f"h{i}" for i in range(960, 1000)]  # the highest scores, in order
    app.threshold = 0.5
    assert app.feedback["verdict"].tolist().count("used") == 500


def test_attention_of_a_stand_in_stays_marked_in_saved_files(tmp_path: Path) -> None:
    read = {"unit_attention": [[[0.2, 0.1, 0.02]]], "unit_tokens": [4, 4, 4], "model": "a model"}
    own = Explorer.from_traces([trace("a", **read)])
    assert "stand-in" not in AppDriver(own).cards["source"]
    app = Explorer.from_traces([trace("a", **read, stand_in={"model": "a model"})])
    app.save(tmp_path / "saved.jsonl")
    again = Explorer.from_traces(tmp_path / "saved.jsonl")
    assert (
        "attention of a model, a stand-in for the model that answered"
        in (AppDriver(again).cards["source"])
    )


def test_a_note_that_all_hyperedges_have_is_shown_once() -> None:
    short = Trace("s", "q", trace("a").hyperedges, "Nile", {})
    page = AppDriver(Explorer.from_traces([short], method="citation"))
    assert [note[0] for note in page.cards["shared"]] == ["answer too short"]
    assert all(not card["diagnostics"] for card in page.cards["cards"])


def test_the_weights_say_that_none_can_rise_and_which_settings_let_them(app: Explorer) -> None:
    app.weight_view = "weights"
    app.wait()
    page = AppDriver(app)
    text, button, _ = page.weights["rise"]
    assert "no weight rises above its start" in text
    assert button == "let weights rise"
    assert (app.trajectory.final() < 1).all()
    page.weights.press("rise")
    app.wait()
    assert app.update_strategy == "additive"
    # h0: 1 + 0.1 x (1 - 0.5), then feedback 0.4: minus 0.01; h2: 1.05, then feedback 0.3.
    assert app.trajectory.final().tolist() == pytest.approx([1.04, 1.04, 1.03])
    assert page.weights["rise"][1] == "reference settings"
    page.weights.press("rise")
    app.wait()
    assert (app.weights_can_rise, app.update_strategy) == (False, "ema")
    app.update_strategy = "additive"
    app.wait()
    assert app.trajectory.final().max() == 1.0  # clipped at the start: none above it


def test_guessed_entities_are_said_to_be_guessed(app: Explorer) -> None:
    page = AppDriver(app)
    assert "guessed" in page.weights["message"]  # only the first fact has entities
    packaged = AppDriver(Explorer.from_traces())
    assert packaged.weights["message"] == ""


def test_one_score_per_fact_is_no_map_and_the_ensemble_names_whose_threshold_moves(
    app: Explorer,
) -> None:
    page = AppDriver(app)
    assert not page.plots["trace_heatmap"].shown
    assert page.head_selector["reason"].startswith("This trace has one number")
    app.method = "ensemble"
    app.wait()
    assert page.toolbar["threshold_label"] == "attention"
    app.compare = True
    app.wait()
    assert "hybrid has no column" in page.methods["message"]
