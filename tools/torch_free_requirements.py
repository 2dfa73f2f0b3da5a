"""Print the requirements of the tests that run without torch, one a line.

For a Python that torch has no build for. The list holds the dependencies of the package, of its
extras for images and validation, and of the tests; each one that installs torch is left out.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NEEDS_TORCH = {"torch", "accelerate"}
"""Left out: torch itself, and what installs it."""

EXTRAS = ("excel", "gguf", "images", "validation")
TEST_TOOLS = {
    "datasets",
    "hypothesis",
    "jsonschema",
    "nbclient",
    "nbformat",
    "playwright",
    "pytest",
    "pytest-timeout",
}


def name_of(requirement: str) -> str:
    """Return the name of the package that a requirement asks for, in lower case."""
    return re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower()


def torch_free() -> list[str]:
    """Return the requirements in the order of pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    needed = [*project["dependencies"], *(item for extra in EXTRAS for item in extras[extra])]
    tools = [item for item in extras["dev"] if name_of(item) in TEST_TOOLS]
    return [item for item in [*needed, *tools] if name_of(item) not in NEEDS_TORCH]


if __name__ == "__main__":
    sys.stdout.write("\n".join(torch_free()) + "\n")
