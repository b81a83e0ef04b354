"""`returnwise serve`: one or more processes that answer HTTP."""

from __future__ import annotations

import os
import socket
import sys
import tempfile
from collections.abc import Callable

import uvicorn

from features.errors import ReturnwiseError
from features.ledger.store import Ledger
from features.settings import Settings
from serving.clock import now_us
from serving.policy.source import default_policy
from serving.privacy.meanings import meanings as privacy_meanings
from serving.reasons.help import helps, meanings
from serving.settings import ServingSettings
from serving.staff.links import first_link
from serving.texts import LANGUAGES, texts

_APP = "serving.app:create_app"


class ServeError(ReturnwiseError):
    """The service cannot be started; the message says why."""


def serve(
    settings: Settings, host: str, port: int, workers: int, *, tell: Callable[[str], None] = lambda line: None
) -> None:
    """Serve until interrupted.

    Several workers are several processes: they share the ledger, which lets one of them write at a time, and their
    metrics, through files in a folder of this run.

    While nobody has an account, `tell` gets a one-time link for the first administrator of the console.

    Raises:
        ServeError: the address is taken or not ours.
        LedgerError: the ledger cannot be opened.
    """
    _check(settings, host, port)
    _welcome(settings, host, port, tell)
    os.environ.update(_environment(settings))  # the workers read their settings from it
    if workers == 1:
        _run(host, port, 1)
        return
    with tempfile.TemporaryDirectory(prefix="returnwise-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        try:
            _run(host, port, workers)
        finally:
            del os.environ["PROMETHEUS_MULTIPROC_DIR"]


def _check(settings: Settings, host: str, port: int) -> None:
    """What would stop every worker is said here, in one line."""
    Ledger.open(settings).close()  # also brings its schema up to date, before several workers would do so at once
    for language in LANGUAGES:
        texts(language)
        helps(language)  # with the reasons in that language
        meanings(language)
        privacy_meanings(language)
    default_policy()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ServeError(f"cannot listen on {host}, port {port}: {error.strerror or error}") from error


def _welcome(settings: Settings, host: str, port: int, tell: Callable[[str], None]) -> None:
    ledger = Ledger.open(settings)
    try:
        link = first_link(ledger, own_address(host, port), now_us())
    finally:
        ledger.close()
    if link is not None:
        tell("Nobody has an account for the console yet. The first administrator signs up here, within a day:")
        tell(f"  {link}")


def own_address(host: str, port: int) -> str:
    """Where people reach a service that listens there, unless the settings say something else."""
    if not (public := ServingSettings().public_url):
        shown = "localhost" if host in ("0.0.0.0", "::", "") else f"[{host}]" if ":" in host else host  # noqa: S104
        return f"http://{shown}:{port}"
    return public


def _environment(settings: Settings) -> dict[str, str]:
    return {f"RETURNWISE_{name.upper()}": str(value) for name, value in settings.model_dump().items()}


def _run(host: str, port: int, workers: int) -> None:
    uvicorn.run(
        _APP,
        factory=True,
        host=host,
        port=port,
        workers=workers,
        loop="uvloop" if sys.platform != "win32" else "auto",
        http="httptools",
        ws="none",
        access_log=False,
        log_level="warning" if workers == 1 else "info",
        server_header=False,
        timeout_graceful_shutdown=10,
    )
