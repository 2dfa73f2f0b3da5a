"""What needs no model needs no torch: these tests pass where torch cannot be imported."""

from __future__ import annotations

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


@pytest.mark.slow
@pytest.mark.parametrize("folder", FOLDERS)
def test_the_fast_tests_of_a_folder_need_no_torch(repository: Path, folder: str) -> None:
    chosen = "not slow and not browser and not packaged_model"
    ran = subprocess.run(
        [
            sys.executable,
            "-c",
            SCRIPT,
            "-q",
            "-p",
            "no:cacheprovider",
            "-m",
            chosen,
            f"tests/{folder}",
        ],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-3000:]
