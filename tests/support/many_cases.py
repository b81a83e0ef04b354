"""Many cases put straight into the tables, in the shapes that the overview counts."""

from __future__ import annotations

import random
from typing import Any

from sqlalchemy import insert
from sqlalchemy.engine import Connection

from features.clock import DAY, SECOND, day_of
from features.ledger.sql import rows
from serving.cases.tables import case_verdicts, cases

_REASONS = ("R01", "R02", "R03", "R05", "R08", "R11")
_STATES = ("open", "claimed", "waiting_customer", "waiting_inspection", "second_opinion", "disputed")


def put_many(conn: Connection, count: int, now: int, *, days: int = 90, seed: int = 1) -> None:
    """So many cases, opened evenly over the days before `now`; most of them are closed."""
    chance = random.Random(seed)
    first = int(rows(conn, "SELECT COALESCE(MAX(case_no), 0) FROM cases")[0][0]) + 1
    made: list[dict[str, Any]] = []
    verdicts: list[dict[str, Any]] = []
    for number in range(first, first + count):
        case = _case(chance, number, now - int(chance.random() * days * DAY), now)
        made.append(case)
        if case["state"] == "closed":
            verdicts += _verdicts(chance, case)
    for start in range(0, count, 5_000):
        conn.execute(insert(cases), made[start : start + 5_000])
    for start in range(0, len(verdicts), 5_000):
        conn.execute(insert(case_verdicts), verdicts[start : start + 5_000])


def _case(chance: random.Random, number: int, opened: int, now: int) -> dict[str, Any]:
    wait = int(chance.expovariate(1 / (1.3 * DAY))) + 10 * 60 * SECOND
    closed = opened + wait if opened + wait < now and chance.random() < 0.985 else None
    risk = chance.betavariate(2, 3)
    verdict = None
    if closed is not None:
        verdict = (
            "inconclusive" if chance.random() < 0.07 else "abuse_confirmed" if chance.random() < risk else "cleared"
        )
    by_deadline = closed is not None and chance.random() < 0.05
    drawn = chance.random() < 0.12
    codes = sorted(chance.sample(_REASONS, chance.randint(1, 3)))
    judgement = "concern" if (verdict == "abuse_confirmed") != (chance.random() < 0.15) else "no_concern"
    return {
        "case_no": number,
        "case_id": f"K-{number:07d}",
        "return_id": f"many-{number}",
        "order_no": 1,
        "order_id": f"many-o-{number}",
        "customer_id": f"many-c-{number % 977}",
        "opened_at": opened,
        "opened_because": "draw" if drawn else "action",
        "action": "refund_now" if drawn else "inspect_before_refund",
        "kind": "return",
        "reason": "size_fit",
        "country": "NL",
        "category": "dresses",
        "currency": "EUR",
        "value_minor": chance.randint(1_000, 40_000),
        "expected_loss_minor": chance.randint(100, 20_000),
        "risk": risk,
        "risk_band": "elevated",
        "reasons": " ".join(codes),
        "trigger": "random" if drawn else "risk",
        "propensity": 0.05,
        "state": "closed" if closed is not None else chance.choice(_STATES),
        "state_since": closed or opened,
        "rests_in": "open",
        "due_at": opened + 3 * DAY,
        "due_day": day_of(opened + 3 * DAY),
        "verdict": "cleared" if by_deadline else verdict,
        "closed_at": closed,
        "closed_by": None if closed is None or by_deadline else chance.choice(("ann", "ben", "lea")),
        "judgement": None if by_deadline else chance.choice(("unsure", *[judgement] * 4)),
        "revision": 1,
    }


def _verdicts(chance: random.Random, case: dict[str, Any]) -> list[dict[str, Any]]:
    def verdict(at: int, what: str, by: str | None, second: int) -> dict[str, Any]:
        return {
            "case_no": case["case_no"],
            "staff_id": by,
            "at": at,
            "verdict": what,
            "abuse_type": None,
            "basis": "inspection",
            "words": "",
            "risk_shown": 0,
            "second_opinion": second,
        }

    last = verdict(case["closed_at"], case["verdict"], case["closed_by"], 0)
    if case["closed_by"] is None or chance.random() > 0.04:
        return [last]
    before = case["verdict"] if chance.random() < 0.8 else "inconclusive"
    return [verdict(case["closed_at"] - DAY // 2, before, "somebody-else", 0), last | {"second_opinion": 1}]
