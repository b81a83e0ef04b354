"""The pages of the policy: the text in force, a change of it, and the second person."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from features.ledger.sql import execute
from features.ledger.store import Ledger
from serving.policy import simulations
from serving.policy.source import in_force
from tests.support.console import Console, SignedIn, words
from tests.support.policies import DEFAULT, changed, line_of
from tests.support.service import Api, make_key, settings_of, unique


def text(**more: str) -> str:
    """A policy with a version of its own."""
    return changed(old_1='"2026-12"', new_1=unique("v-"), old_2="window_days: 30", new_2="window_days: 60", **more)


def propose(person: SignedIn, content: str, why: str = "Longer for everybody.") -> str:
    """The address of a new proposal."""
    answer = person.post("/policy/proposals", {"text": content, "why": why})
    assert answer.status_code == 303, words(answer)
    return answer.headers["location"].removeprefix("/console")


def version(content: str) -> str:
    return re.findall(r"version: (\S+)", content)[0]


def ended(person: SignedIn, address: str) -> httpx.Response:
    """The page of a simulation, once it has ended."""
    for _ in range(600):
        page = person.get(address)
        if "every 1s" not in page.text:
            return page
        time.sleep(0.1)
    raise AssertionError("the simulation does not end")


class TestInForce:
    def test_the_text_stands_with_numbers_and_clauses(self, console: Console) -> None:
        for role in ("desk", "reviewer", "lead", "analyst", "administrator"):
            page = console.of(role).get("/policy")
            assert page.status_code == 200
            assert ("/policy/edit" in page.text) == (role in ("lead", "analyst"))
        shown = in_force_text(console.home)
        assert f'href="#line-{line_of(shown, "- id: winter-gifts")}"' in page.text
        assert "We check some returns when they arrive." in page.text

    def test_what_is_written_is_shown_as_text(self, lead: SignedIn) -> None:
        content = text().replace("Your refund is on its way.", "<script>alert(1)</script> Your refund is on its way.")
        page = lead.get(propose(lead, content, "<b>why</b>"))
        assert "<script>alert" not in page.text
        assert "<b>why" not in page.text
        assert "&lt;script&gt;alert(1)" in page.text


def in_force_text(home: Path) -> str:
    ledger = Ledger.open(settings_of(home))
    try:
        with ledger.read() as conn:
            return in_force(conn).text
    finally:
        ledger.close()


class TestEdit:
    def test_begins_with_the_text_in_force_or_another(self, lead: SignedIn) -> None:
        assert "version: " in lead.get("/policy/edit").text
        content = text()
        number = propose(lead, content).rsplit("/", 1)[1]
        assert version(content) in lead.get(f"/policy/edit?from={number}").text
        assert lead.get("/policy/edit?from=99999").status_code == 200
        assert lead.get("/policy/edit?from=x").status_code == 200

    @pytest.mark.parametrize("address", ["/policy/proposals", "/policy/simulations"])
    def test_faults_are_told_by_line_and_what_was_typed_stays(self, lead: SignedIn, address: str) -> None:
        content = text().replace("checks_a_day: 50", "checks_a_day: 0").replace("loss_share: 0.6", "loss_share: <b>")
        page = lead.post(address, {"text": content.replace("\n", "\r\n"), "why": "Typed with care."})
        assert page.status_code == 422
        told = words(page)
        assert "2 faults in the text" in told
        assert f"line {line_of(content, 'checks_a_day: 0')} capacity.checks_a_day 0 is not a whole number" in told
        assert "<b>" not in page.text
        assert "Typed with care." in page.text
        assert "checks_a_day: 0" in page.text

    def test_a_reason_and_a_new_version_are_needed(self, lead: SignedIn) -> None:
        page = lead.post("/policy/proposals", {"text": text(), "why": " "})
        assert page.status_code == 422
        assert 'href="#why"' in page.text
        page = lead.post("/policy/proposals", {"text": DEFAULT, "why": "why"})
        assert page.status_code == 422
        assert "The version 2026-12 is taken" in words(page)
        assert lead.post("/policy/proposals", {}).status_code == 422

    def test_a_text_that_was_simulated_can_be_changed_further(self, lead: SignedIn) -> None:
        content = text()
        page = lead.post("/policy/edit", {"text": content})
        assert page.status_code == 200
        assert version(content) in page.text


class TestTwoPeople:
    def test_one_proposes_and_another_publishes(self, console: Console) -> None:
        ann, ben = console.another("analyst"), console.another("lead")
        content = text()
        here = propose(ann, content)
        page = ann.get(here)
        assert "waits for a second person" in words(page)
        assert "window_days: 60" in page.text
        assert "/publish" not in page.text
        assert f"{version(content)} waits for a second person" in words(ben.get("/policy"))
        assert ben.post(f"{here}/publish").status_code == 303
        page = ben.get("/policy")
        assert f"{version(content)} is in force. It decides from the next return on." in words(page)
        assert "window_days: 60" in page.text
        shown = words(ben.get(here))
        assert "Published" in shown
        assert ann.person.name in shown
        assert ben.person.name in shown

    def test_nobody_publishes_their_own(self, console: Console) -> None:
        ann = console.another("lead")
        here = propose(ann, text())
        assert "Somebody else has to publish" in words(ann.get(here))
        assert ann.post(f"{here}/publish").status_code == 303
        assert "waits for a second person" in words(ann.get(here))
        assert ann.post(f"{here}/take-back").status_code == 303
        assert "is taken back" in words(ann.get(here))

    def test_only_one_s_own_is_taken_back(self, console: Console) -> None:
        here = propose(console.another("lead"), text())
        cy = console.another("analyst")
        assert cy.post(f"{here}/take-back").status_code == 303
        page = words(cy.get(here))
        assert "Your role may not decide about this." in page
        assert "waits for a second person" in page

    def test_what_others_have_decided_is_told(self, console: Console) -> None:
        here = propose(console.another("lead"), text())
        ben, cy = console.another("lead"), console.another("lead")
        assert ben.post(f"{here}/decline").status_code == 303
        assert cy.post(f"{here}/publish").status_code == 303
        page = words(cy.get(here))
        assert "Somebody has decided about" in page
        assert "declined" in page

    def test_not_what_was_written_against_another_text(self, console: Console) -> None:
        ann, ben = console.another("lead"), console.another("lead")
        early, late = propose(ann, text()), propose(ann, text())
        assert ben.post(f"{late}/publish").status_code == 303
        page = ben.get(early)
        assert "Another policy was published since" in words(page)
        assert f"{early}/publish" not in page.text
        ben.post(f"{early}/publish")
        assert "waits for a second person" in words(ben.get(early))

    @pytest.mark.parametrize("address", ["/policy/versions/99999", "/policy/versions/x", "/policy/simulations/x"])
    def test_what_is_not_there(self, lead: SignedIn, address: str) -> None:
        assert lead.get(address).status_code == 404
        if "versions" in address:
            assert lead.post(f"{address}/publish").status_code == 404

    def test_a_published_policy_decides_what_is_asked_next(self, console: Console) -> None:
        from tests.support.service import assessment

        ann, ben = console.another("lead"), console.another("lead")
        content = text()
        ben.post(f"{propose(ann, content)}/publish")
        with httpx.Client(base_url=console.base_url, timeout=30) as client:
            answer: dict[str, Any] = Api(client, make_key(console.home)).assess(assessment()).json()
        assert answer["policy_version"] == version(content)

    def test_long_histories_have_pages(self, console: Console, lead: SignedIn) -> None:
        ben = console.another("lead")
        for _ in range(22):
            ben.post(f"{propose(lead, text())}/decline")
        page = lead.get("/policy")
        (before,) = re.findall(r"/policy\?before=(\d+)", page.text)
        older = lead.get(f"/policy?before={before}")
        assert older.status_code == 200
        assert "The one that Returnwise comes with" in words(older)


class TestSimulation:
    def test_is_made_and_shown_and_proposed(self, console: Console) -> None:
        ann, ben = console.another("analyst"), console.another("lead")
        content = text()
        answer = ann.post("/policy/simulations", {"text": content, "days": "90"})
        assert answer.status_code == 303
        here = answer.headers["location"].removeprefix("/console")
        page = ended(ann, here)
        told = words(page)
        assert "were assessed now by the model in use" in told
        for part in ("Checks a day", "Found, expected", "Honest shoppers put off", "By segment", "What is known"):
            assert part in told
        assert "<polyline" in page.text
        proposal = propose(ann, content)
        told = words(ben.get(proposal))
        assert "Nobody has simulated this text" not in told
        assert "Checks a day" in told
        assert here in ben.get(proposal).text

    def test_what_fails_is_told(self, console: Console, lead: SignedIn) -> None:
        ledger = Ledger.open(settings_of(console.home))
        try:
            with ledger.write() as conn:
                wanted = simulations.ask(conn, actor(lead), text(), 90, 1_800_000_000_000_000)
                assert simulations.find(conn, wanted) is not None
                assert simulations.find(conn, wanted).is_lost(2_000_000_000_000_000)  # type: ignore[union-attr]
                simulations.fail(conn, wanted, "too_long", 1_800_000_000_000_001)
                simulations.fail(conn, wanted, "stopped", 1_800_000_000_000_002)
            page = lead.get(f"/policy/simulations/{wanted}")
            assert "It took too long" in words(page)
            with ledger.write() as conn:
                execute(conn, "UPDATE policy_simulations SET trouble = 'something <b>else</b>'")
            page = lead.get(f"/policy/simulations/{wanted}")
            assert "Something went wrong" in words(page)
            assert "<b>else" not in page.text
        finally:
            ledger.close()

    def test_only_some_at_once(self, console: Console, lead: SignedIn) -> None:
        ledger = Ledger.open(settings_of(console.home))
        try:
            with ledger.write() as conn:
                for _ in range(simulations.MOST_AT_ONCE):
                    simulations.ask(conn, actor(lead), text(), 90, time.time_ns() // 1_000)
            content = text()
            page = lead.post("/policy/simulations", {"text": content})
            assert page.status_code == 422
            assert "Other simulations are being made" in words(page)
            assert version(content) in page.text
        finally:
            with ledger.write() as conn:
                execute(conn, "DELETE FROM policy_simulations WHERE result IS NULL")
            ledger.close()


def actor(person: SignedIn) -> Any:
    from serving.staff.accounts import actor_of

    return actor_of(person.person)


def test_dutch(console: Console) -> None:
    lead = console.another("lead", language="nl")
    assert "Wat er met een retour gebeurt" in words(lead.get("/policy"))
    here = propose(lead, text())
    assert "wacht op een tweede persoon" in words(lead.get(here))
