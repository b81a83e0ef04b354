"""Run the notebooks from top to bottom: `python -m notebooks.run [NAME ...] [--pictures]`.

They are stored without outputs. With `--pictures` the pictures of cells whose id is `picture-NAME` are written to
`docs/pictures/NAME.png`, where docs/notebooks.md shows them.
"""

from __future__ import annotations

import argparse
import base64
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

FOLDER = Path(__file__).parent
PICTURES = FOLDER.parent / "docs" / "pictures"


def notebooks() -> list[Path]:
    """The notebooks, in the order in which they are meant to be read."""
    return sorted(FOLDER.glob("[0-9]*.ipynb"))


def execute(path: Path) -> NotebookNode:
    """A notebook with the outputs of a run from top to bottom; raises nbclient's `CellExecutionError`."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(FOLDER)}}
    ).execute()
    return notebook


def pictures(notebook: NotebookNode) -> Iterator[tuple[str, bytes]]:
    """Id of the cell and PNG of every picture, in order."""
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if "image/png" in output.get("data", {}):
                yield cell.id, base64.b64decode(output["data"]["image/png"])


def main() -> None:
    """Run what the command line names, all of them by default."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", help="notebooks, by the beginning of their names")
    parser.add_argument("--pictures", action="store_true", help="write the pictures of docs/notebooks.md anew")
    asked = parser.parse_args()
    for path in notebooks():
        if asked.names and not path.name.startswith(tuple(asked.names)):
            continue
        began = time.perf_counter()
        ran = execute(path)
        print(f"{path.name}: {time.perf_counter() - began:.0f} s")
        for cell, png in pictures(ran) if asked.pictures else ():
            if cell.startswith("picture-"):
                PICTURES.mkdir(parents=True, exist_ok=True)
                (PICTURES / f"{cell.removeprefix('picture-')}.png").write_bytes(png)


if __name__ == "__main__":
    main()
