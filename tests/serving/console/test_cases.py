"""The queue and the pages of cases, as each kind of person gets them."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from features.ledger.sql import execute
from features.ledger.store import Ledger
from serving.audit.trail import SYSTEM
from serving.cases import records, repository, work
from serving.cases.repository import Case
from serving.clock import now_us
from tests.support.cases import Desk
from tests.support.console import Console, SignedIn, words
from tests.support.service import settings_of


@pytest.fixture(scope="module")
def desk(shared_home: Path) -> Desk:
    ledger = Ledger.open(settings_of(shared_home))
    desk = Desk(ledger, now_us())
    desk.add_returns()
    return desk


_numbers = iter(range(1_000))


@pytest.fixture
def case(desk: Desk) -> Case:
    """A case that nobody has touched."""
    return desk.open(next(_numbers))


def send(person: SignedIn, case: Case, path: str, **fields: str) -> httpx.Response:
    return person.post(f"/cases/{case.case_id}/{path}", {"revision": str(case.revision)} | fields)


class TestCase:
    def test_says_what_is_asked_for_and_hides_the_risk(self, console: Console, case: Case) -> None:
        page = console.of("reviewer").get(f"/cases/{case.case_id}")
        assert page.status_code == 200
        said = words(page)
        assert case.case_id in said
        assert "What settles it" in said
        assert "40%" not in page.text
        assert "20.00" not in page.text  # what would be lost on average says the risk, too
        assert "Show the estimate" in said

    def test_shows_it_after_a_judgement(self, console: Console, case: Case, desk: Desk) -> None:
        reviewer = console.of("reviewer")
        assert send(reviewer, case, "judgement", judgement="unsure").status_code == 303
        assert "40%" in reviewer.get(f"/cases/{case.case_id}").text
        assert "40%" not in console.of("lead").get(f"/cases/{case.case_id}").text
        assert desk.again(case).judgement == "unsure"

    def test_shows_it_on_request(self, console: Console, case: Case, desk: Desk) -> None:
        reviewer = console.of("reviewer")
        send(reviewer, case, "risk")
        assert "40%" in reviewer.get(f"/cases/{case.case_id}").text
        assert desk.again(case).risk_shown_at is not None

    def test_never_shows_it_to_the_desk(self, console: Console, case: Case) -> None:
        person = console.of("desk")
        send(person, case, "judgement", judgement="concern")
        page = person.get(f"/cases/{case.case_id}")
        assert "40%" not in page.text
        assert "Confirm abuse" not in words(page)

    def test_is_not_found_by_another_reference(self, console: Console) -> None:
        assert console.of("reviewer").get("/cases/RW-00000-00000").status_code == 404

    @pytest.mark.parametrize(
        ("path", "fields", "state"),
        [
            ("claim", {}, "claimed"),
            ("checks", {"item": "tags", "result": "fine"}, "claimed"),
            ("findings", {"finding": "worn", "line_id": ""}, "claimed"),
            ("wait-for-customer", {"why": "A photo?"}, "waiting_customer"),
            ("wait-for-item", {"why": ""}, "waiting_inspection"),
            ("second-opinion", {"why": "Unsure."}, "second_opinion"),
            ("clear", {"words": "", "next": "1"}, "closed"),
            ("inconclusive", {"words": "Nobody can tell."}, "closed"),
            ("confirm", {"words": "They wrote so.", "basis": "admission", "abuse_type": "other"}, "closed"),
        ],
    )
    def test_takes_a_step_and_leads_on(
        self, console: Console, case: Case, desk: Desk, path: str, fields: dict[str, str], state: str
    ) -> None:
        response = send(console.of("reviewer"), case, path, **fields)
        assert response.status_code == 303, response.text
        assert desk.again(case).state == state
        assert console.of("reviewer").client.get(response.headers["location"]).status_code == 200

    def test_keeps_notes_with_their_lines(self, console: Console, case: Case, desk: Desk) -> None:
        text = "First <b>line</b>\nsecond"
        send(console.of("desk"), case, "notes", note=text)
        (note,) = desk.read(lambda conn: records.notes(conn, case.case_no))
        assert note.words == text
        assert "First &lt;b&gt;line&lt;/b&gt;\nsecond" in console.of("desk").get(f"/cases/{case.case_id}").text

    def test_takes_ones_own_finding_back(self, console: Console, case: Case, desk: Desk) -> None:
        reviewer = console.of("reviewer")
        send(reviewer, case, "findings", finding="worn")
        (found,) = desk.read(lambda conn: records.standing(conn, case.case_no))
        send(reviewer, desk.again(case), f"findings/{found.finding_no}/withdraw")
        assert desk.read(lambda conn: records.standing(conn, case.case_no)) == []

    def test_goes_on_with_the_next(self, console: Console, case: Case) -> None:
        response = send(console.of("reviewer"), case, "clear", next="1")
        assert re.search(r"/console/(cases/RW-|queue)", response.headers["location"])
        assert case.case_id not in response.headers["location"]
        assert f"{case.case_id} is closed: cleared." in words(console.of("reviewer").get("/queue"))

    def test_stays_where_it_is_wanted(self, console: Console, case: Case) -> None:
        response = send(console.of("reviewer"), case, "clear")
        assert response.headers["location"].endswith(f"/cases/{case.case_id}")

    def test_gives_htmx_only_what_has_changed(self, console: Console, case: Case) -> None:
        reviewer = console.of("reviewer")
        response = reviewer.post(
            f"/cases/{case.case_id}/findings",
            {"revision": "1", "finding": "as_described"},
            **{"HX-Request": "true"},
        )
        assert response.status_code == 200
        assert "<html" not in response.text
        assert 'id="case"' in response.text
        assert "The finding is written down." in response.text

    def test_keeps_the_view_of_the_queue(self, console: Console, case: Case) -> None:
        reviewer = console.of("reviewer")
        page = reviewer.get(f"/cases/{case.case_id}?kind=return&view=open")
        assert f"/console/cases/{case.case_id}/clear?view=open&amp;kind=return" in page.text
        response = reviewer.post(f"/cases/{case.case_id}/claim?view=open&kind=return", {"revision": "1"})
        assert response.headers["location"].endswith(f"/cases/{case.case_id}?view=open&kind=return")


class TestNothingIsLost:
    def test_if_somebody_else_was_quicker(self, console: Console, case: Case, desk: Desk) -> None:
        send(console.of("lead"), case, "clear", words="")
        response = send(console.of("reviewer"), case, "inconclusive", words="I could not tell, the box was open.")
        assert response.status_code == 409
        said = words(response)
        assert "This case has changed" in said
        assert "Cleared" in said
        assert "I could not tell, the box was open." in said
        assert desk.again(case).verdict == "cleared"

    def test_if_it_was_only_changed_and_can_be_sent_again(self, console: Console, case: Case, desk: Desk) -> None:
        send(console.of("lead"), case, "notes", note="The courier called.")
        fields = {"words": "They told us.", "basis": "admission", "abuse_type": "other"}
        response = send(console.of("reviewer"), case, "confirm", **fields)
        assert response.status_code == 409
        assert "They told us." in response.text
        assert 'value="admission" selected' in response.text
        fresh = re.search(r'name="revision" value="(\d+)"', response.text)
        assert fresh is not None
        again = console.of("reviewer").post(f"/cases/{case.case_id}/confirm", fields | {"revision": fresh[1]})
        assert again.status_code == 303
        assert desk.again(case).verdict == "abuse_confirmed"

    def test_if_somebody_else_has_it(self, console: Console, case: Case) -> None:
        send(console.of("lead"), case, "claim")
        fresh = {"revision": "2"}
        response = console.of("reviewer").post(f"/cases/{case.case_id}/clear", {"words": "All fine here."} | fresh)
        assert response.status_code == 409
        assert "is working on this case" in words(response)
        assert "All fine here." in response.text

    @pytest.mark.parametrize(
        ("fields", "told"),
        [
            ({"basis": "inspection", "words": "Used."}, "Nothing was found yet"),
            ({"basis": "admission", "words": ""}, "in your own words"),
            ({"basis": "", "words": "Used."}, "Choose one."),
            ({"basis": "gut", "words": "Used."}, "Choose one of those"),
        ],
    )
    def test_if_something_is_missing(self, console: Console, case: Case, fields: dict[str, str], told: str) -> None:
        response = send(console.of("reviewer"), case, "confirm", **fields)
        assert response.status_code == 422
        assert told in words(response)
        assert fields["words"] in response.text

    def test_if_a_note_is_too_long(self, console: Console, case: Case) -> None:
        response = send(console.of("reviewer"), case, "notes", note="long " * 1_000)
        assert response.status_code == 422
        assert response.text.count("long ") > 900

    def test_if_the_session_has_ended(self, console: Console, case: Case) -> None:
        guest = console.guest()
        response = guest.post(f"/cases/{case.case_id}/clear", {"words": "Thought about it for long."})
        assert response.status_code == 401


class TestSomebodyElse:
    def test_is_seen_on_the_page_and_in_the_queue(self, console: Console, case: Case) -> None:
        lead, reviewer = console.of("lead"), console.of("reviewer")
        lead.get(f"/cases/{case.case_id}")
        assert f"{lead.person.name} is looking at this case" in words(reviewer.get(f"/cases/{case.case_id}"))
        found = reviewer.get(f"/queue?search={case.case_id}")
        assert f"{lead.person.name} is looking" in words(found)

    def test_and_what_they_have_changed(self, console: Console, case: Case) -> None:
        lead, reviewer = console.of("lead"), console.of("reviewer")
        reviewer.get(f"/cases/{case.case_id}")
        assert "has changed" not in reviewer.get(f"/cases/{case.case_id}/now?revision=1").text
        send(lead, case, "notes", note="Look at the label.")
        part = reviewer.get(f"/cases/{case.case_id}/now?revision=1", **{"HX-Request": "true"})
        assert f"{lead.person.name} has changed this case." in words(part)
        assert reviewer.get(f"/cases/{case.case_id}/now?revision=x").status_code == 200

    def test_has_concluded_where_a_second_opinion_is_asked_for(self, console: Console, case: Case) -> None:
        reviewer = console.of("reviewer")
        send(reviewer, case, "second-opinion", why="Is this wear?")
        page = reviewer.get(f"/cases/{case.case_id}")
        assert "Another person concludes" in words(page) or "the verdict comes from somebody" in words(page)
        response = reviewer.post(f"/cases/{case.case_id}/clear", {"revision": "2", "words": "It is not."})
        assert response.status_code == 409
        assert "Another person concludes this case" in words(response)


class TestDisputed:
    def test_says_first_what_the_customer_says_and_what_was_concluded(
        self, console: Console, case: Case, desk: Desk
    ) -> None:
        reviewer = console.of("reviewer")
        assert send(reviewer, case, "inconclusive", words="The box was open.").status_code == 303
        desk.do(work.dispute, SYSTEM, case)
        desk.write(
            lambda conn: execute(
                conn,
                "INSERT INTO disputes (dispute_id, case_no, received_at, words, digest, due_at)"
                " VALUES (?, ?, ?, ?, 'x', ?)",
                (case.case_id, case.case_no, desk.now, "It came with <b>an open box</b>.", desk.now),
            )
        )
        page = console.of("lead").get(f"/cases/{case.case_id}")
        said = words(page)
        assert "<b>an open box</b>" not in page.text
        order = ("The customer disputes this case", "open box", "Concluded before", "The box was open.", "What settles")
        places = [said.index(each) for each in order]
        assert places == sorted(places)
        assert said.count("It came with") == 1

    def test_says_nothing_of_it_in_a_new_case(self, console: Console, case: Case) -> None:
        assert "Concluded before" not in words(console.of("lead").get(f"/cases/{case.case_id}"))


class TestQueue:
    def test_lists_what_is_to_do_without_the_risk(self, console: Console, case: Case) -> None:
        page = console.of("desk").get("/queue")
        assert page.status_code == 200
        assert case.case_id in page.text
        assert "40%" not in page.text

    @pytest.mark.parametrize(
        "query",
        [
            "view=mine",
            "view=overdue",
            "view=closed",
            "view=nothing",
            "kind=claim&country=DE",
            "from=10&to=12,50",
            "from=x&to=-1",
            "after=1.2.3",
            "after=x",
            "search=zzzz",
            "search=%25",
            "country=%3Cscript%3E",
        ],
    )
    def test_takes_any_address(self, console: Console, query: str) -> None:
        page = console.of("reviewer").get(f"/queue?{query}")
        assert page.status_code == 200
        assert "<script>" not in page.text

    def test_finds_a_case_by_what_somebody_reads_out(self, console: Console, case: Case) -> None:
        said = case.case_id.lower().replace("-", " ")
        assert case.case_id in console.of("reviewer").get(f"/queue?search={said}").text

    def test_gives_the_next_case(self, console: Console, case: Case, desk: Desk) -> None:
        response = console.of("reviewer").post("/queue/next")
        taken = re.search(r"/cases/(RW-\w+-\w+)", response.headers["location"])
        assert taken is not None
        found = desk.read(lambda conn: repository.find(conn, taken[1]))
        assert found is not None
        assert found.claimed_by == console.of("reviewer").person.staff_id

    def test_opens_a_case_by_hand(self, console: Console, desk: Desk) -> None:
        reviewer = console.of("reviewer")
        return_id = desk.return_ids()[next(_numbers)]
        response = reviewer.post("/queue/open", {"return_id": return_id})
        assert response.status_code == 303
        again = reviewer.post("/queue/open", {"return_id": return_id})
        assert again.headers["location"] == response.headers["location"]
        wrong = reviewer.post("/queue/open", {"return_id": "no such"})
        assert wrong.status_code == 422
        assert "There is no such return" in words(wrong)
        assert 'value="no such"' in wrong.text

    def test_clears_several_after_asking(self, console: Console, desk: Desk) -> None:
        reviewer = console.of("reviewer")
        fine, found = desk.open(next(_numbers)), desk.open(next(_numbers))
        send(console.of("lead"), found, "findings", finding="worn")
        send(console.of("lead"), desk.again(found), "release")
        fields = {"case": [f"{each.case_id}:{desk.again(each).revision}" for each in (fine, found)]}
        asked = reviewer.post("/queue/clear", fields)
        assert asked.status_code == 200
        assert "Clear 2 cases" in words(asked)
        assert desk.again(fine).state == "open"
        done = reviewer.post("/queue/clear", fields | {"sure": "1", "words": "A quiet day."})
        assert "1 case was left alone" in words(done)
        assert "Somebody must look at this one by itself." in words(done)
        assert (desk.again(fine).state, desk.again(found).state) == ("closed", "open")

    def test_clears_nothing_if_nothing_was_chosen(self, console: Console) -> None:
        response = console.of("reviewer").post("/queue/clear", {"case": "nonsense"})
        assert response.status_code == 303
        assert "No case was chosen." in words(console.of("reviewer").get("/queue"))

    def test_speaks_dutch(self, console: Console) -> None:
        person = console.another("reviewer", language="nl")
        assert "Werkvoorraad" in words(person.get("/queue"))
