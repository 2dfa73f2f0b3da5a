"""What is saved of the code tab says what it is of, and shows what is pinned."""

from __future__ import annotations

import asyncio
import csv
import io
from pathlib import Path
from typing import Any

import pytest

from explorer import Explorer
from explorer.widgets._shell import notebook_display
from explorer.widgets._shell.export import contents
from explorer.widgets._shell.notebook_display import LatestStill

PIN = {"kind": "token", "index": 62}


def _rows(app: Explorer) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(contents(app, "table").decode())))


def test_a_table_says_model_head_rows_threshold_and_language() -> None:
    app = Explorer(layer=18, head=6)
    app.selection = PIN
    row = _rows(app)[0]
    expected = {
        "model": "SmolLM2-135M-Instruct",
        "language": "python",
        "rows": "62",
        "layer": "18",
        "head": "6",
        "reduction": "mean",
        "normalisation": "lift",
        "threshold": "0.5",
        "threshold_mode": "auto",
    }
    assert {name: row[name] for name in expected} == expected
    app.selection, app.head, app.threshold = None, None, 0.3
    row = _rows(app)[0]
    assert (row["rows"], row["head"], row["threshold_mode"]) == ("all", "mean", "fixed")
    app.tab = "traces"
    row = _rows(app)[0]
    assert row["trace"] == app.traces[0].id
    assert "language" not in row


def test_a_page_has_the_code_with_its_tint_and_a_square_map(tmp_path: Path) -> None:
    app = Explorer(layer=18, head=6)
    app.selection = PIN
    app.save(tmp_path / "view.html")
    page = (tmp_path / "view.html").read_text("utf-8")
    (code,) = page.split("<pre>")[1:]
    code = code.split("</pre>")[0]
    assert "fib" in code
    assert code.count("outline:") == 1  # the pinned token
    assert "title='0.431'" in code  # it looks most at {}
    assert "/ 0.00)" in code  # and not at all at others
    assert "comes later" in page
    assert ", not used" not in page
    assert '"scaleanchor":"x"' in page
    assert '"width":700' in page


@pytest.mark.parametrize("pinned", [None, PIN, {"kind": "unit", "name": "line 4"}])
def test_a_picture_is_drawn_with_any_pin(pinned: Any) -> None:
    app = Explorer(layer=18, head=6)
    app.selection = pinned
    assert contents(app, "png").startswith(b"\x89PNG")


def test_the_still_picture_is_of_the_latest_view_once_it_rests(monkeypatch: Any) -> None:
    monkeypatch.setattr(notebook_display, "_IDLE_S", 0.0)
    app = Explorer(layer=18, head=6)
    shown: list[str] = []

    async def use() -> None:
        LatestStill(app, shown.append, empty=False)
        for head in (1, 2, 3):
            app.head = head
        assert shown == []  # a change is not slower for it
        for _ in range(5):
            await asyncio.sleep(0)
        assert len(shown) == 1
        app.selection = PIN
        for _ in range(5):
            await asyncio.sleep(0)

    asyncio.run(use())
    first, second = shown
    assert first != second
    assert notebook_display.still_picture(app) == second
