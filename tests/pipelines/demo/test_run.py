"""`returnwise demo` from nothing to an answered curl."""

from __future__ import annotations

import datetime as dt
import json
import os
import shlex
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from features.errors import ReturnwiseError
from features.settings import Settings
from pipelines import demo
from tests.support.repository import ROOT

CUSTOMERS = 400


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_demo(home: Path, port: int) -> Iterator[list[str]]:
    """The demo's stdout up to and with its curl, while it serves; stopped as Ctrl+C stops it."""
    log = home.with_suffix(".log")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RETURNWISE_")}
    command = [sys.executable, "-m", "pipelines.cli", "demo", "--port", str(port), "--customers", str(CUSTOMERS)]
    with log.open("w") as out, log.with_suffix(".err").open("w") as err:
        process = subprocess.Popen(command, stdout=out, stderr=err, env={**environment, "RETURNWISE_HOME": str(home)})
    try:
        deadline = time.monotonic() + 240
        while "  -d " not in log.read_text():
            assert process.poll() is None, log.with_suffix(".err").read_text()
            assert time.monotonic() < deadline, log.with_suffix(".err").read_text()
            time.sleep(0.2)
        yield log.read_text().splitlines()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0, log.with_suffix(".err").read_text()
        assert "Traceback" not in log.with_suffix(".err").read_text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def send(command: str) -> dict[str, Any]:
    """What the printed command answers; run by the shell as a person would, or taken apart where there is no curl."""
    if shutil.which("curl"):
        done = subprocess.run(
            ["bash", "-c", command.replace("curl ", "curl -sS --fail-with-body ", 1)], capture_output=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return dict(json.loads(done.stdout))
    words = shlex.split(command)
    headers = dict(words[at + 1].split(": ", 1) for at, word in enumerate(words) if word == "-H")
    answer = httpx.post(words[1], headers=headers, content=words[words.index("-d") + 1])
    return dict(answer.raise_for_status().json())


def printed_links(lines: list[str]) -> dict[str, str]:
    """Role -> one-time link."""
    return {line.split()[0]: line.split()[2] for line in lines if "/console/link/" in line}


@contextmanager
def signed_in(link: str) -> Iterator[httpx.Client]:
    """A browser of who the link is for, after they have chosen a password."""
    base, _, _ = link.partition("/console/")
    password = "corn lamp river 9"
    with httpx.Client(base_url=base, headers={"Origin": base}, follow_redirects=True, timeout=30) as browser:
        answer = browser.post(link, data={"new_password": password, "new_password_again": password})
        assert answer.status_code == 200, answer.text
        yield browser


def undocumented(home: Path) -> list[str]:
    """What a home holds that the operators' page does not tell of."""
    told = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8").replace("/`", "`")
    its_own = {"demo.json", "tables"}
    return [path.name for path in home.iterdir() if path.name not in its_own and f"`{path.name}`" not in told]


def assessed_in(home: Path) -> int:
    """How many assessments the demo's ledger has."""
    with closing(sqlite3.connect(home / "ledger.db")) as ledger:
        return int(ledger.execute("SELECT COUNT(*) FROM assessments").fetchone()[0])


def printed_command(lines: list[str]) -> str:
    start = next(at for at, line in enumerate(lines) if line.startswith("curl "))
    return "\n".join(lines[start : start + 2])


@pytest.mark.slow
def test_the_printed_curl_is_answered_also_when_the_demo_is_run_again(tmp_path: Path) -> None:
    home, port = tmp_path / "home", free_port()
    with running_demo(home, port) as lines:
        first_key = next(line for line in lines if line.startswith("API key: "))
        first = send(printed_command(lines))
        assert 0 <= first["risk"] <= 1
        assert first["action"] in {"refund_now", "refund_on_scan", "inspect_before_refund", "staff_review"}
        assert first["history"]["orders"] >= 10
        assert send(printed_command(lines)) == first  # the same request, the stored answer
        first_links = printed_links(lines)
        assert set(first_links) == {"administrator", "reviewer", "lead", "desk"}
        with signed_in(first_links["reviewer"]) as browser:
            assert browser.get("/console/account").status_code == 200
            assert browser.get("/console/staff").status_code == 403
        assert httpx.get(first_links["reviewer"]).status_code == 404  # it worked once
    assert {path.name for path in home.iterdir()} == {"demo"}  # nothing outside the demo's own home
    assert undocumented(home / "demo") == []

    with running_demo(home, port) as lines:
        assert first_key not in lines
        again = send(printed_command(lines))
        assert again["return_id"] != first["return_id"]  # the first line has been returned by now
        assert again["model"] == first["model"]  # nothing was trained anew
        assert httpx.get(first_links["lead"]).status_code == 404
        with signed_in(printed_links(lines)["lead"]) as browser:
            assert browser.get("/console/help").status_code == 200
    assert assessed_in(home / "demo") > 20  # the last weeks were lived through


def test_a_taken_port_is_told_before_anything_is_done(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        with pytest.raises(ReturnwiseError, match=f"port {port} is taken"):
            demo.run(Settings(home=tmp_path / "home"), port=port, customers=CUSTOMERS)
    assert not (tmp_path / "home").exists()


def test_another_size_does_not_overwrite_a_demo(tmp_path: Path) -> None:
    demo.Progress(customers=300, end=dt.date(2026, 1, 1)).save(tmp_path)
    with pytest.raises(ReturnwiseError, match="holds a demo of 300 customers"):
        demo.Progress.load(tmp_path, 400)


def test_a_demo_goes_on_with_the_days_it_began_with(tmp_path: Path) -> None:
    demo.Progress(customers=300, end=dt.date(2026, 1, 1), ingested=True).save(tmp_path)
    state = demo.Progress.load(tmp_path, 300)
    assert (state.end, state.ingested, state.promoted) == (dt.date(2026, 1, 1), True, False)


def test_a_new_demo_ends_before_today_and_keeps_its_last_weeks_for_the_staff(tmp_path: Path) -> None:
    state = demo.Progress.load(tmp_path, 300)
    assert state.end == dt.datetime.now(tz=dt.UTC).date() - dt.timedelta(days=1)
    assert len(state.days_to_replay) == 28
    assert state.days_to_replay[-1] == state.end
    state.replayed = 27
    assert state.days_to_replay == [state.end]


def test_a_demo_of_an_earlier_version_has_no_days_to_live_through(tmp_path: Path) -> None:
    (tmp_path / "demo.json").write_text('{"customers": 300, "end": "2026-01-01", "ingested": true, "promoted": true}')
    assert demo.Progress.load(tmp_path, 300).days_to_replay == []
