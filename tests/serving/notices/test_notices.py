"""What customers are told: every kind in every language, whole, true, and once."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from sqlalchemy import insert

from features.clock import DAY
from features.ledger import vocabulary
from features.ledger.sql import rows
from features.ledger.store import Ledger
from features.reasons import CODES
from serving.app import create_app
from serving.clock import iso
from serving.notices import notices, repository
from serving.notices.counterfactual import Change
from serving.notices.words import Kind, Picked, Told, compose, subject
from serving.policy.tables import policies
from serving.settings import ServingSettings
from serving.texts import LANGUAGES, texts
from serving.texts.judging import blaming_words
from tests.support.policies import changed
from tests.support.service import Api, bearer, make_key, running, settings_of

BASE = Told("check", "RW-7K3QX-0M9TB", "R-1", "O-1", disputable_until=20_000 * DAY)
CODES_IN_FAVOUR = tuple(code.replace("R", "A") for code in CODES)


def every_notice() -> Iterator[Told]:
    """One of each kind with each thing that it may say."""
    changes = (Change("fewer_returns", 2, "90d"), Change("original_tender"))
    for picked in get_args(Picked):
        yield Told(**{**_of(BASE), "picked": picked, "one_in": 20, "until": 20_100 * DAY, "assessed": True})
    for difference in ("found", "none", "unknown"):
        yield Told(
            **{
                **_of(BASE),
                "reasons": CODES,
                "reassurances": CODES_IN_FAVOUR,
                "since": 19_000 * DAY,
                "assessed": True,
                "difference": difference,
                "changes": changes,
            }
        )
    for lever in ("fewer_returns", "fewer_claims"):
        yield Told(**{**_of(BASE), "difference": "found", "changes": (Change(lever, 1, "90d"),)})
    yield Told(**{**_of(BASE), "difference": "found", "changes": (Change("with_proof"),)})
    for kind, verdict, basis in itertools.product(
        ("verdict", "dispute_decided"), vocabulary.VERDICTS, (None, *vocabulary.BASES)
    ):
        for outcome in ("upheld", "changed"):
            yield Told(
                **{
                    **_of(BASE),
                    "kind": kind,
                    "verdict": verdict,
                    "basis": basis,
                    "findings": vocabulary.FINDINGS,
                    "outcome": outcome,
                }
            )
    for kind in ("restriction", "dispute_received"):
        yield Told(**{**_of(BASE), "kind": kind, "until": 20_100 * DAY, "received": 20_000 * DAY})


def _of(told: Told) -> dict[str, object]:
    return {name: getattr(told, name) for name in Told.__dataclass_fields__}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_notice_can_be_said_without_a_word_that_blames(language: str) -> None:
    t = texts(language)
    for told in every_notice():
        words = compose(t, told)
        assert told.reference in words
        assert told.return_id in words
        assert blaming_words(words) == []
        assert "{" not in words
        assert ("14" in words) == (told.kind != "dispute_received"), words
    assert {told.kind for told in every_notice()} == set(get_args(Kind)) == set(notices.KINDS)
    assert all(subject(t, kind) for kind in notices.KINDS)


def test_it_reads_like_this() -> None:
    told = Told(
        **{
            **_of(BASE),
            "handling": "Yours will be inspected before the refund is sent.",
            "reasons": ("R04",),
            "reassurances": ("A10",),
            "since": 19_000 * DAY,
            "assessed": True,
            "difference": "found",
            "changes": (Change("fewer_returns", 2, "90d"), Change("original_tender")),
        }
    )
    words = compose(texts("en"), told)
    assert "- We took into account how often you returned things lately.\n" in words
    assert (
        "with 2 returns fewer in the 90 days before it and with the money asked back to the means of payment that paid,"
        in words
    )
    assert "tell us until 4 Oct 2024 and quote the reference" in words
    assert "since 8 Jan 2022" in words


@pytest.fixture
def live(home: Path) -> Iterator[tuple[Api, Ledger]]:
    app = create_app(settings_of(home), ServingSettings(model_poll_seconds=600))
    ledger = Ledger.open(settings_of(home))
    with running(app) as client:
        yield Api(client, make_key(home)), ledger
    ledger.close()


def test_a_return_that_is_checked_brings_one_notice_soon_after(live: tuple[Api, Ledger]) -> None:
    api, ledger = live
    with ledger.write() as conn:
        keen = changed(  # a look costs nearly nothing, so that many returns get one
            old_1="inspection: {work: 5.00, put_off: 3.00, finds: 0.90}",
            new_1="inspection: {work: 0.30, put_off: 0.30, finds: 0.90}",
            old_2="random_rate: 0.01",
            new_2="random_rate: 0.05",
        )
        policy = {"version": "t", "content": keen, "why": "", "proposed_by": "a", "proposed_at": 1}
        conn.execute(insert(policies).values(**policy, decided_by="b", decided_at=2, decision="published"))
        conn.exec_driver_sql("UPDATE orders SET country = 'NL' WHERE order_no % 2 = 0")
        kept = rows(
            conn,
            "SELECT order_id, customer_id, ordered_at FROM orders o WHERE NOT EXISTS"
            " (SELECT 1 FROM returns r WHERE r.order_no = o.order_no) ORDER BY ordered_at DESC LIMIT 40",
        )
    for order_id, customer_id, ordered_at in kept:
        asked = {
            "return_id": f"new-{order_id}",
            "customer_id": customer_id,
            "order_id": order_id,
            "lines": [{"line_id": "1", "quantity": 1}],
            "reason": "size_fit",
            "tender": "other",
            "requested_at": iso(ordered_at + 9 * DAY),
        }
        assert api.assess(asked).status_code == 200
    with ledger.read() as conn:
        opened = {row[0]: row[1:] for row in rows(conn, "SELECT case_no, country, action, case_id FROM cases")}
    assert opened
    deadline = time.monotonic() + 20
    found: list[repository.Notice] = []
    while len(found) < len(opened) and time.monotonic() < deadline:
        time.sleep(0.1)
        with ledger.read() as conn:
            found = [each for case_no in opened for each in repository.of_case(conn, case_no)]
    assert sorted(each.case_no or 0 for each in found) == sorted(opened)
    for notice in found:
        country, action, case_id = opened[notice.case_no]
        assert notice.language == ("nl" if country == "NL" else "en")
        assert case_id in notice.words
        drawn = action in ("refund_now", "refund_on_scan")
        assert ("drawn by lot" in notice.words or "door loting" in notice.words) == drawn
        shown = api.client.get(f"/v1/notices/{notice.notice_id}", headers=bearer(api.key)).json()
        assert (shown["words"], shown["language"]) == (notice.words, notice.language)
        assert shown["subject"]
    assert api.client.get("/v1/notices/none", headers=bearer(api.key)).status_code == 404


def _case() -> repository.CaseFacts:
    blank = dict.fromkeys(repository.CaseFacts._fields, None)
    return repository.CaseFacts(**(blank | {"case_no": 7, "case_id": "RW-1", "return_id": "R", "customer_id": "C"}))


def test_a_notice_is_made_once_for_a_kind_and_a_round(live: tuple[Api, Ledger]) -> None:
    _, ledger = live
    case = _case()
    with ledger.write() as conn:
        first = notices.make(conn, notices.Prepared(case, "check", 1, "en", "Words."), now=1)
        assert notices.make(conn, notices.Prepared(case, "check", 1, "en", "Others."), now=2) == first
        assert notices.make(conn, notices.Prepared(case, "check", 2, "en", "Others."), now=3) != first
        found = repository.find(conn, first)
    assert found is not None
    assert (found.words, found.made_at) == ("Words.", 1)
