from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa

from features.ledger.store import Ledger
from serving import metrics
from serving.app import create_app
from serving.keys.scopes import Scope
from serving.settings import ServingSettings
from tests.support.service import Api, assessment, bearer, make_key, order_event, running, settings_of


def test_health_needs_no_key(api: Api) -> None:
    response = api.client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_a_load_balancer_may_ask_for_the_head_only(api: Api) -> None:
    for path in ("/healthz", "/readyz"):
        response = api.client.head(path)
        assert (response.status_code, response.content) == (200, b"")


def test_readiness_says_what_is_missing(api: Api) -> None:
    response = api.client.get("/readyz")
    assert response.status_code == 200
    assert response.json()["status"] == "degraded"
    assert response.json()["model"] == "1"
    assert "returnwise train" in response.json()["without"]["registry"]


def test_without_a_ledger(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = create_app(settings_of(home), ServingSettings(model_poll_seconds=600))
    with running(app) as client:

        def fail(self: Ledger) -> None:
            raise sa.exc.OperationalError("SELECT 1", {}, Exception("disk I/O error"))

        monkeypatch.setattr(Ledger, "read", fail)
        response = client.get("/readyz")
        assert response.status_code == 503
        assert response.json()["ledger"] is False
        assert client.get("/healthz").status_code == 200


class TestMetrics:
    def read(self, api: Api) -> dict[str, float]:
        response = api.client.get("/metrics")
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/plain")
        lines = (line.rpartition(" ") for line in response.text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, _, value in lines}

    def test_what_is_counted(self, api: Api) -> None:
        before = self.read(api)
        body = assessment()
        answer = api.assess(body).json()
        api.assess(body)
        api.send(order_event())
        api.client.get("/v1/no/such/place")
        after = self.read(api)

        def more(name: str) -> float:
            return after[name] - before.get(name, 0)

        made = f'returnwise_assessments_total{{action="{answer["action"]}",risk_band="{answer["risk_band"]}"}}'
        assert more(made) == 1
        assert more("returnwise_assessments_repeated_total") == 1
        assert more('returnwise_events_total{type="order"}') == 1
        assert more('returnwise_requests_total{method="POST",route="/v1/assessments",status="200"}') == 2
        assert more('returnwise_requests_total{method="unknown",route="unknown",status="404"}') == 1
        assert more('returnwise_request_seconds_count{route="/v1/assessments"}') == 2
        assert more("returnwise_commit_group_size_sum") == 3
        assert after['returnwise_model_version{version="1"}'] == 1
        assert after['returnwise_degraded{mode="registry"}'] == 1

    def test_names_are_listed(self, api: Api) -> None:
        shown = set(re.findall(r"^# TYPE (returnwise_\w+) ", api.client.get("/metrics").text, re.MULTILINE))
        listed = {name for name in shown if not name.endswith("_created")}
        # Where values are kept in files, what has not been counted yet is not shown.
        assert listed == set(metrics.NAMES) or (metrics._IN_FILES and listed < set(metrics.NAMES))
        made = {(one.name, one.type) for one in metrics._registry.collect() if one.name.startswith("returnwise_")}
        assert {f"{name}_total" if kind == "counter" else name for name, kind in made} == set(metrics.NAMES)

    def test_odd_addresses_make_no_series(self, api: Api) -> None:
        for n in range(5):
            api.client.request(f"ODD{n}", f"/odd/{n}")
        assert not any("odd" in name.lower() for name in self.read(api))

    def test_may_be_closed(self, home: Path) -> None:
        app = create_app(settings_of(home), ServingSettings(model_poll_seconds=600, metrics_open=False))
        with running(app) as client:
            assert client.get("/metrics").status_code == 401
            assert client.get("/metrics", headers=bearer(make_key(home, Scope.EVENTS_WRITE))).status_code == 403
            assert client.get("/metrics", headers=bearer(make_key(home, Scope.METRICS_READ))).status_code == 200


def test_a_defect_says_nothing_about_itself(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> bytes:
        raise ZeroDivisionError("the secret inside")

    monkeypatch.setattr("serving.assessments.service.Assessor.assess", broken)
    app = create_app(settings_of(home), ServingSettings(model_poll_seconds=600))
    with running(app) as client:
        api = Api(client, make_key(home))
        response = api.assess(assessment())
        assert response.status_code == 500
        assert response.headers["content-type"] == "application/problem+json"
        assert "secret" not in response.text
        results = api.batch(assessment()).json()
        assert results["results"][0]["status"] == 500
        assert api.send(order_event()).status_code == 200


def test_a_ledger_that_cannot_be_read_is_no_defect(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Ledger) -> None:
        raise sa.exc.OperationalError("SELECT 1", {}, Exception("disk I/O error"))

    app = create_app(settings_of(home), ServingSettings(model_poll_seconds=600))
    with running(app) as client:
        api = Api(client, make_key(home))
        monkeypatch.setattr(Ledger, "read", fail)
        for response in (api.send(order_event()), client.get("/v1/assessments/x", headers=bearer(api.key))):
            assert response.status_code == 503
            assert response.headers["content-type"] == "application/problem+json"
            assert response.headers["retry-after"] == "1"
            assert response.json()["type"] == "urn:problem-type:returnwise:unavailable"


def test_no_model_and_no_registry(home: Path) -> None:
    shutil.rmtree(home / "models")
    app = create_app(settings_of(home), ServingSettings(model_poll_seconds=600))
    with running(app) as client:
        api = Api(client, make_key(home))
        assert client.get("/readyz").status_code == 503
        assert api.assess(assessment()).status_code == 503
        assert api.batch(assessment()).json()["results"][0]["status"] == 503
