"""`returnwise serve`: one or more processes that answer HTTP."""

from __future__ import annotations

import os
import sys
import tempfile

import uvicorn

from features.settings import Settings

_APP = "serving.app:create_app"


def serve(settings: Settings, host: str, port: int, workers: int) -> None:
    """Serve until interrupted.

    Several workers are several processes: they share the ledger, which lets one of them write at a time, and their
    metrics, through files in a folder of this run.
    """
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
