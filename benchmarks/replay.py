"""Does the API see exactly what the training table holds?

A simulated history goes through the real HTTP service in order of time: events and return requests, some events late,
some sent twice, the service killed and started again in between. Then the training table is built offline for the same
moments, and `returnwise score` scores the same returns. Every value and every risk must be the same to the last bit.
"""

from __future__ import annotations

import csv
import itertools
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pandas as pd
from sqlalchemy import text

from benchmarks.common import Client, arguments, finish, promote, returnwise, say, serving, show
from features.ledger.store import Ledger
from features.repo import feature_store
from features.request import assessed_returns
from features.service import SERVICE, VECTOR
from features.settings import Settings

_EVENTS_A_CALL = 200
_ORDER_FIELDS = (
    "order_id",
    "customer_id",
    "channel",
    "country",
    "currency",
    "email_id",
    "address_id",
    "payment_id",
    "device_id",
    "courier",
)


@dataclass(frozen=True)
class Step:
    """Something that reaches the service: an event, or a return request."""

    arrives_at: str
    rank: int
    kind: str
    body: dict[str, Any]


def main() -> None:
    """Runs the comparison and prints it."""
    options = arguments(
        __doc__,
        customers=(int, 9_000, "customers to simulate"),
        days=(int, 540, "days to simulate"),
        seed=(int, 20, "seed of the simulation and of what is late, repeated or restarted"),
        restarts=(int, 6, "how often the service is stopped, every other time by killing it"),
    )
    if options.quick:
        options.customers, options.days, options.restarts = 700, 300, 2
    home = options.home or Path(tempfile.mkdtemp(prefix="returnwise-replay-"))
    model, live, data = home / "model", home / "live", home / "data"
    shutil.rmtree(live, ignore_errors=True)
    if not data.exists():
        returnwise(
            home,
            *("simulate", "--out", str(data), "--customers", str(options.customers)),
            *("--days", str(options.days), "--seed", str(options.seed)),
        )
        for command in (("ingest", str(data)), ("train",)):
            say(f"returnwise {' '.join(command)}")
            returnwise(model, *command)
        promote(model)
    settings = Settings(home=model)
    env = {"RETURNWISE_MLFLOW_TRACKING_URI": settings.tracking_uri}

    rng = random.Random(options.seed)
    steps = list(_steps(data, rng))
    say(f"{len(steps):,} steps, {sum(step.kind == 'return' for step in steps):,} of them return requests")
    started = time.perf_counter()
    sent = _replay(live, env, steps, rng, options.restarts, home / "serve.log")
    seconds = time.perf_counter() - started
    values = _compare_values(live)
    risks = _compare_risks(live, env, home)
    result = {"benchmark": "replay", **sent, "seconds": round(seconds, 1), **values, **risks}
    show("Replay through HTTP against the training table", [{"what": k, "count": v} for k, v in result.items()])
    finish(result)
    if values["values_differing"] or risks["risks_differing"] or sent["wrong_answers"]:
        sys.exit(1)


def _rows(data: Path, table: str) -> list[dict[str, str]]:
    with (data / f"{table}.csv").open(newline="") as file:
        return [{k: v for k, v in row.items() if v != ""} for row in csv.DictReader(file)]


def _steps(data: Path, rng: random.Random) -> Iterator[Step]:
    """All that happened, in the order in which the service hears of it."""
    orders = _orders(data)
    returns: dict[str, list[dict[str, str]]] = {}
    for row in _rows(data, "returns"):
        returns.setdefault(row["return_id"], []).append(row)
    returned = sorted({rows[0]["order_id"] for rows in returns.values()})
    inline = set(rng.sample(returned, len(returned) // 50))  # these orders come with the return request only
    steps = [_request(rows, orders, inline) for rows in returns.values()]
    for order_id, order in orders.items():
        if order_id not in inline and order["lines"]:
            steps.append(_event("order", order_id, order, rng, late=0.0))
    for row in _rows(data, "deliveries"):
        body = {"order_id": row["order_id"], "occurred_at": row["delivered_at"], "proof": row["proof"]}
        if row["order_id"] not in inline:
            steps.append(_event("delivery", row["order_id"], body, rng, late=0.05))
    for table, when, kind in (("inspections", "inspected_at", "inspection"), ("verdicts", "decided_at", "verdict")):
        for row in _rows(data, table):
            body = _typed({("occurred_at" if k == when else k): v for k, v in row.items()})
            steps.append(_event(kind, f"{row['return_id']}-{row[when]}-{row.get('line_id')}", body, rng, late=0.05))
    steps.sort(key=lambda step: (step.arrives_at, step.rank))
    return iter(steps)


def _orders(data: Path) -> dict[str, dict[str, Any]]:
    lines: dict[str, list[dict[str, Any]]] = {}
    for row in _rows(data, "order_lines"):
        lines.setdefault(row.pop("order_id"), []).append(_typed(row))
    return {
        row["order_id"]: {key: row[key] for key in _ORDER_FIELDS if key in row}
        | {"occurred_at": row["ordered_at"], "lines": lines.get(row["order_id"], [])}
        for row in _rows(data, "orders")
    }


def _request(rows: list[dict[str, str]], orders: dict[str, dict[str, Any]], inline: set[str]) -> Step:
    head = rows[0]
    order = orders[head["order_id"]]
    body: dict[str, Any] = {
        "return_id": head["return_id"],
        "customer_id": order["customer_id"],
        "order_id": head["order_id"],
        "lines": [{"line_id": row["line_id"], "quantity": int(row["quantity"])} for row in rows],
        **{k: head[k] for k in ("reason", "kind", "resolution", "channel", "tender", "requested_at") if k in head},
    }
    if "proof_of_purchase" in head:
        body["proof_of_purchase"] = head["proof_of_purchase"].lower() in ("true", "1")
    if head["order_id"] in inline:
        body["order"] = {("ordered_at" if k == "occurred_at" else k): v for k, v in order.items()}
    return Step(_arrival(head["requested_at"]), 3, "return", body)


def _arrival(moment: str, hours: int = 0) -> str:
    return (pd.Timestamp(moment) + pd.Timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _typed(row: dict[str, Any]) -> dict[str, Any]:
    numbers = {"quantity": int, "propensity": float}
    return {k: numbers[k](v) if k in numbers else v for k, v in row.items() if k != "recorded_at"}


def _event(kind: str, name: str, body: dict[str, Any], rng: random.Random, *, late: float) -> Step:
    arrives = _arrival(body["occurred_at"], rng.choice((1, 12, 48, 240)) if rng.random() < late else 0)
    rank = ("order", "delivery", "return", "inspection", "verdict").index(kind)
    return Step(arrives, rank, "event", {"event_id": f"{kind}-{name}", "type": kind, **body})


def _replay(
    live: Path, env: dict[str, str], steps: list[Step], rng: random.Random, restarts: int, log: Path
) -> dict[str, Any]:
    key = _key(live, env)
    stops = sorted(rng.sample(range(len(steps) // 20, len(steps)), restarts))
    counts = {"events": 0, "requests": 0, "late_events": 0, "repeated": 0, "restarts": restarts, "wrong_answers": 0}
    answers: list[tuple[bytes, bytes]] = []
    for part, (start, end) in enumerate(itertools.pairwise([0, *stops, len(steps)])):
        with _service(live, env, log) as server:
            client = Client(server.port, key)
            # What was acknowledged before the stop must still be known after it.
            for body, answer in answers[-20:]:
                counts["repeated"] += 1
                counts["wrong_answers"] += client.post("/v1/assessments", body) != (200, answer)
            waiting: list[dict[str, Any]] = []
            for step in steps[start:end]:
                if step.kind == "event":
                    waiting.append(step.body)
                    counts["late_events"] += step.arrives_at[:19] != step.body["occurred_at"][:19]
                    if len(waiting) < _EVENTS_A_CALL:
                        continue
                _send(client, waiting, rng, counts)
                waiting = []
                if step.kind == "return":
                    body = orjson.dumps(step.body)
                    status, answer = client.post("/v1/assessments", body)
                    counts["requests"] += 1
                    if status != 200:
                        counts["wrong_answers"] += 1
                        say(f"{status} {answer[:400]!r}")
                    answers.append((body, answer))
                    if rng.random() < 0.02:
                        again, same = rng.choice(answers[-500:])
                        counts["repeated"] += 1
                        counts["wrong_answers"] += client.post("/v1/assessments", again) != (200, same)
            _send(client, waiting, rng, counts)
            if part < restarts:
                server.stop(kill=part % 2 == 0)
        say(f"{end:,} steps sent")
    return counts


def _send(client: Client, events: list[dict[str, Any]], rng: random.Random, counts: dict[str, int]) -> None:
    if not events:
        return
    repeated = [event for event in events if rng.random() < 0.02]
    for batch, new in ((events, len(events)), (repeated, 0)):
        if batch:
            status, answer = client.post("/v1/events", orjson.dumps({"events": batch}))
            said = orjson.loads(answer)
            if status != 200 or said["accepted"] != new or said["duplicates"] != len(batch) - new:
                counts["wrong_answers"] += 1
                say(f"{status} {answer[:400]!r}")
    counts["events"] += len(events)
    counts["repeated"] += len(repeated)


def _service(live: Path, env: dict[str, str], log: Path) -> Any:
    def command(port: int) -> list[str]:
        return [sys.executable, "-m", "pipelines.cli", "serve", "--port", str(port)]

    return serving(command, "/readyz", env={**env, "RETURNWISE_HOME": str(live)}, core=None, log=log)


def _key(live: Path, env: dict[str, str]) -> str:
    live.mkdir(parents=True, exist_ok=True)
    out = returnwise(live, "keys", "create", "--scope", "events:write", "--scope", "assessments:write", env=env)
    return next(word for word in out.split() if word.startswith("rw_"))


def _stored(ledger: Ledger) -> tuple[pd.DataFrame, np.ndarray]:
    with ledger.read() as conn:
        rows = conn.execute(text("SELECT return_id, risk, vector FROM assessments ORDER BY return_id")).all()
    frame = pd.DataFrame([(row[0], row[1]) for row in rows], columns=["return_id", "risk"])
    return frame, np.stack([np.frombuffer(row[2], dtype="<f8") for row in rows])


def _compare_values(live: Path) -> dict[str, Any]:
    """The stored vectors against `get_historical_features` at the same moments."""
    settings = Settings(home=live)
    ledger = Ledger.open(settings)
    stored, online = _stored(ledger)
    with ledger.read() as conn:
        entities = assessed_returns(conn)
    ledger.close()
    store = feature_store(settings)
    service = store.get_feature_service(SERVICE)
    offline = store.get_historical_features(entity_df=entities, features=service).to_df()
    offline = offline.set_index("return_id").loc[stored["return_id"], list(VECTOR)]
    table = offline.to_numpy(dtype=np.float64)
    same = (table == online) | (np.isnan(table) & np.isnan(online))
    for row, column in np.argwhere(~same)[:10]:
        say(f"{stored['return_id'][row]} {VECTOR[column]}: online {online[row, column]}, offline {table[row, column]}")
    moving = int(((online != online[0]) & ~np.isnan(online)).any(axis=0).sum())
    return {
        "values_compared": int(same.size),
        "values_differing": int((~same).sum()),
        "features": len(VECTOR),
        "features_that_vary": moving,
    }


def _compare_risks(live: Path, env: dict[str, str], home: Path) -> dict[str, Any]:
    """The stored risks against `returnwise score` on the returns table."""
    settings = Settings(home=live)
    ledger = Ledger.open(settings)
    stored, _ = _stored(ledger)
    ledger.close()
    out = home / "scored.parquet"
    returnwise(live, "score", str(home / "data" / "returns.csv"), "--out", str(out), env=env)
    scored = pd.read_parquet(out).set_index("return_id").loc[stored["return_id"]]
    differing = scored["risk"].to_numpy() != stored["risk"].to_numpy()
    return {"risks_compared": len(stored), "risks_differing": int(differing.sum())}


if __name__ == "__main__":
    main()
