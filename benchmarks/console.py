"""How long does a page of the console take, with many cases in the books?

A ledger of at least a million events and 100,000 cases: those of two years, some hundreds of them open. Every page is
asked for as a browser does, over HTTP, one after the other, of one worker on one core; which cases and customers are
looked at changes with every request. The cases rest on assessments of the service itself: as many real ones as there
are timed case pages, copied for the rest, which are only counted.
"""

from __future__ import annotations

import http.client
import random
import secrets
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import orjson

from benchmarks.assess import prepare
from benchmarks.common import Client, arguments, finish, one_at_a_time, returnwise, say, serving, show
from features.clock import DAY, SECOND
from features.ledger.sql import execute_many, rows
from features.ledger.store import Ledger
from features.settings import Settings
from serving.audit.trail import SYSTEM
from serving.cases.reference import new_reference
from serving.clock import iso, now_us
from serving.staff import accounts, repository, sessions

_CORE: Final = 0
_OPEN: Final = 600
_HOUR: Final = 3_600 * SECOND
_LEAD: Final = "dirk"
_ADMINISTRATOR: Final = "els"
_STAFF: Final = {
    "anna": "reviewer",
    "bram": "reviewer",
    "carla": "reviewer",
    _LEAD: "lead",
    _ADMINISTRATOR: "administrator",
}
_COLUMNS: Final = (
    "case_id", "return_id", "order_no", "order_id", "customer_id", "assessment_id", "opened_at", "opened_because",
    "action", "kind", "reason", "country", "channel", "category", "currency", "value_minor", "expected_loss_minor",
    "risk", "risk_band", "trigger", "propensity", "state", "state_since", "due_at", "judged_at", "judged_by",
    "judgement", "verdict", "closed_at", "closed_by", "revision", "rests_in", "due_day",
    "reasons",
)  # fmt: skip
#: A return with what a case says of it: the row that leads, its order, and the value of what came back.
_RETURNS: Final = (
    "SELECT r.return_id, o.order_no, o.order_id, o.customer_id, r.requested_at, r.kind, r.reason, o.country, o.channel,"
    " o.currency, l.category, l.value_minor, l.line_id, r.quantity FROM returns r"
    " JOIN orders o ON o.order_no = r.order_no"
    " JOIN order_lines l ON l.order_no = r.order_no AND l.line_id = r.line_id"
    " WHERE r.leads = 1 AND NOT EXISTS (SELECT 1 FROM cases c WHERE c.return_id = r.return_id)"
    " AND NOT EXISTS (SELECT 1 FROM assessments a WHERE a.return_id = r.return_id)"
    " ORDER BY r.requested_at DESC LIMIT ?"
)


def main() -> None:
    """Runs the measurement and prints it."""
    options = arguments(
        __doc__,
        customers=(int, 40_000, "customers to simulate, so that the ledger has a million events"),
        cases=(int, 100_000, "cases in the books"),
        requests=(int, 200, "requests for each page"),
    )
    customers = 600 if options.quick else options.customers
    count = 10 if options.quick else options.requests
    home = options.home or Path(tempfile.mkdtemp(prefix="returnwise-console-"))
    events = prepare(home, customers)
    ledger = Ledger.open(Settings(home=home))
    try:
        assessed = _assess_some(home, ledger, count)
        cases = fill(ledger, 1_000 if options.quick else options.cases)
        tokens = _sign_in(ledger)
        paths = _paths(ledger, assessed)
    finally:
        ledger.close()
    say(f"{events:,} events and {cases:,} cases in the books")
    with _server(home) as server:
        measured = [
            {"page": name, **one_at_a_time(_get(server.port, tokens[who], chosen), count, warm=3)}
            for name, (who, chosen) in paths.items()
        ]
    show(f"Pages of the console with {events:,} events and {cases:,} cases, one server core", measured)
    finish({"benchmark": "console", "events": events, "cases": cases, "measured": measured})


def fill(ledger: Ledger, wanted: int) -> int:
    """Makes cases until there are so many, each of another return of the ledger; gives their number."""
    now, chance = now_us(), random.Random(7)
    with ledger.write() as conn:
        there = int(rows(conn, "SELECT COUNT(*) FROM cases")[0][0])
        people = _people(conn, now)
        found = rows(conn, _RETURNS, (max(wanted - there, 0),))
        models = rows(conn, "SELECT answer, vector, feature_service, model_version, policy_version FROM assessments")
        answers = [(orjson.loads(answer), *rest) for answer, *rest in chance.sample(models, min(200, len(models)))]
        shift = now - max((row[4] for row in found), default=now)  # as if the latest return were of now
        made = [_case(row, number, answers, people, now, shift, chance) for number, row in enumerate(found)]
        execute_many(
            conn,
            "INSERT INTO assessments (assessment_id, return_id, request_digest, order_no, requested_at, assessed_at,"
            " risk, risk_band, action, model_version, policy_version, feature_service, vector, answer) VALUES"
            f" ({', '.join('?' * 14)})",
            [assessment for _, assessment in made],
        )
        execute_many(
            conn,
            f"INSERT INTO cases ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})",
            [tuple(case[name] for name in _COLUMNS) for case, _ in made],
        )
        execute_many(
            conn,
            "INSERT INTO case_verdicts (case_no, staff_id, at, verdict, abuse_type, basis, words, risk_shown,"
            " second_opinion) SELECT case_no, closed_by, closed_at, verdict, CASE WHEN verdict = 'abuse_confirmed' THEN"
            " 'wardrobing' END, 'inspection', 'Seen on arrival.', 1, 0 FROM cases WHERE case_id = ?",
            [(case["case_id"],) for case, _ in made if case["verdict"]],
        )
        return int(rows(conn, "SELECT COUNT(*) FROM cases")[0][0])


def _case(
    row: tuple[Any, ...],
    number: int,
    answers: Sequence[tuple[Any, ...]],
    people: Sequence[str],
    now: int,
    shift: int,
    chance: random.Random,
) -> tuple[dict[str, Any], tuple[Any, ...]]:
    """A case, and the assessment that it rests on: of the risk, reasons and vector of a real one."""
    return_id, order_no, order_id, customer_id, requested_at, kind, reason, country, channel, currency, *rest = row
    category, value, _, _ = rest
    answer, vector, service, model_version, policy_version = chance.choice(answers)
    opened = requested_at + shift
    assessment_id, risk = secrets.token_hex(12), float(answer["risk"])
    said = answer | {"assessment_id": assessment_id, "return_id": return_id, "assessed_at": iso(opened)}
    is_open = number < _OPEN
    closed = None if is_open else min(opened + int(chance.expovariate(1 / (20 * _HOUR))), now)
    verdict = chance.choices(("cleared", "abuse_confirmed", "inconclusive"), (80, 14, 6))[0] if closed else None
    by = chance.choice(people)
    due = opened + 3 * DAY if closed else now + int(chance.uniform(-6, 60) * _HOUR)
    case = {
        "case_id": new_reference(),
        "return_id": return_id,
        "order_no": order_no,
        "order_id": order_id,
        "customer_id": customer_id,
        "assessment_id": assessment_id,
        "opened_at": opened,
        "opened_because": chance.choices(("action", "draw", "hand"), (80, 18, 2))[0],
        "action": "staff_review" if kind == "claim" else "inspect_before_refund",
        "kind": kind,
        "reason": reason,
        "country": country,
        "channel": channel,
        "category": category,
        "currency": currency,
        "value_minor": value,
        "expected_loss_minor": int(risk * value),
        "risk": risk,
        "risk_band": answer["risk_band"],
        "trigger": "risk",
        "propensity": 0.95,
        "state": "open" if is_open else "closed",
        "state_since": closed or opened,
        "due_at": due,
        "due_day": due // DAY,
        "rests_in": "open",
        "reasons": " ".join(each["code"] for each in answer["reasons"]),
        "judged_at": closed,
        "judged_by": by if closed else None,
        "judgement": chance.choice(("no_concern", "unsure", "concern")) if closed else None,
        "verdict": verdict,
        "closed_at": closed,
        "closed_by": by if closed else None,
        "revision": 3 if closed else 1,
    }
    assessment = (
        assessment_id,
        return_id,
        secrets.token_bytes(16),
        order_no,
        requested_at,
        opened,
        risk,
        answer["risk_band"],
        case["action"],
        model_version,
        policy_version,
        service,
        vector,
        orjson.dumps(said),
    )
    return case, assessment


def _people(conn: Any, now: int) -> list[str]:
    """Three reviewers, a lead and an administrator; gives those who look at cases."""
    known: dict[str, str] = dict(rows(conn, "SELECT login, staff_id FROM staff"))
    for login, role in _STAFF.items():
        if login not in known:
            known[login] = accounts.add(conn, SYSTEM, login=login, name=login.title(), role=role, now=now).staff_id
    return [known[login] for login in _STAFF if login != _ADMINISTRATOR]


def _assess_some(home: Path, ledger: Ledger, wanted: int) -> list[str]:
    """Return ids of cases that rest on assessments of the service itself; asks for them the first time."""
    look = "SELECT return_id FROM assessments WHERE return_id LIKE 'console-%'"
    with ledger.read() as conn:
        there = [row[0] for row in rows(conn, look)]
        lines = rows(
            conn,
            "SELECT o.order_id, o.customer_id, MIN(l.line_id) FROM order_lines l"
            " JOIN orders o ON o.order_no = l.order_no"
            " WHERE NOT EXISTS (SELECT 1 FROM returns r WHERE r.order_no = l.order_no)"
            " GROUP BY o.order_no, o.order_id, o.customer_id ORDER BY o.ordered_at DESC LIMIT ?",
            (wanted * 3,),
        )
    if there:
        return there
    with _server(home) as server:
        out = returnwise(home, "keys", "create", "--scope", "assessments:write")
        client = Client(server.port, next(word for word in out.split() if word.startswith("rw_")))
        for number, (order, customer, line) in enumerate(lines):
            body = {
                "return_id": f"console-{number}",
                "customer_id": customer,
                "order_id": order,
                "lines": [{"line_id": line, "quantity": 1}],
                "reason": "not_received" if number % 3 else "other",
                "kind": "claim" if number % 3 else "return",
            }
            status, answer = client.post("/v1/assessments", orjson.dumps(body))
            if status != 200:
                raise SystemExit(f"/v1/assessments answered {status}: {answer[:500]!r}")
    with ledger.read() as conn:
        return [row[0] for row in rows(conn, look)]


def _sign_in(ledger: Ledger) -> dict[str, str]:
    """The cookie's value of a session of each person, by login."""
    tokens = {}
    with ledger.write() as conn:
        for login in _STAFF:
            person = repository.find_login(conn, login)
            assert person is not None
            _, tokens[login] = sessions.begin(conn, person, now_us(), hours=12)
    return tokens


def _paths(ledger: Ledger, assessed: Sequence[str]) -> dict[str, tuple[str, list[str]]]:
    """The pages, each with who looks at it and the addresses to ask for in turn."""
    with ledger.read() as conn:
        own = [
            case
            for (case,) in rows(
                conn,
                f"SELECT case_id FROM cases WHERE return_id IN ({', '.join('?' * min(len(assessed), 500))})",
                tuple(assessed[:500]),
            )
        ]
        old = [row[0] for row in rows(conn, "SELECT case_id FROM cases WHERE state = 'closed' ORDER BY risk LIMIT 500")]
        people = [row[0] for row in rows(conn, "SELECT customer_id FROM cases ORDER BY case_no DESC LIMIT 300")]
    of_lead = {
        "queue": ["/console/queue"],
        "queue, closed": ["/console/queue?state=closed"],
        "queue, search": [f"/console/queue?search={quote(customer)}" for customer in people],
        "case, open": [f"/console/cases/{quote(case)}" for case in own] or ["/console/queue"],
        "case, closed": [f"/console/cases/{quote(case)}" for case in old],
        "customers": ["/console/customers"],
        "customer": [f"/console/customers/{quote(customer, safe='')}" for customer in people],
        "overview": ["/console/overview"],
        "overview, a year": ["/console/overview?days=365"],
        "policy": ["/console/policy"],
        "policy, editing": ["/console/policy/edit"],
        "help": ["/console/help"],
        "account": ["/console/account"],
    }
    of_administrator = {"staff": ["/console/staff"], "connections": ["/console/connections"]}
    return {name: (_LEAD, paths) for name, paths in of_lead.items()} | {
        name: (_ADMINISTRATOR, paths) for name, paths in of_administrator.items()
    }


def _server(home: Path) -> Any:
    def command(port: int) -> list[str]:
        return [sys.executable, "-m", "pipelines.cli", "serve", "--port", str(port), "--workers", "1"]

    return serving(command, "/readyz", env={"RETURNWISE_HOME": str(home)}, log=home / "serve.log", core=_CORE)


def _get(port: int, token: str, paths: Sequence[str]) -> Callable[[int], None]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(number: int) -> None:
        path = paths[number % len(paths)]
        connection.request("GET", path, headers={"Cookie": f"returnwise={token}"})
        response = connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise SystemExit(f"{path} answered {response.status}: {body[:300]!r}")

    return ask


if __name__ == "__main__":
    main()
