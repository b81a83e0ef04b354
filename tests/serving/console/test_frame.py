from __future__ import annotations

import re
from typing import NoReturn

import pytest
from sqlalchemy.exc import OperationalError

from serving.problems import Conflict
from tests.support.console import PASSWORD, Console, SignedIn, end_sessions, words


class TestHeaders:
    def test_every_answer_is_guarded(self, console: Console, lead: SignedIn) -> None:
        for response in (console.guest().get("/sign-in"), lead.get("/account"), lead.get("/nothing")):
            policy = response.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy
            assert response.headers["x-content-type-options"] == "nosniff"
            assert response.headers["referrer-policy"] == "same-origin"
            assert response.headers["cache-control"] == "no-store"

    def test_pages_hold_no_script_and_no_style_of_their_own(self, console: Console, lead: SignedIn) -> None:
        for response in (console.guest().get("/sign-in"), lead.get("/account"), lead.get("/nothing")):
            assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", response.text) == []

    def test_files_may_be_kept_for_good_by_their_content(self, console: Console) -> None:
        page = console.guest().get("/sign-in").text
        for path in re.findall(r'(?:href|src)="/console(/static/[^"]+)"', page):
            response = console.guest().get(path)
            assert response.status_code == 200
            assert "immutable" in response.headers["cache-control"]
            other = console.guest().get(re.sub(r"/static/\w+/", "/static/0/", path))
            assert other.headers["cache-control"] == "no-cache"
        assert console.guest().get("/static/0/nothing.css").status_code == 404
        assert console.guest().get("/static/0/..%2f..%2fapp.py").status_code == 404

    def test_the_console_is_no_part_of_the_api_document(self, console: Console) -> None:
        document = console.guest().client.get("/openapi.json").json()
        assert not [path for path in document["paths"] if "console" in path]

    def test_requests_are_counted_by_their_template(self, console: Console, lead: SignedIn) -> None:
        lead.get("/static/1/x.css")
        text = console.guest().client.get("/metrics").text
        assert 'route="/console/static/{digest}/{name}"' in text


class TestTroubles:
    def test_an_unknown_address_is_a_page(self, lead: SignedIn) -> None:
        response = lead.get("/nothing")
        assert response.status_code == 404
        assert "There is nothing here" in words(response)
        assert "Sign out" in words(response)

    def test_a_defect_is_a_page_that_tells_nothing_of_itself(
        self, console: Console, lead: SignedIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object) -> NoReturn:
            raise RuntimeError("a secret of the machine room")

        monkeypatch.setattr("serving.console.pages.account._page", broken)
        response = lead.get("/account")
        assert response.status_code == 500
        assert "Something went wrong on our side" in words(response)
        assert "secret" not in response.text
        assert response.headers["cache-control"] == "no-store"

    def test_while_the_database_is_away_there_is_a_page_too(
        self, console: Console, lead: SignedIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(*_: object, **__: object) -> NoReturn:
            raise OperationalError("SELECT 1", None, Exception("disk I/O error"))

        monkeypatch.setattr("serving.staff.sessions.find", away)
        response = lead.get("/account")
        assert response.status_code == 503
        assert "Not possible right now" in words(response)

    def test_words_of_a_form_that_came_too_late_are_shown_again(
        self, lead: SignedIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def late(*_: object, **__: object) -> NoReturn:
            raise Conflict("changed meanwhile")

        monkeypatch.setattr("serving.staff.accounts.set_own", late)
        response = lead.post("/account", {"name": "A name that took long <to> find"})
        assert response.status_code == 409
        assert "Somebody changed this meanwhile" in words(response)
        assert "A name that took long &lt;to&gt; find" in response.text

    def test_the_api_keeps_its_problems(self, console: Console) -> None:
        response = console.guest().client.get("/v1/nothing")
        assert response.headers["content-type"] == "application/problem+json"

    def test_a_form_that_is_too_large_is_not_read(self, lead: SignedIn) -> None:
        response = lead.post("/account", {"name": "x" * 300_000})
        assert response.status_code == 413
        assert "too large" in words(response)

    def test_what_htmx_asks_for_becomes_a_whole_page(self, lead: SignedIn) -> None:
        response = lead.get("/nothing", **{"HX-Request": "true"})
        assert response.headers["hx-retarget"] == "body"


class TestWordsOfAnEndedSession:
    @pytest.fixture
    def browser(self, console: Console) -> SignedIn:
        browser = console.another("lead", password=PASSWORD)
        end_sessions(console.home, browser.person)
        return browser

    def send(self, browser: SignedIn, **headers: str) -> tuple[str, str]:
        response = browser.post("/account", {"name": "Words that took a while <b>", "theme": "dark"}, **headers)
        assert response.status_code == 401
        assert "Your session has ended" in words(response)
        assert "Words that took" not in response.text
        sealed = re.findall(r'name="kept" value="([^"]+)"', response.text)[0]
        assert response.headers.get("location") is None
        return sealed, response.text

    def test_they_come_back_after_signing_in(self, browser: SignedIn) -> None:
        sealed, _ = self.send(browser)
        fields = {"login": browser.person.login, "password": PASSWORD, "kept": sealed}
        wrong = browser.post("/sign-in", fields | {"password": "another one"})
        assert sealed in wrong.text
        page = browser.post("/sign-in", fields)
        assert page.status_code == 200
        assert 'value="Words that took a while &lt;b&gt;"' in page.text
        key = re.findall(r'name="form_key" value="([^"]+)"', page.text)[-1]
        sent = browser.post("/account", {"form_key": key, "name": "Words that took a while", "theme": "dark"})
        assert sent.status_code == 303
        assert "Words that took a while" in browser.get("/account").text

    def test_they_come_back_after_signing_in_elsewhere(self, console: Console, browser: SignedIn) -> None:
        sealed, _ = self.send(browser)
        again = console.signed_in(browser.person)
        assert "Words that took a while" in again.post("/kept", {"kept": sealed}).text

    def test_nobody_else_sees_them(self, console: Console, browser: SignedIn) -> None:
        sealed, _ = self.send(browser)
        response = console.of("reviewer").post("/kept", {"kept": sealed})
        assert response.status_code == 303
        assert console.of("reviewer").post("/kept", {"kept": sealed[:-9] + "AAAAAAAA="}).status_code == 303
        assert console.guest().post("/kept", {"kept": sealed}).status_code == 401

    def test_no_password_is_among_them(self, browser: SignedIn) -> None:
        response = browser.post("/account/password", {"password": "p1-here", "new_password": "p2-here"})
        sealed = re.findall(r'name="kept" value="([^"]+)"', response.text)[0]
        page = browser.post("/sign-in", {"login": browser.person.login, "password": PASSWORD, "kept": sealed})
        assert page.status_code == 200
        assert "p1-here" not in page.text
        assert "p2-here" not in page.text

    def test_a_form_of_a_former_session_comes_back_too(self, console: Console, lead: SignedIn) -> None:
        response = lead.post("/account", {"form_key": "of a former one", "name": "Typed before"})
        assert response.status_code == 409
        assert 'value="Typed before"' in response.text

    def test_a_part_that_the_page_asks_for_does_not_take_it_away(self, browser: SignedIn) -> None:
        response = browser.get("/account", **{"HX-Request": "true"})
        assert response.status_code == 401
        assert response.headers["hx-retarget"] == "#said"
        assert "hx-redirect" not in response.headers
        assert "What you typed is still here" in words(response)

    def test_a_part_that_htmx_sent_is_no_exception(self, browser: SignedIn) -> None:
        response = browser.post("/account", {"name": "x"}, **{"HX-Request": "true"})
        assert response.status_code == 401
        assert response.headers["hx-retarget"] == "body"
