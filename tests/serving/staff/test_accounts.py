from __future__ import annotations

import pytest
from sqlalchemy.engine import Connection

from serving.audit import trail
from serving.audit.trail import SYSTEM, Actor
from serving.staff import accounts, links, repository, sessions
from serving.staff.errors import Refused
from serving.staff.permissions import ROLES
from serving.staff.repository import Person

NOW = 1_772_370_300_000_000
HOUR = 3_600_000_000


def added(conn: Connection, role: str = "lead", login: str = "ann", *, password: str | None = "$hash") -> Person:
    return accounts.add(conn, SYSTEM, login=login, name="Ann", role=role, now=NOW, password_hash=password)


def told(conn: Connection, person: Person) -> list[tuple[str, str, str | None]]:
    entries = trail.of_subject(conn, f"staff:{person.staff_id}")
    return [(entry.operation, entry.content["what"], entry.staff_id) for entry in reversed(entries)]


def holds(conn: Connection, token: str, now: int = NOW) -> bool:
    found = sessions.find(conn, token, now, idle_minutes=60)
    return found is not None and found.holds


class TestAdd:
    @pytest.mark.parametrize("login", ["ann", " Ann@Example.COM ", "a.b_c-d+e", "0a"])
    def test_logins_are_kept_in_lower_case(self, conn: Connection, login: str) -> None:
        assert added(conn, login=login).login == login.strip().lower()

    @pytest.mark.parametrize("login", ["", "a", "a b", "-a", "é-acute", "a" * 101, "a\nb", "a\u202eb", "a;b"])
    def test_other_logins_are_refused(self, conn: Connection, login: str) -> None:
        with pytest.raises(Refused) as caught:
            added(conn, login=login)
        assert caught.value.field == "login"

    def test_a_login_is_taken_once(self, conn: Connection) -> None:
        added(conn)
        with pytest.raises(Refused) as caught:
            added(conn, login="ANN")
        assert caught.value.key == "staff.login_taken"

    @pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\u202eb", "a\x00b"])
    def test_a_name_is_needed(self, conn: Connection, name: str) -> None:
        with pytest.raises(Refused):
            accounts.add(conn, SYSTEM, login="ann", name=name, role="lead", now=NOW)

    def test_it_is_recorded(self, conn: Connection) -> None:
        assert told(conn, added(conn)) == [("staff.manage", "added", None)]


class TestLastAdministrator:
    def test_cannot_be_disabled_or_given_another_role(self, conn: Connection) -> None:
        one = added(conn, "administrator")
        actor = accounts.actor_of(one)
        for change in (
            lambda: accounts.disable(conn, actor, one.staff_id, NOW),
            lambda: accounts.set_role(conn, actor, one.staff_id, "lead", NOW),
        ):
            with pytest.raises(Refused) as caught:
                change()
            assert caught.value.key == "staff.last_administrator"

    def test_somebody_who_never_signed_in_or_may_not_does_not_count(self, conn: Connection) -> None:
        one = added(conn, "administrator")
        added(conn, "administrator", "invited", password=None)
        gone = added(conn, "administrator", "gone")
        accounts.disable(conn, SYSTEM, gone.staff_id, NOW)
        with pytest.raises(Refused):
            accounts.disable(conn, SYSTEM, one.staff_id, NOW)

    def test_one_of_two_can(self, conn: Connection) -> None:
        one, _ = added(conn, "administrator"), added(conn, "administrator", "bob")
        assert not accounts.disable(conn, SYSTEM, one.staff_id, NOW).is_active
        with pytest.raises(Refused):
            accounts.disable(conn, SYSTEM, one.staff_id, NOW)  # already


class TestSessions:
    def test_only_a_digest_is_kept(self, conn: Connection) -> None:
        session, token = sessions.begin(conn, added(conn), NOW, hours=12)
        assert token.encode() not in session.digest
        assert token not in repr(repository.find_session(conn, session.digest))
        assert len(token) == 43

    def test_they_end_after_idling_and_in_any_case(self, conn: Connection) -> None:
        session, token = sessions.begin(conn, added(conn), NOW, hours=2)
        assert holds(conn, token, NOW + HOUR - 1)
        assert not holds(conn, token, NOW + HOUR)
        repository.touch_session(conn, session.digest, NOW + HOUR - 1)
        assert holds(conn, token, NOW + 2 * HOUR - 2)
        repository.touch_session(conn, session.digest, NOW + 2 * HOUR - 2)
        assert not holds(conn, token, NOW + 2 * HOUR)

    @pytest.mark.parametrize("change", ["password", "role", "disable"])
    def test_they_end_with_a_change_of_the_account(self, conn: Connection, change: str) -> None:
        person = added(conn)
        _, token = sessions.begin(conn, person, NOW, hours=12)
        session, own = sessions.begin(conn, person, NOW, hours=12)
        match change:
            case "password":
                accounts.set_password(conn, accounts.actor_of(person), person, "$new", NOW, keep_session=session.digest)
            case "role":
                accounts.set_role(conn, SYSTEM, person.staff_id, "desk", NOW)
            case _:
                accounts.disable(conn, SYSTEM, person.staff_id, NOW)
        assert not holds(conn, token)
        assert holds(conn, own) == (change == "password")

    @pytest.mark.parametrize("token", [None, "", "x", "x" * 43, "é" * 43, "x" * 10_000, "\ud800"])
    def test_what_is_no_session_finds_none(self, conn: Connection, token: str | None) -> None:
        assert sessions.find(conn, token, NOW, idle_minutes=60) is None

    def test_an_ended_one_still_tells_whose_it_was_for_a_week(self, conn: Connection) -> None:
        person = added(conn)
        _, token = sessions.begin(conn, person, NOW, hours=1)
        found = sessions.find(conn, token, NOW + 100 * HOUR, idle_minutes=60)
        assert found is not None
        assert found.person.staff_id == person.staff_id
        assert not found.holds
        sessions.begin(conn, person, NOW + 170 * HOUR, hours=1)
        assert sessions.find(conn, token, NOW + 170 * HOUR, idle_minutes=60) is None


class TestLinks:
    def test_an_invitation_is_used_once(self, conn: Connection) -> None:
        person, token = accounts.invite(conn, SYSTEM, login="bob", name="Bob", role="desk", now=NOW)
        assert person.is_invited
        opened = links.opened(conn, token, NOW)
        changed = accounts.accept(conn, opened, login="", name="", password_hash="$hash", now=NOW)
        assert changed.password_hash == "$hash"
        assert told(conn, person) == [
            ("staff.manage", "added", None),
            ("account.own", "password_changed", person.staff_id),
        ]
        with pytest.raises(Refused):
            links.opened(conn, token, NOW)

    def test_the_first_administrator_chooses_login_and_name(self, conn: Connection) -> None:
        token = links.make(conn, "first_start", None, NOW)
        later = links.make(conn, "first_start", None, NOW)
        with pytest.raises(Refused):
            links.opened(conn, token, NOW)  # a newer one was made
        opened = links.opened(conn, later, NOW)
        person = accounts.accept(conn, opened, login="Root", name="Ro Ot", password_hash="$hash", now=NOW)
        assert (person.login, person.name, person.role) == ("root", "Ro Ot", "administrator")

    def test_it_holds_no_more_once_somebody_has_an_account(self, conn: Connection) -> None:
        token = links.make(conn, "first_start", None, NOW)
        added(conn)
        with pytest.raises(Refused):
            links.opened(conn, token, NOW)

    def test_a_new_password_link_ends_with_its_time_its_person_and_another_password(self, conn: Connection) -> None:
        person = added(conn)
        token = accounts.new_link(conn, SYSTEM, person.staff_id, NOW)
        assert links.opened(conn, token, NOW + 24 * HOUR - 1).person is not None
        with pytest.raises(Refused):
            links.opened(conn, token, NOW + 24 * HOUR)
        accounts.set_password(conn, accounts.actor_of(person), person, "$new", NOW)
        with pytest.raises(Refused):
            links.opened(conn, token, NOW)
        token = accounts.new_link(conn, SYSTEM, person.staff_id, NOW)
        accounts.disable(conn, SYSTEM, person.staff_id, NOW)
        with pytest.raises(Refused):
            links.opened(conn, token, NOW)

    @pytest.mark.parametrize("token", ["", "x", "x" * 43, "../..", "é" * 43, "\ud800"])
    def test_others_lead_nowhere(self, conn: Connection, token: str) -> None:
        with pytest.raises(Refused):
            links.opened(conn, token, NOW)


def test_every_role_can_be_given(conn: Connection) -> None:
    person = added(conn)
    for role in ROLES:
        assert accounts.set_role(conn, Actor("staff", "s1"), person.staff_id, role, NOW).role == role
        person = repository.find(conn, person.staff_id) or person
        if role == "administrator":
            added(conn, "administrator", "another")
    with pytest.raises(Refused):
        accounts.set_role(conn, SYSTEM, person.staff_id, "boss", NOW)
