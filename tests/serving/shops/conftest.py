"""A running service with connected shops."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from features.ledger.store import Ledger
from serving.audit.trail import SYSTEM
from serving.clock import now_us
from serving.sealing import Sealer
from serving.shops import connections
from tests.support.service import Api, settings_of
from tests.support.shops import SECRET, Sender


@pytest.fixture(scope="module")
def connect(api: Api, shared_home: Path) -> Callable[..., Sender]:
    def make(kind: str, prefix: str = "", secret: str = SECRET) -> Sender:
        ledger = Ledger.open(settings_of(shared_home))
        try:
            with ledger.write() as conn:
                made = connections.connect(
                    conn, SYSTEM, Sealer(ledger.hasher), kind, "a shop", secret=secret, prefix=prefix, now=now_us()
                )
        finally:
            ledger.close()
        return Sender(api.client, shared_home, kind, made.shop.connection_id, secret)

    return make
