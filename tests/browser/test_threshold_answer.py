"""The answer at the top of the thresholds tab in a real browser: read, used, undone."""

from __future__ import annotations

HEAD = (
    "from explorer import Explorer\n"
    'app = Explorer(tab="thresholds", layer=8, head=0, threshold=0.006)\napp'
)

FEW = (
    "from explorer import Explorer\n"
    "from explorer.examples import example_traces\n"
    'app = Explorer.from_traces(list(example_traces())[:3], tab="thresholds", layer=8, head=0)\napp'
)

WITHOUT_ATTENTION = """
from explorer import Explorer
from explorer.traces import Hyperedge, Trace
edges = [Hyperedge(f"h{i}", f"Fact {i} of the valve.", label=i == 0) for i in range(3)]
traces = [Trace(f"t{n}", "Which?", edges, "The valve.") for n in range(22)]
app = Explorer.from_traces(traces, tab="thresholds")
app
"""


def test_the_words_are_used_and_one_key_goes_back(show):
    with show("voila", [HEAD], size=(1280, 1000)) as shown:
        page = shown.page
        answer = page.locator(".ex-thresholds-answer")
        shown.wait_for(answer.get_by_text("Use the words instead of layer 8, head 0"))
        numbers = answer.locator(".ex-answer-numbers b")
        shown.run("from explorer.validation import *")
        shown.run(
            "judged = head_scores(app.traces).at(8, 0)\n"
            "words = baseline_scores(app.traces, judged, ('lexical-overlap',))['lexical-overlap']\n"
            "chosen = cross_validated_threshold(words)"
        )
        threshold = shown.value("chosen.threshold")
        expected = shown.value("chosen.held_out.value")
        assert numbers.nth(0).inner_text() == f"{threshold:.3f}"
        assert numbers.nth(1).inner_text() == f"{expected:.2f}"
        # It is read without scrolling, above every instrument.
        box = answer.bounding_box()
        assert box["y"] + box["height"] < 500
        assert box["y"] < page.locator(".ex-thresholds-histogram").bounding_box()["y"]

        answer.get_by_role("button", name="score by the words").click()
        shown.wait_for_value(
            "(app.method, app.lexical_threshold)", lambda value: value == ("lexical", threshold)
        )
        shown.wait_for(answer.get_by_text("Keep 0.188 for lexical"))
        back = answer.get_by_role("button", name="back to layer 8, head 0")
        shown.wait_until(lambda: back.evaluate("node => node === document.activeElement"))
        page.keyboard.press("Escape")
        shown.wait_for_value(
            "(app.method, app.threshold)", lambda value: value == ("attention", 0.006)
        )
        shown.wait_for(answer.get_by_text("Use the words instead of layer 8, head 0"))
        assert shown.value("app.error") is None


def test_an_objective_and_its_number_move_the_answer(show):
    with show("voila", [HEAD], size=(1280, 1000)) as shown:
        page = shown.page
        answer = page.locator(".ex-thresholds-answer")
        shown.wait_for(answer.get_by_text("Use the words instead"))
        answer.get_by_role("button", name="recall at a precision").click()
        shown.wait_for(answer.get_by_text("recall on new traces"))
        field = answer.get_by_label("precision at least")
        field.fill("2")
        field.press("Enter")
        shown.wait_for(page.get_by_text("above 0 and at most 1").last)
        assert shown.value("app.least_precision") == 0.8
        field.fill("0.6")
        field.press("Enter")
        shown.wait_for_value("app.least_precision", lambda value: value == 0.6)
        curves = page.locator(".ex-thresholds-curves")
        shown.wait_for(curves.get_by_text("Best recall", exact=False).first)


def test_too_few_labels_show_scores_and_what_is_missing_and_no_curves(show):
    with show("voila", [FEW], size=(1280, 1000)) as shown:
        page = shown.page
        answer = page.locator(".ex-thresholds-answer")
        shown.wait_for(answer.get_by_text("Label 17 more traces"))
        shown.wait_for(page.locator(".ex-thresholds-histogram"))
        for name in ("curves", "ranks", "heads", "dots", "bias", "changes", "questions"):
            assert not page.locator(f".ex-thresholds-{name}").is_visible()
        assert not page.get_by_text("ROC-AUC").first.is_visible()
        answer.get_by_role("button", name="label in RAG traces").click()
        shown.wait_for_value("app.tab", lambda value: value == "traces")


def test_labels_without_attention_lead_to_recording_it(show):
    with show("voila", [WITHOUT_ATTENTION], size=(1280, 900)) as shown:
        page = shown.page
        shown.wait_for(page.get_by_text("No hyperedge has a score by attention"))
        assert page.get_by_role("button", name="record attention on all 22 traces").is_visible()
        assert not page.get_by_role("button", name="label in RAG traces").is_visible()
        # The words need no attention.
        page.get_by_role("button", name="lexical").click()
        shown.wait_for(page.locator(".ex-thresholds-answer").get_by_text("lexical").first)
