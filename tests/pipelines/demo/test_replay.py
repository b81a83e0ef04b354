"""The last weeks of a small simulated shop, lived through by the service's own code and simulated staff."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from features.clock import DAY
from features.ledger.sql import execute, rows
from features.ledger.store import Ledger
from features.settings import Settings
from pipelines.console import bars
from pipelines.demo.keeping_back import keep_back
from pipelines.demo.people import employ, invitations
from pipelines.demo.policies import MORE_DRAWN, SMALL_VALUES
from pipelines.demo.progress import Progress
from pipelines.demo.replay import replay
from pipelines.demo.shifts import Shifts, _working
from pipelines.ingest.run import ingest
from pipelines.simulate.run import simulate
from serving.cases import photos
from serving.policy.reading import read
from serving.policy.source import FILE, default_policy
from serving.staff import links
from serving.texts.judging import blaming_words
from tests.support.service import keep_model, settings_of

END = dt.date(2026, 6, 30)
FIRST = dt.date(2026, 6, 11)
BEGIN = (FIRST - dt.date(1970, 1, 1)).days * DAY
STOP = BEGIN + 20 * DAY


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home before the weeks: what was known until then is ingested, and there is a model."""
    home = tmp_path_factory.mktemp("demo") / "home"
    simulate(home / "tables", customers=900, days=150, seed=4, end=END)
    keep_back(home / "tables", FIRST)
    assert ingest(home / "tables", settings=settings_of(home)).exit_status == 0
    keep_model(home, "1")
    _draw_many(home)
    return home


_MANY = {"uncertain_from": "uncertain_from: 0.001", "uncertain_rate": "uncertain_rate: 0.3"}


def _draw_many(home: Path) -> None:
    """A policy that draws nearly a third of all returns for a check, as the shop is small."""
    content = re.sub(
        r"uncertain_from: [\d.]+|uncertain_rate: [\d.]+",
        lambda found: _MANY[found[0].split(":")[0]],
        FILE.read_text(encoding="utf-8"),
    )
    ledger = Ledger.open(settings_of(home))
    try:
        with ledger.write() as conn:
            execute(
                conn,
                "INSERT INTO policies (version, content, why, proposed_by, proposed_at, decided_by, decided_at,"
                " decision) VALUES ('many', ?, 'a test', 'x', 1, 'y', 2, 'published')",
                (content,),
            )
    finally:
        ledger.close()


def lived(home: Path, *, days: int = 20, done: int = 0) -> Progress:
    state = Progress(
        customers=900, end=FIRST + dt.timedelta(days=days - 1), replay_from=FIRST, ingested=True, promoted=True
    )
    state.replayed = done
    with bars() as progress:
        replay(settings_of(home), home / "tables", state, progress)
    return state


@pytest.fixture(scope="module")
def home(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = Path(shutil.copytree(shop, tmp_path_factory.mktemp("lived") / "home"))
    state = lived(home)
    assert state.days_to_replay == []
    return home


@pytest.fixture
def ledger(home: Path) -> Iterator[Ledger]:
    ledger = Ledger.open(settings_of(home))
    yield ledger
    ledger.close()


def ask(ledger: Ledger, sql: str, *parameters: object) -> list[tuple]:
    with ledger.read() as conn:
        return [tuple(row) for row in rows(conn, sql, parameters)]


class TestReplay:
    def test_every_return_is_assessed_at_its_own_moment(self, ledger: Ledger) -> None:
        asked = ask(ledger, "SELECT DISTINCT return_id, requested_at FROM returns WHERE requested_at >= ?", BEGIN)
        made = ask(ledger, "SELECT return_id, assessed_at FROM assessments")
        assert sorted(made) == sorted(asked)
        assert len(made) > 30

    def test_nothing_was_found_before_somebody_looked(self, ledger: Ledger) -> None:
        found = ask(
            ledger,
            "SELECT i.inspected_at, i.recorded_at, c.opened_at FROM inspections i"
            " JOIN returns r ON r.return_id = i.return_id JOIN cases c ON c.return_id = i.return_id"
            " WHERE r.requested_at >= ?",
            BEGIN,
        )
        assert found
        assert all(opened < looked <= recorded for looked, recorded, opened in found)
        loose = ask(
            ledger,
            "SELECT COUNT(*) FROM inspections i JOIN returns r ON r.return_id = i.return_id"
            " LEFT JOIN cases c ON c.return_id = r.return_id WHERE r.requested_at >= ? AND c.case_no IS NULL",
            BEGIN,
        )
        assert loose == [(0,)]

    def test_cases_are_closed_by_people_and_by_time_and_some_are_left(self, ledger: Ledger) -> None:
        states = dict(ask(ledger, "SELECT state, COUNT(*) FROM cases GROUP BY state"))
        assert states["closed"] >= 5
        assert sum(states.values()) - states["closed"] >= 5
        by_people = ask(ledger, "SELECT COUNT(*) FROM cases WHERE closed_by IS NOT NULL")
        assert by_people[0][0] >= 3

    def test_no_case_is_left_whose_time_was_over(self, ledger: Ledger) -> None:
        assert ask(ledger, "SELECT case_id FROM cases WHERE state != 'closed' AND due_at < ?", STOP - DAY // 24) == []

    def test_nothing_happened_later_than_the_history(self, ledger: Ledger) -> None:
        for table, column in (
            ("audit", "at"),
            ("case_notes", "at"),
            ("verdicts", "decided_at"),
            ("cases", "opened_at"),
        ):
            assert ask(ledger, f"SELECT MAX({column}) FROM {table}")[0][0] < STOP + DAY // 24

    def test_abuse_is_confirmed_on_evidence_only(self, ledger: Ledger) -> None:
        confirmed = ask(
            ledger,
            "SELECT v.basis, v.words, (SELECT COUNT(*) FROM case_findings f WHERE f.case_no = v.case_no)"
            " FROM case_verdicts v WHERE v.verdict = 'abuse_confirmed'",
        )
        assert all(basis in ("inspection", "carrier_trace") and words and found for basis, words, found in confirmed)

    def test_people_wrote_kind_words_and_took_pictures(self, ledger: Ledger) -> None:
        words = [
            text for (text,) in ask(ledger, "SELECT words FROM case_notes UNION ALL SELECT words FROM case_verdicts")
        ]
        assert len(words) > 5
        assert not [text for text in words if blaming_words(text)]
        pictures = ask(ledger, "SELECT case_no, photo_no FROM case_photos")
        with ledger.read() as conn:
            for case_no, photo_no in pictures[:2]:
                found = photos.find(conn, case_no, photo_no)
                assert found is not None
                assert found[0].startswith(b"\xff\xd8")

    def test_customers_were_written_to_at_the_time(self, ledger: Ledger) -> None:
        letters = ask(ledger, "SELECT case_no, kind, made_at FROM notices WHERE kind IN ('check', 'verdict')")
        opened = set(ask(ledger, "SELECT case_no, opened_at FROM cases"))
        concluded = set(ask(ledger, "SELECT case_no, at FROM case_verdicts"))
        assert len(letters) > 10
        for case_no, kind, made in letters:
            moments = [at for number, at in (opened if kind == "check" else concluded) if number == case_no]
            assert any(at <= made <= at + DAY // 12 for at in moments), (case_no, kind, made, moments)

    def test_the_policy_is_changed_by_two_people(self, ledger: Ledger) -> None:
        found = ask(ledger, "SELECT proposed_by != decided_by FROM policies WHERE decision = 'published'")
        assert found
        assert all(by_two for (by_two,) in found)

    def test_those_who_judged_had_not_asked_for_the_risk_but_for_a_few(self, ledger: Ledger) -> None:
        judged = ask(ledger, "SELECT COUNT(*) FROM audit WHERE operation = 'case.judge'")[0][0]
        asked = ask(ledger, "SELECT COUNT(*) FROM audit WHERE operation = 'case.see_risk'")[0][0]
        assert asked < judged / 2

    def test_again_nothing_more_happens(self, home: Path, ledger: Ledger) -> None:
        before = ask(ledger, "SELECT COUNT(*) FROM audit")
        assert lived(home, done=20).days_to_replay == []
        assert ask(ledger, "SELECT COUNT(*) FROM audit") == before


def test_a_customer_disputes_on_the_last_day_if_nobody_has(shop: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(shop, home)
    lived(home, days=9)
    last = BEGIN + 8 * DAY
    ledger = Ledger.open(settings_of(home))
    with ledger.write() as conn:
        execute(
            conn,
            "UPDATE cases SET state = 'closed', verdict = 'abuse_confirmed', closed_at = ? WHERE case_no ="
            " (SELECT MIN(case_no) FROM cases)",
            (last - DAY,),
        )
        shifts = Shifts(employ(conn, BEGIN), {}, ledger.hasher, lambda *_: None, few_from=last)
        shifts.begins(conn, last - DAY)
        assert shifts.next_at() is None
        shifts.begins(conn, last)
        assert last < (shifts.next_at() or 0) < last + DAY
        shifts.work(conn)
        assert rows(conn, "SELECT COUNT(*) FROM cases WHERE state = 'disputed'")[0][0] == 1
        shifts.begins(conn, last + DAY)
        while shifts.next_at() is not None:
            shifts.work(conn)
        assert rows(conn, "SELECT COUNT(*) FROM cases WHERE state = 'disputed'")[0][0] == 1, "it is left"
    ledger.close()


def test_an_interrupted_replay_goes_on_where_it_was(shop: Path, tmp_path: Path) -> None:
    home = Path(shutil.copytree(shop, tmp_path / "home"))
    lived(home, days=3)
    state = Progress(customers=900, end=FIRST + dt.timedelta(days=4), replay_from=FIRST, ingested=True, promoted=True)
    state.replayed = 2  # the third day was committed, and not counted
    with bars() as progress:
        replay(settings_of(home), home / "tables", state, progress)
    ledger = Ledger.open(settings_of(home))
    try:
        made = ask(ledger, "SELECT COUNT(*), COUNT(DISTINCT return_id) FROM assessments")[0]
        asked = ask(
            ledger,
            "SELECT COUNT(DISTINCT return_id) FROM returns WHERE requested_at >= ? AND requested_at < ?",
            BEGIN,
            BEGIN + 5 * DAY,
        )[0]
        assert made == (asked[0], asked[0])
    finally:
        ledger.close()


def test_changes_of_the_policy_fit_the_one_that_returnwise_comes_with() -> None:
    policy = default_policy()
    for change in (MORE_DRAWN, SMALL_VALUES):
        assert change.old in policy.text
        policy = read(change.applied(policy), "policy")
        assert policy.version == f"{default_policy().version}{change.letter}"


def test_links_lead_to_people_without_passwords(tmp_path: Path) -> None:
    ledger = Ledger.open(Settings(home=tmp_path, database_url="", mlflow_tracking_uri="", hash_key="k"))
    try:
        with ledger.write() as conn:
            assert invitations(conn, "http://x", STOP) == []
            team = employ(conn, BEGIN)
            assert employ(conn, BEGIN) == team
            made = invitations(conn, "http://x", STOP)
            assert [each.role for each in made] == ["administrator", "reviewer", "lead", "desk"]
            for each in made:
                opened = links.opened(conn, each.link.rpartition("/")[2], STOP + 1)
                assert opened.person is not None
                assert opened.person.login == each.login
                assert opened.person.is_invited
            again = invitations(conn, "http://x", STOP + 2)
            assert not {each.link for each in again} & {each.link for each in made}
    finally:
        ledger.close()


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-06-12T10:00", "2026-06-12T10:00"),
        ("2026-06-12T03:30", "2026-06-12T08:20"),
        ("2026-06-12T17:15", "2026-06-13T08:10"),
        ("2026-06-13T18:00", "2026-06-15T07:00"),
        ("2026-06-14T10:00", "2026-06-15T07:00"),
    ],
)
def test_people_work_by_day_and_not_on_sundays(moment: str, expected: str) -> None:
    def us(text: str) -> int:
        return int(dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp()) * 1_000_000

    assert _working(us(moment)) == us(expected)
