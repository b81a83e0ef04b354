"""Looking after accounts, and one's own."""

from __future__ import annotations

import re

import pytest

from tests.support.console import PASSWORD, Console, SignedIn, add_person, words
from tests.support.service import unique


class TestStaff:
    def test_everybody_is_listed_with_their_state(self, console: Console, administrator: SignedIn) -> None:
        person = add_person(console.home, "desk", name="<b>Bo</b>")
        page = administrator.get("/staff")
        assert person.login in page.text
        assert "<b>Bo" not in page.text
        assert "&lt;b&gt;Bo" in page.text

    @pytest.mark.parametrize(
        ("fields", "why"),
        [
            ({"login": "x y"}, "A login has"),
            ({"name": ""}, "Fill this in"),
            ({"role": "boss"}, "Choose one of those"),
            ({"role": ""}, "Choose one"),
        ],
    )
    def test_an_invitation_that_does_not_fit_comes_back(
        self, administrator: SignedIn, fields: dict[str, str], why: str
    ) -> None:
        wanted = {"login": unique("new-"), "name": "Robin Visser", "role": "desk"} | fields
        page = administrator.post("/staff", wanted)
        assert page.status_code == 422
        assert why in words(page)
        if wanted["name"]:
            assert 'value="Robin Visser"' in page.text

    def test_another_role_and_no_role_at_all(self, console: Console, administrator: SignedIn) -> None:
        browser = console.another("desk")
        path = f"/staff/{browser.person.staff_id}"
        assert administrator.post(f"{path}/role", {"role": "lead"}).status_code == 303
        assert "has another role now" in words(administrator.get(path))
        assert browser.get("/account").status_code == 303
        again = console.signed_in(browser.person)
        assert "Lead" in words(again.get("/account"))
        assert administrator.post(f"{path}/disable").status_code == 303
        assert again.get("/account").status_code == 303
        shown = words(administrator.get(path))
        assert "Role changed: Lead" in shown
        assert "Not active any more" in shown
        assert administrator.post(f"{path}/enable").status_code == 303
        assert console.signed_in(browser.person).get("/account").status_code == 200

    def test_a_link_for_a_new_password(self, console: Console, administrator: SignedIn) -> None:
        person = add_person(console.home, "desk", password=PASSWORD)
        page = administrator.post(f"/staff/{person.staff_id}/link")
        path = re.findall(r"/console(/link/[\w-]{43})", page.text)[0]
        assert "A new password" in words(console.guest().get(path))
        newer = administrator.post(f"/staff/{person.staff_id}/link")
        assert console.guest().get(path).status_code == 404
        assert path not in newer.text

    def test_the_last_administrator_stays(self, console: Console) -> None:
        everybody = console.of("administrator")
        listed = re.findall(r'href="/console/staff/(\w+)"', everybody.get("/staff").text)
        others = [staff_id for staff_id in listed if staff_id != everybody.person.staff_id]
        for staff_id in others:
            everybody.post(f"/staff/{staff_id}/disable")
        own = f"/staff/{everybody.person.staff_id}"
        for path, fields in ((f"{own}/disable", {}), (f"{own}/role", {"role": "lead"})):
            assert everybody.post(path, fields).status_code == 303
            assert "This is the last administrator" in words(everybody.get(own))
        assert everybody.get("/staff").status_code == 200

    @pytest.mark.parametrize("path", ["/staff/nobody", "/staff/%00", "/staff/..%2f"])
    def test_who_is_not_there_is_not_found(self, administrator: SignedIn, path: str) -> None:
        assert administrator.get(path).status_code == 404
        assert administrator.post(f"{path}/disable").status_code == 404


class TestAccount:
    def test_language_theme_and_keys_are_ones_own_choice(self, console: Console) -> None:
        browser = console.another("lead")
        page = browser.get("/account").text
        assert '<html lang="en">' in page
        assert "data-shortcuts" in page
        fields = {"name": "Sam", "language": "nl", "theme": "dark", "shortcuts": "0"}
        assert browser.post("/account", fields).status_code == 303
        page = browser.get("/account").text
        assert '<html lang="nl" data-theme="dark">' in page
        assert "Opgeslagen." in page
        assert "data-shortcuts" not in page
        assert browser.post("/account", {"name": "Sam", "language": "", "theme": ""}).status_code == 303
        assert '<html lang="en">' in browser.get("/account").text

    @pytest.mark.parametrize("fields", [{"name": ""}, {"name": "S", "language": "xx"}, {"name": "S", "theme": "pink"}])
    def test_what_does_not_fit_comes_back(self, lead: SignedIn, fields: dict[str, str]) -> None:
        page = lead.post("/account", fields)
        assert page.status_code == 422
        assert 'role="alert"' in page.text

    def test_a_new_password_needs_the_present_one_and_ends_other_sessions(self, console: Console) -> None:
        browser = console.another("lead", password=PASSWORD)
        other = console.signed_in(browser.person)
        new = "four words and more"
        fields = {"password": "wrong", "new_password": new, "new_password_again": new}
        page = browser.post("/account/password", fields)
        assert page.status_code == 422
        assert "not your present password" in words(page)
        assert new not in page.text
        assert other.get("/account").status_code == 200
        assert browser.post("/account/password", fields | {"password": PASSWORD}).status_code == 303
        assert browser.get("/account").status_code == 200
        assert other.get("/account").status_code == 303
        signing = {"login": browser.person.login, "password": new}
        assert console.guest().post("/sign-in", signing).status_code == 303
        assert console.guest().post("/sign-in", signing | {"password": PASSWORD}).status_code == 422

    def test_a_session_that_was_left_open_is_no_way_to_guess_the_password(self, console: Console) -> None:
        browser = console.another("desk", password=PASSWORD)
        new = "four words and more"
        fields = {"password": "wrong", "new_password": new, "new_password_again": new}
        answers = [browser.post("/account/password", fields).status_code for _ in range(6)]
        assert answers == [422] * 5 + [429]
        page = browser.post("/account/password", fields | {"password": PASSWORD})
        assert page.status_code == 429
        assert int(page.headers["retry-after"]) > 0
        assert "tried too often" in words(page)
        assert (
            console.guest().post("/sign-in", {"login": browser.person.login, "password": PASSWORD}).status_code == 429
        )

    def test_sessions_are_listed_and_all_others_ended(self, console: Console) -> None:
        browser = console.another("lead")
        other = console.signed_in(browser.person)
        assert "End all others" in words(browser.get("/account"))
        assert browser.post("/account/sessions").status_code == 303
        assert "End all others" not in words(browser.get("/account"))
        assert other.get("/account").status_code == 303


@pytest.mark.parametrize("role", ["desk", "administrator"])
def test_home_leads_to_the_first_page_of_the_role(console: Console, role: str) -> None:
    browser = console.of(role)
    response = browser.get("/")
    assert response.status_code == 303
    assert browser.client.get(response.headers["location"]).status_code == 200


def test_without_the_slash_it_is_found_too(console: Console) -> None:
    response = console.guest().client.get("/console")
    assert response.status_code in (303, 307)
    assert response.headers["location"] == "/console/"
