"""The notebook that explores a run: it works on a finished one, and says so where there is none."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from support.projects import ROOT

NOTEBOOK = ROOT / "notebooks" / "explore_a_run.ipynb"


def execute(project: Path) -> nbformat.NotebookNode:
    """Run every cell, with the project as the kernel's folder; where the notebook lies doesn't matter to it."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(project)}}).execute()
    return notebook


def pictures(cell: nbformat.NotebookNode) -> int:
    """Charts, and sheets, which are HTML."""
    shown = [output.get("data", {}) for output in cell.get("outputs", [])]
    return sum("image/png" in data or "<figure" in data.get("text/html", "") for data in shown)


def changes(project: Path) -> dict[Path, int]:
    """When each of a project's data files was written."""
    return {path: path.stat().st_mtime_ns for path in (project / "data").rglob("*") if path.is_file()}


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PT4AL_RUN", "tiny")
    monkeypatch.setenv("PT4AL_ENV", "tiny")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def test_every_cell_shows_what_it_should_and_changes_nothing(finished: Path, tiny: None) -> None:
    before = changes(finished)
    cells = [cell for cell in execute(finished).cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in cells)
    shown = {cell.id: pictures(cell) for cell in cells}
    wanted = {"histogram": 1, "hardest": 1, "easiest": 1, "queries": 3, "labels-drawn": 1, "curve": 1, "history": 1}
    assert {name: count for name, count in shown.items() if count} == wanted
    tables = {cell.id: cell.outputs[-1]["data"]["text/plain"] for cell in cells if cell.outputs}
    assert "query.measure" in tables["mlflow"]
    assert "tiny-c2" in tables["children"]
    assert changes(finished) == before


def test_a_run_that_does_not_exist_is_named_with_those_that_do(
    finished: Path, tiny: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PT4AL_RUN", "nonesuch")
    with pytest.raises(
        CellExecutionError, match=r"run 'nonesuch' has no finished cycle under .*: (did you mean|known).*tiny"
    ):
        execute(finished)


def test_the_notebook_in_git_holds_no_outputs() -> None:
    cells = [cell for cell in nbformat.read(NOTEBOOK, as_version=4).cells if cell.cell_type == "code"]
    assert [cell.id for cell in cells if cell.outputs or cell.execution_count] == []
