"""`returnwise staff`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from features.settings import get_settings
from pipelines.cli import app
from tests.support.processes import free_port
from tests.support.repository import ROOT

pytestmark = pytest.mark.usefixtures("home")
LINK = re.compile(r"http://127\.0\.0\.1:8000/console/link/[\w-]{43}\n")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RETURNWISE_HOME", str(tmp_path / "home"))
    get_settings.cache_clear()
    return tmp_path / "home"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["staff", *arguments])


def add(login: str = "ann@example.com", role: str = "administrator") -> Result:
    return run("add", login, "--name", "Ann de Vries", "--role", role)


def test_a_link_for_the_first_administrator_while_nobody_is_there() -> None:
    assert LINK.fullmatch(run("link").stdout)
    assert LINK.fullmatch(add().stdout)
    refused = run("link")
    assert refused.exit_code == 1
    assert "name the login" in refused.stderr


def test_accounts_are_made_and_listed() -> None:
    assert add().exit_code == 0
    assert add("bob", "reviewer").exit_code == 0
    assert run("disable", "bob").exit_code == 0
    assert run("list").stdout.splitlines() == [
        "ann@example.com  administrator  invited  Ann de Vries",
        "bob  reviewer  disabled  Ann de Vries",
    ]
    assert run("enable", "BOB").exit_code == 0
    assert "bob  reviewer  invited" in run("list").stdout


def test_a_link_for_a_new_password_at_the_address_that_people_use() -> None:
    add()
    assert LINK.fullmatch(run("link", "ann@example.com").stdout)
    shown = run("link", "ann@example.com", "--url", "https://returns.example.com/")
    assert shown.stdout.startswith("https://returns.example.com/console/link/")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("link", "nobody"), "no account 'nobody'"),
        (("disable", "nobody"), "no account 'nobody'"),
        (("add", "x y", "--name", "A", "--role", "lead"), "A login has"),
        (("add", "ann", "--name", "A", "--role", "boss"), "Choose one of the roles"),
        (("add", "ann", "--name", " ", "--role", "lead"), "Give a name"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(arguments: tuple[str, ...], why: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 1
    assert why in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_the_first_start_prints_a_link_that_works(home: Path) -> None:
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RETURNWISE_")}
    environment |= {"RETURNWISE_HOME": str(home), "RETURNWISE_MODEL_START_SECONDS": "0"}
    command = [sys.executable, "-m", "pipelines.cli", "serve", "--port", str(port)]
    log = home.with_name("serve.log")
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
    try:
        until = time.monotonic() + 120
        while not (links := re.findall(rf"http://127\.0\.0\.1:{port}/console/link/[\w-]{{43}}", log.read_text())):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.05)
        while True:
            try:
                answer = httpx.get(links[0])
                break
            except httpx.TransportError:
                assert time.monotonic() < until, log.read_text()
                time.sleep(0.05)
        assert answer.status_code == 200
        assert "Set up the console" in answer.text
    finally:
        process.terminate()
        process.wait(30)
