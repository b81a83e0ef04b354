from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from features.service import MODEL_FEATURES
from serving import metrics
from serving.model.registry import Registered, Registry, RegistryError
from serving.model.troubles import Troubles
from serving.shadow.follower import ChallengerFollower
from tests.support.service import keep_model, settings_of


class FakeRegistry(Registry):
    """A registry whose challenger and state of health a test sets."""

    def __init__(self, home: Path) -> None:
        super().__init__(settings_of(home))
        self.home = home
        self.version: str | None = None
        self.error: Exception | None = None
        self.artifacts_error: RegistryError | None = None
        self.fetched: list[str] = []

    def challenger(self) -> Registered | None:
        if self.error is not None:
            raise self.error
        return None if self.version is None else Registered(self.version, "test")

    def fetch(self, registered: Registered) -> Path:
        self.fetched.append(registered.version)
        if self.artifacts_error is not None:
            raise self.artifacts_error
        return self.home / "models" / f"{registered.version}-test"


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("versions")
    for version in ("4", "5"):
        keep_model(home, version, seed=int(version))
    return home / "models"


@pytest.fixture
def registry(versions: Path, tmp_path: Path) -> FakeRegistry:
    shutil.copytree(versions, tmp_path / "models")
    return FakeRegistry(tmp_path)


@pytest.fixture
def troubles() -> Troubles:
    return Troubles()


@pytest.fixture
def follower(registry: FakeRegistry, troubles: Troubles) -> ChallengerFollower:
    for version in ("4", "5"):  # other tests in this process may have left them
        metrics.challenger_version.labels(version).set(0)
    return ChallengerFollower(registry, troubles)


def current(follower: ChallengerFollower) -> str | None:
    model = follower.current()
    return None if model is None else model.version


def refused(cause: str) -> float:
    return metrics.challenger_refused_total.labels(cause)._value.get()


def shown(version: str) -> float:
    return metrics.challenger_version.labels(version)._value.get()


def test_the_alias_comes_moves_and_goes(
    follower: ChallengerFollower, registry: FakeRegistry, troubles: Troubles
) -> None:
    for wanted in (None, "4", "4", "5", None, "4"):
        registry.version = wanted
        follower.refresh()
        assert current(follower) == wanted
        assert [shown(version) for version in ("4", "5")] == [wanted == "4", wanted == "5"]
    assert registry.fetched == ["4", "5", "4"]
    assert troubles.told() == {}


def test_one_that_cannot_be_used_is_refused_once_and_the_former_one_is_none_any_more(
    follower: ChallengerFollower, registry: FakeRegistry, troubles: Troubles, tmp_path: Path
) -> None:
    registry.version = "4"
    follower.refresh()
    keep_model(tmp_path, "6", names=[*[f.name for f in MODEL_FEATURES], "customer_mood"])
    registry.version = "6"
    before = refused("features")
    for error in (None, None, RegistryError("no answer"), None):
        registry.error = error
        follower.refresh()
    assert current(follower) is None
    assert refused("features") == before + 1
    assert "customer_mood" in troubles.told()["challenger"]
    registry.version = "5"
    follower.refresh()
    assert (current(follower), troubles.told()) == ("5", {})


def test_damaged_files(
    follower: ChallengerFollower, registry: FakeRegistry, troubles: Troubles, tmp_path: Path
) -> None:
    (tmp_path / "models" / "4-test" / "booster.txt").write_text("nonsense")
    registry.version = "4"
    before = refused("files")
    follower.refresh()
    assert refused("files") == before + 1
    assert "version 4 cannot be used" in troubles.told()["challenger"]
    registry.version = None  # the alias is taken away: no trouble any more
    follower.refresh()
    assert troubles.told() == {}


def test_artifacts_that_cannot_be_had_are_asked_for_again(
    follower: ChallengerFollower, registry: FakeRegistry, troubles: Troubles
) -> None:
    registry.version, registry.artifacts_error = "4", RegistryError("connection refused")
    follower.refresh()
    assert (current(follower), troubles.told()) == (None, {"challenger": "connection refused"})
    registry.artifacts_error = None
    follower.refresh()
    assert (current(follower), troubles.told()) == ("4", {})


@pytest.mark.parametrize("error", [RegistryError("no answer"), ZeroDivisionError()])
def test_while_the_registry_is_down_the_challenger_stays(
    follower: ChallengerFollower, registry: FakeRegistry, troubles: Troubles, error: Exception
) -> None:
    registry.version = "4"
    follower.refresh()
    registry.error = error
    follower.refresh()
    assert current(follower) == "4"
    assert "challenger" in troubles.told()
    registry.error = None
    follower.refresh()
    assert troubles.told() == {}
