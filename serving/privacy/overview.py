"""What the customer page shows: what happened, newest first, without any estimate of a risk.

The evidence comes before the number: a case shows its own risk once somebody has judged, and nobody gets around that
here.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy.engine import Connection

from features.ledger.append.lookups import select_in
from features.ledger.identity import KeyHasher
from features.ledger.sql import rows
from serving.cases.reference import read_reference

_SHOWN: Final = 25


class Order(NamedTuple):
    """An order with what came back of it; money in 1/100 of its currency."""

    order_id: str
    ordered_at: int
    country: str | None
    channel: str | None
    currency: str | None
    value_minor: int
    items: int
    returned: int
    claimed: int


class Assessed(NamedTuple):
    """An assessment: what was asked for, and the codes of its reasons."""

    return_id: str
    requested_at: int
    action: str
    reasons: tuple[str, ...]
    reassurances: tuple[str, ...]
    model_version: str
    policy_version: str


class CaseLine(NamedTuple):
    """A case of the customer."""

    case_no: int
    case_id: str
    opened_at: int
    reason: str
    value_minor: int
    currency: str | None
    state: str
    verdict: str | None


class Sums(NamedTuple):
    """The customer in figures."""

    orders: int
    returns: int
    claims: int
    since: int | None
    country: str | None


def sums(conn: Connection, customer_id: str) -> Sums:
    """Counts over everything."""
    orders, since = rows(conn, "SELECT count(*), min(ordered_at) FROM orders WHERE customer_id = ?", (customer_id,))[0]
    counts = dict(
        rows(
            conn,
            "SELECT kind, count(DISTINCT return_id) FROM (SELECT kind, return_id FROM returns WHERE customer_id = ?"
            " UNION ALL SELECT r.kind, r.return_id FROM orders o JOIN returns r ON r.order_no = o.order_no"
            " WHERE o.customer_id = ? AND r.customer_id IS NULL) own GROUP BY kind",
            (customer_id, customer_id),
        )
    )
    latest = rows(
        conn,
        "SELECT country FROM orders WHERE customer_id = ? AND country IS NOT NULL ORDER BY ordered_at DESC LIMIT 1",
        (customer_id,),
    )
    country = latest[0][0] if latest else None
    return Sums(int(orders), int(counts.get("return", 0)), int(counts.get("claim", 0)), since, country)


def orders(conn: Connection, customer_id: str) -> list[Order]:
    """The latest orders."""
    sql = (
        "SELECT o.order_id, o.ordered_at, o.country, o.channel, o.currency,"
        " (SELECT COALESCE(sum(l.value_minor), 0) FROM order_lines l WHERE l.order_no = o.order_no),"
        " (SELECT COALESCE(sum(l.quantity), 0) FROM order_lines l WHERE l.order_no = o.order_no),"
        " (SELECT COALESCE(sum(r.quantity), 0) FROM returns r WHERE r.order_no = o.order_no AND r.kind = 'return'),"
        " (SELECT COALESCE(sum(r.quantity), 0) FROM returns r WHERE r.order_no = o.order_no AND r.kind = 'claim')"
        " FROM orders o WHERE o.customer_id = ? ORDER BY o.ordered_at DESC, o.order_no DESC LIMIT ?"
    )
    return [Order(*row[:5], *(int(value) for value in row[5:])) for row in rows(conn, sql, (customer_id, _SHOWN))]


def assessments(conn: Connection, return_ids: tuple[str, ...]) -> list[Assessed]:
    """The latest assessments of the customer's returns."""
    sql = (
        "SELECT return_id, requested_at, action, answer, model_version, policy_version FROM assessments"
        " WHERE return_id IN"
    )
    found = sorted(select_in(conn, sql, return_ids), key=lambda row: row[1], reverse=True)[:_SHOWN]
    return [
        Assessed(return_id, requested_at, action, *_codes(answer), model, policy)
        for return_id, requested_at, action, answer, model, policy in found
    ]


def cases(conn: Connection, customer_id: str) -> list[CaseLine]:
    """The latest cases."""
    columns = ", ".join(CaseLine._fields)
    sql = f"SELECT {columns} FROM cases WHERE customer_id = ? ORDER BY opened_at DESC, case_no LIMIT ?"
    return [CaseLine(*row) for row in rows(conn, sql, (customer_id, _SHOWN))]


def found(conn: Connection, hasher: KeyHasher, text: str) -> list[str]:
    """The customers that a text leads to: an id of theirs, of an order or a return, the reference of a case, or an
    e-mail. At most ten."""
    questions: list[tuple[str, Any]] = [
        ("SELECT customer_id FROM orders WHERE customer_id = ?", text),
        ("SELECT customer_id FROM returns WHERE customer_id = ?", text),
        ("SELECT customer_id FROM cases WHERE customer_id = ?", text),
        ("SELECT customer_id FROM orders WHERE order_id = ?", text),
        (
            "SELECT COALESCE(r.customer_id, o.customer_id) FROM returns r JOIN orders o ON o.order_no = r.order_no"
            " WHERE r.return_id = ?",
            text,
        ),
        ("SELECT customer_id FROM cases WHERE case_id = ?", read_reference(text)),
        ("SELECT customer_id FROM orders WHERE email_id = ?", hasher.email(text)),
    ]
    names: dict[str, None] = {}
    for sql, value in questions:
        if value is not None:
            names.update(dict.fromkeys(row[0] for row in rows(conn, f"{sql} LIMIT 200", (value,))))
    return list(names)[:10]


def _codes(answer: bytes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    said = orjson.loads(answer)
    reasons, reassurances = said.get("reasons", ()), said.get("reassurances", ())
    return tuple(each["code"] for each in reasons), tuple(each["code"] for each in reassurances)
