"""The page as a page: well formed, loading nothing, and unimpressed by what texts contain."""

from __future__ import annotations

import base64
import hashlib
import re

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.reporting import ReportOptions, threshold_report
from explorer.reporting._page.markup import escaped, table, tag
from explorer.traces import Hyperedge, Trace, TraceSet
from explorer.validation import Resampling

from ..made_traces import made_traces
from ..read_page import ReadPage

NASTY = (
    "</script><script>window.attacked = 1</script>",
    "<img src=x onerror=window.attacked=1>",
    "\"><svg onload='window.attacked=1'>",
    "<!-- <script> -->]]>&lt;b&gt;&amp;",
    "{{7*7}} ${7*7} %{x} javascript:window.attacked=1",
    "line one\nline two\ttab\u2028\u2029\x00\x07\ud800\ufffe",
    "\u202eright to left\u202c \u05e9\u05dc\u05d5\u05dd emoji \U0001f469\u200d\U0001f4bb",
    "<a href='https://example.org'>out</a><style>*{display:none}</style>",
)


def nasty_report(texts, **more):
    """A report in which every name and text is one of these."""
    made, scores = made_traces(24, 4)
    found, by_id = [], {}
    for number, trace in enumerate(made):
        say = texts[number % len(texts)]
        name = f"{number:02} {say}"
        edges = [
            Hyperedge(f"{place} {say}", f"{say} {number} {place}", label=edge.label)
            for place, edge in enumerate(trace.hyperedges)
        ]
        found.append(Trace(name, say, edges, say, metadata={"model": say}))
        by_id[name] = scores[trace.id]
    traces = TraceSet(found, path=f"/somewhere/{texts[0]}.jsonl".replace("\x00", ""))
    return threshold_report(
        traces,
        by_id,
        threshold=0.4,
        options=ReportOptions(reference=0.2, title=texts[0]),
        resampling=Resampling(samples=20),
        **more,
    )


def shown(text):
    """What a page shows of a text: what HTML has no character for, or turns letters, is marked."""
    cleaned = re.sub(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]",
        "\ufffd",
        text.replace("\r\n", "\n"),
    )
    for number in (*range(0x202A, 0x202F), *range(0x2066, 0x206A)):
        cleaned = cleaned.replace(chr(number), f"⟨U+{number:04X}⟩")
    return cleaned


def plain_page():
    traces, scores = made_traces(24, 4)
    return threshold_report(traces, scores, threshold=0.4, resampling=Resampling(samples=20))


def shape(read):
    """Which elements a page may have, whatever its texts say."""
    return {name for name, _ in read.elements}, {key for _, of in read.elements for key in of}


class TestNothingIsLoaded:
    def test_no_element_points_anywhere_but_into_the_page(self):
        read = ReadPage(plain_page())
        for name, attributes in read.elements:
            for key, value in attributes.items():
                assert key not in {"src", "srcset", "action", "data", "style"} or not value
                if key == "href":
                    assert value.startswith("#"), (name, value)
                assert not key.startswith("on")
        assert "link" not in {name for name, _ in read.elements}

    def test_links_lead_to_the_sections(self):
        read = ReadPage(plain_page())
        ids = {attributes["id"] for name, attributes in read.elements if name == "section"}
        links = {attributes["href"][1:] for name, attributes in read.elements if name == "a"}
        assert links == ids

    def test_the_policy_knows_the_scripts_by_their_digests_and_refuses_the_rest(self):
        read = ReadPage(plain_page())
        policy = next(
            of["content"]
            for _, of in read.elements
            if of.get("http-equiv") == "Content-Security-Policy"
        )
        rules = {rule.split()[0]: rule.split()[1:] for rule in policy.split(";")}
        assert rules["default-src"] == ["'none'"]
        _, *scripts = read.scripts  # the first is data, and runs nothing
        digests = [
            f"'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'"
            for one in scripts
        ]
        assert rules["script-src"] == digests
        assert "http" not in policy

    def test_plotly_is_there_once(self):
        assert plain_page().count("* plotly.js (cartesian - minified)") == 1

    def test_styles_ask_for_nothing(self):
        style = re.search("<style>(.*?)</style>", plain_page(), re.DOTALL).group(1)
        assert "url(" not in style
        assert "@import" not in style
        assert "prefers-color-scheme: dark" in style
        assert "@media print" in style


class TestTexts:
    def test_nasty_names_and_texts_stay_text(self):
        read = ReadPage(nasty_report(NASTY))
        names, keys = shape(ReadPage(nasty_report(["plain"])))
        assert shape(read) == (names | {"br"}, keys)  # between models
        assert len(read.scripts) == 3
        rows = [row for row in read.tables["Calls that change"] if row[0] != "trace"]
        said = {row[2].rsplit(" ", 2)[0] for row in rows}
        assert said == {shown(text) for text in NASTY}
        for name in NASTY:
            assert shown(name) in read.sections["about"]

    @pytest.mark.slow
    @given(texts=st.lists(st.text(max_size=40), min_size=1, max_size=4))
    @settings(max_examples=15, deadline=None)
    def test_any_text_stays_text(self, texts):
        read = ReadPage(nasty_report(texts))
        known, attributes = shape(ReadPage(nasty_report(["plain"])))
        names, keys = shape(read)
        assert names <= known | {"br"}  # between models
        assert keys <= attributes
        assert len(read.scripts) == 3

    def test_names_of_methods_too(self):
        made, scores = made_traces(12, 4)
        whole = pd.DataFrame(
            {
                "trace": [t.id for t in made for _ in t.hyperedges],
                "unit": [e.id for t in made for e in t.hyperedges],
                "text": [e.hyperedge for t in made for e in t.hyperedges],
                "score": [score for of in scores.values() for score in of],
                "verdict": "used",
                "feedback": 1.0,
            }
        )
        page = threshold_report(
            made,
            whole,
            options=ReportOptions(compared={NASTY[0]: whole}),
            resampling=Resampling(samples=10),
        )
        read = ReadPage(page)
        assert read.tables["Agreement of methods"][1][1] == NASTY[0]
        assert len(read.scripts) == 3


class TestMarkup:
    @given(st.text())
    def test_escaped_text_comes_back(self, text):
        read = ReadPage(str(tag("section", text, id="x")))
        # The parser's own normalising of line ends aside.
        assert read.sections.get("x", "") == shown(text)

    def test_cells_and_attributes_are_escaped(self):
        made = table(["<b>"], [['"<i>"']], caption="'&")
        read = ReadPage(str(made))
        assert read.tables["'&"] == [["<b>"], ['"<i>"']]
        assert {name for name, _ in read.elements} == {
            "div", "table", "caption", "thead", "tbody", "tr", "th",
        }  # fmt: skip
        link = ReadPage(str(tag("a", "x", title='"><script>', href="#y"))).elements
        assert link == [("a", {"title": '"><script>', "href": "#y"})]

    @pytest.mark.parametrize("value", [None, False])
    def test_attributes_that_are_not_there(self, value):
        assert tag("details", open_=value) == "<details></details>"
        assert tag("details", open_=True) == "<details open></details>"

    def test_markup_is_not_escaped_twice(self):
        assert escaped(escaped("<")) == "&lt;"


def test_what_turns_letters_around_is_seen() -> None:
    assert escaped("a\u202ecba\u202c\r\nd") == "a⟨U+202E⟩cba⟨U+202C⟩\nd"
