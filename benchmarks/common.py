"""What the benchmarks share: arguments, servers in processes of their own, timings, and the two forms of output."""

from __future__ import annotations

import argparse
import dataclasses
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from features.settings import Settings
from pipelines.simulate.settings import SimulationSettings

_CONSOLE = Console(stderr=True, width=120)


def arguments(description: str, **extra: tuple[type, Any, str]) -> argparse.Namespace:
    """`--quick`, `--home` and the given options (name -> type, default, help)."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="small sizes: shows that it works, not how fast it is")
    parser.add_argument("--home", type=Path, help="folder to work in, kept for the next run [default: a new one]")
    for name, (kind, default, text) in extra.items():
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=kind, default=default, help=f"{text} [default: {default}]"
        )
    return parser.parse_args()


def simulator_settings(text: str) -> SimulationSettings:
    """`name=value,name=value` as settings of the simulator; numbers as the fields have them."""
    given: dict[str, Any] = {}
    known = {field.name for field in dataclasses.fields(SimulationSettings)}
    for pair in filter(None, text.split(",")):
        name, _, value = pair.partition("=")
        if name not in known or not value:
            raise SystemExit(
                f"--settings: {pair!r} is no setting of the simulator; known are {', '.join(sorted(known))}"
            )
        given[name] = value if name == "break_kind" else int(value) if name == "break_day" else float(value)
    return SimulationSettings(**given)


def say(text: str) -> None:
    """A line for people, on stderr."""
    _CONSOLE.print(text, highlight=False)


def show(title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """A table for people, on stderr."""
    table = Table(title=title, title_justify="left")
    for name in rows[0]:
        table.add_column(name, justify="right" if name != next(iter(rows[0])) else "left")
    for row in rows:
        table.add_row(*(_shown(value) for value in row.values()))
    _CONSOLE.print(table)


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def finish(result: Mapping[str, Any]) -> None:
    """The result as one JSON object: the last line of stdout."""
    sys.stdout.write(json.dumps(result, default=float) + "\n")


def returnwise(home: Path, *arguments: str, env: Mapping[str, str] | None = None) -> str:
    """Runs the command line as a user would; gives stdout."""
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *arguments],
        env={**os.environ, "RETURNWISE_HOME": str(home), **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"returnwise {' '.join(arguments)} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return done.stdout


def promote(home: Path) -> None:
    """Makes the newest version of a home the champion, without the gate: what is measured is not whether it passes."""
    from training.registry import promote as run  # servers are measured beside this process: nothing it does not need

    run(Settings(home=home))


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def on_core(core: int, command: Sequence[str]) -> list[str]:
    """The command bound to one core, where the system has `taskset`."""
    return ["taskset", "-c", str(core), *command] if shutil.which("taskset") else list(command)


@dataclass
class Server:
    """A server process on localhost."""

    port: int
    process: subprocess.Popen[bytes]

    def stop(self, *, kill: bool = False) -> None:
        """Ends it: politely, or as a power cut would."""
        if kill:
            self.process.kill()
        else:
            self.process.terminate()
        self.process.wait(timeout=30)


@contextmanager
def serving(
    command: Callable[[int], Sequence[str]],
    ready: str,
    *,
    env: Mapping[str, str] | None = None,
    core: int | None = 0,
    log: Path | None = None,
    seconds: float = 90,
) -> Iterator[Server]:
    """Starts a server, waits until `ready` answers 200, and stops it at the end."""
    port = free_port()
    line = list(command(port)) if core is None else on_core(core, command(port))
    out = log.open("ab") if log else subprocess.DEVNULL
    process = subprocess.Popen(line, env={**os.environ, **(env or {})}, stdout=out, stderr=subprocess.STDOUT)
    server = Server(port, process)
    try:
        deadline = time.monotonic() + seconds
        while True:
            if process.poll() is not None:
                raise SystemExit(f"{' '.join(line)} ended with status {process.returncode}")
            if time.monotonic() > deadline:
                raise SystemExit(f"{' '.join(line)} was not ready after {seconds} s")
            try:
                if Client(port).get(ready)[0] == 200:
                    break
            except OSError:
                pass
            time.sleep(0.05)
        yield server
    finally:
        if process.poll() is None:
            server.stop()


class Client:
    """One kept-open HTTP connection."""

    def __init__(self, port: int, key: str | None = None) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}

    def get(self, path: str) -> tuple[int, bytes]:
        """Status and body."""
        return self._ask("GET", path, None)

    def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Status and body."""
        return self._ask("POST", path, body)

    def _ask(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        self._connection.request(method, path, body=body, headers=self._headers)
        response = self._connection.getresponse()
        return response.status, response.read()


def one_at_a_time(ask: Callable[[int], None], count: int, warm: int) -> dict[str, float]:
    """Latencies in milliseconds of `ask(0)`, `ask(1)`, ... in turn."""
    for number in range(warm):
        ask(number)
    taken = np.empty(count)
    start = time.perf_counter()
    for number in range(count):
        before = time.perf_counter()
        ask(warm + number)
        taken[number] = time.perf_counter() - before
    seconds = time.perf_counter() - start
    p50, p95, p99 = np.percentile(taken, [50, 95, 99]) * 1e3
    return {"p50_ms": p50, "p95_ms": p95, "p99_ms": p99, "per_s": count / seconds}


def at_once(make: Callable[[], Callable[[int], None]], numbers: Sequence[int], connections: int) -> dict[str, float]:
    """Requests a second and p99 of so many clients, each with a connection of its own, that share the work."""
    waiting = iter(numbers)
    lock = threading.Lock()
    taken: list[float] = []
    failures: list[BaseException] = []

    def work() -> None:
        ask = make()
        while not failures:
            with lock:
                number = next(waiting, None)
            if number is None:
                return
            before = time.perf_counter()
            try:
                ask(number)
            except BaseException as error:  # noqa: BLE001 - raised again by the caller
                failures.append(error)
                return
            taken.append(time.perf_counter() - before)

    threads = [threading.Thread(target=work) for _ in range(connections)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - start
    if failures:
        raise failures[0]
    p50, p99 = np.percentile(taken, [50, 99]) * 1e3
    return {"per_s_at_8": len(taken) / seconds, "p50_ms_at_8": p50, "p99_ms_at_8": p99}
