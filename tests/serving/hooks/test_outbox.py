from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from features.ledger.sql import rows
from features.ledger.store import Ledger
from serving.audit.trail import SYSTEM
from serving.hooks import outbox, service
from serving.hooks.types import TYPES
from serving.sealing import Sealer

NOW = 1_700_000_000_000_000


def content(kind: str) -> dict[str, Any]:
    return dict.fromkeys(TYPES[kind].fields, "x")


def add(ledger: Ledger, sealer: Sealer, *types: str) -> str:
    with ledger.write() as conn:
        made = service.add(conn, SYSTEM, sealer, "https://example.com/", types, inside=False, now=NOW)
    return made.endpoint.endpoint_id


def table(ledger: Ledger, name: str) -> list[tuple[Any, ...]]:
    with ledger.read() as conn:
        return rows(conn, f"SELECT * FROM {name} ORDER BY 1")


class TestPut:
    def test_nothing_is_written_where_nobody_wants_it(self, ledger: Ledger, sealer: Sealer) -> None:
        add(ledger, sealer, "case.opened")
        with ledger.write() as conn:
            outbox.put(conn, "assessment.made", content("assessment.made"), NOW)
        assert table(ledger, "webhook_messages") == []

    def test_each_endpoint_that_wants_it_gets_a_delivery_of_the_one_message(
        self, ledger: Ledger, sealer: Sealer
    ) -> None:
        wanting = {add(ledger, sealer, "case.opened"), add(ledger, sealer)}
        add(ledger, sealer, "notice.made")
        with ledger.write() as conn:
            outbox.put(conn, "case.opened", content("case.opened") | {"case_id": "K-1"}, NOW)
        ((_, message_id, kind, at, body),) = table(ledger, "webhook_messages")
        assert (kind, at) == ("case.opened", NOW)
        assert message_id.startswith("msg_")
        assert json.loads(body) == {
            "type": "case.opened",
            "timestamp": "2023-11-14T22:13:20.000000Z",
            "data": content("case.opened") | {"case_id": "K-1"},
        }
        assert {row[1] for row in table(ledger, "webhook_deliveries")} == wanting

    def test_it_is_taken_back_with_what_it_tells_of(self, ledger: Ledger, sealer: Sealer) -> None:
        add(ledger, sealer)
        writer = ledger.writer()
        transaction = writer.begin()
        outbox.put(writer.connection, "case.opened", content("case.opened"), NOW)
        transaction.rollback()
        writer.close()
        assert table(ledger, "webhook_messages") == []

    def test_the_endpoints_are_looked_up_once_in_a_transaction(
        self, ledger: Ledger, sealer: Sealer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[str] = []

        def counting(conn: Any, sql: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
            asked.append(sql)
            return rows(conn, sql, parameters)

        monkeypatch.setattr(outbox, "rows", counting)
        for _ in range(2):
            with ledger.write() as conn:
                for _ in range(5):
                    outbox.put(conn, "case.opened", content("case.opened"), NOW)
        assert len(asked) == 2

    def test_an_endpoint_of_another_process_counts_from_the_next_transaction_on(
        self, ledger: Ledger, sealer: Sealer
    ) -> None:
        other = Ledger.open(ledger._settings)
        writer = ledger.writer()
        try:
            with writer.begin():
                outbox.put(writer.connection, "case.opened", content("case.opened"), NOW)
                adding = threading.Thread(target=add, args=(other, sealer))
                adding.start()  # waits until this transaction is over
                outbox.put(writer.connection, "case.opened", content("case.opened"), NOW)
            adding.join()
            assert table(ledger, "webhook_messages") == []
            with writer.begin():
                outbox.put(writer.connection, "case.opened", content("case.opened"), NOW)
        finally:
            writer.close()
            other.close()
        assert len(table(ledger, "webhook_messages")) == 1

    def test_an_endpoint_of_the_same_transaction_counts_at_once(self, ledger: Ledger, sealer: Sealer) -> None:
        with ledger.write() as conn:
            outbox.put(conn, "case.opened", content("case.opened"), NOW)
            made = service.add(conn, SYSTEM, sealer, "https://example.com/", (), inside=False, now=NOW)
            outbox.put(conn, "case.opened", content("case.opened"), NOW)
            service.disable(conn, SYSTEM, made.endpoint.endpoint_id, now=NOW)
            outbox.put(conn, "case.opened", content("case.opened"), NOW)
        assert len(table(ledger, "webhook_messages")) == 1

    @pytest.mark.parametrize("change", [{"customer_id": "C-1"}, None])
    def test_no_other_fields_than_those_of_the_type_slip_out(
        self, ledger: Ledger, change: dict[str, str] | None
    ) -> None:
        wrong = content("case.opened") | change if change else {}
        with pytest.raises(ValueError, match=r"case\.opened has the fields"), ledger.write() as conn:
            outbox.put(conn, "case.opened", wrong, NOW)

    def test_no_type_names_a_customer(self) -> None:
        named = [name for entry in TYPES.values() for name in entry.fields if "customer" in name or "email" in name]
        assert named == []
