"""A policy is proposed by one person and published by another, and then decides everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import Connection

from features.ledger.sql import execute, rows
from features.ledger.store import Ledger
from serving.audit.trail import CUSTOMER, SYSTEM, Actor, of_subject
from serving.policy import publishing
from serving.policy.faults import PolicyError
from serving.policy.publishing import PolicyRefused, Published, decide, history, propose
from serving.policy.source import PolicySource, default_policy, in_force
from serving.problems import Forbidden
from serving.staff.permissions import ROLES, may
from tests.support.policies import DEFAULT, changed
from tests.support.service import Api, assessment, settings_of

ANN, BEN = Actor("staff", "ann", "lead", "Ann"), Actor("staff", "ben", "lead", "Ben")
NOW = 1_800_000_000_000_000


def text(version: str = "2027-01") -> str:
    return changed(old_1="2026-12", new_1=version, old_2="window_days: 30", new_2="window_days: 60")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.open(settings_of(tmp_path))
    yield ledger
    ledger.close()


@pytest.fixture
def conn(ledger: Ledger) -> Iterator[Connection]:
    with ledger.write() as conn:
        yield conn


def published(conn: Connection, version: str = "2027-01", now: int = NOW) -> Published:
    made = propose(conn, ANN, text(version), "Longer for everybody.", now)
    return decide(conn, BEN, made.policy_no, True, now + 1)


class TestPropose:
    def test_is_kept_and_decides_nothing(self, conn: Connection) -> None:
        made = propose(conn, ANN, text(), " Longer for everybody. ", NOW)
        assert (made.version, made.why, made.proposed_by, made.proposed_at) == (
            "2027-01",
            "Longer for everybody.",
            "ann",
            NOW,
        )
        assert made.is_open
        assert made.content == text()
        assert in_force(conn) == default_policy()
        (entry,) = of_subject(conn, f"policy:{made.policy_no}")
        assert (entry.operation, entry.staff_id) == ("policy.propose", "ann")
        assert entry.content == {"what": "proposed", "version": "2027-01"}

    def test_what_is_wrong_is_told_by_line(self, conn: Connection) -> None:
        with pytest.raises(PolicyError, match=r"policy:\d+:\d+: capacity\.checks_a_day: 0 is not"):
            propose(conn, ANN, text().replace("checks_a_day: 50", "checks_a_day: 0"), "why", NOW)
        assert history(conn) == []

    @pytest.mark.parametrize("why", ["", "  ", "x" * (publishing.LONGEST_WHY + 1)])
    def test_needs_a_reason(self, conn: Connection, why: str) -> None:
        with pytest.raises(PolicyRefused) as caught:
            propose(conn, ANN, text(), why, NOW)
        assert caught.value.field == "why"

    def test_needs_a_version_of_its_own(self, conn: Connection) -> None:
        made = propose(conn, ANN, text(), "why", NOW)
        for taken in (text(), DEFAULT):
            with pytest.raises(PolicyRefused, match="is taken"):
                propose(conn, BEN, taken, "why", NOW)
        decide(conn, BEN, made.policy_no, False, NOW)
        propose(conn, ANN, text(), "the same again, after all", NOW)  # no answer ever named it

    def test_only_by_those_who_may(self, conn: Connection) -> None:
        for actor in (SYSTEM, CUSTOMER, Actor("staff", None, "lead"), *[Actor("staff", "x", role) for role in ROLES]):
            if actor.staff_id and may(actor.role or "", "policy.propose"):
                continue
            with pytest.raises(Forbidden):
                propose(conn, actor, text(), "why", NOW)


class TestDecide:
    def test_published_it_decides(self, conn: Connection) -> None:
        made = published(conn)
        assert (made.decision, made.decided_by, made.decided_at) == ("published", "ben", NOW + 1)
        assert in_force(conn).version == "2027-01"
        assert [entry.content["what"] for entry in of_subject(conn, f"policy:{made.policy_no}")] == [
            "published",
            "proposed",
        ]

    def test_never_one_s_own(self, conn: Connection) -> None:
        made = propose(conn, ANN, text(), "why", NOW)
        with pytest.raises(PolicyRefused, match="Somebody else"):
            decide(conn, ANN, made.policy_no, True, NOW)
        assert in_force(conn) == default_policy()
        assert decide(conn, ANN, made.policy_no, False, NOW).decision == "declined"

    def test_by_an_analyst_neither_published_nor_declined_for_others(self, conn: Connection) -> None:
        made = propose(conn, ANN, text(), "why", NOW)
        for publish in (True, False):
            with pytest.raises(Forbidden):
                decide(conn, Actor("staff", "cy", "analyst"), made.policy_no, publish, NOW)

    def test_once(self, conn: Connection) -> None:
        made = published(conn)
        for publish in (True, False):
            with pytest.raises(PolicyRefused, match="already"):
                decide(conn, BEN, made.policy_no, publish, NOW)
        with pytest.raises(PolicyRefused, match="no policy 77"):
            decide(conn, BEN, 77, True, NOW)

    def test_not_after_another_was_published_since(self, conn: Connection) -> None:
        early = propose(conn, ANN, text("early"), "why", NOW)
        published(conn, "late", NOW + 10)
        with pytest.raises(PolicyRefused, match="since early was proposed"):
            decide(conn, BEN, early.policy_no, True, NOW + 20)
        decide(conn, BEN, early.policy_no, False, NOW + 20)

    def test_the_history_is_whole(self, conn: Connection) -> None:
        versions = [f"v{number}" for number in range(5)]
        for number, version in enumerate(versions):
            published(conn, version, NOW + number * 10)
        assert [each.version for each in history(conn)] == versions[::-1]
        assert [each.version for each in history(conn, at_most=2, before=4)] == ["v2", "v1"]
        assert in_force(conn).version == "v4"


class TestSource:
    def test_reads_a_policy_once_and_sees_a_new_one_at_once(self, conn: Connection) -> None:
        source = PolicySource()
        assert source.current(conn) is default_policy()
        published(conn, "one")
        assert source.current(conn).version == "one"
        assert source.current(conn) is source.current(conn)
        published(conn, "two", NOW + 100)
        assert source.current(conn).version == "two"

    def test_goes_on_with_the_one_before_if_the_latest_cannot_be_read(self, conn: Connection) -> None:
        source = PolicySource()
        published(conn, "one")
        made = published(conn, "two", NOW + 100)
        execute(conn, "UPDATE policies SET content = 'version: two' WHERE policy_no = ?", (made.policy_no,))
        assert source.current(conn).version == "one"
        assert "policy two:1:1: costs is missing" in source.troubles["policy"]
        execute(conn, "UPDATE policies SET content = 'no policy' WHERE version = 'one'")
        assert PolicySource().current(conn) is default_policy()
        published(conn, "three", NOW + 200)
        assert source.current(conn).version == "three"
        assert source.troubles == {}

    def test_finds_it_by_the_index(self, conn: Connection) -> None:
        from serving.policy.source import _IN_FORCE

        assert "ix_policies_published" in str(rows(conn, f"EXPLAIN QUERY PLAN {_IN_FORCE}"))


def test_a_running_service_decides_by_it_and_keeps_what_it_answered(api: Api, shared_home: Path) -> None:
    body = assessment()
    before = api.assess(body).json()
    assert before["policy_version"] == "2026-12"
    ledger = Ledger.open(settings_of(shared_home))
    try:
        with ledger.write() as conn:
            published(conn, "live")
    finally:
        ledger.close()
    assert api.assess(assessment()).json()["policy_version"] == "live"
    assert api.assess(body).json() == before
