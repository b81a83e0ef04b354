"""The service in its own processes: durability, several workers, a new champion, a missing model."""

from __future__ import annotations

import shutil
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from features.history import rows
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


def test_what_was_acknowledged_survives_a_kill(home: Path) -> None:
    key = make_key(home)
    acknowledged: list[dict[str, Any]] = []
    bodies: list[tuple[dict[str, Any], bytes]] = []
    running = Service(home)
    stopping = threading.Event()

    def send() -> None:
        with httpx.Client(base_url=running.client.base_url, headers=bearer(key), timeout=10) as client:
            while not stopping.is_set():
                event, body = order_event(), assessment()
                try:
                    if client.post("/v1/events", json={"events": [event]}).status_code == 200:
                        acknowledged.append(event)
                    response = client.post("/v1/assessments", json=body)
                    if response.status_code == 200:
                        bodies.append((body, response.content))
                except httpx.TransportError:
                    return

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    while len(bodies) < 60:
        stopping.wait(0.01)
    running.kill()
    stopping.set()
    for thread in threads:
        thread.join()

    with service(home) as again:
        api = Api(again.client, key)
        for event in acknowledged:
            assert api.send(event).json() == {"accepted": 0, "duplicates": 1}
        for body, answer in bodies:
            assert api.assess(body).content == answer
    compared, differing = differing_values(home)
    assert compared >= 60 * len(VECTOR)
    assert differing == 0


def test_two_workers_agree_with_the_training_table(home: Path) -> None:
    """Events and requests about the same few customers at once, through two processes that write by turns."""
    key = make_key(home)
    customers = [f"shared-{n}" for n in range(3)]

    def order(n: int) -> dict[str, Any]:
        return order_event(customer_id=customers[n % 3], address_id="one house", email_id=None, device_id=f"d{n % 2}")

    def work(number: int) -> list[int]:
        statuses = []
        with httpx.Client(base_url=base_url, headers=bearer(key), timeout=30) as client:  # connections find both
            for n in range(12):
                event = order(number + n)
                statuses.append(client.post("/v1/events", json={"events": [event]}).status_code)
                body = {
                    "return_id": unique("return-"),
                    "customer_id": event["customer_id"],
                    "order_id": event["order_id"],
                    "lines": [{"line_id": "1", "quantity": 1}],
                    "reason": "size_fit",
                }
                statuses.append(client.post("/v1/assessments", json=body).status_code)
                client.headers["Connection"] = "close" if n % 3 == 0 else "keep-alive"
        return statuses

    with service(home, workers=2) as running:
        base_url = running.client.base_url
        with ThreadPoolExecutor(6) as pool:
            statuses = [status for some in pool.map(work, range(6)) for status in some]
            assert statuses == [200] * (6 * 12 * 2)
            same = assessment()
            answers = set(
                pool.map(
                    lambda _: httpx.post(f"{base_url}/v1/assessments", json=same, headers=bearer(key)).content,
                    range(24),
                )
            )
            assert len(answers) == 1
        metrics = running.client.get("/metrics").text
    assert 'returnwise_requests_total{method="POST",route="/v1/assessments",status="200"} 96.0' in metrics
    compared, differing = differing_values(home)
    assert compared == 73 * len(VECTOR)
    assert differing == 0


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
