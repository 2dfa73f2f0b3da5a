"""Every notebook of the repository runs from top to bottom, and is committed clean."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.name)
def path(request):
    return request.param


def test_there_are_notebooks():
    assert FOLDER / "explorer.ipynb" in NOTEBOOKS


def test_a_notebook_is_committed_without_outputs_or_widget_state(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.id for cell in code if cell.outputs or cell.execution_count] == []
    assert set(notebook.metadata) <= {"kernelspec", "language_info"}
    assert notebook.metadata.kernelspec.name == "python3"


def test_a_notebook_runs_from_top_to_bottom(path):
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        store_widget_state=False,
    ).execute()
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", [])]
    assert [out for out in outputs if out.output_type == "error"] == []
    # A warning on the first screen of a notebook is a bug of ours, whoever issued it.
    stray = "".join(out.text for out in outputs if out.output_type == "stream")
    assert "Warning" not in stray


def test_the_first_cell_shows_the_app_and_a_picture_without_a_kernel():
    notebook = nbformat.read(FOLDER / "explorer.ipynb", as_version=4)
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    assert "notebook-only" not in first.metadata.get("tags", [])
    notebook.cells = [first]
    NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        resources={"metadata": {"path": str(FOLDER)}},
        store_widget_state=False,
    ).execute()
    shown = [out.data for out in first.outputs if "data" in out]
    assert any("application/vnd.jupyter.widget-view+json" in data for data in shown)
    assert any("data:image/png;base64," in data.get("text/html", "") for data in shown), (
        "opened without a kernel, the executed notebook would show no picture"
    )


def test_the_page_shows_the_app_alone():
    """`make app` leaves out every cell but the app's: see the Makefile."""
    notebook = nbformat.read(FOLDER / "explorer.ipynb", as_version=4)
    kept = [c for c in notebook.cells if "notebook-only" not in c.metadata.get("tags", [])]
    assert [cell.id for cell in kept] == ["app"]
