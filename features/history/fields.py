"""The fields of each kind of fact, and the SQL that reads them from the ledger's tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from features.ledger import vocabulary as words
from features.measures import FactKind

PARTIES: Final = ("customer", "email", "address", "payment", "device")


def _code(column: str, vocabulary: Sequence[str]) -> str:
    cases = " ".join(f"WHEN '{word}' THEN {code}" for code, word in enumerate(vocabulary))
    return f"CASE {column} {cases} ELSE -1 END"


_DELIVERED = (
    "COALESCE((SELECT MAX(d.delivered_at) FROM deliveries d WHERE d.order_no = r.order_no"
    " AND d.recorded_at < r.recorded_at AND d.delivered_at <= r.requested_at), -1)"
)

#: When a later decision on the same return became known, or -1: from then on this verdict stands no more.
_OVERTURNED = (
    "COALESCE((SELECT MIN(w.recorded_at) FROM verdicts w WHERE w.return_id = v.return_id"
    " AND w.decided_at > v.decided_at), -1)"
)

#: Fact kind -> (field, SQL) pairs; the first three fields are the same everywhere.
FIELDS: Final[dict[FactKind, tuple[tuple[str, str], ...]]] = {
    "orders": (("order_no", "o.order_no"), ("occurred_at", "o.ordered_at"), ("recorded_at", "o.recorded_at")),
    "lines": (
        ("order_no", "l.order_no"),
        ("occurred_at", "o.ordered_at"),
        ("recorded_at", "l.recorded_at"),
        ("quantity", "l.quantity"),
        ("value", "l.value_minor"),
        ("expected_ppm", "COALESCE(l.expected_ppm, 0)"),
        ("discounted", "CASE WHEN l.discount_e4 > 0 THEN 1 ELSE 0 END"),
    ),
    "deliveries": (
        ("order_no", "d.order_no"),
        ("occurred_at", "d.delivered_at"),
        ("recorded_at", "d.recorded_at"),
        ("proof", _code("d.proof", words.PROOFS)),
    ),
    "returns": (
        ("order_no", "r.order_no"),
        ("occurred_at", "r.requested_at"),
        ("recorded_at", "r.recorded_at"),
        ("quantity", "r.quantity"),
        ("value", "l.value_minor * r.quantity / l.quantity"),
        ("reason", _code("r.reason", words.REASONS)),
        ("kind", _code("r.kind", words.KINDS)),
        ("resolution", _code("r.resolution", words.RESOLUTIONS)),
        ("tender", _code("r.tender", words.TENDERS)),
        ("proof_of_purchase", "COALESCE(r.proof_of_purchase, -1)"),
        ("leads", "r.leads"),
        ("delivered_at", _DELIVERED),
    ),
    "inspections": (
        ("order_no", "i.order_no"),
        ("occurred_at", "i.inspected_at"),
        ("recorded_at", "i.recorded_at"),
        ("finding", _code("i.finding", words.FINDINGS)),
    ),
    "verdicts": (
        ("order_no", "v.order_no"),
        ("occurred_at", "v.decided_at"),
        ("recorded_at", "v.recorded_at"),
        ("verdict", _code("v.verdict", words.VERDICTS)),
        ("basis", _code("v.basis", words.BASES)),
        ("overturned_at", _OVERTURNED),
    ),
}
FROM: Final[dict[FactKind, str]] = {
    "orders": "orders o",
    "lines": "order_lines l JOIN orders o ON o.order_no = l.order_no",
    "deliveries": "deliveries d",
    "returns": "returns r JOIN order_lines l ON l.order_no = r.order_no AND l.line_id = r.line_id",
    "inspections": "inspections i LEFT JOIN returns r ON r.return_id = i.return_id AND r.leads = 1",
    "verdicts": "verdicts v LEFT JOIN returns r ON r.return_id = v.return_id AND r.leads = 1",
}
ALIAS: Final[dict[FactKind, str]] = {
    "orders": "o",
    "lines": "l",
    "deliveries": "d",
    "returns": "r",
    "inspections": "i",
    "verdicts": "v",
}
#: When a line occurred is when its order did: not read again with every line, where the orders have been read.
OF_ORDER: Final = ("lines", "occurred_at")
#: Kinds whose facts belong to who returned, which is not always who bought.
BY_RETURNER: Final = frozenset({"returns", "inspections", "verdicts"})
#: Kinds of which a later fact overturns an earlier one (`features.history.Facts.with_reversals`).
OVERTURNED: Final = frozenset({"verdicts"})


def select_from(kind: FactKind, extra: str, joined: str = "") -> str:
    """SELECT of the fields of one kind of fact (aliases o, l, d, r, i, v for the tables) and of `extra` ones, for which
    more tables may be `joined`; without a WHERE."""
    fields = ", ".join(f"{sql} AS {name}" for name, sql in FIELDS[kind])
    return f"SELECT {fields}, {extra} FROM {FROM[kind]} {joined}"
