"""Appending rows to the ledger: the one way in for bulk ingest and for the live service."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy.engine import Connection

from features.ledger import changes
from features.ledger.append.batch import Batch, Outcome, Reject
from features.ledger.append.findings import append_inspections, append_verdicts
from features.ledger.append.orders import append_orders
from features.ledger.append.purchases import append_deliveries, append_order_lines
from features.ledger.append.returns import append_returns
from features.ledger.identity import KeyHasher

__all__ = ["TABLES", "Outcome", "Reject", "append_rows"]

_APPENDERS: Final[dict[str, Callable[[Batch], None]]] = {
    "orders": append_orders,
    "order_lines": append_order_lines,
    "deliveries": append_deliveries,
    "returns": append_returns,
    "inspections": append_inspections,
    "verdicts": append_verdicts,
}
#: The tables of the contract, in an order in which each row's parents come before it.
TABLES: Final = tuple(_APPENDERS)


def append_rows(
    conn: Connection,
    table: str,
    rows: Sequence[Mapping[str, Any]],
    *,
    live: bool,
    now_us: int,
    hasher: KeyHasher,
) -> Outcome:
    """Appends the rows that fit the ledger and says of each other one why it does not.

    Rows are taken in order, each against the ledger and the accepted rows before it, so that any split of the same
    rows into batches ends in the same ledger. A row that the ledger holds already, with the same content, is a
    duplicate and changes nothing. `recorded_at` is no content: the first one stands.

    Args:
        conn: from `Ledger.write()`; the caller commits, or rolls back if it will have all or nothing.
        table: one of `TABLES`.
        rows: values named as in the table contract, checked by themselves already (types, vocabularies, lengths).
            Times are int microseconds since 1970 UTC; `unit_price_e4` and `discount_e4` are int 1/10,000 of the
            currency; e-mail, address, payment and device are raw, and hashed here. What is optional may be None or
            absent.
        live: the rows arrive now, over HTTP: none becomes part of what an earlier assessment has seen. Otherwise they
            are history, known from their `recorded_at`, or from when they happened.
        now_us: the time now; what lies more than a minute after it is refused.
        hasher: makes the keyed hashes of e-mail, address, payment and device.

    Raises:
        KeyError: unknown table, or a required column that is absent.
    """
    batch = Batch(conn, table, rows, live=live, now_us=now_us, hasher=hasher)
    if rows:
        _APPENDERS[table](batch)
    outcome = batch.outcome()
    if outcome.accepted:
        if live:
            changes.note_orders(conn, outcome.order_nos)
        else:
            changes.note_everything(conn)
    return outcome
