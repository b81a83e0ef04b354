"""From nothing to a running service."""

from __future__ import annotations

import datetime as dt
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from features.errors import ReturnwiseError
from features.ledger.store import Ledger
from features.settings import Settings, get_settings
from pipelines.console import bars, note, say
from pipelines.demo.asking import HOST, curl, example
from pipelines.demo.people import Invitation
from pipelines.demo.progress import Progress

DAYS: Final = 540
SEED: Final = 1
_LABEL: Final = "demo"
#: Recorded if the gate refuses the model of the demo; where it does not, nothing is overridden.
_NOTHING_AT_STAKE: Final = "A demonstration on a simulated shop: no real return is judged by this version."
#: A demo that ended longer ago has no case left whose time is not over.
_STALE_DAYS: Final = 7


def run(settings: Settings, *, port: int, customers: int) -> None:
    """Make what is missing of the demo in `{home}/demo`, then serve it on localhost until interrupted.

    Databases and servers that the settings name are left alone: the demo has its own.
    """
    _check_port(port)
    own = Settings(home=settings.home / "demo", database_url="", mlflow_tracking_uri="", hash_key="")
    prepare(own, customers)
    with _step("looking for a return worth asking about"):
        request = example(own)
    invitations = invite(own, f"http://{HOST}:{port}")
    announcer = threading.Thread(target=_announce, args=(port, new_key(own), request, invitations), daemon=True)
    announcer.start()
    serve(own, port)


def prepare(own: Settings, customers: int) -> None:
    """Simulate, ingest, build features, train, promote, and live through the last weeks, whatever of it is not done."""
    state = Progress.load(own.home, customers)
    state.save(own.home)
    tables = own.home / "tables"
    if not state.ingested:
        from pipelines.demo.keeping_back import keep_back
        from pipelines.ingest.run import ingest
        from pipelines.simulate.run import simulate

        with _step(f"simulating a shop with {customers:,} customers over {DAYS} days"), bars() as progress:
            simulate(tables, customers=customers, days=DAYS, seed=SEED, end=state.end, progress=progress)
            if state.replay_from is not None:
                keep_back(tables, state.replay_from)
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
            note(train(own, None if state.replay_from is None else state.replay_from.isoformat()).message)
        with _step("judging it before it becomes the champion"), bars() as progress:
            progress.add_task("judging", total=None)
            promotion = promote_judged(own, override=_NOTHING_AT_STAKE, by="returnwise demo")
            for line in promotion.lines():
                note(line)
        state.promoted = True
        state.save(own.home)
    if state.days_to_replay:
        from pipelines.demo.replay import replay

        with _step(f"living through the last {len(state.days_to_replay)} days, with staff"), bars() as progress:
            replay(own, tables, state, progress)
    age = (dt.datetime.now(tz=dt.UTC).date() - state.end).days
    if age > _STALE_DAYS:
        note(f"this demo ended {age} days ago, so its cases are past their time; remove {own.home} for a fresh one")


def invite(own: Settings, address: str) -> list[Invitation]:
    """Links with which one can sign in to the console, in several roles."""
    from pipelines.demo.people import invitations

    ledger = Ledger.open(own)
    try:
        with ledger.write() as conn:
            return invitations(conn, address, time.time_ns() // 1_000)
    finally:
        ledger.close()


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
        serve_forever(own, HOST, port, 1, tell=say)
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
            probe.bind((HOST, port))
        except OSError as error:
            raise ReturnwiseError(
                f"port {port} is taken; choose another: returnwise demo --port N, or make demo ARGS='--port N'"
            ) from error


def _announce(port: int, key: str, request: dict[str, Any], invitations: list[Invitation]) -> None:
    """Once the service is ready, say how to use it."""
    while not _ready(port):
        time.sleep(0.2)
    base = f"http://{HOST}:{port}"
    say(
        [
            "",
            f"Returnwise is running at {base} (described at {base}/openapi.json). Ctrl+C stops it.",
            "",
            f"The console is at {base}/console. Each link works once: choose a password there, and you are in.",
            "",
            *(f"  {each.role:<14} {each.login:<8} {each.link}" for each in invitations),
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
        with urllib.request.urlopen(f"http://{HOST}:{port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
