"""What needs no model needs no torch: tests are imported, and some run, with torch hidden."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

FOLDERS = (
    "feedback",
    "figures",
    "source",
    "traces",
    "reporting",
    "rag/extraction",
    "rag/weights",
    "validation",
    "widgets",
)

# torch is hidden before anything else is imported.
SCRIPT = """
import sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Hidden())
import pytest

sys.exit(pytest.main(sys.argv[1:]))
"""


def run_without_torch(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    fast = "not slow and not browser and not packaged_model"
    command = [sys.executable, "-c", SCRIPT, "-q", "-p", "no:cacheprovider", "-m", fast]
    return subprocess.run(
        [*command, *arguments], cwd=repository, capture_output=True, text=True, check=False
    )


def test_the_requirements_without_torch_are_pinned_and_install_no_torch(repository: Path) -> None:
    printed = subprocess.run(
        [sys.executable, "tools/torch_free_requirements.py"],
        cwd=repository,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    names = {re.split(r"[^\w.-]", line, maxsplit=1)[0].lower() for line in printed.splitlines()}
    assert {"numpy", "pytest", "hypothesis", "scikit-learn", "transformers"} <= names
    assert not {"torch", "accelerate", "mlflow-skinny", "ray"} & names
    constraints = (repository / "constraints.txt").read_text().lower().replace("_", "-")
    assert [name for name in names if f"\n{name.replace('_', '-')}==" not in constraints] == []


@pytest.mark.slow
def test_the_fast_tests_are_imported_without_torch(repository: Path) -> None:
    folders = [f"tests/{folder}" for folder in FOLDERS]
    # Copies of tensors are the subject of this one.
    about_torch = "--ignore=tests/widgets/test_attention_copies.py"
    ran = run_without_torch(repository, "--collect-only", about_torch, *folders)
    assert ran.returncode == 0, ran.stdout[-3000:]


@pytest.mark.slow
def test_the_conversion_core_passes_its_tests_without_torch(repository: Path) -> None:
    ran = run_without_torch(repository, "tests/feedback")
    assert ran.returncode == 0, ran.stdout[-3000:]
