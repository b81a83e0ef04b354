from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from features.risk_model import Bands
from features.service import MODEL_FEATURES, SERVICE
from features.settings import Settings
from tests.support.history import FIRST_DAY, fill, made_up_history
from tests.support.registry import TestRegistry
from training.calibration import sigmoid
from training.dataset import split
from training.gate.bounds import Bounds, read_bounds
from training.gate.judge import Evidence, gather
from training.model import Recipe, fit, fit_trees, raw_scores
from training.registry.versions import load

DAY = 86_400_000_000
UNTIL = (FIRST_DAY + 219) * DAY

Make = Callable[..., str]


@pytest.fixture(scope="session")
def lenient() -> Bounds:
    """For a shop of 240 customers on a busy machine."""
    return read_bounds().model_copy(update={"one_return_ms": 1_000.0, "min_flagged": 10})


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A ledger in which everything is checked, over 320 days."""
    settings = Settings(home=tmp_path_factory.mktemp("home"))
    fill(settings, made_up_history(inspected=1.0))
    return settings


@pytest.fixture(scope="session")
def evidence(settings: Settings) -> Evidence:
    return gather(settings)


@pytest.fixture(scope="session")
def registry(settings: Settings, evidence: Evidence) -> TestRegistry:
    """Version 1 has learned until day 219."""
    registry = TestRegistry(settings)
    rows = evidence.labelled.take(evidence.labelled.known_at <= UNTIL)
    parts = split(rows, UNTIL)
    facts = {"feature_service": SERVICE, "trained_until": datetime.fromtimestamp(UNTIL / 1e6, UTC).isoformat()}
    fitted = fit(parts, MODEL_FEATURES, Recipe(max_trees=30), facts)
    moments = {"calibration_from_us": parts.calibration_from, "test_from_us": parts.test_from, "gap_us": parts.gap}
    later = evidence.labelled.take(evidence.labelled.requested_at >= parts.test_from)
    raw = raw_scores(fitted.booster_text, later.X)
    # The shop is too small to calibrate well on earlier returns; what is tested here is not whether its model is good.
    right = sigmoid(raw, later.y, np.ones(len(later)), slope_spread=10.0)
    card = fitted.card.model_copy(update={"calibration": right, "bands": Bands(elevated=0.15, high=0.3)})
    registry.add(fitted.booster_text, card, {name: str(value) for name, value in moments.items()})
    return registry


@pytest.fixture(scope="session")
def make(settings: Settings, registry: TestRegistry) -> Make:
    """Registers version 1 again, with another booster, other moments or another card."""
    first = load(settings, "1")

    def register(booster: str = "", moments: dict[str, int] | None = None, **card: Any) -> str:
        text = booster or first.model._booster.model_to_string()
        at = first.stretches if moments is None else moments
        return registry.add(text, first.model.card.model_copy(update=card), {k: str(v) for k, v in at.items()})

    return register


@pytest.fixture(scope="session")
def shuffled(evidence: Evidence, make: Make) -> str:
    """A version whose trees learned from labels in a wrong order."""
    y = np.random.default_rng(1).permutation(evidence.labelled.y)
    text, _ = fit_trees(evidence.labelled.X, y, np.ones(len(y)), MODEL_FEATURES, Recipe(max_trees=10))
    return make(text)
