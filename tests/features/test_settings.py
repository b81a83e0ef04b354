from __future__ import annotations

from pathlib import Path

import pytest

from features.settings import Settings


def test_an_empty_variable_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the folder in which the command happens to be started."""
    for name in ("HOME", "DATABASE_URL", "HASH_KEY"):
        monkeypatch.setenv(f"RETURNWISE_{name}", "")
    settings = Settings()
    assert settings.home == Path("var")
    assert settings.ledger_url.endswith("/var/ledger.db")
    assert settings.hash_key == ""


def test_a_variable_that_says_something_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RETURNWISE_HOME", str(tmp_path))
    assert Settings().home == tmp_path
