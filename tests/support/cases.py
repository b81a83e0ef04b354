"""Cases over a small history, and the people who work on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy.engine import Connection

from features.clock import DAY, SECOND
from features.ledger.append import append_rows
from features.ledger.sql import execute, rows
from features.ledger.store import Ledger
from serving.audit.trail import Actor
from serving.cases import opening, repository
from serving.cases.opening import Assessed
from serving.cases.repository import Case
from serving.policy.checks import Check
from tests.support.history import FIRST_DAY

T = TypeVar("T")

#: After everything in the history.
NOW = (FIRST_DAY + 400) * DAY
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE

ANN = Actor("staff", "ann", "reviewer", "Ann")
BEN = Actor("staff", "ben", "reviewer", "Ben")
DEE = Actor("staff", "dee", "desk", "Dee")
LEA = Actor("staff", "lea", "lead", "Lea")
IDA = Actor("staff", "ida", "analyst", "Ida")
ADA = Actor("staff", "ada", "administrator", "Ada")
EVERYBODY = (ANN, BEN, DEE, LEA, IDA, ADA)


BY_RISK = Check("risk", 0.95)


class Desk:
    """A ledger, a clock, and short ways to open cases and to do something to them."""

    def __init__(self, ledger: Ledger, now: int = NOW) -> None:
        self.ledger = ledger
        self.now = now

    def write(self, work: Callable[[Connection], T]) -> T:
        with self.ledger.write() as conn:
            return work(conn)

    def read(self, work: Callable[[Connection], T]) -> T:
        with self.ledger.read() as conn:
            return work(conn)

    def do(self, step: Callable[..., T], actor: Actor, case: Case, **more: Any) -> T:
        """Takes a step with the revision of `case`, at the time of the clock."""
        return self.write(lambda conn: step(conn, actor, case, now=self.now, **more))

    def pass_time(self, length: int) -> None:
        self.now += length

    def again(self, case: Case) -> Case:
        found = self.read(lambda conn: repository.find_no(conn, case.case_no))
        assert found is not None
        return found

    def return_ids(self) -> list[str]:
        """Returns that nobody has looked at, in order."""
        sql = (
            "SELECT DISTINCT r.return_id FROM returns r WHERE r.return_id NOT IN (SELECT return_id FROM inspections)"
            " ORDER BY 1"
        )
        return [return_id for (return_id,) in self.read(lambda conn: rows(conn, sql))]

    def add_returns(self) -> None:
        """A return of every order that has none, asked for a day ago."""
        sql = "SELECT order_id FROM orders WHERE order_no NOT IN (SELECT order_no FROM returns) ORDER BY order_no"
        found = [
            {
                "return_id": f"asked-{order_id}",
                "order_id": order_id,
                "line_id": "1",
                "requested_at": self.now - DAY,
                "quantity": 1,
                "reason": "size_fit",
            }
            for (order_id,) in self.table(sql)
        ]
        done = self.write(
            lambda conn: append_rows(conn, "returns", found, live=True, now_us=self.now, hasher=self.ledger.hasher)
        )
        assert done.accepted == len(found)

    def open(self, number: int = 0, **changes: Any) -> Case:
        """The case of the return of that number, as an assessment opens it."""
        return self.write(lambda conn: open_one(conn, self.return_ids()[number], self.now, **changes))

    def put(self, case: Case, **values: Any) -> Case:
        """Writes something into the row of a case, past all rules."""
        names = ", ".join(f"{name} = ?" for name in values)
        self.write(
            lambda conn: execute(conn, f"UPDATE cases SET {names} WHERE case_no = ?", (*values.values(), case.case_no))
        )
        return self.again(case)

    def table(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        return self.read(lambda conn: rows(conn, sql, parameters))


def open_one(
    conn: Connection,
    return_id: str,
    now: int,
    *,
    check: Check = BY_RISK,
    **changes: Any,
) -> Case:
    """Opens the case of a return as its assessment would."""
    (found,) = rows(
        conn,
        "SELECT o.order_no, o.order_id, COALESCE(r.customer_id, o.customer_id), r.kind, r.reason, o.country, o.channel"
        " FROM returns r JOIN orders o ON o.order_no = r.order_no WHERE r.return_id = ? LIMIT 1",
        (return_id,),
    )
    order_no, order_id, customer_id, kind, reason, country, channel = found
    assessed = Assessed(
        assessment_id=f"a-{return_id}",
        return_id=return_id,
        order_no=order_no,
        order_id=order_id,
        customer_id=customer_id,
        kind=kind,
        reason=reason,
        country=country,
        channel=channel,
        category="k1",
        currency="EUR",
        value_minor=5_000,
        risk=0.4,
        risk_band="high",
        reasons="R02 R05",
        action="inspect_before_refund",
    )
    opening.open_for_assessment(conn, assessed._replace(**changes), check, now)
    case = repository.of_return(conn, return_id)
    assert case is not None
    return case
