"""The full table of roles and addresses, found from the console's own routes: a new page is asked, too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute

from serving.console.pages import AREAS
from serving.console.routing import Admission
from serving.staff.permissions import PERMISSIONS, ROLES, may
from tests.support.console import Console

#: What anybody may ask for. Nothing behind these shows a case, a person or a figure.
OPEN = {
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("POST", "/kept"),
    ("GET", "/link/{token}"),
    ("POST", "/link/{token}"),
    ("GET", "/static/{digest}/{name}"),
}


def declared() -> Iterator[tuple[str, str, Admission]]:
    for area in AREAS:
        for route in area.router.routes:
            assert isinstance(route, APIRoute)
            admissions = [each.dependency for each in route.dependencies if isinstance(each.dependency, Admission)]
            assert len(admissions) == 1, f"{route.path} is not declared by `Pages`"
            assert len(route.methods) == 1
            yield min(route.methods), route.path, admissions[0]


EVERY = sorted(((method, path, admission.operation) for method, path, admission in declared()), key=str)
ASKED = [(method, path, operation) for method, path, operation in EVERY if operation is not None]


def address(path: str) -> str:
    """An address of the route: with 1 or `x` where it has a place."""
    return re.sub(r"\{\w*(_no|_page|number)\}", "1", re.sub(r"\{(?!\w*(_no|_page|number)\})\w+(:\w+)?\}", "x", path))


def ask(console: Console, role: str, method: str, path: str) -> Any:
    if method == "GET":
        return console.of(role).get(address(path))
    return console.another(role).post(address(path))  # a form may end all sessions of who sends it


def test_only_what_must_be_is_open_to_everybody() -> None:
    assert {(method, path) for method, path, operation in EVERY if operation is None} - OIDC <= OPEN


OIDC = {("GET", "/oidc"), ("GET", "/oidc/back")}


def test_every_operation_is_one_of_the_table() -> None:
    assert {operation for _, _, operation in ASKED} <= set(PERMISSIONS)


def test_forms_are_forms() -> None:
    assert all(admission.is_form == (method == "POST") for method, _, admission in declared())


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("method", "path", "operation"), ASKED, ids=lambda value: str(value))
def test_a_role_gets_what_it_may_and_nothing_else(
    console: Console, role: str, method: str, path: str, operation: str
) -> None:
    response = ask(console, role, method, path)
    assert response.status_code < 500, response.text
    if may(role, operation):
        assert response.status_code != 403
    else:
        assert response.status_code == 403
        assert "Your role does not allow this" in response.text


@pytest.mark.parametrize(("method", "path", "operation"), ASKED, ids=lambda value: str(value))
def test_nobody_gets_in_without_a_session(console: Console, method: str, path: str, operation: str) -> None:
    guest = console.guest()
    if method == "GET":
        response = guest.get(address(path))
        assert response.status_code == 303
        assert response.headers["location"].startswith("/console/sign-in?next=")
    else:
        response = guest.post(address(path))
        assert response.status_code == 401
        assert 'action="/console/sign-in"' in response.text


@pytest.mark.parametrize(
    ("method", "path"), [(method, path) for method, path, _ in EVERY if method == "POST"], ids=lambda value: str(value)
)
def test_no_form_of_another_site_is_taken(console: Console, method: str, path: str) -> None:
    for headers in ({"Origin": "https://elsewhere.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        assert console.of("lead").post(address(path), **headers).status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "operation"), [each for each in ASKED if each[0] == "POST"], ids=lambda value: str(value)
)
def test_no_form_without_the_key_of_the_session_is_taken(
    console: Console, method: str, path: str, operation: str
) -> None:
    role = next(role for role in ROLES if may(role, operation))
    for key in ("", "x" * 43):
        assert console.of(role).post(address(path), {"form_key": key}).status_code == 409
