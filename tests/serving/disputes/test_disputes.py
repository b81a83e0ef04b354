"""Disputes over the API: by reference, once, to another person, with notices of all of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from features.clock import DAY
from features.ledger.sql import rows
from features.ledger.store import Ledger
from serving.app import create_app
from serving.audit.trail import Actor
from serving.cases import concluding, opening, work
from serving.cases import repository as cases
from serving.cases.errors import AnotherPerson
from serving.clock import now_us
from serving.disputes import service
from serving.restrictions.service import is_restricted, restrict
from serving.settings import ServingSettings
from tests.support.service import Api, bearer, fields, make_key, running, settings_of

ANN = Actor("staff", "ann", "reviewer", "Ann")
LEA = Actor("staff", "lea", "lead", "Lea")


@pytest.fixture
def live(home: Path) -> Iterator[tuple[Api, Ledger]]:
    app = create_app(settings_of(home), ServingSettings(model_poll_seconds=600))
    ledger = Ledger.open(settings_of(home))
    with running(app) as client:
        yield Api(client, make_key(home)), ledger
    ledger.close()


def concluded(ledger: Ledger, return_id: str, verdict: str = "abuse_confirmed") -> str:
    """The reference of a case that Ann has concluded."""
    now = now_us()
    with ledger.write() as conn:
        case = opening.open_by_hand(conn, ANN, return_id, now)
        case = work.find(conn, ANN, case, revision=case.revision, now=now, finding="worn")
        concluding.close(
            conn,
            ANN,
            case,
            revision=case.revision,
            now=now,
            hasher=ledger.hasher,
            verdict=verdict,
            words="Worn at the collar.",
            basis="inspection",
            abuse_type="wardrobing" if verdict == "abuse_confirmed" else None,
        )
        return case.case_id


def some_return(ledger: Ledger) -> str:
    with ledger.read() as conn:
        return str(rows(conn, "SELECT return_id FROM returns WHERE return_id LIKE 'r5-%' ORDER BY return_no")[0][0])


def dispute(api: Api, **body: Any) -> httpx.Response:
    return api.client.post("/v1/disputes", json=body, headers=bearer(api.key))


def notices(ledger: Ledger, kind: str, count: int = 1) -> list[str]:
    """The words of the notices of a kind, once they are there."""
    deadline = time.monotonic() + 20
    while True:
        with ledger.read() as conn:
            found = [row[0] for row in rows(conn, "SELECT words FROM notices WHERE kind = ? ORDER BY made_at", (kind,))]
        if len(found) >= count:
            return found
        assert time.monotonic() < deadline, f"no notice {kind}"
        time.sleep(0.05)


def test_another_person_decides_and_the_customer_hears_of_all_of_it(live: tuple[Api, Ledger]) -> None:
    api, ledger = live
    return_id = some_return(ledger)
    reference = concluded(ledger, return_id)
    (told,) = notices(ledger, "verdict")
    assert reference in told
    assert "had been worn or used" in told
    with ledger.write() as conn:
        case = cases.find(conn, reference)
        assert case is not None
        restrict(conn, LEA, case.case_no, until=now_us() + 30 * DAY, now=now_us(), hasher=ledger.hasher)
    assert "ends by itself" in notices(ledger, "restriction")[0]

    body = {"reference": f" {reference.lower().replace('-', ' ')} ", "words": "I never wore it.\nIt came like this."}
    first = dispute(api, **body)
    assert first.status_code == 200, first.text
    answer = first.json()
    assert (answer["reference"], answer["status"], answer["outcome"]) == (reference, "received", None)
    assert dispute(api, **body).json() == answer  # the same words again
    assert reference in notices(ledger, "dispute_received")[0]
    shown = api.client.get(f"/v1/disputes/{answer['dispute_id']}", headers=bearer(api.key))
    assert shown.json() == answer

    with ledger.write() as conn:
        now = now_us()
        case = cases.find(conn, reference)
        assert case is not None
        assert case.state == "disputed"
        assert case.verdict == "abuse_confirmed"  # stands until there is another
        ((risk_after, verdict_before),) = rows(conn, "SELECT risk_after, verdict_before FROM disputes")
        assert 0 < float(risk_after) < 1
        assert verdict_before == "abuse_confirmed"
        with pytest.raises(AnotherPerson):
            _close(conn, ANN, case, ledger, now)
        _close(conn, LEA, case, ledger, now)
    (decided,) = notices(ledger, "dispute_decided")
    assert "was changed" in decided
    assert "is in order" in decided
    answer = api.client.get(f"/v1/disputes/{answer['dispute_id']}", headers=bearer(api.key)).json()
    assert (answer["status"], answer["outcome"]) == ("decided", "changed")
    assert len(notices(ledger, "verdict")) == 1  # the second conclusion is told as the answer to the dispute
    with ledger.read() as conn:
        assert not is_restricted(conn, case.customer_id, now_us())
        assert rows(conn, "SELECT verdict FROM verdicts WHERE return_id = ? ORDER BY verdict_no", (return_id,))[-1] == (
            "cleared",
        )
        assert rows(conn, "SELECT count(*) FROM returns WHERE return_id = ?", (return_id,)) == [(1,)]
        operations = {row[0] for row in rows(conn, "SELECT operation FROM audit WHERE case_no = ?", (case.case_no,))}
    assert {"customer.dispute", "system.dispute_decided", "restriction.lift"} <= operations


def _close(conn: Any, actor: Actor, case: cases.Case, ledger: Ledger, now: int) -> None:
    concluding.close(
        conn,
        actor,
        case,
        revision=case.revision,
        now=now,
        hasher=ledger.hasher,
        verdict="cleared",
        words="A mark.",
    )


def test_a_wrong_reference_is_answered_as_an_unknown_one(live: tuple[Api, Ledger]) -> None:
    api, _ = live
    answers = [dispute(api, reference=each, words="No.") for each in ("RW-00000-00000", "r5-0", "CASE", "' OR 1=1 --")]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1
    assert api.client.get("/v1/disputes/none", headers=bearer(api.key)).status_code == 404


def test_an_id_of_ones_own_makes_it_safe_to_send_again(live: tuple[Api, Ledger]) -> None:
    api, ledger = live
    reference = concluded(ledger, some_return(ledger), "inconclusive")
    body = {"reference": reference, "words": "Please look again.", "dispute_id": "mine-1"}
    first = dispute(api, **body)
    assert first.json()["dispute_id"] == "mine-1"
    assert dispute(api, **body).text == first.text
    other = dispute(api, **(body | {"words": "Something else."}))
    assert other.status_code == 409
    assert fields(other) == ["dispute_id"]
    with ledger.read() as conn:
        assert rows(conn, "SELECT count(*) FROM disputes") == [(1,)]


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"words": "x"}, "reference"),
        ({"reference": "RW-00000-00000"}, "words"),
        ({"reference": "RW-00000-00000", "words": "  "}, "words"),
        ({"reference": "RW-00000-00000", "words": "x" * 8001}, "words"),
        ({"reference": "RW-00000-00000", "words": "a\u202eb"}, "words"),
        ({"reference": "RW-00000-00000", "words": 5}, "words"),
    ],
)
def test_bad_input_names_the_field(api: Api, body: dict[str, Any], wrong: str) -> None:
    answer = dispute(api, **body)
    assert answer.status_code == 422
    assert fields(answer) == [wrong]


def test_after_its_time_only_a_person_opens_it(live: tuple[Api, Ledger], monkeypatch: pytest.MonkeyPatch) -> None:
    api, ledger = live
    reference = concluded(ledger, some_return(ledger))
    monkeypatch.setattr(service, "DISPUTE_DAYS", -1)
    answer = dispute(api, reference=reference, words="Late.")
    assert answer.status_code == 409
    assert "member of staff" in answer.json()["detail"]


def test_it_needs_its_scope(live: tuple[Api, Ledger], home: Path) -> None:
    from serving.keys.scopes import Scope

    api, _ = live
    weak = Api(api.client, make_key(home, Scope.EVENTS_WRITE))
    assert dispute(weak, reference="x", words="y").status_code == 403
    assert api.client.get("/v1/notices/x", headers=bearer(weak.key)).status_code == 403
