"""Run the notebooks from top to bottom: `python -m notebooks.run [NAME ...] [--pictures]`.

They are stored without outputs. With `--pictures` the pictures of cells whose id is `picture-NAME` are written to
`docs/pictures/NAME.png`, where docs/notebooks.md shows them.
"""

from __future__ import annotations

import argparse
import base64
import io
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import nbformat
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient
from nbformat import NotebookNode
from PIL import Image

FOLDER = Path(__file__).parent
PICTURES = FOLDER.parent / "docs" / "pictures"


def notebooks() -> list[Path]:
    """The notebooks, in the order in which they are meant to be read."""
    return sorted(FOLDER.glob("[0-9]*.ipynb"))


def execute(paths: Iterable[Path]) -> Iterator[tuple[Path, NotebookNode]]:
    """Each notebook with the outputs of a run from top to bottom; raises nbclient's `CellExecutionError`.

    One kernel runs them one after the other, so that libraries are imported once; all names are forgotten between two.
    """
    kernel = KernelManager(kernel_name="python3")
    kernel.start_kernel(cwd=str(FOLDER))
    try:
        for path in paths:
            notebook = nbformat.read(path, as_version=4)
            notebook.cells.append(nbformat.v4.new_code_cell("%reset -f"))
            client = NotebookClient(notebook, km=kernel, timeout=300)
            client.execute()
            client.kc.stop_channels()
            del notebook.cells[-1]
            yield path, notebook
    finally:
        kernel.shutdown_kernel(now=True)


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
    chosen = [path for path in notebooks() if not asked.names or path.name.startswith(tuple(asked.names))]
    began = time.perf_counter()
    for path, ran in execute(chosen):
        print(f"{path.name}: {time.perf_counter() - began:.0f} s")
        for cell, png in pictures(ran) if asked.pictures else ():
            if cell.startswith("picture-"):
                PICTURES.mkdir(parents=True, exist_ok=True)
                few_colours = Image.open(io.BytesIO(png)).convert("RGB").quantize(96)  # a third of the size
                few_colours.save(PICTURES / f"{cell.removeprefix('picture-')}.png", optimize=True)
        began = time.perf_counter()


if __name__ == "__main__":
    main()
