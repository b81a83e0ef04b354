"""`returnwise demo`: a simulated shop from its tables to a running service, in a home of its own."""

from __future__ import annotations

import csv
import datetime as dt
import json
import shlex
import socket
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from pydantic import BaseModel

from features.errors import ReturnwiseError
from features.ledger.store import Ledger
from features.ledger.tables import deliveries, order_lines, orders, returns
from features.settings import Settings, get_settings
from pipelines.console import bars, note, say

DAYS: Final = 540
SEED: Final = 1
_HOST: Final = "127.0.0.1"
_LABEL: Final = "demo"
#: Recorded if the gate refuses the model of the demo; where it does not, nothing is overridden.
_NOTHING_AT_STAKE: Final = "A demonstration on a simulated shop: no real return is judged by this version."


_STATED: Final = {
    "reason": "changed_mind",
    "kind": "return",
    "resolution": "refund",
    "channel": "web",
    "tender": "original",
}
#: The latest delivered lines of which nothing has come back, of customers who have bought at least ten times.
_OPEN_LINES: Final = (
    sa.select(orders.c.order_id, orders.c.customer_id, order_lines.c.line_id)
    .join(order_lines, order_lines.c.order_no == orders.c.order_no)
    .where(
        sa.exists().where(deliveries.c.order_no == orders.c.order_no),
        ~sa.exists().where(returns.c.order_no == order_lines.c.order_no, returns.c.line_id == order_lines.c.line_id),
        orders.c.customer_id.in_(
            sa.select(orders.c.customer_id).group_by(orders.c.customer_id).having(sa.func.count() >= 10)
        ),
    )
    .order_by(orders.c.ordered_at.desc(), orders.c.order_id, order_lines.c.line_id)
    .limit(300)
)


class Progress(BaseModel):
    """How far the demo in this home is (`demo.json`), so that running it again goes on instead of beginning anew."""

    customers: int
    end: dt.date
    ingested: bool = False
    promoted: bool = False

    @classmethod
    def load(cls, home: Path, customers: int) -> Progress:
        """The state in `home`; a fresh one, ending yesterday, if there is none."""
        file = home / "demo.json"
        if not file.exists():
            yesterday = dt.datetime.now(tz=dt.UTC).date() - dt.timedelta(days=1)
            return cls(customers=customers, end=yesterday)
        state = cls.model_validate_json(file.read_bytes())
        if state.customers != customers:
            raise ReturnwiseError(
                f"{home} holds a demo of {state.customers:,} customers; remove that folder to make another"
            )
        return state

    def save(self, home: Path) -> None:
        """Write the state."""
        home.mkdir(parents=True, exist_ok=True)
        (home / "demo.json").write_text(self.model_dump_json() + "\n", encoding="utf-8")


def run(settings: Settings, *, port: int, customers: int) -> None:
    """Make what is missing of the demo in `{home}/demo`, then serve it on localhost until interrupted.

    Databases and servers that the settings name are left alone: the demo has its own.
    """
    _check_port(port)
    own = Settings(home=settings.home / "demo", database_url="", mlflow_tracking_uri="", hash_key="")
    prepare(own, customers)
    with _step("looking for a return worth asking about"):
        request = example(own)
    announcer = threading.Thread(target=_announce, args=(port, new_key(own), request), daemon=True)
    announcer.start()
    serve(own, port)


def prepare(own: Settings, customers: int) -> None:
    """Simulate, ingest, build features, train and promote, whatever of it is not done yet."""
    state = Progress.load(own.home, customers)
    state.save(own.home)
    if not state.ingested:
        from pipelines.ingest.run import ingest
        from pipelines.simulate.run import simulate

        tables = own.home / "tables"
        with _step(f"simulating a shop with {customers:,} customers over {DAYS} days"), bars() as progress:
            simulate(tables, customers=customers, days=DAYS, seed=SEED, end=state.end, progress=progress)
        with _step("ingesting its tables into the ledger"), bars() as progress:
            report = ingest(tables, settings=own, progress=progress)
        if report.exit_status:
            raise ReturnwiseError(f"rows of the simulated shop were refused: {report.rejects_file}")
        state.ingested = True
        state.save(own.home)
    if not state.promoted:
        from features.build import build
        from training.gate import promote_judged
        from training.run import train

        with _step("computing what is derived from the ledger"), bars() as progress:
            build(own, progress)
        with _step("training a model on what inspections found"), bars() as progress:
            progress.add_task("training", total=None)
            note(train(own).message)
        with _step("judging it before it becomes the champion"), bars() as progress:
            progress.add_task("judging", total=None)
            promotion = promote_judged(own, override=_NOTHING_AT_STAKE, by="returnwise demo")
            for line in promotion.lines():
                note(line)
        state.promoted = True
        state.save(own.home)


def new_key(own: Settings) -> str:
    """A key for this run; those of earlier runs are revoked, as nobody remembers them."""
    from serving.keys import service
    from serving.keys.scopes import Scope

    ledger = Ledger.open(own)
    try:
        for key in service.listing(ledger):
            if key.label == _LABEL and key.revoked_at is None:
                service.revoke(ledger, key.key_id)
        return service.create(ledger, [scope.value for scope in Scope], _LABEL)
    finally:
        ledger.close()


def serve(own: Settings, port: int) -> None:
    """Serve until interrupted."""
    from serving.run import serve as serve_forever

    get_settings.cache_clear()  # the application reads its settings itself, now those of the demo
    try:
        serve_forever(own, _HOST, port, 1, tell=note)
    except KeyboardInterrupt:
        note("stopped")


@contextmanager
def _step(what: str) -> Iterator[None]:
    note(f"{what} ...")
    started = time.perf_counter()
    yield
    note(f"  done in {time.perf_counter() - started:.0f} s")


def _check_port(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError as error:
            raise ReturnwiseError(
                f"port {port} is taken; choose another: returnwise demo --port N, or make demo ARGS='--port N'"
            ) from error


def example(own: Settings) -> dict[str, Any]:
    """A return request that the demo's ledger can answer: of a few hundred that customers could make today, the one
    that most deserves a look, so that there is something to see."""
    from pipelines.score import score

    ledger = Ledger.open(own)
    try:
        with ledger.read() as conn:
            rows = conn.execute(_OPEN_LINES).all()
    finally:
        ledger.close()
    if not rows:
        raise ReturnwiseError(f"no order of the demo is left to return; remove {own.home} and run the demo again")
    now = dt.datetime.now(tz=dt.UTC).isoformat(timespec="seconds")
    candidates = {
        f"{row.order_id}-{row.line_id}": {
            "customer_id": row.customer_id,
            "order_id": row.order_id,
            "lines": [{"line_id": row.line_id, "quantity": 1}],
            **_STATED,
        }
        for row in rows
    }
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder, "asked.csv"), Path(folder, "answered.csv")
        with asked.open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(["return_id", "order_id", "line_id", "requested_at", "quantity", *_STATED])
            for return_id, row in zip(candidates, rows, strict=True):
                table.writerow([return_id, row.order_id, row.line_id, now, 1, *_STATED.values()])
        report = score(own, asked, answered)
        if report.exit_status:
            raise ReturnwiseError(f"returns of the simulated shop were refused: {report.rejects_file}")
        with answered.open(newline="", encoding="utf-8") as file:
            foremost = max(csv.DictReader(file), key=lambda result: float(result["risk"]))["return_id"]
    return {"return_id": foremost, **candidates[foremost]}


def curl(port: int, key: str, request: dict[str, Any]) -> str:
    r"""A command that asks the service at `port` for an assessment.

    >>> print(curl(8000, "rw_x", {"return_id": "it's"}))
    curl http://127.0.0.1:8000/v1/assessments -H 'Authorization: Bearer rw_x' -H 'Content-Type: application/json' \
      -d '{"return_id": "it'"'"'s"}'
    """
    return (
        f"curl http://{_HOST}:{port}/v1/assessments -H 'Authorization: Bearer {key}' "
        f"-H 'Content-Type: application/json' \\\n  -d {shlex.quote(json.dumps(request))}"
    )


def _announce(port: int, key: str, request: dict[str, Any]) -> None:
    """Once the service is ready, say how to use it."""
    while not _ready(port):
        time.sleep(0.2)
    base = f"http://{_HOST}:{port}"
    say(
        [
            "",
            f"Returnwise is running at {base} (described at {base}/openapi.json). Ctrl+C stops it.",
            "",
            f"API key: {key}",
            "",
            "A customer wants to return something. Ask, in another terminal:",
            "",
            curl(port, key, request),
            "",
        ]
    )


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{_HOST}:{port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
