"""Signing in through an OpenID Connect provider, with a real one on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from serving.app import create_app
from serving.settings import ServingSettings
from tests.support.console import Browser, Console, words
from tests.support.provider import Provider, provider
from tests.support.service import running, settings_of, unique


@pytest.fixture(scope="module")
def shop_id() -> Iterator[Provider]:
    with provider() as made:
        yield made


@pytest.fixture(scope="module")
def console(shared_home: Path, shop_id: Provider) -> Iterator[Console]:
    serving = ServingSettings(model_poll_seconds=600, **shop_id.settings())
    with running(create_app(settings_of(shared_home), serving)) as client:
        console = Console(shared_home, client)
        yield console
        console.close()


@pytest.fixture(autouse=True)
def right(shop_id: Provider) -> None:
    shop_id.wrong = ""
    shop_id.claims = {"sub": unique("u"), "preferred_username": "Ann", "name": "Ann de Vries", "groups": ["leads"]}


def away(browser: Browser, wanted: str = "/account") -> str:
    """Leaves for the provider, and gives the address that it leads back to."""
    response = browser.get(f"/oidc?next={wanted}")
    assert response.status_code == 302, words(response)
    with httpx.Client() as client:
        back = client.get(response.headers["location"])
    assert back.status_code == 307
    return str(back.headers["location"])


def come_back(browser: Browser, address: str) -> httpx.Response:
    return browser.client.get(address, headers={"Sec-Fetch-Site": "cross-site"})


def sign_in(browser: Browser) -> httpx.Response:
    return come_back(browser, away(browser))


def test_the_page_for_signing_in_offers_it(console: Console) -> None:
    page = console.guest().get("/sign-in?next=/staff%3Fx=1").text
    assert "Sign in with Shop ID" in page
    assert 'href="/console/oidc?next=/staff%3Fx%3D1"' in page


def test_somebody_new_gets_an_account_with_the_role_of_the_claim(console: Console) -> None:
    browser = console.guest()
    response = sign_in(browser)
    assert response.status_code == 303
    assert response.headers["location"] == "/console/account"
    page = words(browser.get("/account"))
    assert "Ann de Vries" in page
    assert "ann · Lead" in page
    assert "Present password" not in page


def test_the_role_follows_the_claim_and_ends_other_sessions(console: Console, shop_id: Provider) -> None:
    first, second = console.guest(), console.guest()
    sign_in(first)
    shop_id.claims["groups"] = ["others", "desk", "admins"]
    sign_in(second)
    assert "Administrator" in words(second.get("/account"))
    assert first.get("/account").status_code == 303


def test_who_has_no_role_gets_in_no_more(console: Console, shop_id: Provider) -> None:
    browser = console.guest()
    sign_in(browser)
    for groups in ([], ["others"], None, {"a": 1}, "others"):
        shop_id.claims["groups"] = groups
        response = sign_in(console.guest())
        assert response.status_code == 403
        assert "have no role here" in words(response)
    assert browser.get("/account").status_code == 303


def test_another_person_with_the_same_login_is_another_account(console: Console, shop_id: Provider) -> None:
    for number in range(2):
        shop_id.claims |= {"sub": unique("u"), "preferred_username": "Same @ Name!"}
        browser = console.guest()
        sign_in(browser)
        assert ("same-@-name" + ("-2" if number else "")) in words(browser.get("/account"))


@pytest.mark.parametrize(
    "wrong",
    [
        "nonce",
        "issuer",
        "audience",
        "time",
        "subject",
        "key",
        "shared secret",
        "no signature",
        "no id token",
        "refusal",
    ],
)
def test_an_answer_that_does_not_hold_lets_nobody_in(console: Console, shop_id: Provider, wrong: str) -> None:
    shop_id.wrong = wrong
    browser = console.guest()
    response = sign_in(browser)
    assert response.status_code == 401
    assert "could not say who you are" in words(response)
    assert "returnwise" not in browser.client.cookies
    assert browser.get("/account").status_code == 303


def test_an_answer_counts_once_and_in_the_same_browser_only(console: Console) -> None:
    browser, other = console.guest(), console.guest()
    address = away(browser)
    away(other)
    assert come_back(other, address).status_code == 401
    assert come_back(console.guest(), address).status_code == 401
    assert come_back(browser, address).status_code == 303
    assert come_back(browser, address).status_code == 401


def test_state_and_challenge_are_never_the_same(console: Console) -> None:
    seen = set()
    for _ in range(3):
        asked = parse_qs(urlsplit(console.guest().get("/oidc").headers["location"]).query)
        seen |= {asked["state"][0], asked["nonce"][0], asked["code_challenge"][0]}
        assert asked["redirect_uri"][0].endswith("/console/oidc/back")
    assert len(seen) == 9


@pytest.mark.parametrize("cookie", ["", "x", "gAAAAAB", "é"])
def test_a_spoiled_cookie_lets_nobody_in(console: Console, cookie: str) -> None:
    browser = console.guest()
    headers = {"Cookie": f"returnwise_oidc={cookie}".encode()}
    assert browser.client.get("/console/oidc/back?code=x&state=y", headers=headers).status_code == 401


class TestSettings:
    def test_a_provider_that_calls_itself_otherwise_is_not_used(self, home: Path, shop_id: Provider) -> None:
        shop_id.wrong = "issuer of itself"
        serving = ServingSettings(model_poll_seconds=600, **shop_id.settings())
        with running(create_app(settings_of(home), serving)) as client:
            assert client.get("/console/oidc").status_code == 502

    def test_one_that_does_not_answer_is_told_of(self, home: Path, shop_id: Provider) -> None:
        serving = ServingSettings(model_poll_seconds=600, **shop_id.settings(oidc_issuer="http://localhost:1"))
        with running(create_app(settings_of(home), serving)) as client:
            assert client.get("/console/oidc").status_code == 502

    def test_without_passwords_it_is_the_only_way_in(self, home: Path, shop_id: Provider) -> None:
        serving = ServingSettings(model_poll_seconds=600, **shop_id.settings(passwords=False))
        with running(create_app(settings_of(home), serving)) as client:
            page = client.get("/console/sign-in").text
            assert "Shop ID" in page
            assert 'type="password"' not in page
            headers = {"Origin": str(client.base_url).rstrip("/")}
            sent = client.post("/console/sign-in", data={"login": "a", "password": "b"}, headers=headers)
            assert sent.status_code == 422

    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"oidc_issuer": "http://id.example.com"}, "https"),
            ({"oidc_client_secret": ""}, "RETURNWISE_OIDC_CLIENT_SECRET"),
            ({"oidc_roles": {}}, "who has which role"),
            ({"oidc_roles": {"x": "boss"}}, "'desk'"),
            ({"oidc_issuer": "", "passwords": False}, "RETURNWISE_OIDC_ISSUER"),
        ],
    )
    def test_settings_that_would_lock_out_or_in_are_refused(
        self, shop_id: Provider, changes: dict[str, object], why: str
    ) -> None:
        with pytest.raises(ValueError, match=why):
            ServingSettings(**shop_id.settings(**changes))
