"""The rules of the house that no linter knows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.support.repository import CODE, PACKAGES, ROOT, documents, modules, texts


def test_no_module_is_longer_than_one_can_hold_in_mind() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in modules(*CODE)}
    assert {path: lines for path, lines in lengths.items() if lines > 450} == {}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_and_package_says_what_it_is_for(package: str) -> None:
    silent = [
        str(path.relative_to(ROOT)) for path in modules(package) if not path.read_text().startswith(('"""', 'r"""'))
    ]
    assert silent == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_folder_of_modules_is_a_package(package: str) -> None:
    folders = {path.parent for path in modules(package)}
    assert [str(folder.relative_to(ROOT)) for folder in folders if not (folder / "__init__.py").is_file()] == []


def test_tests_are_not_a_package() -> None:
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_tests_mirror_the_packages() -> None:
    strays = []
    for package in PACKAGES:
        for folder in {path.parent for path in (ROOT / "tests" / package).rglob("test_*.py")}:
            mirrored = ROOT / folder.relative_to(ROOT / "tests")
            if not mirrored.is_dir() and not mirrored.with_suffix(".py").is_file():
                strays.append(str(folder.relative_to(ROOT)))
    assert strays == []


def test_import_rules_are_kept() -> None:
    lint_imports = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint_imports, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


def test_nothing_names_the_folder_it_was_written_in() -> None:
    outside = f"{ROOT.parent}/"
    if outside in {"//", "/"}:
        pytest.skip("the checkout lies in the root folder")
    assert [str(path.relative_to(ROOT)) for path in texts() if outside in path.read_text(encoding="utf-8")] == []


def test_nothing_names_a_package_index() -> None:
    address = re.compile(r"https?://[^\s\"]+/(simple|packages)/|index-url")
    allowed = {ROOT / "Makefile", Path(__file__).resolve()}  # `--no-emit-index-url`
    found = [path for path in texts() if path not in allowed and address.search(path.read_text(encoding="utf-8"))]
    assert [str(path.relative_to(ROOT)) for path in found] == []


def test_links_between_documents_lead_somewhere() -> None:
    broken = []
    for page in documents():
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if "://" not in target and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)} -> {target}")
    assert broken == []


def test_files_named_in_documents_exist() -> None:
    missing = []
    for page in documents():
        for name in re.findall(r"`((?:features|training|serving|pipelines|tests)/[\w./]*)`", page.read_text()):
            if not (ROOT / name).exists() and not (ROOT / f"{name}.py").exists():
                missing.append(f"{page.relative_to(ROOT)}: {name}")
    assert missing == []


def test_make_targets_of_the_documents_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    named = {name for page in documents() for name in re.findall(r"`make ([a-z-]+)", page.read_text())}
    assert {"demo", "test"} <= named <= targets


def test_make_help_lists_every_target() -> None:
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    phony = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)[0].split()
    assert [name for name in phony if f"make {name} " not in done.stdout] == []


def test_changelog_has_the_form_it_says() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    assert re.findall(r"^## \[(.+?)\]", text, flags=re.MULTILINE)[0] == "Unreleased"
    kinds = set(re.findall(r"^### (.+)$", text, flags=re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_ci_ends_with_the_readme_test_command() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    commands = [line for line in script.read_text().splitlines() if line and not line.startswith("#")]
    assert commands[-1] == "make --no-print-directory test"
    assert "\nmake test " in (ROOT / "README.md").read_text()


def test_hooks_download_nothing() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    assert [repository["repo"] for repository in config["repos"]] == ["local"]
    assert {hook["language"] for repository in config["repos"] for hook in repository["hooks"]} == {"system"}


def test_every_file_that_a_package_reads_is_installed_with_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    globs = project["tool"]["setuptools"]["package-data"]["*"]
    left_out = [
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix not in {".py", ".pyc"} and not any(path.match(pattern) for pattern in globs)
    ]
    assert left_out == []


def test_decisions_are_numbered_one_by_one() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    titled = [int(page.read_text(encoding="utf-8").removeprefix("# ").split(".")[0]) for page in pages]
    assert titled == list(range(1, len(pages) + 1))


def test_a_decision_that_is_linked_is_the_one_that_is_named() -> None:
    wrong = []
    for page in documents():
        for number, target in re.findall(
            r"\[[Dd]ecision (\d+)\]\([^)]*?(\d{4})-[a-z-]+\.md\)", page.read_text(encoding="utf-8")
        ):
            if int(number) != int(target):
                wrong.append(f"{page.relative_to(ROOT)}: decision {number} -> {target}")
    assert wrong == []
