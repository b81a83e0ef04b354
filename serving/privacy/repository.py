"""SQL of erasures, and of what people asked for."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy.engine import Connection

from features.ledger.append.lookups import select_in
from features.ledger.erasure import Erased, pseudonym
from features.ledger.sql import execute, execute_many, rows

_REQUEST: Final = "INSERT INTO requests_of_people (kind, subject, at, staff_id, content) VALUES (?, ?, ?, ?, ?)"
_GONE: Final = ("notices", "restrictions")
_OF_CASES_GONE: Final = ("case_notes", "case_photos", "case_lookers")
#: Stands in place of the feature service of an assessment whose vector was removed.
NO_VECTOR: Final = "removed"


class Hold(NamedTuple):
    """What must be over before a person can be erased; `until` in microseconds since 1970 UTC."""

    kind: str  # case, dispute, restriction
    reference: str
    until: int


class Open(NamedTuple):
    """A request that came through a shop and is not done yet; `at` in microseconds since 1970 UTC."""

    wish: str  # export, erasure
    customer_id: str
    source: str  # connection of a shop
    at: int


class Inspection(NamedTuple):
    """What an inspection saw; `inspected_at` in microseconds since 1970 UTC, `line_id` empty for the whole return."""

    inspection_no: int
    return_id: str
    inspected_at: int
    line_id: str
    finding: str


def inspections(conn: Connection, return_ids: Iterable[str]) -> list[Inspection]:
    """What was seen of some returns, newest first."""
    sql = f"SELECT {', '.join(Inspection._fields)} FROM inspections WHERE return_id IN"
    found = [Inspection(*row) for row in select_in(conn, sql, return_ids)]
    return sorted(found, key=lambda each: (each.inspected_at, each.inspection_no), reverse=True)


def holds(conn: Connection, customer_id: str, now: int) -> list[Hold]:
    """What stands against erasing a customer now."""
    found = [
        Hold("case", *row)
        for row in rows(
            conn,
            "SELECT case_id, due_at FROM cases WHERE customer_id = ? AND state <> 'closed' ORDER BY due_at",
            (customer_id,),
        )
    ]
    found += [
        Hold("dispute", *row)
        for row in rows(
            conn,
            "SELECT c.case_id, d.due_at FROM disputes d JOIN cases c ON c.case_no = d.case_no"
            " WHERE c.customer_id = ? AND c.state = 'closed' AND d.decided_at IS NULL ORDER BY d.due_at",
            (customer_id,),
        )
    ]
    found += [
        Hold("restriction", *row)
        for row in rows(
            conn,
            "SELECT restriction_id, until_at FROM restrictions WHERE customer_id = ? AND until_at > ?"
            " AND lifted_at IS NULL ORDER BY until_at",
            (customer_id, now),
        )
    ]
    return found


def last_message(conn: Connection) -> int:
    """Number of the latest outbound message."""
    return int(rows(conn, "SELECT COALESCE(MAX(message_no), 0) FROM webhook_messages")[0][0])


def erase(conn: Connection, erased: Erased, message_nos: Iterable[int]) -> dict[str, int]:
    """What an erasure does outside the ledger; gives how many rows of which table were deleted or emptied."""
    former = erased.customer[0]
    case_nos = [row[0] for row in rows(conn, "SELECT case_no FROM cases WHERE customer_id = ?", (former,))]
    done = {
        "assessments": _empty_assessments(conn, erased.returns),
        "cases": _rename_cases(conn, erased, case_nos),
        "disputes": _empty_disputes(conn, case_nos),
    }
    for table in _OF_CASES_GONE:
        done[table] = _delete(conn, table, "case_no", case_nos)
    done["case_verdicts"] = len(list(select_in(conn, "SELECT 1 FROM case_verdicts WHERE case_no IN", case_nos)))
    execute_many(conn, "UPDATE case_verdicts SET words = '' WHERE case_no = ?", [(number,) for number in case_nos])
    done["shop_waiting"] = _delete(conn, "shop_waiting", "order_id", list(erased.orders))
    for table in _GONE:
        done[table] = _delete(conn, table, "customer_id", [former])
    numbers = list(message_nos)
    done["webhook_deliveries"] = _delete(conn, "webhook_deliveries", "message_no", numbers)
    done["webhook_messages"] = _delete(conn, "webhook_messages", "message_no", numbers)
    return {table: count for table, count in done.items() if count}


def note_request(
    conn: Connection, kind: str, subject: str, *, at: int, staff_id: str | None, content: Mapping[str, Any]
) -> None:
    """Keep that a request of a person was met."""
    execute(conn, _REQUEST, (kind, subject, at, staff_id, orjson.dumps(dict(content)).decode()))


def open_requests(conn: Connection, subject: str | None = None) -> list[Open]:
    """Requests for an export or an erasure, of one customer or of all, that none has followed; oldest first. Those whom
    nothing is stored of any more, are left out."""
    mine = "" if subject is None else " AND a.subject = ?"
    found = rows(
        conn,
        "SELECT a.kind, a.content, a.at FROM requests_of_people a WHERE a.kind IN ('export_asked', 'erasure_asked')"
        f"{mine} AND NOT EXISTS (SELECT 1 FROM requests_of_people d WHERE d.subject = a.subject"
        " AND d.request_no > a.request_no AND (d.kind = 'erasure' OR d.kind || '_asked' = a.kind))"
        " ORDER BY a.request_no",
        () if subject is None else (subject,),
    )
    asked = [(kind, orjson.loads(content), at) for kind, content, at in found]
    known = set(known_customers(conn, [content["customer_id"] for _, content, _ in asked], ()))
    return [
        Open(kind.removesuffix("_asked"), content["customer_id"], content["source"], at)
        for kind, content, at in asked
        if content["customer_id"] in known
    ]


def known_customers(conn: Connection, customer_ids: Iterable[str], order_ids: Iterable[str]) -> list[str]:
    """Those of the customers that anything is stored of, and the guests whose orders these are, each once."""
    names = tuple(customer_ids)
    found: dict[str, None] = {}
    for table in ("orders", "returns", "cases"):
        sql = f"SELECT DISTINCT customer_id FROM {table} WHERE customer_id IN"
        found.update(dict.fromkeys(row[0] for row in select_in(conn, sql, names)))
    guests = "SELECT DISTINCT customer_id FROM orders WHERE customer_id LIKE '%guest-%' AND order_id IN"
    found.update(dict.fromkeys(row[0] for row in select_in(conn, guests, tuple(order_ids))))
    return list(found)


def forget_waiting(conn: Connection, order_ids: Iterable[str]) -> None:
    """Let go of what shops told of orders that the ledger does not have."""
    _delete(conn, "shop_waiting", "order_id", list(order_ids))


def forget_asked(conn: Connection, subject: str) -> None:
    """Take the id out of what was asked for about a customer who is erased."""
    execute(
        conn,
        "UPDATE requests_of_people SET content = '{}' WHERE subject = ? AND kind IN ('export_asked', 'erasure_asked')",
        (subject,),
    )


def _empty_assessments(conn: Connection, returns: Mapping[str, str]) -> int:
    found = list(
        select_in(conn, "SELECT assessment_no, assessment_id, return_id FROM assessments WHERE return_id IN", returns)
    )
    for number, assessment_id, return_id in found:
        new = pseudonym()
        execute(
            conn,
            "UPDATE assessments SET assessment_id = ?, return_id = ?, request_digest = ?, feature_service = ?,"
            " vector = ?, answer = ? WHERE assessment_no = ?",
            (new, returns[return_id], secrets.token_bytes(16), NO_VECTOR, b"", b"{}", number),
        )
        execute(conn, "UPDATE shadow_assessments SET assessment_id = ? WHERE assessment_id = ?", (new, assessment_id))
        execute(conn, "UPDATE cases SET assessment_id = ? WHERE assessment_id = ?", (new, assessment_id))
    return len(found)


def _rename_cases(conn: Connection, erased: Erased, case_nos: list[int]) -> int:
    execute_many(
        conn, "UPDATE cases SET order_id = ? WHERE order_id = ?", [(new, old) for old, new in erased.orders.items()]
    )
    execute_many(
        conn, "UPDATE cases SET return_id = ? WHERE return_id = ?", [(new, old) for old, new in erased.returns.items()]
    )
    execute_many(
        conn,
        "UPDATE cases SET customer_id = ?, case_id = ? WHERE case_no = ?",
        [(erased.customer[1], pseudonym(), number) for number in case_nos],
    )
    return len(case_nos)


def _empty_disputes(conn: Connection, case_nos: list[int]) -> int:
    found = list(select_in(conn, "SELECT dispute_id FROM disputes WHERE case_no IN", case_nos))
    execute_many(
        conn,
        "UPDATE disputes SET dispute_id = ?, words = '', digest = ? WHERE dispute_id = ?",
        [(pseudonym(), secrets.token_hex(16), row[0]) for row in found],
    )
    return len(found)


def _delete(conn: Connection, table: str, column: str, values: list[Any]) -> int:
    count = len(list(select_in(conn, f"SELECT 1 FROM {table} WHERE {column} IN", values)))
    execute_many(conn, f"DELETE FROM {table} WHERE {column} = ?", [(value,) for value in values])
    return count
