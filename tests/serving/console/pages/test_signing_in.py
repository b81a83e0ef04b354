"""Signing in with a password, the first start, one-time links."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from features.ledger.store import Ledger
from serving.app import create_app
from serving.clock import now_us
from serving.settings import ServingSettings
from serving.staff import repository
from serving.staff.links import first_link
from tests.support.console import PASSWORD, Browser, Console, add_person, words
from tests.support.service import running, settings_of, unique


def sign_in(browser: Browser, login: str, password: str = PASSWORD, **fields: str) -> httpx.Response:
    return browser.post("/sign-in", {"login": login, "password": password} | fields)


class TestSigningIn:
    def test_it_leads_to_the_page_that_was_wanted(self, console: Console) -> None:
        person = add_person(console.home, "lead", password=PASSWORD)
        response = sign_in(console.guest(), f" {person.login.upper()} ", next="/account?x=1")
        assert response.status_code == 303
        assert response.headers["location"] == "/console/account?x=1"

    @pytest.mark.parametrize(
        "wanted",
        [
            "https://elsewhere.example",
            "//elsewhere.example",
            "/\\elsewhere.example",
            "elsewhere",
            "",
            "/\nx",
            "/sign-in",
        ],
    )
    def test_it_leads_nowhere_else(self, console: Console, wanted: str) -> None:
        person = add_person(console.home, "lead", password=PASSWORD)
        assert sign_in(console.guest(), person.login, next=wanted).headers["location"] == "/console/"

    def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(self, console: Console) -> None:
        person = add_person(console.home, "lead", password=PASSWORD)
        cookie = sign_in(console.guest(), person.login).headers["set-cookie"].lower()
        assert cookie.startswith("returnwise=")
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        assert "max-age" not in cookie

    @pytest.mark.parametrize("state", ["unknown", "wrong", "disabled", "invited"])
    def test_every_refusal_reads_the_same(self, console: Console, state: str) -> None:
        browser = console.guest()
        login, password = unique("nobody-"), PASSWORD
        if state != "unknown":
            login = add_person(console.home, "lead", password=PASSWORD).login
        if state == "wrong":
            password = "another one"
        if state in ("disabled", "invited"):
            ledger = Ledger.open(settings_of(console.home))
            with ledger.write() as conn:
                person = repository.find_login(conn, login)
                assert person is not None
                changed = person._replace(disabled_at=1) if state == "disabled" else person._replace(password_hash=None)
                repository.update(conn, changed)
            ledger.close()
        response = sign_in(browser, login, password)
        assert response.status_code == 422
        assert "Login and password do not fit" in words(response)
        assert f'value="{login}"' in response.text
        assert password not in response.text
        assert "set-cookie" not in response.headers

    def test_an_unknown_login_takes_as_long(self, console: Console) -> None:
        def took(login: str) -> float:
            browser = console.guest()
            began = time.perf_counter()
            sign_in(browser, login, "another one")
            return time.perf_counter() - began

        known = [took(add_person(console.home, "lead", password=PASSWORD).login) for _ in range(4)]
        unknown = [took(unique("nobody-")) for _ in range(4)]
        assert statistics.median(unknown) > statistics.median(known) / 3  # without the hash it would be a hundredth

    @pytest.mark.parametrize("exists", [True, False])
    def test_a_login_that_was_tried_too_often_waits(self, console: Console, exists: bool) -> None:
        login = add_person(console.home, "lead", password=PASSWORD).login if exists else unique("nobody-")
        browser = console.guest()
        assert [sign_in(browser, login, "another one").status_code for _ in range(5)] == [422] * 5
        response = sign_in(browser, login)
        assert response.status_code == 429
        assert int(response.headers["retry-after"]) > 0
        assert "too often" in words(response)

    def test_no_login_is_written_down_where_it_was_tried(self, console: Console) -> None:
        sign_in(console.guest(), "my-secret-password", "x")
        ledger = Ledger.open(settings_of(console.home))
        with ledger.read() as conn:
            kept = conn.exec_driver_sql("SELECT login FROM sign_in_attempts").scalars().all()
        ledger.close()
        assert kept
        assert all(re.fullmatch(r"[0-9a-f]{64}", each) for each in kept)

    @pytest.mark.parametrize(
        "fields",
        [
            {},
            {"login": "a"},
            {"password": "b"},
            {"login": "\x00", "password": "\x00"},
            {"login": "x" * 500, "password": "b"},
        ]
        + [{"login": "a", "password": "b" * 100_000}],
    )
    def test_odd_forms_are_refused(self, console: Console, fields: dict[str, str]) -> None:
        assert console.guest().post("/sign-in", fields).status_code == 422

    def test_who_is_signed_in_goes_on(self, console: Console) -> None:
        assert console.of("lead").get("/sign-in?next=/account").headers["location"] == "/console/account"

    def test_signing_out_ends_the_session_and_not_the_cookie_only(self, console: Console) -> None:
        browser = console.another("lead")
        assert browser.get("/account").status_code == 200
        response = browser.post("/sign-out")
        assert response.headers["location"] == "/console/sign-in"
        assert 'returnwise=""' in response.headers["set-cookie"]
        browser.client.cookies.set("returnwise", browser.token, domain=browser.client.base_url.host)
        assert browser.get("/account").status_code == 303

    @pytest.mark.parametrize(("asked", "shown"), [("nl-NL,nl;q=0.9", "Inloggen"), ("fr", "Sign in")])
    def test_the_page_speaks_the_language_of_the_browser(self, console: Console, asked: str, shown: str) -> None:
        assert shown in words(console.guest(language=asked).get("/sign-in"))


def test_attempts_are_counted(console: Console) -> None:
    person = add_person(console.home, "lead", password=PASSWORD)
    sign_in(console.guest(), person.login)
    sign_in(console.guest(), person.login, "another one")
    text = console.guest().client.get("/metrics").text
    for outcome in ("taken", "refused"):
        assert f'returnwise_sign_ins_total{{outcome="{outcome}",way="password"}}' in text


class TestSecureCookie:
    def test_over_https_it_is_secure_and_bound_to_the_host(self, home: Path) -> None:
        serving = ServingSettings(model_poll_seconds=600, public_url="https://returns.example.com")
        person = add_person(home, "lead", password=PASSWORD)
        with running(create_app(settings_of(home), serving)) as client:
            response = client.post(
                "/console/sign-in",
                data={"login": person.login, "password": PASSWORD},
                headers={"Origin": "https://returns.example.com"},
            )
        cookie = response.headers["set-cookie"]
        assert cookie.startswith("__Host-returnwise=")
        assert "Secure" in cookie
        assert "Path=/" in cookie
        assert "domain" not in cookie.lower()


class TestFirstStart:
    @pytest.fixture
    def fresh(self, home: Path) -> Iterator[Console]:
        with running(create_app(settings_of(home), ServingSettings(model_poll_seconds=600))) as client:
            console = Console(home, client)
            yield console
            console.close()

    def link(self, console: Console) -> str | None:
        ledger = Ledger.open(settings_of(console.home))
        try:
            return first_link(ledger, console.base_url, now_us())
        finally:
            ledger.close()

    def test_the_first_administrator_signs_up(self, fresh: Console) -> None:
        assert "returnwise staff link" in words(fresh.guest().get("/sign-in"))
        link = self.link(fresh)
        assert link is not None
        path = link.removeprefix(fresh.base_url.rstrip("/")).removeprefix("/console")
        browser = fresh.guest()
        assert "Set up the console" in words(browser.get(path))
        fields = {"name": "Ro Ot", "login": "root", "new_password": PASSWORD, "new_password_again": PASSWORD}
        for spoiled in ({"new_password_again": "x"}, {"new_password": "short"}, {"login": "a b"}, {"name": ""}):
            response = browser.post(path, fields | spoiled)
            assert response.status_code == 422
            assert PASSWORD not in response.text
        assert browser.post(path, fields).headers["location"] == "/console/"
        assert "Welcome, Ro Ot." in words(browser.get("/account"))
        assert "Welcome" not in words(browser.get("/account"))
        assert browser.get("/staff").status_code == 200
        assert browser.get(path).status_code == 404
        assert fresh.guest().post(path, fields).status_code == 404
        assert self.link(fresh) is None


class TestInvitation:
    def test_from_the_invitation_to_the_first_page(self, console: Console) -> None:
        login = unique("new-")
        page = console.of("administrator").post("/staff", {"login": login, "name": "Robin", "role": "analyst"})
        path = re.findall(r"/console(/link/[\w-]{43})", page.text)[0]
        browser = console.guest()
        assert f"Your login is {login}." in words(browser.get(path))
        fields = {"new_password": PASSWORD, "new_password_again": PASSWORD, "login": "another", "name": "Another"}
        assert browser.post(path, fields).status_code == 303
        assert "Robin" in words(browser.get("/account"))
        assert browser.get("/staff").status_code == 403
        assert sign_in(console.guest(), login).status_code == 303
        assert "leads nowhere" in words(console.guest().get(path))

    @pytest.mark.parametrize("token", ["x", "x" * 43, "%00", "é"])
    def test_a_made_up_link_leads_nowhere(self, console: Console, token: str) -> None:
        assert console.guest().get(f"/link/{token}").status_code == 404
        assert console.guest().post(f"/link/{token}").status_code == 404
