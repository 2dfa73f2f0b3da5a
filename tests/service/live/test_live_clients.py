"""The documented protocol and the clients in docs/live."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from explorer.service._live.live_messages import message_schema

DOCS = Path(__file__).parents[3] / "docs"
SCHEMA = DOCS / "live" / "messages.schema.json"
TOKEN = "the-token-of-this-test"


def test_the_documented_schema_is_that_of_the_messages() -> None:
    made = json.dumps(message_schema(), indent=2) + "\n"
    if os.environ.get("UPDATE_SHARED"):
        SCHEMA.write_text(made, encoding="utf-8")
    assert SCHEMA.read_text("utf-8") == made, "Run this test with UPDATE_SHARED=1."


def test_every_field_of_a_text_is_documented() -> None:
    text = (DOCS / "live.md").read_text("utf-8")
    for kind in ("CodeMessage", "AttentionMessage"):
        for name in message_schema()["$defs"][kind]["properties"]:
            assert f"`{name}`" in text or f'"{name}"' in text, name


@pytest.mark.parametrize("name", ["live_client.py", "live_client.mjs"])
def test_a_client_has_60_lines(name) -> None:
    assert len((DOCS / "live" / name).read_text("utf-8").splitlines()) <= 60


@pytest.mark.parametrize("token", [None, TOKEN])
def test_the_python_client_follows_a_file(started, tmp_path, token) -> None:
    service = started(token=token)
    path = tmp_path / "code.py"
    path.write_text("def first(x):\n    return x\n", encoding="utf-8")
    environment = {**os.environ, "EXPLORER_TOKEN": token or "", "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, str(DOCS / "live" / "live_client.py"), str(path)]
    with (
        subprocess.Popen(
            [*command, service.url.replace("http", "ws") + "/live"],
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=environment,
        ) as client,
        ExitStack() as stack,
    ):
        assert client.stdout is not None
        stack.callback(client.terminate)

        def line_with(text: str) -> str:
            return next(line for line in client.stdout if text in line)  # type: ignore[union-attr]

        assert "0 of them known" in line_with("tiny:")
        assert "line 1" in line_with("def first")
        assert " x" in line_with("return x")
        path.write_text("def first(x):\n    return x + 1\n", encoding="utf-8")
        assert "0 of them known" not in line_with("tiny:")
        assert "line 2" in line_with("return x + 1")
