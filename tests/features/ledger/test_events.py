from __future__ import annotations

from typing import Any

from features.ledger.events import remember_events
from features.ledger.store import Ledger

ONE = ("e1", "order", b"1" * 16, 5)


def remember(ledger: Ledger, *events: tuple[str, str, bytes, int]) -> list[Any]:
    with ledger.write() as conn:
        return list(remember_events(conn, events))


def test_an_event_is_new_once(ledger: Ledger) -> None:
    assert remember(ledger, ONE) == ["new"]
    assert remember(ledger, ONE) == ["duplicate"]


def test_the_time_of_receipt_is_no_content(ledger: Ledger) -> None:
    remember(ledger, ONE)
    assert remember(ledger, ("e1", "order", b"1" * 16, 99)) == ["duplicate"]
    with ledger.read() as conn:
        assert conn.exec_driver_sql("SELECT received_at FROM live_events").scalars().all() == [5]


def test_another_content_or_type_is_a_conflict_and_changes_nothing(ledger: Ledger) -> None:
    remember(ledger, ONE)
    assert remember(ledger, ("e1", "order", b"2" * 16, 5), ("e1", "return", b"1" * 16, 5)) == ["conflict", "conflict"]
    assert remember(ledger, ONE) == ["duplicate"]


def test_ids_repeat_within_a_call_as_between_calls(ledger: Ledger) -> None:
    other = ("e1", "order", b"2" * 16, 5)
    two = ("e2", "order", b"1" * 16, 5)
    assert remember(ledger, ONE, two, ONE, other) == ["new", "new", "duplicate", "conflict"]


def test_no_events_are_no_trouble(ledger: Ledger) -> None:
    assert remember(ledger) == []


def test_what_is_rolled_back_is_new_again(ledger: Ledger) -> None:
    with ledger.write() as conn:
        remember_events(conn, [ONE])
        conn.rollback()
    assert remember(ledger, ONE) == ["new"]
