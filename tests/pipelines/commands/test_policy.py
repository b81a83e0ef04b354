"""`returnwise policy check` and `returnwise policy show`."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from features.settings import get_settings
from pipelines.cli import app
from tests.support.policies import DEFAULT, line_of

RUNNER = CliRunner()


def test_check_tells_all_faults_and_ends_with_1(tmp_path: Path) -> None:
    text = DEFAULT.replace("checks_a_day: 50", "checks_a_day: 0").replace("random_rate: 0.01\n", "randomrate: 1\n")
    file = tmp_path / "shop.yaml"
    file.write_text(text)
    result = RUNNER.invoke(app, ["policy", "check", str(file)])
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0].startswith(f"{file}:{line_of(text, 'checks_a_day: 0')}:17: capacity.checks_a_day: 0 is not a whole")
    assert any("unknown key 'randomrate'" in line for line in lines)
    assert f"{len(lines)} faults" in result.stderr


def test_check_of_a_file_that_is_in_order_or_not_there(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    assert RUNNER.invoke(app, ["policy", "check", str(file)]).exit_code == 1
    file.write_text(DEFAULT)
    result = RUNNER.invoke(app, ["policy", "check", str(file)])
    assert result.exit_code == 0
    assert result.stdout == "policy 2026-12 is in order: 1 rule; the rest by expected cost\n"


def test_show_gives_a_text_that_can_be_checked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RETURNWISE_HOME", str(tmp_path))
    get_settings.cache_clear()
    result = RUNNER.invoke(app, ["policy", "show"])
    get_settings.cache_clear()
    assert result.exit_code == 0
    assert result.stdout == DEFAULT
