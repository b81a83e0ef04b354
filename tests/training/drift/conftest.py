"""One model with a reference for all tests of drift."""

from __future__ import annotations

import pytest

from features.risk_model import RiskModel
from tests.support.drift import fitted_with_reference
from training.model import Fitted


@pytest.fixture(scope="session")
def fitted() -> Fitted:
    return fitted_with_reference()


@pytest.fixture(scope="session")
def model(fitted: Fitted) -> RiskModel:
    return fitted.load()
