from __future__ import annotations

import socket
from pathlib import Path

import pytest

from features.errors import ReturnwiseError
from serving.run import ServeError, serve
from tests.support.service import settings_of


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ServeError, match=f"port {port}"):
            serve(settings_of(tmp_path), "127.0.0.1", port, 1)


def test_an_address_that_is_not_ours(tmp_path: Path) -> None:
    with pytest.raises(ServeError, match=r"192\.0\.2\.1"):
        serve(settings_of(tmp_path), "192.0.2.1", 0, 1)


def test_a_ledger_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"no database" * 100)
    with pytest.raises(ReturnwiseError, match="ledger"):
        serve(settings_of(tmp_path), "127.0.0.1", 0, 1)
