"""Readers of other formats than the table contract, by the name that `--format` takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rich.progress import Progress

from pipelines.ingest.adapters.uci_online_retail import ingest_online_retail
from pipelines.ingest.loading import Loader

#: An adapter reads `path` and appends what it finds through the loader, in batches of the given number of rows.
Adapter = Callable[[Path, Loader, Progress | None, int], None]

ADAPTERS: dict[str, Adapter] = {"uci-online-retail": ingest_online_retail}
