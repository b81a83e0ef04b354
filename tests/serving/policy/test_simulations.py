"""Simulations that people ask for: kept, made by a process of their own, and never left without an end."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import Connection

from features.ledger.sql import execute, rows
from features.ledger.store import Ledger
from serving.audit.trail import Actor, of_subject
from serving.policy import simulations, work
from serving.policy.changes import changes
from serving.policy.chart import HEIGHT, WIDTH, chart
from serving.policy.faults import PolicyError
from serving.policy.publishing import PolicyRefused
from serving.policy.simulations import KEPT_US, MOST_AT_ONCE, SILENCE_US, Stored
from serving.policy.simulator import Simulator
from serving.problems import Forbidden
from serving.writer import GroupWriter
from tests.support.policies import DEFAULT, changed
from tests.support.service import settings_of

ANN = Actor("staff", "ann", "analyst", "Ann")
NOW = 1_800_000_000_000_000
TEXT = changed(old_1="2026-12", new_1="other", old_2="work: 5.00", new_2="work: 1.00")


@pytest.fixture
def ledger(home: Path) -> Iterator[Ledger]:
    ledger = Ledger.open(settings_of(home))
    yield ledger
    ledger.close()


@pytest.fixture
def conn(ledger: Ledger) -> Iterator[Connection]:
    with ledger.write() as conn:
        yield conn


def ask(ledger: Ledger, text: str = TEXT, now: int = NOW) -> str:
    with ledger.write() as conn:
        return simulations.ask(conn, ANN, text, 365, now)


def found(ledger: Ledger, simulation_id: str) -> Stored:
    with ledger.read() as conn:
        stored = simulations.find(conn, simulation_id)
    assert stored is not None
    return stored


class TestAsk:
    def test_is_kept_and_on_record(self, conn: Connection) -> None:
        wanted = simulations.ask(conn, ANN, TEXT, 90, NOW)
        stored = simulations.find(conn, wanted)
        assert stored is not None
        assert (stored.content, stored.against, stored.days, stored.made_by) == (TEXT, DEFAULT, 90, "ann")
        (entry,) = of_subject(conn, f"policy_simulation:{wanted}")
        assert entry.content == {"version": "other", "days": 90}
        assert simulations.find(conn, "x") is None
        assert simulations.latest_of(conn, TEXT) is None

    def test_not_of_a_text_that_is_none_nor_by_everybody(self, conn: Connection) -> None:
        with pytest.raises(PolicyError):
            simulations.ask(conn, ANN, "version: 1", 90, NOW)
        with pytest.raises(Forbidden):
            simulations.ask(conn, Actor("staff", "x", "desk"), TEXT, 90, NOW)

    def test_a_process_that_is_gone_stands_in_nobody_s_way(self, conn: Connection) -> None:
        for _ in range(MOST_AT_ONCE):
            wanted = simulations.ask(conn, ANN, TEXT, 90, NOW)
        with pytest.raises(PolicyRefused):
            simulations.ask(conn, ANN, TEXT, 90, NOW)
        later = NOW + SILENCE_US + 1
        simulations.ask(conn, ANN, TEXT, 90, later)
        stored = simulations.find(conn, wanted)
        assert stored is not None
        assert stored.is_lost(later)
        simulations.beat(conn, wanted, 5, 10, later)
        stored = simulations.find(conn, wanted)
        assert stored is not None
        assert not stored.is_lost(later)
        assert (stored.done, stored.total) == (5, 10)

    def test_old_ones_go(self, conn: Connection) -> None:
        wanted = simulations.ask(conn, ANN, TEXT, 90, NOW)
        simulations.ask(conn, ANN, TEXT, 90, NOW + KEPT_US + 1)
        assert simulations.find(conn, wanted) is None


class TestWork:
    def test_finds_what_the_command_line_finds(self, ledger: Ledger, home: Path) -> None:
        wanted = ask(ledger)
        assert work.work(ledger, settings_of(home), wanted) == 0
        stored = found(ledger, wanted)
        assert stored.ended_at is not None
        assert stored.found is not None
        assert stored.found["versions"] == ["other", "2026-12"]
        assert stored.found["returns"] == sum(segment["returns"] for segment in stored.found["segments"]) / 5
        assert stored.done == stored.total > 0
        with ledger.read() as conn:
            latest = simulations.latest_of(conn, TEXT)
        assert latest is not None
        assert latest.simulation_id == wanted
        assert work.work(ledger, settings_of(home), wanted) == 1, "it has ended"

    def test_without_a_model_what_has_no_answer_is_left_out(self, ledger: Ledger, home: Path) -> None:
        import shutil

        shutil.rmtree(home / "models")
        wanted = ask(ledger)
        assert work.work(ledger, settings_of(home), wanted) == 1
        assert found(ledger, wanted).trouble == "no_returns"

    def test_what_goes_wrong_is_kept(
        self, ledger: Ledger, home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        wanted = ask(ledger)
        with ledger.write() as conn:
            execute(conn, "UPDATE policy_simulations SET against = 'no policy'")
        assert work.work(ledger, settings_of(home), wanted) == 1
        assert "policy in force" in (found(ledger, wanted).trouble or "")
        assert work.work(ledger, settings_of(home), "x") == 1


async def made(
    ledger: Ledger, home: Path, wanted: str, *, longest: float = 60, stop_after: float | None = None
) -> None:
    writer = GroupWriter(ledger)
    writer.start()
    simulator = Simulator(settings_of(home), writer, longest_seconds=longest)
    try:
        simulator.begin(wanted)
        if stop_after is not None:
            await asyncio.sleep(stop_after)
        else:
            while found(ledger, wanted).ended_at is None:
                await asyncio.sleep(0.05)
    finally:
        await simulator.stop()
        await writer.stop()


class TestSimulator:
    def test_makes_it_in_a_process_of_its_own(self, ledger: Ledger, home: Path) -> None:
        wanted = ask(ledger)
        asyncio.run(made(ledger, home, wanted))
        assert found(ledger, wanted).found is not None

    def test_ends_what_takes_too_long(self, ledger: Ledger, home: Path) -> None:
        wanted = ask(ledger)
        asyncio.run(made(ledger, home, wanted, longest=0.05))
        assert found(ledger, wanted).trouble == "too_long"

    def test_ends_it_with_the_service(self, ledger: Ledger, home: Path) -> None:
        wanted = ask(ledger)
        asyncio.run(made(ledger, home, wanted, stop_after=0.2))
        assert found(ledger, wanted).trouble == "stopped"

    def test_a_process_that_cannot_start(self, ledger: Ledger, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("serving.policy.simulator.sys.executable", os.fspath(home / "no-python"))
        wanted = ask(ledger)
        asyncio.run(made(ledger, home, wanted))
        assert found(ledger, wanted).trouble == "internal"


class TestChanges:
    def test_shows_what_changes_with_some_around(self) -> None:
        before = "".join(f"line {number}\n" for number in range(1, 31))
        after = before.replace("line 10\n", "line ten\n").replace("line 30\n", "")
        found = changes(before, after)
        assert [line.text for line in found if line.kind == "gone"] == ["line 10", "line 30"]
        assert [(line.after, line.text) for line in found if line.kind == "new"] == [(10, "line ten")]
        assert [line.text for line in found if line.kind == "skip"] == ["6", "13"]
        shown = [line for line in found if line.kind in ("same", "gone")]
        assert all(before.splitlines()[(line.before or 0) - 1] == line.text for line in shown)
        assert all(after.splitlines()[line.after - 1] == line.text for line in found if line.after)

    def test_nothing_of_the_same(self) -> None:
        assert changes(DEFAULT, DEFAULT) == []


class TestChart:
    def test_lies_within_the_picture(self) -> None:
        drawn = chart([[0.0, 80.0, 3.0] * 50, [1.0] * 150], 50)
        for line in drawn.lines:
            points = [tuple(map(float, point.split(","))) for point in line.split()]
            assert len(points) == 150
            assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)
            assert [x for x, _ in points] == sorted(x for x, _ in points)
        assert 0 < drawn.capacity < HEIGHT
        assert all(0 <= mark.at <= WIDTH for mark in drawn.days)

    @pytest.mark.parametrize("daily", [[[]], [[0.0]], [[0.0], [5.0]]])
    def test_of_little(self, daily: list[list[float]]) -> None:
        assert len(chart(daily, 1).lines) == len(daily)


def test_the_indexes_are_used(conn: Connection) -> None:
    plan = rows(
        conn, "EXPLAIN QUERY PLAN SELECT 1 FROM policy_simulations WHERE digest = ? ORDER BY made_at DESC", (b"",)
    )
    assert "ix_policy_simulations_digest" in str(plan)
