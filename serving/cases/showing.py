"""What a case shows before anybody judges it, beside its claim and its checklist."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy.engine import Connection

from features.ledger.sql import marks, rows
from serving.cases import links, photos, repository, shoppers, timeline
from serving.cases.claim import Claim
from serving.cases.links import Links
from serving.cases.photos import Photo
from serving.cases.repository import Case
from serving.cases.shoppers import Beside
from serving.cases.timeline import Timeline
from serving.policy.policy import Clause
from serving.policy.publishing import of_version
from serving.reasons.told import told

#: Most earlier cases that are listed.
MOST_EARLIER: Final = 12


class Reason(NamedTuple):
    """A reason or reassurance in the language of the reader, with the facts that it rests on."""

    code: str
    title: str
    detail: str
    check: str
    facts: Mapping[str, Any]
    language: str  # of its words: English where the catalogue has changed since


class Dispute(NamedTuple):
    """A dispute of this or an earlier case; the customer's words as they came."""

    case_no: int
    received_at: int
    words: str
    outcome: str | None
    due_at: int


@dataclass(frozen=True, slots=True)
class Shown:
    """What a case page shows. The risk is not part of it."""

    timeline: Timeline
    beside: Beside | None
    sufficient: bool  # whether the history was enough for a risk of its own
    links: Links
    reasons: tuple[Reason, ...]
    reassurances: tuple[Reason, ...]
    rights: Mapping[str, Any]
    policy_version: str | None
    clause_id: str | None  # what of the policy asked for the action
    clause: Clause | None  # its text, where it is still known
    photos: tuple[Photo, ...]
    earlier: tuple[Case, ...]
    earlier_more: bool
    disputes: tuple[Dispute, ...]


def show(conn: Connection, case: Case, claim: Claim, *, language: str, now: int, likeness: float) -> Shown:
    """What there is to see of a case.

    Args:
        claim: the return of the case.
        language: of the reader.
        now: microseconds since 1970 UTC; links are as of now, the comparison as of the assessment.
        likeness: how alike the items of one shopper are (`serving.cases.shoppers.DailyLikeness`).
    """
    answer, vector, service = _assessment(conn, case)
    rights = answer.get("rights", {})
    windows = timeline.windows_of(rights, claim.delivery)
    known = repository.of_customer(conn, case.customer_id, at_most=MOST_EARLIER + 2)
    earlier = [each for each in known if each.case_no != case.case_no]
    return Shown(
        timeline=timeline.read(conn, order_no=case.order_no, return_id=case.return_id, windows=windows, now=now),
        beside=shoppers.beside(vector, service, likeness=likeness),
        sufficient=bool(answer.get("history", {}).get("sufficient", False)),
        links=links.of_customer(conn, case.customer_id, at=now),
        reasons=_told(answer.get("reasons", ()), language),
        reassurances=_told(answer.get("reassurances", ()), language),
        rights=rights,
        policy_version=answer.get("policy_version"),
        clause_id=answer.get("clause"),
        clause=_clause(conn, answer),
        photos=tuple(photos.of_case(conn, case.case_no)),
        earlier=tuple(earlier[:MOST_EARLIER]),
        earlier_more=len(earlier) > MOST_EARLIER,
        disputes=_disputes(conn, [case.case_no, *(each.case_no for each in earlier[:MOST_EARLIER])]),
    )


def _clause(conn: Connection, answer: Mapping[str, Any]) -> Clause | None:
    policy = of_version(conn, answer.get("policy_version", ""))
    return None if policy is None else policy.clauses.get(answer.get("clause", ""))


def _assessment(conn: Connection, case: Case) -> tuple[dict[str, Any], bytes, str]:
    """Answer, vector and feature service of the stored assessment; empty where nothing was assessed."""
    if case.assessment_id is not None:
        sql = "SELECT answer, vector, feature_service FROM assessments WHERE assessment_id = ?"
        for answer, vector, service in rows(conn, sql, (case.assessment_id,)):
            return orjson.loads(answer), bytes(vector), service
    return {}, b"", ""


def _told(reasons: Any, language: str) -> tuple[Reason, ...]:
    return tuple(
        Reason(reason["code"], words.title, words.detail, words.check, reason.get("facts", {}), words.language)
        for reason, words in ((reason, told(reason, language)) for reason in reasons)
    )


def _disputes(conn: Connection, case_nos: list[int]) -> tuple[Dispute, ...]:
    found = rows(
        conn,
        "SELECT case_no, received_at, words, outcome, due_at FROM disputes"
        f" WHERE case_no IN {marks(len(case_nos))} ORDER BY received_at DESC",
        case_nos,
    )
    return tuple(Dispute(*row) for row in found)
