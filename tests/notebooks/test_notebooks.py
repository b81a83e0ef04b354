"""The notebooks run from top to bottom, say nothing on stderr, end with a picture, and are stored without outputs."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from notebooks.run import PICTURES, execute, notebooks, pictures
from tests.support.repository import ROOT

OURS = ("features", "training", "serving", "pipelines", "shop")
PAGE = ROOT / "docs" / "notebooks.md"


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def stored() -> list[tuple[Path, NotebookNode]]:
    return [(path, nbformat.read(path, as_version=4)) for path in notebooks()]


def test_there_are_four_and_they_are_valid() -> None:
    assert [path.name[:2] for path in notebooks()] == ["01", "02", "03", "04"]
    for _, notebook in stored():
        nbformat.validate(notebook)


def test_they_are_stored_without_outputs() -> None:
    for path, notebook in stored():
        for cell in code_cells(notebook):
            assert (cell.outputs, cell.execution_count, dict(cell.metadata)) == ([], None, {}), (path.name, cell.id)


def test_no_cell_uses_a_private_name_of_ours() -> None:
    private = re.compile(r"(^|\.)_(?!_)")
    for path, notebook in stored():
        for cell in code_cells(notebook):
            for node in ast.walk(ast.parse(cell.source)):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(OURS):
                    assert not private.search(node.module or ""), path.name
                    assert not [alias.name for alias in node.names if private.search(alias.name)], path.name
                if isinstance(node, ast.Attribute):
                    assert not private.search(node.attr), (path.name, node.attr)


def test_the_page_shows_every_notebook_and_every_picture() -> None:
    page = PAGE.read_text(encoding="utf-8")
    named = {
        cell.id.removeprefix("picture-")
        for _, notebook in stored()
        for cell in notebook.cells
        if cell.id.startswith("picture-") and cell.cell_type == "code"
    }
    assert {path.stem for path in PICTURES.glob("*.*")} == named
    assert [name for name in named if f"(pictures/{name}.png)" not in page] == []
    assert [path.name for path in notebooks() if f"`notebooks/{path.name}`" not in page] == []
    assert [path.name for path in PICTURES.iterdir() if path.stat().st_size > 150_000] == []


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")  # of Jupyter's own client
def test_they_run_from_top_to_bottom(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RETURNWISE_HOME", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    count = 0
    for path, ran in execute(notebooks()):
        cells = code_cells(ran)
        assert all(cell.execution_count for cell in cells), path.name
        loud = [o.text for cell in cells for o in cell.outputs if o.output_type == "stream" and o.name == "stderr"]
        assert loud == [], path.name
        drawn = dict(pictures(ran))
        assert drawn.get(cells[-1].id, b"").startswith(b"\x89PNG"), path.name
        assert set(drawn) == {cell.id for cell in cells if cell.id.startswith("picture-")}, path.name
        count += 1
    assert count == 4
