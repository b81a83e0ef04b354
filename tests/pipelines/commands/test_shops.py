from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from features.settings import get_settings
from pipelines.cli import app


def invoke(*arguments: str, input: str | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=input)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("RETURNWISE_HOME", str(tmp_path / "home"))
    get_settings.cache_clear()
    yield tmp_path / "home"
    get_settings.cache_clear()


def test_a_shop_that_lets_us_gets_a_secret() -> None:
    result = invoke("shops", "connect", "woocommerce", "--name", "Shop NL", "--prefix", "nl-")
    connection_id, path, secret = result.stdout.split()
    assert re.fullmatch("[0-9a-f]{24}", connection_id)
    assert path == f"/v1/shops/{connection_id}"
    assert len(secret) == 43
    listed = invoke("shops", "list").stdout
    assert listed == f"{connection_id}  woocommerce  connected  0 waiting  prefix nl-  Shop NL\n"
    assert invoke("shops", "disconnect", connection_id).exit_code == 0
    assert "disconnected" in invoke("shops", "list").stdout


@pytest.mark.parametrize("way", ["asked", "stdin", "file"])
def test_one_that_does_not_is_given_its_own(way: str, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("a secret of the shop\n")
    extra = {"asked": [], "stdin": ["--secret-file", "-"], "file": ["--secret-file", str(file)]}[way]
    given = None if way == "file" else "a secret of the shop\n"
    result = invoke("shops", "connect", "shopify", "--name", "Shop", *extra, input=given)
    assert result.exit_code == 0, result.output
    assert len(result.stdout.split()) == 2
    assert "a secret of the shop" not in result.output


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("connect", "magento", "--name", "x"), "There is no kind of shop magento"),
        (("disconnect", "0"), "There is no connection 0"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(arguments: tuple[str, ...], why: str) -> None:
    result = invoke("shops", *arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"returnwise: {why}")
    assert result.stderr.count("\n") == 1
