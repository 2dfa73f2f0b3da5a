"""What the page says about feedback for RAG is what happens."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from explorer.rag._methods.extractor_config import METHODS, ExtractorConfig


@pytest.fixture(scope="module")
def page(repository):
    return (repository / "docs" / "rag.md").read_text(encoding="utf-8")


def test_the_examples_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 5
    names = {}
    for block in blocks:
        exec(compile(block, "docs/rag.md", "exec"), names)  # noqa: S102


def test_every_method_and_key_is_described(page):
    for method in METHODS:
        assert f"| `{method}`" in page
    for key in fields(ExtractorConfig):
        assert f"`{key.name}`" in page
