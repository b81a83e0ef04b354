from __future__ import annotations

from pathlib import Path

import pytest

from features.settings import Settings
from tests.support.registry import TestRegistry
from training.errors import RegistryError
from training.registry import challenge, end_challenge, promote

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(home=tmp_path_factory.mktemp("home"), mlflow_tracking_uri="")


@pytest.fixture(scope="module")
def registry(settings: Settings) -> TestRegistry:
    registry = TestRegistry(settings)
    for seed in (1, 2, 3):
        registry.register(seed)
    return registry


def aliases(registry: TestRegistry) -> dict[str, str]:
    found = registry.client.get_registered_model("returnwise-risk").aliases
    return {alias: str(version) for alias, version in found.items()}


def test_the_way_of_a_challenger(settings: Settings, registry: TestRegistry) -> None:
    assert end_challenge(settings) is None
    assert promote(settings, 1) == "1"
    assert challenge(settings, "2") == "2"
    assert challenge(settings, 3) == "3"
    assert aliases(registry) == {"champion": "1", "challenger": "3"}
    assert promote(settings, 2) == "2"  # another version: the challenge goes on
    assert aliases(registry) == {"champion": "2", "challenger": "3"}
    assert promote(settings, 3) == "3"
    assert aliases(registry) == {"champion": "3"}
    challenge(settings, 1)
    assert end_challenge(settings) == "1"
    assert aliases(registry) == {"champion": "3"}


def test_what_is_refused(settings: Settings, registry: TestRegistry) -> None:
    promote(settings, 3)
    for version, cause in (("3", "is the champion"), (99, "cannot make version 99"), ("newest", "whole number")):
        with pytest.raises(RegistryError, match=cause):
            challenge(settings, version)
    assert aliases(registry) == {"champion": "3"}


def test_without_any_version(tmp_path: Path) -> None:
    empty = Settings(home=tmp_path, mlflow_tracking_uri="")
    TestRegistry(empty).client.delete_registered_model("returnwise-risk")
    for call in (lambda: challenge(empty, 1), lambda: end_challenge(empty)):
        with pytest.raises(RegistryError, match="run `returnwise train` first"):
            call()
