from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from features.settings import get_settings
from pipelines.cli import app
from tests.support.receiver import Receiver, receiver


def invoke(*arguments: str, input: str | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=input)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("RETURNWISE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RETURNWISE_WEBHOOK_PRIVATE_ADDRESSES", "true")
    get_settings.cache_clear()
    yield tmp_path / "home"
    get_settings.cache_clear()


@pytest.fixture
def receiving() -> Iterator[Receiver]:
    with receiver() as one:
        yield one


def test_the_life_of_an_endpoint(receiving: Receiver) -> None:
    added = invoke("webhooks", "add", receiving.url, "--type", "case.closed", "--description", "the returns system")
    assert added.exit_code == 0, added.output
    endpoint_id, secret = added.stdout.split()
    assert re.fullmatch(r"ep_[0-9a-f]{16}", endpoint_id)
    assert secret.startswith("whsec_")

    tested = invoke("webhooks", "test", endpoint_id)
    assert (tested.exit_code, tested.stdout) == (0, f"{endpoint_id}: answered 204\n")
    assert receiving.received[0].check(secret)["type"] == "webhook.test"

    rotated = invoke("webhooks", "rotate", endpoint_id)
    assert rotated.stdout.split()[1] != secret

    receiving.answer = lambda _: 500
    failed = invoke("webhooks", "test", endpoint_id)
    assert (failed.exit_code, failed.stdout) == (1, f"{endpoint_id}: answered 500\n")
    for received in receiving.received[1:]:
        received.check(secret)
        received.check(rotated.stdout.split()[1])

    assert invoke("webhooks", "disable", endpoint_id).exit_code == 0
    listed = invoke("webhooks", "list").stdout
    assert secret not in listed
    assert listed.split("  ") == [
        endpoint_id,
        "disabled (hand)",
        "1 waiting",
        "0 given up",
        receiving.url,
        "case.closed",
        "the returns system\n",
    ]
    assert invoke("webhooks", "test", endpoint_id).stderr == "returnwise: This endpoint is disabled.\n"
    assert invoke("webhooks", "enable", endpoint_id).exit_code == 0
    assert invoke("webhooks", "retry", endpoint_id).stdout == "0 messages go out again\n"
    assert "in use" in invoke("webhooks", "list").stdout


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("add", "http://example.com/"), "The URL must begin with https://"),
        (("add", "https://example.com/", "--type", "x"), "There is no type x"),
        (("disable", "ep_0"), "There is no webhook endpoint ep_0"),
        (("test", "ep_0"), "There is no webhook endpoint ep_0"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(arguments: tuple[str, ...], why: str) -> None:
    result = invoke("webhooks", *arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"returnwise: {why}")
    assert result.stderr.count("\n") == 1
