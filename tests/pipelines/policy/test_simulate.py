"""`returnwise policy simulate` over a home of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from features.settings import get_settings
from pipelines.cli import app
from tests.support.policies import changed
from tests.support.service import HASH_KEY, make_home, settings_of


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("template")
    make_home(home)
    return home


@pytest.fixture
def home(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    home = Path(shutil.copytree(template, tmp_path / "home"))
    monkeypatch.setenv("RETURNWISE_HOME", str(home))
    monkeypatch.setenv("RETURNWISE_HASH_KEY", HASH_KEY)
    get_settings.cache_clear()
    yield home
    get_settings.cache_clear()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "shop.yaml"
    file.write_text(changed(old_1="2026-12", new_1="mine", old_2="work: 5.00", new_2="work: 1.00"))
    return file


def simulate(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["policy", "simulate", *map(str, arguments)])


def test_tells_both_side_by_side(home: Path, file: Path) -> None:
    result = simulate(file)
    assert result.exit_code == 0, result.stderr
    for part in ("mine", "2026-12", "difference", "inspect_before_refund", "known: abuse found", "days over that"):
        assert part in result.stdout
    assert "assessed now by the champion" in result.stdout
    assert simulate(file).stdout == result.stdout


@pytest.mark.parametrize("ending", ["png", "svg", "pdf", "html"])
def test_draws_it(home: Path, file: Path, tmp_path: Path, ending: str) -> None:
    plot = tmp_path / f"picture.{ending}"
    result = simulate(file, "--plot", plot)
    assert result.exit_code == 0, result.stderr
    content = plot.read_bytes()
    assert len(content) > 5_000
    begins = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF", "html": b"<!doctype html>"}
    assert content.startswith(begins[ending])
    assert f"picture: {plot}" in result.stdout


def test_against_another_file_and_within_a_stretch(home: Path, file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(changed(old_1="2026-12", new_1="theirs"))
    result = simulate(file, "--against", other)
    assert result.exit_code == 0, result.stderr
    assert "theirs" in result.stdout
    assert (
        "there are no returns in that stretch"
        in simulate(file, "--since", "2001-01-01", "--until", "2001-12-31").stderr
    )
    assert "lies after" in simulate(file, "--since", "2026-12-31", "--until", "2001-12-31").stderr


def test_what_cannot_be_done_is_one_line(home: Path, file: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("version: 1\n")
    for result in (
        simulate(broken),
        simulate(file, "--plot", tmp_path / "picture.gif"),
        simulate(tmp_path / "nothing.yaml"),
    ):
        assert result.exit_code == 1
        assert result.stderr.lstrip().startswith("returnwise: ")
    shutil.rmtree(home / "models")
    assert simulate(file).exit_code == 1


def test_an_empty_ledger(tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETURNWISE_HOME", str(settings_of(tmp_path / "new").home))
    get_settings.cache_clear()
    result = simulate(file)
    get_settings.cache_clear()
    assert result.exit_code == 1
    assert "the ledger holds no returns" in result.stderr
