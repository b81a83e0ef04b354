"""The customer page and its forms: found by anything that leads there, noted, and erased only twice confirmed."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from urllib.parse import unquote

import pytest

from features.clock import DAY
from features.ledger.sql import execute, rows
from features.ledger.store import Ledger
from serving.clock import now_us
from serving.privacy import asking
from serving.privacy.asking import Asking
from tests.support.closed_cases import put_case
from tests.support.console import Console, SignedIn
from tests.support.service import settings_of


@pytest.fixture(scope="module")
def ledger(console: Console) -> Iterator[Ledger]:
    ledger = Ledger.open(settings_of(console.home))
    yield ledger
    ledger.close()


def case_of(ledger: Ledger, customer_id: str, reference: str) -> int:
    with ledger.write() as conn:
        order_no, order_id, return_id = rows(
            conn,
            "SELECT o.order_no, o.order_id, r.return_id FROM orders o JOIN returns r ON r.order_no = o.order_no"
            " WHERE o.customer_id = ? LIMIT 1",
            (customer_id,),
        )[0]
        now = now_us()
        return put_case(
            conn,
            case_id=reference,
            customer_id=customer_id,
            order_no=order_no,
            order_id=order_id,
            return_id=return_id,
            opened_at=now - 2 * DAY,
            closed_at=now - DAY,
        )


@pytest.mark.parametrize("text", ["c5", "o5-1", " email5 ", "RW-5AAAA-AAAAA", "rw 5aaaa aaaaa"])
def test_whatever_leads_to_a_customer_finds_them(lead: SignedIn, ledger: Ledger, text: str) -> None:
    with ledger.read() as conn:
        known = rows(conn, "SELECT 1 FROM cases WHERE case_id = 'RW-5AAAA-AAAAA'")
    if not known:
        case_of(ledger, "c5", "RW-5AAAA-AAAAA")
    answer = lead.post("/customers", {"text": text})
    assert (answer.status_code, answer.headers.get("location")) == (303, "/console/customers/c5")
    page = lead.get("/customers/c5")
    assert page.status_code == 200
    assert "RW-5AAAA-AAAAA" in page.text
    assert "o5-1" in page.text


def test_several_are_listed_and_none_is_said(lead: SignedIn) -> None:
    several = lead.post("/customers", {"text": "email4"})  # c4 and c8
    assert several.status_code == 200
    assert "/customers/c4" in several.text
    assert "/customers/c8" in several.text
    assert "Nobody found" in lead.post("/customers", {"text": "<b>nobody</b>"}).text
    assert lead.post("/customers", {"text": " "}).status_code == 422
    assert lead.get("/customers/nobody").status_code == 404


def test_looking_is_noted_and_shows_no_risk(lead: SignedIn, ledger: Ledger) -> None:
    page = lead.get("/customers/c6")
    assert "isk" not in page.text.replace("asks", "")
    again = lead.get("/customers/c6")
    assert "Customer looked at" in again.text
    with ledger.read() as conn:
        subject = f"customer:{ledger.hasher.customer('c6')}"
        found = rows(conn, "SELECT operation, staff_id FROM audit WHERE subject = ?", (subject,))
    assert found == [("customer.view", lead.person.staff_id)] * 2


def test_the_export_is_a_zip_and_noted(lead: SignedIn, ledger: Ledger) -> None:
    with ledger.write() as conn:
        execute(
            conn,
            "INSERT INTO webhook_messages (message_id, type, at, content) VALUES ('told', 't', 1, '{\"a\": [\"c7\"]}')",
        )
    answer = lead.post("/customers/-/export/c7", {"language": "nl"})
    assert answer.headers["content-type"] == "application/zip"
    assert "c7" not in answer.headers["content-disposition"].split("filename=")[1].split("-")[0]
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert '<html lang="nl">' in archive.read("index.html").decode()
    assert [
        row["message_id"] for row in json.loads(archive.read("data.json"))["tables"]["webhook_messages"]["rows"]
    ] == ["told"]
    with ledger.read() as conn:
        hashed = ledger.hasher.customer("c7")
        assert rows(conn, "SELECT kind FROM requests_of_people WHERE subject = ?", (hashed,)) == [("export",)]
    assert lead.post("/customers/-/export/c7", {"language": "tlh"}).status_code == 422


def test_a_restriction_is_set_shown_and_lifted(lead: SignedIn, ledger: Ledger) -> None:
    case_no = case_of(ledger, "c9", "RW-9AAAA-AAAAA")
    page = lead.get("/customers/c9").text
    day = page.split('type="date" value="')[1][:10]
    too_long = lead.post("/customers/-/restrict/c9", {"case_no": case_no, "until": "2099-01-01"})
    assert too_long.status_code == 422
    assert "at most 180 days" in too_long.text
    assert lead.post("/customers/-/restrict/c9", {"case_no": case_no, "until": "soon"}).status_code == 422
    assert lead.post("/customers/-/restrict/c10", {"case_no": case_no, "until": day}).status_code == 404
    assert lead.post("/customers/-/restrict/c9", {"case_no": case_no, "until": day}).status_code == 303
    page = lead.get("/customers/c9").text
    assert "Refunds wait for a look at the goods." in page
    restriction_id = page.split("/customers/-/lift/")[1].split('"')[0]
    assert lead.post(f"/customers/-/lift/{restriction_id}").status_code == 303
    assert "Refunds wait for a look at the goods." not in lead.get("/customers/c9").text


def test_corrections(lead: SignedIn, ledger: Ledger) -> None:
    moved = lead.post("/customers/-/correct/c11", {"what": "order", "order_id": "o11-0", "owner": "c12"})
    assert (moved.status_code, unquote(moved.headers["location"])) == (303, "/console/customers/c12")
    with ledger.read() as conn:
        assert rows(conn, "SELECT customer_id FROM orders WHERE order_id = 'o11-0'") == [("c12",)]
        number, finding, customer_id = rows(
            conn,
            "SELECT inspection_no, finding, customer_id FROM inspections i JOIN orders o ON o.order_no = i.order_no"
            " WHERE customer_id = 'c13' LIMIT 1",
        )[0]
    same = lead.post(
        f"/customers/-/correct/{customer_id}", {"what": "finding", "inspection": number, "finding": finding}
    )
    assert same.status_code == 422
    assert "already" in same.text
    right = {"what": "finding", "inspection": number, "finding": "damaged"}
    assert lead.post(f"/customers/-/correct/{customer_id}", right).status_code == 303
    assert lead.post("/customers/-/correct/c1", right).status_code == 404
    foreign = {"what": "order", "order_id": "o2-0", "owner": "c12"}
    assert lead.post("/customers/-/correct/c1", foreign).status_code == 404
    empty = lead.post("/customers/-/correct/c13", {"what": "order", "order_id": "o13-0", "owner": " "})
    assert empty.status_code == 422


def test_erasing_needs_the_id_and_the_tick(lead: SignedIn, ledger: Ledger) -> None:
    page = lead.get("/customers/-/erase/c14")
    assert "Type the id: c14" in page.text
    for body in ({"confirm": "c14"}, {"confirm": "c15", "sure": "1"}, {"sure": "1"}):
        assert lead.post("/customers/-/erase/c14", body).status_code == 422
    with ledger.read() as conn:
        assert rows(conn, "SELECT count(*) FROM orders WHERE customer_id = 'c14'") == [(8,)]
    done = lead.post("/customers/-/erase/c14", {"confirm": "c14", "sure": "1"})
    assert (done.status_code, done.headers["location"]) == (303, "/console/customers")
    assert "8 orders have no name" in lead.get("/customers").text
    assert lead.get("/customers/c14").status_code == 404


def test_what_is_open_holds_an_erasure_up(lead: SignedIn, ledger: Ledger) -> None:
    case_of(ledger, "c15", "RW-FAAAA-AAAAA")
    with ledger.write() as conn:
        conn.exec_driver_sql("UPDATE cases SET state = 'open', verdict = NULL WHERE case_id = 'RW-FAAAA-AAAAA'")
    held = lead.post("/customers/-/erase/c15", {"confirm": "c15", "sure": "1"})
    assert held.status_code == 409
    assert "RW-FAAAA-AAAAA" in held.text
    assert "Erase for good" not in held.text


def test_reviewers_see_and_do_not_do(console: Console) -> None:
    page = console.of("reviewer").get("/customers/c1").text
    assert "Erase this customer" not in page
    assert "Export everything" not in page


def test_an_odd_id_is_found_shown_and_escaped(lead: SignedIn, ledger: Ledger) -> None:
    odd = "a/b?c#d <i>&"
    with ledger.write() as conn:
        conn.exec_driver_sql("UPDATE orders SET customer_id = ? WHERE order_id = 'o16-0'", (odd,))
    answer = lead.post("/customers", {"text": odd})
    assert answer.status_code == 303
    page = lead.client.get(answer.headers["location"])
    assert page.status_code == 200
    assert "<i>" not in page.text
    assert "a/b?c#d &lt;i&gt;&amp;" in page.text


def test_what_came_through_a_shop_is_shown_to_who_may_do_it(console: Console, lead: SignedIn, ledger: Ledger) -> None:
    now = now_us()
    with ledger.write() as conn:
        asking.take(conn, Asking("export", ("c9",), ()), "shop", hasher=ledger.hasher, now=now - 31 * DAY)
        asking.take(conn, Asking("erasure", ("c9",), ()), "shop", hasher=ledger.hasher, now=now)
    listed = lead.get("/customers").text
    assert listed.count('href="/console/customers/c9"') == 2
    assert listed.index("Everything that is stored is asked for.") < listed.index("be erased.")
    assert "Late" in listed
    assert "Asked for through a shop" not in console.of("reviewer").get("/customers").text
    page = lead.get("/customers/c9").text
    assert "It is asked that this customer be erased." in page
    assert "The shop passed on: erasure asked for" in page
    assert lead.post("/customers/-/export/c9", {"language": "en"}).status_code == 200
    assert "Everything that is stored is asked for." not in lead.get("/customers/c9").text
    lead.post("/customers/-/erase/c9", {"confirm": "c9", "sure": "1"})
    assert "Asked for through a shop" not in lead.get("/customers").text
