"""Sweeping by the service, by hand, and by several at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from features.clock import DAY
from features.ledger.store import Ledger
from features.settings import get_settings
from pipelines.cli import app
from serving.app import create_app
from serving.cases import deadlines, records, repository, work
from serving.cases.errors import Stale
from serving.cases.repository import Case
from serving.clock import now_us
from serving.settings import ServingSettings
from tests.support.cases import ANN, BEN, Desk
from tests.support.service import HASH_KEY, running, settings_of


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """What the works gave or raised, all begun at the same moment in threads of their own."""
    begin = threading.Barrier(len(works))
    outcomes: list[Any] = [None] * len(works)

    def doing(place: int) -> None:
        begin.wait()
        try:
            outcomes[place] = works[place]()
        except Exception as error:  # noqa: BLE001 - looked at by the test
            outcomes[place] = error

    threads = [threading.Thread(target=doing, args=(place,)) for place in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def overdue(home: Path, count: int) -> list[Case]:
    ledger = Ledger.open(settings_of(home))
    try:
        desk = Desk(ledger, now_us() - 30 * DAY)
        desk.add_returns()
        return [desk.open(number) for number in range(count)]
    finally:
        ledger.close()


def states(home: Path, cases: list[Case]) -> set[str]:
    ledger = Ledger.open(settings_of(home))
    try:
        with ledger.read() as conn:
            found = [repository.find_no(conn, case.case_no) for case in cases]
        return {case.state for case in found if case is not None}
    finally:
        ledger.close()


def test_a_running_service_sweeps_at_once(home: Path) -> None:
    cases = overdue(home, 60)
    with running(create_app(settings_of(home), ServingSettings(model_poll_seconds=600))) as client:
        until = time.monotonic() + 20
        while states(home, cases) != {"closed"}:
            assert time.monotonic() < until, states(home, cases)
            time.sleep(0.05)
        told = client.get("/metrics").text
    assert 'returnwise_cases_closed_total{by="deadline",verdict="cleared"}' in told
    assert 'returnwise_cases_active{state="open"}' in told


def test_so_does_the_command(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = overdue(home, 3)
    monkeypatch.setenv("RETURNWISE_HOME", str(home))
    monkeypatch.setenv("RETURNWISE_HASH_KEY", HASH_KEY)
    get_settings.cache_clear()
    try:
        done = CliRunner().invoke(app, ["cases", "sweep"])
    finally:
        get_settings.cache_clear()
    assert done.exit_code == 0, done.output
    assert "cleared: 3" in done.output
    assert states(home, cases) == {"closed"}


def test_several_sweep_each_case_once(desk: Desk) -> None:
    cases = [desk.open(number) for number in range(6)]
    desk.pass_time(11 * DAY)

    def sweeping() -> int:
        return desk.write(lambda conn: deadlines.sweep(conn, desk.now, hasher=desk.ledger.hasher)).cleared

    assert sum(at_once(*[sweeping] * 4)) == 6
    for case in cases:
        assert len(desk.read(lambda conn, no=case.case_no: records.verdicts(conn, no))) == 1


@pytest.mark.parametrize("verdicts", [("cleared", "inconclusive"), ("inconclusive", "cleared")])
def test_of_two_who_close_a_case_at_the_same_moment_one_is_told(desk: Desk, verdicts: tuple[str, str]) -> None:
    case = desk.open()
    hasher = desk.ledger.hasher
    outcomes = at_once(
        lambda: desk.do(work.close, ANN, case, revision=1, verdict=verdicts[0], hasher=hasher),
        lambda: desk.do(work.close, BEN, case, revision=1, verdict=verdicts[1], hasher=hasher),
    )
    won = [each for each in outcomes if isinstance(each, Case)]
    lost = [each for each in outcomes if isinstance(each, Stale)]
    assert (len(won), len(lost)) == (1, 1)
    assert lost[0].since[0].content["verdict"] == won[0].verdict == desk.again(case).verdict
    assert len(desk.read(lambda conn: records.verdicts(conn, case.case_no))) == 1
