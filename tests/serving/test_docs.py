"""The page about the API: its examples run, and it leaves nothing out."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from fastapi.routing import APIRoute

from serving import problems
from serving.app import create_app
from serving.assessments import endpoints as assessments
from serving.events import endpoints as events
from serving.health import endpoints as health
from serving.keys.scopes import Scope
from serving.settings import ServingSettings
from serving.shops import endpoints as shops
from tests.support.repository import ROOT
from tests.support.service import bearer, keep_model, make_key, running, settings_of

PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(
    r"```http\n(?P<method>\w+) (?P<path>\S+)\n(?:\n(?P<body>.*?))?```\n+```json\n(?P<status>\d+) (?P<answer>.*?)```",
    PAGE,
    re.DOTALL,
)


def agrees(shown: Any, got: Any) -> bool:
    """Whether the answer is as the page shows it; `…` stands for anything."""
    if shown == "…":
        return True
    if isinstance(shown, dict) and isinstance(got, dict):
        return shown.keys() == got.keys() and all(agrees(shown[key], got[key]) for key in shown)
    if isinstance(shown, list) and isinstance(got, list):
        return len(shown) == len(got) and all(map(agrees, shown, got))
    return bool(shown == got)


def test_every_example_runs(tmp_path: Path) -> None:
    assert len(EXAMPLES) == PAGE.count("```http") >= 8
    keep_model(tmp_path, "1")
    headers = bearer(make_key(tmp_path))
    with running(create_app(settings_of(tmp_path), ServingSettings(model_poll_seconds=600))) as client:
        for method, path, body, status, answer in EXAMPLES:
            response = client.request(method, path, headers=headers, json=json.loads(body) if body else None)
            assert response.status_code == int(status), response.text
            assert agrees(json.loads(answer), response.json()), response.text


def test_every_address_scope_problem_and_limit_is_there() -> None:
    for router in (assessments.router, events.router, shops.router, health.router):
        for route in router.routes:
            assert isinstance(route, APIRoute)
            if route.include_in_schema:
                assert f"`{min(route.methods)} {route.path}`" in PAGE
    for scope in Scope:
        assert f"`{scope}`" in PAGE
    for problem in problems.ALL:
        assert f"| {problem.status} | `{problem.slug}` |" in PAGE
    for name in ("max_body_bytes", "max_events", "max_batch", "metrics_open"):
        assert f"RETURNWISE_{name.upper()}" in PAGE
