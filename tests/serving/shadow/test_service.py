"""The service with a challenger, over a real registry: it is followed, stored, and never shown."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from features.ledger.sql import rows
from features.ledger.store import Ledger
from features.service import VECTOR
from features.settings import Settings
from pipelines.compare import compare, fill
from serving.app import create_app
from serving.settings import ServingSettings
from serving.shadow.model import VectorModel
from tests.support.processes import service
from tests.support.registry import NAMES, TestRegistry
from tests.support.service import Api, assessment, make_key, running, settings_of

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own


@pytest.fixture(scope="module")
def registry(template: Path, tmp_path_factory: pytest.TempPathFactory) -> TestRegistry:
    """Versions 1 to 3, and 4, which needs what the vector does not hold; 1 is the champion."""
    home = Path(shutil.copytree(template, tmp_path_factory.mktemp("registry") / "home"))
    registry = TestRegistry(settings_of(home))
    for seed in (1, 2, 3):
        registry.register(seed)
    registry.register(4, names=[*NAMES, "customer_mood"])
    registry.champion("1")
    return registry


@pytest.fixture
def settings(registry: TestRegistry, home: Path) -> Settings:
    """A home of the test's own, without a challenger; the registry is shared."""
    if "challenger" in registry.client.get_registered_model("returnwise-risk").aliases:
        registry.challenger(None)
    shutil.rmtree(home / "models")
    return settings_of(home).model_copy(update={"mlflow_tracking_uri": registry.uri})


@pytest.fixture
def client(settings: Settings) -> Iterator[httpx.Client]:
    with running(create_app(settings, ServingSettings(model_poll_seconds=0.05, shadow_seconds=0.05))) as client:
        yield client


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 120  # a busy machine may take a minute to import MLflow
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def metric(client: httpx.Client, name: str) -> float:
    lines = client.get("/metrics").text.splitlines()
    return next((float(line.split()[-1]) for line in lines if line.startswith(f"{name} ")), 0.0)


def shadows(settings: Settings) -> dict[tuple[str, str], float]:
    ledger = Ledger.open(settings)
    with ledger.read() as conn:
        found = rows(conn, "SELECT assessment_id, model_version, risk FROM shadow_assessments")
    ledger.close()
    return {(name, version): risk for name, version, risk in found}


def recomputed(settings: Settings, registry: TestRegistry, version: str) -> dict[tuple[str, str], float]:
    """What a version says about every stored vector."""
    ledger = Ledger.open(settings)
    with ledger.read() as conn:
        found = rows(conn, "SELECT assessment_id, vector FROM assessments ORDER BY assessment_no")
    ledger.close()
    vectors = np.stack([np.frombuffer(vector, dtype="<f8") for _, vector in found]).reshape(-1, len(VECTOR))
    risks = VectorModel(version, registry.folder(version)).risk(vectors).tolist()
    return {(name, version): risk for (name, _), risk in zip(found, risks, strict=True)}


def test_the_alias_is_followed_while_serving(settings: Settings, registry: TestRegistry, client: httpx.Client) -> None:
    api = Api(client, make_key(settings.home))
    wait_for(lambda: client.get("/readyz").json()["status"] == "ready")
    assert api.assess(assessment()).status_code == 200
    made: dict[str, list[str]] = {"2": [], "3": []}
    for version, names in made.items():
        registry.challenger(version)
        shown = f'returnwise_challenger_version{{version="{version}"}}'
        wait_for(lambda shown=shown: metric(client, shown) == 1)
        body = assessment()
        names += [answer.json()["assessment_id"] for answer in (api.assess(body), api.assess(assessment()))]
        assert api.assess(body).json()["assessment_id"] == names[0]  # asked again: not scored again
        names += [r["assessment"]["assessment_id"] for r in api.batch(assessment(), assessment()).json()["results"]]
        wait_for(lambda version=version: len([1 for _, v in shadows(settings) if v == version]) == 4)
    registry.challenger(None)
    wait_for(lambda: metric(client, 'returnwise_challenger_version{version="3"}') == 0)
    assert api.assess(assessment()).status_code == 200
    time.sleep(0.2)
    found = shadows(settings)
    assert sorted(found) == sorted((name, version) for version, names in made.items() for name in names)
    for version in made:
        risks = recomputed(settings, registry, version)
        assert all(found[key] == risks[key] for key in found if key[1] == version)
    assert metric(client, "returnwise_shadow_scored_total") >= 8


def test_no_answer_holds_anything_of_it(settings: Settings, registry: TestRegistry, client: httpx.Client) -> None:
    registry.challenger("3")
    wait_for(lambda: metric(client, 'returnwise_challenger_version{version="3"}') == 1)
    api = Api(client, make_key(settings.home))
    body = assessment()
    answers = [api.assess(body), api.assess(body), api.batch(assessment(), assessment(), {"return_id": "r"})]
    answers += [api.assess(body | {"reason": "defective"}), api.assess(assessment() | {"order": None})]
    wait_for(lambda: len(shadows(settings)) == 3)
    names = [name for name, _ in shadows(settings)]
    answers += [api.show(name) for name in names]
    risks = [repr(risk) for risk in shadows(settings).values()]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 409, 422, 200, 200, 200]
    for answer in answers:
        told = answer.text + str(dict(answer.headers))
        assert "challenger" not in told
        assert "shadow" not in told
        assert not any(risk in told for risk in risks)
    versions = [answer.json()["model"]["version"] for answer in answers[:2] + answers[-3:]]
    assert versions == ["1"] * 5
    for path in ("/metrics", "/readyz", "/openapi.json"):
        told = client.get(path).text
        assert not any(risk in told for risk in risks)
    assert "shadow" not in client.get("/openapi.json").text


def test_one_that_cannot_be_used_changes_nothing(
    settings: Settings, registry: TestRegistry, client: httpx.Client
) -> None:
    registry.challenger("4")
    wait_for(lambda: "challenger" in client.get("/readyz").json()["without"])
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["status"], ready.json()["model"]) == (200, "degraded", "1")
    assert "customer_mood" in ready.json()["without"]["challenger"]
    assert metric(client, 'returnwise_degraded{mode="challenger"}') == 1
    assert metric(client, 'returnwise_challenger_refused_total{cause="features"}') >= 1
    api = Api(client, make_key(settings.home))
    assert api.assess(assessment()).json()["model"]["version"] == "1"
    assert shadows(settings) == {}
    registry.challenger(None)
    wait_for(lambda: client.get("/readyz").json()["status"] == "ready")


@pytest.mark.slow
def test_a_kill_loses_nothing_that_cannot_be_computed(settings: Settings, registry: TestRegistry) -> None:
    registry.challenger("2")
    key = make_key(settings.home)
    environment = {
        "RETURNWISE_MLFLOW_TRACKING_URI": settings.tracking_uri,
        "RETURNWISE_SHADOW_WAITING": "3",  # most are left out before that
    }
    with service(settings.home, **environment) as process:
        api = Api(process.client, key)
        wait_for(lambda: metric(process.client, 'returnwise_challenger_version{version="2"}') == 1)
        for _ in range(12):
            assert api.assess(assessment()).status_code == 200
        process.kill()
    found, wanted = shadows(settings), recomputed(settings, registry, "2")
    assert len(wanted) == 12
    assert len(found) < 12
    assert found.items() <= wanted.items()

    report = compare(settings)  # computes what is missing, and stores nothing of it
    assert (report.comparison.counts.assessments, report.comparison.counts.computed) == (12, 12 - len(found))
    assert shadows(settings) == found
    assert fill(settings).scored == 12 - len(found)
    assert shadows(settings) == wanted
