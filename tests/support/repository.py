"""The repository as the house tests see it: its root and its own text files."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("features", "training", "serving", "pipelines")
CODE = (*PACKAGES, "benchmarks", "tests", "notebooks")
_TEXT = {".py", ".md", ".toml", ".ini", ".mako", ".html", ".css", ".js", ".json", ".yaml", ".yml", ".ipynb", ".txt"}
_SKIPPED = {"__pycache__", ".ipynb_checkpoints"}


def modules(*folders: str) -> list[Path]:
    """Python files below the named folders, in order of their paths."""
    return sorted(
        path for folder in folders for path in (ROOT / folder).rglob("*.py") if not _SKIPPED & set(path.parts)
    )


def texts() -> list[Path]:
    """Every text file that people wrote: code, documents, catalogues, settings of tools."""
    below = [path for folder in (*CODE, "docs") for path in (ROOT / folder).rglob("*")]
    beside = [path for path in ROOT.iterdir() if path.suffix in _TEXT or path.name in {"Makefile", "MLproject"}]
    beside += [ROOT / ".ci" / "run", ROOT / ".pre-commit-config.yaml"]
    return sorted(
        {path for path in (*below, *beside) if path.is_file() and (path.suffix in _TEXT or path in beside)}
        - {path for path in below if _SKIPPED & set(path.parts)}
    )


def documents() -> list[Path]:
    """The Markdown pages."""
    return [path for path in texts() if path.suffix == ".md"]
