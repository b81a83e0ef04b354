from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from features.service import MODEL_FEATURES, VECTOR
from serving.model import holder as module
from serving.model.holder import ModelHolder, champion_now
from serving.model.registry import Registered, RegistryError
from serving.problems import Unavailable
from tests.support.service import keep_model, settings_of


class FakeRegistry:
    """A registry whose champion and state of health a test sets."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.version: str | None = None
        self.error: Exception | None = None
        self.fetched: list[str] = []
        self.kept_version: str | None = None
        self.challenger_version: str | None = None

    def champion(self) -> Registered:
        if self.error is not None:
            raise self.error
        if self.version is None:
            raise RegistryError("there is no champion")
        return Registered(self.version, "test")

    def challenger(self) -> Registered | None:
        return None if self.challenger_version is None else Registered(self.challenger_version, "test")

    def fetch(self, registered: Registered) -> Path:
        self.fetched.append(registered.version)
        return self.home / "models" / f"{registered.version}-test"

    def keep(self, champion: Registered) -> None:
        self.kept_version = champion.version

    def kept(self) -> Registered | None:
        return None if self.kept_version is None else Registered(self.kept_version, "test")


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeRegistry:
    registry = FakeRegistry(tmp_path)
    monkeypatch.setattr(module, "Registry", lambda settings: registry)
    return registry


@pytest.fixture
def holder(registry: FakeRegistry, tmp_path: Path) -> ModelHolder:
    return ModelHolder(settings_of(tmp_path), poll_seconds=0.01, start_seconds=2)


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


class TestFollowing:
    def test_takes_the_champion_and_keeps_it(self, holder: ModelHolder, registry: FakeRegistry, tmp_path: Path) -> None:
        keep_model(tmp_path, "3")
        registry.version = "3"
        holder.refresh()
        assert holder.current().version == "3"
        assert registry.kept_version == "3"
        assert holder.troubles == {}

    def test_a_new_champion_takes_over(self, holder: ModelHolder, registry: FakeRegistry, tmp_path: Path) -> None:
        for version in ("3", "4"):
            keep_model(tmp_path, version, seed=int(version))
            registry.version = version
            holder.refresh()
            assert holder.current().version == version
        registry.version = "3"  # and an old one again
        holder.refresh()
        assert holder.current().version == "3"

    def test_the_same_champion_is_fetched_once(
        self, holder: ModelHolder, registry: FakeRegistry, tmp_path: Path
    ) -> None:
        keep_model(tmp_path, "3")
        registry.version = "3"
        for _ in range(3):
            holder.refresh()
        assert registry.fetched == ["3"]

    def test_the_thread_follows(self, holder: ModelHolder, registry: FakeRegistry, tmp_path: Path) -> None:
        keep_model(tmp_path, "3")
        registry.version = "3"
        holder.start()
        assert holder.current().version == "3"
        keep_model(tmp_path, "4")
        registry.version = "4"
        wait_for(lambda: holder.current().version == "4")
        registry.error = ZeroDivisionError()  # whatever happens there, the thread goes on
        wait_for(lambda: "registry" in holder.troubles)
        registry.error = None
        wait_for(lambda: not holder.troubles)
        holder.stop()

    def test_no_champion(self, holder: ModelHolder) -> None:
        holder.start()
        holder.stop()
        assert not holder.ready
        with pytest.raises(Unavailable, match="there is no champion"):
            holder.current()


class TestChallenger:
    def version(self, holder: ModelHolder) -> str | None:
        model = holder.challenger()
        return None if model is None else model.version

    def test_is_followed_by_the_same_thread(self, holder: ModelHolder, registry: FakeRegistry, tmp_path: Path) -> None:
        for version in ("3", "4"):
            keep_model(tmp_path, version)
        registry.version, registry.challenger_version = "3", "4"
        holder.start()
        wait_for(lambda: self.version(holder) == "4")
        registry.challenger_version = None
        wait_for(lambda: self.version(holder) is None)
        assert holder.current().version == "3"
        assert holder.troubles == {}
        holder.stop()

    def test_one_that_cannot_be_used_leaves_the_champion_alone(
        self, holder: ModelHolder, registry: FakeRegistry, tmp_path: Path
    ) -> None:
        keep_model(tmp_path, "3")
        keep_model(tmp_path, "4", names=["customer_mood"])
        registry.version, registry.challenger_version = "3", "4"
        for _ in range(3):
            holder.refresh()
        assert (holder.current().version, self.version(holder)) == ("3", None)
        assert list(holder.troubles) == ["challenger"]
        assert registry.fetched == ["3", "4"]

    def test_it_stays_while_the_registry_is_down(
        self, holder: ModelHolder, registry: FakeRegistry, tmp_path: Path
    ) -> None:
        for version in ("3", "4"):
            keep_model(tmp_path, version)
        registry.version, registry.challenger_version = "3", "4"
        holder.refresh()
        registry.error, registry.challenger_version = RegistryError("connection refused"), None
        holder.refresh()
        assert self.version(holder) == "4"
        assert list(holder.troubles) == ["registry"]


class TestRegistryDown:
    def test_the_model_stays(self, holder: ModelHolder, registry: FakeRegistry, tmp_path: Path) -> None:
        keep_model(tmp_path, "3")
        registry.version = "3"
        holder.refresh()
        registry.error = RegistryError("connection refused")
        holder.refresh()
        assert holder.current().version == "3"
        assert holder.troubles == {"registry": "connection refused"}

    def test_a_start_takes_the_kept_one(self, holder: ModelHolder, registry: FakeRegistry, tmp_path: Path) -> None:
        keep_model(tmp_path, "3")
        registry.kept_version, registry.error = "3", RegistryError("connection refused")
        holder.start()
        assert holder.current().version == "3"
        keep_model(tmp_path, "4")
        registry.error, registry.version = None, "4"
        wait_for(lambda: holder.current().version == "4")
        holder.stop()

    def test_a_start_does_not_wait_for_ever(
        self, registry: FakeRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        keep_model(tmp_path, "3")
        registry.kept_version = "3"
        hanging = threading.Event()

        def hang() -> Registered:
            hanging.wait(5)
            raise RegistryError("timed out")

        monkeypatch.setattr(registry, "champion", hang)
        holder = ModelHolder(settings_of(tmp_path), poll_seconds=60, start_seconds=0.1)
        began = time.monotonic()
        holder.start()
        assert time.monotonic() - began < 3
        assert holder.current().version == "3"
        hanging.set()
        holder.stop()

    def test_for_a_batch(self, registry: FakeRegistry, tmp_path: Path) -> None:
        with pytest.raises(RegistryError, match="no champion"):
            champion_now(settings_of(tmp_path))
        keep_model(tmp_path, "3")
        registry.kept_version = "3"
        assert champion_now(settings_of(tmp_path)).version == "3"


class TestRefusing:
    @pytest.fixture
    def answering(self, holder: ModelHolder, registry: FakeRegistry, tmp_path: Path) -> ModelHolder:
        keep_model(tmp_path, "3")
        registry.version = "3"
        holder.refresh()
        registry.version = "4"
        return holder

    def check(self, holder: ModelHolder, registry: FakeRegistry, cause: str) -> None:
        for _ in range(3):
            holder.refresh()
        assert holder.current().version == "3"
        assert cause in holder.troubles["champion"]
        assert registry.fetched.count("4") == 1  # it is not tried again and again
        assert registry.kept_version == "3"

    def test_other_features(self, answering: ModelHolder, registry: FakeRegistry, tmp_path: Path) -> None:
        names = [feature.name for feature in MODEL_FEATURES]
        keep_model(tmp_path, "4", names=[*names[:-1], "something_else"])
        self.check(answering, registry, "something_else")

    def test_features_in_another_order(self, answering: ModelHolder, registry: FakeRegistry, tmp_path: Path) -> None:
        names = [feature.name for feature in MODEL_FEATURES]
        keep_model(tmp_path, "4", names=[*names[1::-1], *names[2:]])
        self.check(answering, registry, names[1])

    def test_fewer_features(self, answering: ModelHolder, registry: FakeRegistry, tmp_path: Path) -> None:
        names = [feature.name for feature in MODEL_FEATURES]
        keep_model(tmp_path, "4", names=names[:-1])
        self.check(answering, registry, f"{len(names) - 1} features")

    @pytest.mark.parametrize("change", [{"feature_service": "returnwise_v0"}, {"categories": ["a", "b"]}])
    def test_other_service_or_categories(
        self, answering: ModelHolder, registry: FakeRegistry, tmp_path: Path, change: dict[str, Any]
    ) -> None:
        folder = keep_model(tmp_path, "4")
        card = json.loads((folder / "model.json").read_text())
        if "categories" in change:
            next(spec for spec in card["features"] if spec["categories"])["categories"] = ["a", "b"]
        else:
            card |= change
        (folder / "model.json").write_text(json.dumps(card))
        self.check(answering, registry, "version 4 cannot be used")

    @pytest.mark.parametrize("file", ["booster.txt", "model.json"])
    @pytest.mark.parametrize("content", [None, b"", b"nonsense", b"{}"])
    def test_damaged_files(
        self, answering: ModelHolder, registry: FakeRegistry, tmp_path: Path, file: str, content: bytes | None
    ) -> None:
        path = keep_model(tmp_path, "4") / file
        path.unlink() if content is None else path.write_bytes(content)
        self.check(answering, registry, "version 4 cannot be used")

    def test_the_next_good_one_is_taken(self, answering: ModelHolder, registry: FakeRegistry, tmp_path: Path) -> None:
        keep_model(tmp_path, "4", names=["a", "b"])
        answering.refresh()
        keep_model(tmp_path, "5")
        registry.version = "5"
        answering.refresh()
        assert answering.current().version == "5"
        assert answering.troubles == {}


def test_one_row_and_many_get_the_same_bits(holder: ModelHolder, registry: FakeRegistry, tmp_path: Path) -> None:
    keep_model(tmp_path, "3")
    registry.version = "3"
    holder.refresh()
    model = holder.current()
    vectors = np.random.default_rng(1).gamma(1.0, 3.0, (200, len(VECTOR)))
    many = model.assess_many(vectors)
    for vector, estimate in zip(vectors, many, strict=True):
        alone = model.assess(vector)
        assert (alone.risk, alone.band, alone.sufficient) == (estimate.risk, estimate.band, estimate.sufficient)
        assert np.array_equal(alone.contributions, estimate.contributions)
