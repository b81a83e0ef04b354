"""The service as its users run it: `returnwise serve` in processes of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.support.repository import ROOT
from tests.support.service import HASH_KEY

_SERVE = "import sys; from features.settings import Settings; from serving.run import serve; "
_SERVE += "serve(Settings(), '127.0.0.1', int(sys.argv[1]), int(sys.argv[2]))"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Service:
    """One run of the service; `kill` ends it as a power cut would end the process."""

    def __init__(self, home: Path, *, workers: int = 1, **environment: str) -> None:
        self.port = free_port()
        self.log = home / f"service-{self.port}.log"
        own = {"RETURNWISE_HOME": str(home), "RETURNWISE_HASH_KEY": HASH_KEY, "RETURNWISE_MODEL_POLL_SECONDS": "1"}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("RETURNWISE_")}
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", _SERVE, str(self.port), str(workers)],
                cwd=ROOT,
                env=inherited | own | environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30)
        try:
            self._wait()
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise

    def _wait(self) -> None:
        until = time.monotonic() + 180  # a busy machine may take a minute to import it all
        while True:
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < until, self.log.read_text()
            try:
                self.client.get("/healthz").raise_for_status()
                return
            except httpx.TransportError:
                time.sleep(0.05)

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.client.close()

    def stop(self) -> int:
        """Ends it as an operator does; gives the exit status."""
        self.client.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()
            raise


@contextmanager
def service(home: Path, *, workers: int = 1, **environment: str) -> Iterator[Service]:
    """A running service, stopped at the end."""
    running = Service(home, workers=workers, **environment)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.stop()
