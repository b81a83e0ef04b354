"""A home with assessments, findings, and two versions that look at different features."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from features.ledger.sql import rows
from features.ledger.store import Ledger
from features.risk_model import THIN_FEATURE
from features.service import VECTOR
from features.settings import Settings
from serving.shadow.model import VectorModel
from tests.support.assessed import ENDED, Home, keep_assessments
from tests.support.history import fill, made_up_history
from tests.support.registry import NAMES, TestRegistry
from tests.support.service import settings_of

_ENDED = str(np.datetime64(ENDED, "us")) + "+00:00"


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Every return of a small history was assessed by version 1, the champion. Version 2, the challenger, gives the
    higher risks to returns in which abuse was found, most of the time; version 1 knows nothing of it."""
    settings = settings_of(tmp_path_factory.mktemp("compare") / "home")
    fill(settings, made_up_history())
    registry = TestRegistry(settings)
    versions = [
        registry.register(seed, names=names, trained_until=_ENDED) for seed, names in ((1, NAMES), (2, NAMES[::-1]))
    ]
    registry.champion(versions[0])
    registry.challenger(versions[1])
    _assess(settings, *(VectorModel(version, registry.folder(version)) for version in versions))
    return settings


@pytest.fixture
def settings(made: Settings, tmp_path: Path) -> Settings:
    """A home of the test's own; the registry is shared."""
    folder = tmp_path / "home"
    folder.mkdir()
    shutil.copyfile(made.home / "ledger.db", folder / "ledger.db")
    return settings_of(folder).model_copy(update={"mlflow_tracking_uri": made.tracking_uri})


@pytest.fixture
def home(settings: Settings) -> Iterator[Home]:
    """The ledger of the test's own home, for changes."""
    home = Home(Ledger.open(settings))
    yield home
    home.ledger.close()


def _assess(settings: Settings, champion: VectorModel, challenger: VectorModel) -> None:
    ledger = Ledger.open(settings)
    with ledger.write() as conn:
        returns = rows(
            conn,
            "SELECT r.return_id, r.requested_at, r.order_no, MAX(i.finding = 'worn') FROM returns r"
            " LEFT JOIN inspections i ON i.return_id = r.return_id GROUP BY r.return_id ORDER BY r.return_id",
        )
        rng = np.random.default_rng(3)
        vectors = rng.gamma(1.0, 3.0, (len(returns), len(VECTOR)))
        vectors[:, VECTOR.index(THIN_FEATURE)] = 9  # nobody's history is thin
        by_risk = vectors[np.argsort(challenger.risk(vectors), kind="stable")]
        worn = np.array([found or 0 for *_, found in returns]) + rng.normal(0, 0.5, len(returns))
        vectors[np.argsort(worn, kind="stable")] = by_risk
        risks = champion.risk(vectors)
        for (name, requested_at, order_no, _), vector, risk in zip(returns, vectors, risks.tolist(), strict=True):
            keep_assessments(conn, [(name, requested_at, "1", vector)], order_no=order_no, risk=risk)
    ledger.close()
