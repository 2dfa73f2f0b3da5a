"""The bundles of the front end are those that its sources make; noticed without Node."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FRONTEND = ROOT / "frontend"
ASSETS = ROOT / "explorer" / "widgets" / "assets"
MANIFEST = json.loads((ASSETS / "manifest.json").read_text("utf-8"))

MADE_OF = ("src", "build.mjs", "package-lock.json", "package.json", "tsconfig.json")


def digest(parts: list[str]) -> str:
    """As `frontend/build.mjs` works it out: every part, each followed by a zero."""
    return sha256(b"".join(part.encode() + b"\0" for part in parts)).hexdigest()


def text(path: Path) -> str:
    return path.read_bytes().decode().replace("\r\n", "\n")


@pytest.mark.skipif(not FRONTEND.is_dir(), reason="the sources of the front end are not here")
def test_the_bundles_are_made_of_these_sources():
    files = [
        path
        for name in MADE_OF
        for path in ((FRONTEND / name).rglob("*") if "." not in name else [FRONTEND / name])
        if path.is_file()
    ]
    # In the order of JavaScript's sort: by UTF-16 units, which for these names is by letters.
    paths = sorted(path.relative_to(FRONTEND).as_posix() for path in files)
    made = digest([part for path in paths for part in (path, text(FRONTEND / path))])
    assert made == MANIFEST["sources"], "Stale bundles: run `make frontend` and commit them."


def test_every_bundle_is_as_it_was_made():
    found = {path.name for path in ASSETS.iterdir() if path.is_file()} - {"manifest.json"}
    assert found == set(MANIFEST["bundles"])
    for name, expected in MANIFEST["bundles"].items():
        assert digest([text(ASSETS / name)]) == expected, f"{name} was edited: edit frontend/src."
    assert len(MANIFEST["bundles"]) == 7


def test_what_comes_with_every_widget_is_small():
    assert len((ASSETS / "widget.js").read_bytes()) < 4_000


def test_the_lock_file_names_no_registry():
    if not FRONTEND.is_dir():
        pytest.skip("the sources of the front end are not here")
    lock = json.loads((FRONTEND / "package-lock.json").read_text("utf-8"))
    assert len(lock["packages"]) > 10
    assert [name for name, one in lock["packages"].items() if "resolved" in one] == []
