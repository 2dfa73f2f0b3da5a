"""Kernel and page agree on what travels between them.

`frontend/tests/examples.ts` holds an example of every message, checked against the types of the
page; its test writes them to `tests/shared/messages.json`. The tests here compare them with the
types in Python.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import jsonschema
import msgspec
import pytest

from explorer import Explorer
from explorer.errors import InputError
from explorer.traces import Hyperedge, Trace
from explorer.widgets._code import texts as _code
from explorer.widgets._plot.texts import PLOT
from explorer.widgets._protocol.contents import CONTENTS, CodeDocument, Palette
from explorer.widgets._protocol.gestures import (
    GESTURES,
    SETTABLE,
    SettableName,
    check_gesture,
    checked_kind,
)
from explorer.widgets._protocol.plot_messages import PLOT_GESTURES, PLOT_TRAITS
from explorer.widgets._shell import texts as _shell
from explorer.widgets._thresholds import texts as _thresholds
from explorer.widgets._traces import texts as _traces

from ..support.app_driver import PANELS, AppDriver

SHARED = Path(__file__).parents[1] / "shared"
SENT: dict[str, Any] = json.loads((SHARED / "messages.json").read_text("utf-8"))
TEXTS: dict[str, Mapping[str, Any]] = {
    "plot": PLOT,
    **_code.PAGE_TEXTS,
    **_shell.PAGE_TEXTS,
    **_thresholds.PAGE_TEXTS,
    **_traces.PAGE_TEXTS,
}


def schema(kind: type) -> dict[str, Any]:
    """Return the JSON schema of a message, in which no key is unknown."""
    made = msgspec.json.schema(kind)
    for part in objects(made):
        if "properties" in part:
            part["additionalProperties"] = False
    return made


def objects(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for item in node.values():
            yield from objects(item)
    elif isinstance(node, list):
        for item in node:
            yield from objects(item)


def plain(value: Any) -> Any:
    """Return what the page gets of a trait as JSON."""
    if isinstance(value, bytes | memoryview):
        return "<bytes>"
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def hold(kind: type, examples: list[Any]) -> None:
    """Check that examples are as a message should be, and that together they have all its keys."""
    described = schema(kind)
    for example in examples:
        jsonschema.validate(example, described)
    shown = {key for example in examples for part in objects(example) for key in part}
    known = {key for part in objects(described) for key in part.get("properties", ())}
    assert known - {"ack", "view", "key", "n"} <= shown


@pytest.mark.parametrize("part", sorted(CONTENTS))
def test_contents_are_as_the_page_reads_them(part):
    hold(CONTENTS[part], SENT["contents"][part])


def test_a_key_too_many_or_too_few_would_be_noticed():
    (example,) = SENT["contents"]["baselines"]
    with pytest.raises(jsonschema.ValidationError, match="Additional properties"):
        hold(CONTENTS["baselines"], [example | {"more": 1}])
    with pytest.raises(jsonschema.ValidationError, match="'message' is a required property"):
        hold(CONTENTS["baselines"], [{k: v for k, v in example.items() if k != "message"}])


def test_document_and_palette_are_as_the_page_reads_them():
    hold(CodeDocument, [SENT["document"]])
    hold(Palette, [SENT["palette"]])


@pytest.mark.parametrize("name", sorted(PLOT_TRAITS))
def test_what_a_plot_is_sent_is_as_the_page_reads_it(name):
    hold(PLOT_TRAITS[name], SENT["plot"]["traits"][name])


def test_every_part_has_contents_gestures_and_texts():
    parts = set(SENT["contents"])
    assert parts == set(SENT["gestures"]) == set(CONTENTS) == set(GESTURES)
    assert parts == set(TEXTS) - {"plot"} == set(PANELS.values())


@pytest.mark.parametrize("part", sorted(GESTURES))
def test_gestures_of_the_page_are_known_and_no_others(part):
    sent = SENT["gestures"][part]
    assert set(sent) == set(GESTURES[part])
    for kind, message in sent.items():
        assert check_gesture(part, message) == kind
        jsonschema.validate(message, schema(GESTURES[part][kind]))


def test_gestures_of_a_plot_are_known_and_no_others():
    sent = SENT["plot"]["gestures"]
    assert set(sent) == set(PLOT_GESTURES)
    for kind, message in sent.items():
        assert checked_kind(PLOT_GESTURES, "a plot", message) == kind
        jsonschema.validate(message, schema(PLOT_GESTURES[kind]))


def test_a_gesture_may_ask_for_an_acknowledgement():
    assert check_gesture("toolbar", SENT["acknowledged_gesture"]) == "set"


def test_the_page_sets_the_traits_that_may_be_set():
    assert set(SENT["settable"]) == SETTABLE == set(get_args(SettableName))
    assert set(Explorer.class_trait_names()) >= SETTABLE


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"kind": "explode"}, "'explode' from the trace cards"),
        ({}, "None from the trace cards"),
        ({"kind": ["pin"]}, "from the trace cards"),
        ({"kind": "pin"}, "missing required field `unit`"),
        ({"kind": "label", "unit": "h0", "value": 1}, "Expected `bool | null`"),
        ({"kind": "set", "name": "jobs", "value": 1}, "Invalid enum value 'jobs'"),
        ({"kind": "unpin", "ack": {"view": "v"}}, "missing required field"),
    ],
)
def test_what_is_unknown_is_refused_with_a_sentence(message, said):
    with pytest.raises(InputError) as refused:
        check_gesture("trace_cards", message)
    assert said in str(refused.value)
    assert "Reload the page" in str(refused.value)


@pytest.fixture(scope="module")
def page() -> AppDriver:
    edges = [Hyperedge(f"h{i}", f"Fact {i}.", ["Nile"], label=i == 0) for i in range(3)]
    scores = {"hyperedge_attention": {"h0": 0.5, "h1": 0.2, "h2": 0.05}}
    traces = [Trace(name, "What?", edges, "This.", scores) for name in "ab"]
    return AppDriver(Explorer.from_traces(traces, threshold=0.18))


@pytest.mark.slow
@pytest.mark.parametrize("tab", ["code", "traces", "thresholds"])
def test_everything_that_the_app_shows_is_as_the_protocol_says(page, tab):
    page.open(tab)
    for name, part in PANELS.items():
        try:
            panel = page.panel(name)
        except LookupError:
            assert tab != "thresholds", name
            continue
        jsonschema.validate(plain(panel.content), schema(CONTENTS[part]))
        assert panel.model.texts == TEXTS[part]
    for name, plot in page.plots.items():
        for trait, kind in PLOT_TRAITS.items():
            value = getattr(plot.channel, trait)
            if value is not None:
                jsonschema.validate(plain(value), schema(kind)), name
        assert plot.channel.texts == PLOT


def test_an_unknown_gesture_is_said_in_the_app(page):
    page.cards.press("explode")
    assert "'explode' from the trace cards" in page.status["error"]
    page.status.press("dismiss")
    assert page.status["error"] is None


def test_an_unknown_report_of_a_plot_is_said_and_acknowledged(page):
    plot = page.plots["trace_bars"]
    plot.report("explode", ack={"view": "v", "key": "explode", "n": 1})
    assert "'explode' from a plot" in plot.plot.error
    plot.report("error", value="")


def test_the_texts_of_the_page_are_those_that_its_types_are_held_against():
    """After a change run this test with UPDATE_SHARED=1, then `make frontend`."""
    path = SHARED / "page_texts.json"
    if os.environ.get("UPDATE_SHARED"):
        written = json.dumps(TEXTS, indent=2, ensure_ascii=False, sort_keys=True)
        path.write_text(written + "\n", encoding="utf-8")
    assert json.loads(path.read_text("utf-8")) == TEXTS
