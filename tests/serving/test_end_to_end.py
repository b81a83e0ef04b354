"""The service in its own processes: durability, several workers, a new champion, a missing model."""

from __future__ import annotations

import shutil
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from features.ledger.sql import rows
from features.ledger.store import Ledger
from features.offline import Frames
from features.population import close_days
from features.request import assessed_returns
from features.service import VECTOR
from tests.support.processes import Service, service
from tests.support.service import Api, assessment, bearer, make_key, order_event, settings_of, unique


def differing_values(home: Path) -> tuple[int, int]:
    """Stored vectors beside those that the training table has for the same returns: (compared, differing)."""
    ledger = Ledger.open(settings_of(home))
    try:
        with ledger.read() as conn:
            stored = {
                return_id: np.frombuffer(vector, dtype="<f8")
                for return_id, vector in rows(conn, "SELECT return_id, vector FROM assessments")
            }
            (latest,) = rows(conn, "SELECT max(requested_at) / 86400000000 FROM returns")[0]
        with ledger.write() as conn:
            close_days(conn, latest)
            frame = assessed_returns(conn)
            table = {}
            for numbers, vectors in Frames(conn).vectors(frame):
                table.update(zip(frame["return_id"].iloc[numbers], vectors, strict=True))
    finally:
        ledger.close()
    differing = sum(
        int(np.sum(~((stored[name] == table[name]) | (np.isnan(stored[name]) & np.isnan(table[name])))))
        for name in stored
    )
    return len(stored) * len(VECTOR), differing


class Crowd:
    """Several clients that tell of the same few customers and ask about them, all at once."""

    def __init__(self, base_url: str, key: str) -> None:
        self.base_url = base_url
        self.key = key
        self.acknowledged: list[dict[str, Any]] = []
        self.assessed: list[tuple[dict[str, Any], bytes]] = []
        self.statuses: list[int] = []

    def order(self, n: int) -> dict[str, Any]:
        return order_event(customer_id=f"shared-{n % 3}", address_id="one house", email_id=None, device_id=f"d{n % 2}")

    def go(self, number: int, rounds: int) -> None:
        """One client; ends early when the service does."""
        with httpx.Client(base_url=self.base_url, headers=bearer(self.key), timeout=30) as client:
            for n in range(rounds):
                event = self.order(number + n)
                body = {
                    "return_id": unique("return-"),
                    "customer_id": event["customer_id"],
                    "order_id": event["order_id"],
                    "lines": [{"line_id": "1", "quantity": 1}],
                    "reason": "size_fit",
                }
                try:
                    told = client.post("/v1/events", json={"events": [event]})
                    if told.status_code == 200:
                        self.acknowledged.append(event)
                    asked = client.post("/v1/assessments", json=body)
                    if asked.status_code == 200:
                        self.assessed.append((body, asked.content))
                except httpx.TransportError:
                    return
                self.statuses += [told.status_code, asked.status_code]
                client.headers["Connection"] = "close" if n % 3 == 0 else "keep-alive"  # to find both workers


@pytest.mark.slow
def test_two_workers_and_a_kill(home: Path) -> None:
    """What was acknowledged is there after a kill, nothing is counted twice, and every stored vector is the one that
    the training table has for that moment, although two processes took events and requests by turns."""
    key = make_key(home)
    running = Service(home, workers=2)
    with ThreadPoolExecutor(6) as pool:
        crowd = Crowd(str(running.client.base_url), key)
        list(pool.map(lambda n: crowd.go(n, 10), range(6)))
        assert crowd.statuses == [200] * 120

        same = assessment()
        asked = pool.map(
            lambda _: httpx.post(f"{crowd.base_url}/v1/assessments", json=same, headers=bearer(key)).content, range(24)
        )
        assert len(set(asked)) == 1
        metrics = running.client.get("/metrics").text
        assert 'returnwise_requests_total{method="POST",route="/v1/assessments",status="200"} 84.0' in metrics
        assert "returnwise_assessments_repeated_total 23.0" in metrics

        clients = [pool.submit(crowd.go, n, 10_000) for n in range(4)]
        while len(crowd.assessed) < 100:
            time.sleep(0.01)
        running.kill()
        for client in clients:
            client.result()

    with service(home) as again:
        api = Api(again.client, key)
        for event in crowd.acknowledged:
            assert api.send(event).json() == {"accepted": 0, "duplicates": 1}
        for body, answer in crowd.assessed:
            assert api.assess(body).content == answer
    compared, differing = differing_values(home)
    assert compared >= 101 * len(VECTOR)
    assert differing == 0


@pytest.mark.slow
def test_without_a_model(home: Path) -> None:
    shutil.rmtree(home / "models")
    key = make_key(home)
    with service(home) as running:
        api = Api(running.client, key)
        ready = running.client.get("/readyz")
        assert ready.status_code == 503
        assert ready.json()["status"] == "unready"
        assert running.client.get("/healthz").status_code == 200
        response = api.assess(assessment())
        assert response.status_code == 503
        assert response.headers["content-type"] == "application/problem+json"
        assert response.headers["retry-after"]
        assert "returnwise train" in response.json()["detail"]
        assert api.send(order_event()).status_code == 200  # events are still taken
        assert running.stop() in (0, -signal.SIGTERM)
        assert "Traceback" not in running.log.read_text()
