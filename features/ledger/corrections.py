"""Putting right what the ledger has wrong about a person: whose order it is, and what an inspection saw.

The row is changed where it stands, with the digest of what it says now, so that the sender who repeats the wrong
content is told of a conflict and the sender who repeats the right one of a duplicate. Values about the past are then
computed from what is right; an assessment keeps the vector that it saw (docs/decisions/0011-corrections.md). A verdict
is not corrected but followed by another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import orjson
from sqlalchemy.engine import Connection

from features.ledger import changes
from features.ledger.errors import LedgerError
from features.ledger.sql import execute, rows

_ORDER: Final = (
    "order_id",
    "customer_id",
    "ordered_at",
    "channel",
    "country",
    "currency",
    "email_id",
    "address_id",
    "payment_id",
    "device_id",
    "courier",
)
_RETURN: Final = (
    "line_id",
    "customer_id",
    "requested_at",
    "quantity",
    "reason",
    "kind",
    "resolution",
    "channel",
    "tender",
    "proof_of_purchase",
)
_INSPECTION: Final = ("return_id", "inspected_at", "finding", "trigger", "propensity", "line_id")


class CorrectionError(LedgerError):
    """What is to be corrected is not there, or is right already; `field` names which."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def reassign_order(conn: Connection, order_id: str, customer_id: str) -> str:
    """Gives an order, and what its buyer returned of it, to another customer; the former customer's id is returned.

    Raises:
        CorrectionError: there is no such order, or it is theirs already.
    """
    found = rows(conn, f"SELECT order_no, {', '.join(_ORDER)} FROM orders WHERE order_id = ?", (order_id,))
    if not found:
        raise CorrectionError("order_id", "there is no such order")
    order_no, *values = found[0]
    content = dict(zip(_ORDER, values, strict=True))
    former = str(content["customer_id"])
    if former == customer_id:
        raise CorrectionError("customer_id", "the order is of this customer already")
    content["customer_id"] = customer_id
    execute(
        conn,
        "UPDATE orders SET customer_id = ?, digest = ? WHERE order_no = ?",
        (customer_id, _digest("orders", content), order_no),
    )
    _settle_returns(conn, order_no, order_id, customer_id)
    changes.note_orders(conn, [order_no])
    return former


def correct_finding(conn: Connection, return_id: str, inspected_at: int, line_id: str, finding: str) -> str:
    """Replaces what an inspection saw; gives what it had said. `finding` is a word of the vocabulary.

    Raises:
        CorrectionError: there is no such inspection, or it says so already.
    """
    found = rows(
        conn,
        f"SELECT inspection_no, order_no, {', '.join(_INSPECTION)} FROM inspections"
        " WHERE return_id = ? AND inspected_at = ? AND line_id = ?",
        (return_id, inspected_at, line_id),
    )
    if not found:
        raise CorrectionError("inspected_at", "there is no such inspection")
    number, order_no, *values = found[0]
    content = dict(zip(_INSPECTION, values, strict=True))
    former = str(content["finding"])
    if former == finding:
        raise CorrectionError("finding", "the inspection says so already")
    content["finding"] = finding
    execute(
        conn,
        "UPDATE inspections SET finding = ?, digest = ? WHERE inspection_no = ?",
        (finding, _digest("inspections", content), number),
    )
    changes.note_orders(conn, [order_no])
    return former


def _settle_returns(conn: Connection, order_no: int, order_id: str, owner: str) -> None:
    """A return names its customer only where somebody else than the buyer brings the goods back: that may be the new
    owner."""
    sql = f"SELECT return_no, return_id, {', '.join(_RETURN)} FROM returns WHERE order_no = ? AND customer_id = ?"
    for number, return_id, *values in rows(conn, sql, (order_no, owner)):
        content = {"return_id": return_id, "order_id": order_id, **dict(zip(_RETURN, values, strict=True))}
        content["customer_id"] = None
        execute(
            conn,
            "UPDATE returns SET customer_id = NULL, digest = ? WHERE return_no = ?",
            (_digest("returns", content), number),
        )


def _digest(table: str, content: Mapping[str, Any]) -> bytes:
    """As `features.ledger.append` makes it of a row."""
    said = {name: value for name, value in content.items() if value is not None}
    text = orjson.dumps(said, option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(text, digest_size=16, person=table.encode()).digest()
