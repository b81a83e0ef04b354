"""A home with a small history and a model, and a client that talks to the service over it."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from starlette.types import ASGIApp

from features.ledger.store import Ledger
from features.service import MODEL_FEATURES, SERVICE
from features.settings import Settings
from serving.keys import service as keys
from serving.keys.scopes import Scope
from tests.support.history import fill, made_up_history
from tests.support.models import make_model_folder

HASH_KEY = "a key for tests"
CUSTOMERS = 24
ORDERS_EACH = 8
_numbers = itertools.count(1)


def settings_of(home: Path) -> Settings:
    return Settings(home=home, database_url="", mlflow_tracking_uri="", hash_key=HASH_KEY)


def keep_model(home: Path, version: str, *, seed: int = 7, trees: int = 30, names: list[str] | None = None) -> Path:
    """Put a model into the home as if the service had fetched it as the champion before."""
    folder = home / "models" / f"{version}-test"
    make_model_folder(
        folder,
        names or [feature.name for feature in MODEL_FEATURES],
        feature_service=SERVICE,
        categories={feature.name: feature.categories for feature in MODEL_FEATURES if feature.categories},
        seed=seed,
        trees=trees,
    )
    (home / "models" / "champion.json").write_text(json.dumps({"version": version, "origin": "test"}))
    return folder


def make_home(home: Path) -> None:
    """A ledger with customers c0, c1, ... and their orders o0-0, o0-1, ... of one line `1`, and a model."""
    fill(settings_of(home), made_up_history(CUSTOMERS, ORDERS_EACH))
    keep_model(home, "1")


def make_key(home: Path, *scopes: Scope) -> str:
    ledger = Ledger.open(settings_of(home))
    try:
        return keys.create(ledger, [*scopes] or list(Scope))
    finally:
        ledger.close()


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def unique(prefix: str) -> str:
    return f"{prefix}{next(_numbers)}"


def order_event(**changes: Any) -> dict[str, Any]:
    """A valid order event with ids of its own."""
    number = next(_numbers)
    return {
        "event_id": f"event-{number}",
        "type": "order",
        "occurred_at": "2026-05-01T12:00:00Z",
        "order_id": f"order-{number}",
        "customer_id": f"customer-{number}",
        "channel": "web",
        "country": "DE",
        "currency": "EUR",
        "email_id": f"someone{number}@example.com",
        "lines": [{"line_id": "1", "sku": "s1", "quantity": 3, "unit_price": "19.99", "category": "k1"}],
    } | changes


def inline_order(**changes: Any) -> dict[str, Any]:
    """An order as an assessment carries it."""
    event = order_event()
    event["ordered_at"] = event.pop("occurred_at")
    return {name: value for name, value in event.items() if name not in ("event_id", "type")} | changes


def assessment(**changes: Any) -> dict[str, Any]:
    """A valid request for an order that comes with it."""
    order = inline_order(**changes.pop("order", {}))
    return {
        "return_id": unique("return-"),
        "customer_id": order["customer_id"],
        "order_id": order["order_id"],
        "lines": [{"line_id": "1", "quantity": 1}],
        "reason": "size_fit",
        "kind": "return",
        "resolution": "refund",
        "channel": "web",
        "tender": "original",
        "requested_at": "2026-05-20T08:30:00Z",
        "order": order,
    } | changes


@contextmanager
def running(app: ASGIApp) -> Iterator[httpx.Client]:
    """A client of the application, which answers over a socket from a thread of this process."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", loop="uvloop", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the service did not start"
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


class Api:
    """A client with a key; answers are `httpx.Response`s."""

    def __init__(self, client: httpx.Client, key: str) -> None:
        self.client = client
        self.key = key

    def send(self, *events: dict[str, Any]) -> httpx.Response:
        return self.client.post("/v1/events", json={"events": list(events)}, headers=bearer(self.key))

    def assess(self, body: dict[str, Any]) -> httpx.Response:
        return self.client.post("/v1/assessments", json=body, headers=bearer(self.key))

    def batch(self, *bodies: Any) -> httpx.Response:
        return self.client.post("/v1/assessments/batch", json={"assessments": list(bodies)}, headers=bearer(self.key))

    def show(self, assessment_id: str) -> httpx.Response:
        return self.client.get(f"/v1/assessments/{assessment_id}", headers=bearer(self.key))

    def post(self, path: str, content: bytes, **headers: str) -> httpx.Response:
        all_headers = {"Content-Type": "application/json"} | bearer(self.key) | headers
        return self.client.post(path, content=content, headers=all_headers)


def fields(response: httpx.Response) -> list[str]:
    """The fields that a problem names."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    return [error["field"] for error in response.json().get("errors", [])]
