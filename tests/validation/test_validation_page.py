"""What the page about validation says is what happens."""

from __future__ import annotations

import re

import pytest

from explorer.validation._comparison.baselines import BASELINES
from explorer.validation._metrics.confusion import METRICS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def page(repository):
    return (repository / "docs" / "validation.md").read_text(encoding="utf-8")


def test_the_examples_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 5
    names = {}
    for block in blocks:
        exec(compile(block, "docs/validation.md", "exec"), names)  # noqa: S102


def test_every_metric_and_baseline_is_described(page):
    for name in (*METRICS, *BASELINES):
        assert f"| `{name}`" in page


def test_every_note_is_described(page, repository):
    folder = repository / "explorer" / "validation"
    parts = ("_data", "_thresholds", "_comparison")
    sources = [
        path.read_text(encoding="utf-8") for part in parts for path in (folder / part).glob("*.py")
    ]
    codes = {
        code for source in sources for code in re.findall(r'Diagnostic\(\s*"([a-z-]+)"', source)
    }
    assert len(codes) >= 5
    assert {code for code in codes if f"`{code}`" not in page} == set()
