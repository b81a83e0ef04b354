"""How long does an answer take, while the shopper waits?

With a ledger of at least a million events, one worker on one core, durable writes and reasons included: latencies one
at a time, and requests a second at eight connections. In the same run, on the same core: an empty FastAPI endpoint, and
what one would otherwise assemble (`feast serve` on a filled SQLite online store for the features, `mlflow models serve`
for the same model version, LightGBM's own SHAP contributions for the reasons, called in turn). The assembled stack is
spared what Returnwise does besides: it stores nothing, checks nothing, and its signals are computed by the client.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import psutil

from benchmarks.assembled import Assembled
from benchmarks.common import (
    Client,
    arguments,
    at_once,
    finish,
    one_at_a_time,
    promote,
    returnwise,
    say,
    serving,
    show,
)
from features.clock import DAY, SECOND
from features.ledger.sql import rows
from features.ledger.store import Ledger
from features.settings import Settings

_EVENTS = ("orders", "deliveries", "returns", "inspections", "verdicts")
_CONNECTIONS = 8


def main() -> None:
    """Runs the measurement and prints it."""
    options = arguments(
        __doc__,
        customers=(int, 40_000, "customers to simulate, so that the ledger has a million events"),
        requests=(int, 4_000, "requests in each measurement"),
    )
    count = 200 if options.quick else options.requests
    customers = 600 if options.quick else options.customers
    home = options.home or Path(tempfile.mkdtemp(prefix="returnwise-assess-"))
    events = prepare(home, customers)
    say(f"{events:,} events in the ledger")
    bodies = _requests(home, 2 * count + 600)
    if psutil.cpu_count() and (psutil.cpu_count() or 1) > 1:
        psutil.Process().cpu_affinity([1])  # the client must not compete with the one core of the servers
    measured = [
        {"what": "empty FastAPI endpoint", **_measure_empty(bodies, count)},
        {"what": "Returnwise: assessment with reasons, stored durably", **_measure_returnwise(home, bodies, count)},
        {"what": "feast serve + mlflow models serve + SHAP", **_measure_assembled(home, max(count // 10, 50))},
    ]
    show(f"Answers with {events:,} events in the ledger, one server core", measured)
    ours, assembled = measured[1], measured[2]
    finish(
        {
            "benchmark": "assess",
            "events": events,
            "measured": measured,
            "times_assembled_at_8": ours["per_s_at_8"] / assembled["per_s_at_8"],
            "times_assembled_one_at_a_time": ours["per_s"] / assembled["per_s"],
        }
    )


def prepare(home: Path, customers: int) -> int:
    """A home with simulated history and a champion, unless it is there already; gives the number of events."""
    if not (home / "ready").exists():
        data = home / "data"
        returnwise(
            home,
            *("simulate", "--out", str(data), "--customers", str(customers)),
            *("--days", "730", "--seed", "5", "--format", "parquet"),
        )
        for command in (("ingest", str(data)), ("features", "build"), ("train",)):
            say(f"returnwise {' '.join(command)}")
            returnwise(home, *command)
        promote(home)
        (home / "ready").touch()
    ledger = Ledger.open(Settings(home=home))
    with ledger.read() as conn:
        total = sum(rows(conn, f"SELECT COUNT(*) FROM {table}")[0][0] for table in _EVENTS)
    ledger.close()
    return int(total)


def _requests(home: Path, count: int) -> list[bytes]:
    """Return requests for lines that nobody has sent back yet, each of another order, in no order."""
    ledger = Ledger.open(Settings(home=home))
    with ledger.read() as conn:
        (latest,) = rows(conn, "SELECT MAX(requested_at) FROM returns")[0]
        (runs,) = rows(conn, "SELECT COUNT(*) FROM assessments")[0]
        open_lines = rows(
            conn,
            "SELECT o.order_id, o.customer_id, MIN(l.line_id)"
            " FROM order_lines l JOIN orders o ON o.order_no = l.order_no"
            " LEFT JOIN returns r ON r.order_no = l.order_no AND r.line_id = l.line_id"
            " WHERE r.return_no IS NULL AND o.ordered_at > ? GROUP BY o.order_no, o.order_id, o.customer_id"
            " ORDER BY (o.order_no * 2654435761) % 1000003 LIMIT ?",
            (latest - 300 * DAY, count),
        )
    ledger.close()
    if len(open_lines) < count:
        raise SystemExit(f"only {len(open_lines)} orders have lines that can be returned: simulate more customers")
    start = latest // SECOND + 60
    return [
        orjson.dumps(
            {
                "return_id": f"bench-{runs}-{number}",
                "customer_id": customer,
                "order_id": order,
                "lines": [{"line_id": line, "quantity": 1}],
                "reason": "changed_mind",
                "kind": "return",
                "resolution": "refund",
                "channel": "web",
                "tender": "original",
                "requested_at": _iso(start + runs + number),
            }
        )
        for number, (order, customer, line) in enumerate(open_lines)
    ]


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).isoformat()


def _post(port: int, path: str, bodies: list[bytes], key: str | None = None) -> Callable[[], Callable[[int], None]]:
    def make() -> Callable[[int], None]:
        client = Client(port, key)

        def ask(number: int) -> None:
            status, answer = client.post(path, bodies[number])
            if status != 200:
                raise SystemExit(f"{path} answered {status}: {answer[:500]!r}")

        return ask

    return make


def _measure(make: Callable[[], Callable[[int], None]], count: int, warm: int = 200) -> dict[str, float]:
    first = one_at_a_time(make(), count, warm)
    return first | at_once(make, range(warm + count, warm + 2 * count), _CONNECTIONS)


def _measure_empty(bodies: list[bytes], count: int) -> dict[str, float]:
    def command(port: int) -> list[str]:
        line = [sys.executable, "-m", "uvicorn", "benchmarks.empty_app:app", "--port", str(port)]
        return [*line, "--loop", "uvloop", "--http", "httptools", "--no-access-log"]

    with serving(command, "/healthz") as server:
        return _measure(_post(server.port, "/", bodies), count)


def _measure_returnwise(home: Path, bodies: list[bytes], count: int) -> dict[str, float]:
    out = returnwise(home, "keys", "create", "--scope", "assessments:write")
    key = next(word for word in out.split() if word.startswith("rw_"))

    def command(port: int) -> list[str]:
        return [sys.executable, "-m", "pipelines.cli", "serve", "--port", str(port), "--workers", "1"]

    with serving(command, "/readyz", env={"RETURNWISE_HOME": str(home)}, log=home / "serve.log") as server:
        return _measure(_post(server.port, "/v1/assessments", bodies, key), count)


def _measure_assembled(home: Path, count: int) -> dict[str, Any]:
    with Assembled.running(home, count) as assembled:
        return _measure(assembled.asker, count, warm=20)


if __name__ == "__main__":
    main()
