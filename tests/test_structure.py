"""Structure of the package: folders are small, names are unique, private names are marked."""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from pathlib import Path

import grimp
import networkx as nx
import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "explorer"

MOST_MODULES = 14
MOST_LINES = 320

# Modules longer than that, each with its reason.
LONG: dict[str, str] = {}

# Names of roles that several folders have.
ROLES = frozenset({"__init__", "panel", "controller", "texts", "scene"})

# What a user may import. Everything else is private, by an underscore on itself or on a folder.
PUBLIC_MODULES = frozenset(
    {
        "explorer",
        "explorer.agent",
        "explorer.analysis",
        "explorer.attention",
        "explorer.attention.measures",
        "explorer.batch",
        "explorer.cli",
        "explorer.errors",
        "explorer.examples",
        "explorer.examples.record",  # a command: `python -m explorer.examples.record`
        "explorer.feedback",
        "explorer.figures",
        "explorer.figures.colours",
        "explorer.models",
        "explorer.rag",
        "explorer.reporting",
        "explorer.run_control",
        "explorer.service",
        "explorer.source",
        "explorer.traces",
        "explorer.traces.readers",
        "explorer.tracking",
        "explorer.validation",
        "explorer.widgets",
    }
)

MODULES = sorted(PACKAGE.rglob("*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_private(name: str) -> bool:
    return any(part.startswith("_") for part in name.split("."))


def test_no_folder_is_too_wide() -> None:
    count = Counter(path.parent for path in MODULES if path.name != "__init__.py")
    wide = {str(folder): modules for folder, modules in count.items() if modules > MOST_MODULES}
    assert wide == {}


def test_no_module_is_too_long() -> None:
    lines = {module_name(path): len(path.read_text().splitlines()) for path in MODULES}
    long = {name: count for name, count in lines.items() if count > MOST_LINES}
    assert {name: count for name, count in long.items() if name not in LONG} == {}
    assert set(LONG) <= set(long), "An exception that is no longer needed."


def test_no_two_modules_share_a_name() -> None:
    places = defaultdict(list)
    for path in MODULES:
        if path.stem not in ROLES:
            places[path.stem.lstrip("_")].append(module_name(path))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_no_two_classes_share_a_name() -> None:
    places = defaultdict(list)
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                places[node.name.lstrip("_")].append(module_name(path))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def public_names(folder: Path) -> list[str]:
    """The names that a package exports: those that its stub imports."""
    tree = ast.parse((folder / "__init__.pyi").read_text())
    names = [
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]
    return [name for name in names if not name.startswith("_")]


def test_no_public_name_stands_twice() -> None:
    """`explorer` itself repeats the names that are used most; nothing else does."""
    packages = [path.parent for path in PACKAGE.glob("*/__init__.pyi")]
    assert len(packages) > 8
    count = Counter(name for folder in packages for name in public_names(folder))
    assert [name for name, times in count.items() if times > 1] == []


def test_public_modules_are_those_that_are_listed() -> None:
    found = {module_name(path) for path in MODULES}
    assert {name for name in found if not is_private(name)} == PUBLIC_MODULES


@pytest.mark.parametrize("folder", ["docs/development.md"])
def test_the_public_modules_are_documented(repository: Path, folder: str) -> None:
    text = (repository / folder).read_text()
    assert [name for name in sorted(PUBLIC_MODULES) if f"`{name}`" not in text] == []


def test_no_module_imports_itself_through_others() -> None:
    """Imports that only a type checker sees are counted: a reader has to follow them too."""
    graph = grimp.build_graph("explorer", exclude_type_checking_imports=False, cache_dir=None)
    imports = nx.DiGraph()
    for module in graph.modules:
        imports.add_edges_from(
            (module, found) for found in graph.find_modules_directly_imported_by(module)
        )
    cycles = [sorted(part) for part in nx.strongly_connected_components(imports) if len(part) > 1]
    assert cycles == []
