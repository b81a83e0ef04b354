"""What goes into an evidence file, already reduced to what its reader may see.

Two kinds. A file for a *dispute* may be read by the customer: it has their request, what was looked at and why in plain
words, what was found and concluded, and nothing about anybody else. A *report* of a large loss, for the police, has the
least that tells what was lost and found: no estimate, no reasons, no history; it exists only once a person has
concluded on evidence. In both, staff stand with their role and a letter, so that one can see that two persons decided,
and not who.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, get_args

import orjson
from sqlalchemy.engine import Connection

from features.clock import SECOND
from features.ledger.sql import rows
from serving.audit import trail
from serving.audit.trail import Actor, Entry
from serving.cases import claim as claims
from serving.cases import photos, records, timeline
from serving.cases.checklist import default_checklist
from serving.cases.claim import Claim
from serving.cases.photos import Photo
from serving.cases.repository import Case
from serving.cases.timeline import Timeline
from serving.problems import Conflict
from serving.reasons.told import words_of

Kind = Literal["dispute", "report"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

#: Conclusions that rest on something that can be shown to others.
_SHOWN: Final = ("inspection", "carrier_trace", "admission")
#: Of the trail, what a report says: what was done about the return. Who looked at what stays inside.
_DEEDS: Final = (
    "case.find",
    "case.photograph",
    "case.check",
    "case.confirm",
    "case.clear",
    "case.clear_many",
    "case.leave_open",
)


class NotYet(Conflict):
    """A report is only made of a case in which abuse was confirmed on evidence."""

    slug = "no-report-yet"
    title = "There is nothing to report"

    def __init__(self) -> None:
        super().__init__("A report needs a case that a person has concluded, on something that was found.")


class Found(NamedTuple):
    """A finding that stands; an empty `line_id` means the whole return."""

    at: int
    line_id: str
    finding: str
    who: str


class Checked(NamedTuple):
    """A check of the list, and how it turned out."""

    at: int
    item: str
    name: str
    result: str
    who: str


class Decided(NamedTuple):
    """A verdict with the words of who decided."""

    at: int
    verdict: str
    abuse_type: str | None
    basis: str | None
    words: str
    who: str


class Told(NamedTuple):
    """A reason or reassurance, in the words that are meant for the customer."""

    code: str
    words: str


class Disputed(NamedTuple):
    """A dispute in the customer's words, and what became of it."""

    received_at: int
    words: str
    outcome: str | None
    decided_at: int | None


class Noticed(NamedTuple):
    """What the customer was told, as it was sent."""

    made_at: int
    kind: str
    words: str


class Done(NamedTuple):
    """A line of the audit trail."""

    at: int
    who: str
    operation: str


class Pictured(NamedTuple):
    """A photo with its JPEG bytes."""

    photo: Photo
    content: bytes
    who: str


@dataclass(frozen=True, slots=True)
class Material:
    """Everything that an evidence file says. What its kind leaves out is empty."""

    kind: Kind
    language: str
    as_of: int  # of the latest thing in it, so that the same content gives the same file
    case_id: str
    opened_at: int
    opened_because: str
    claim: Claim
    timeline: Timeline
    rights: Mapping[str, Any]
    found: tuple[Found, ...]
    checked: tuple[Checked, ...]
    decided: tuple[Decided, ...]
    pictures: tuple[Pictured, ...]
    done: tuple[Done, ...]
    reasons: tuple[Told, ...] = ()
    reassurances: tuple[Told, ...] = ()
    disputed: tuple[Disputed, ...] = ()
    noticed: tuple[Noticed, ...] = ()
    versions: tuple[tuple[str, str], ...] = ()  # of model and policy


def gather(conn: Connection, case: Case, kind: Kind, language: str) -> Material:
    """The material of a case, read in one transaction.

    Raises:
        NotYet: a report is asked for, and abuse was not confirmed on evidence.
    """
    entries = [entry for entry in trail.of_case(conn, case.case_no) if entry.operation != "case.export"]
    people = People(entries)
    decided = tuple(
        Decided(each.at, each.verdict, each.abuse_type, each.basis, each.words, people.name(each.staff_id))
        for each in records.verdicts(conn, case.case_no)
    )
    if kind == "report" and not (case.is_closed and decided and _is_confirmed(decided[-1])):
        raise NotYet
    claim = claims.read(conn, case.return_id)
    answer = _answer(conn, case)
    told = _of_dispute(conn, case, answer, language) if kind == "dispute" else {}
    happened = timeline.read(
        conn,
        order_no=case.order_no,
        return_id=case.return_id,
        windows=timeline.windows_of(answer.get("rights", {}), claim.delivery),
    )
    done = tuple(
        Done(entry.at, people.name(entry.staff_id, entry.actor_kind), entry.operation)
        for entry in entries
        if kind == "dispute" or entry.operation in _DEEDS
    )
    pictures = tuple(
        Pictured(photo, content[0], people.name(photo.staff_id))
        for photo in photos.of_case(conn, case.case_no)
        if (content := photos.find(conn, case.case_no, photo.photo_no)) is not None
    )
    return Material(
        kind=kind,
        language=language,
        as_of=max([case.opened_at, happened.until, *(entry.at for entry in done), *(p.photo.at for p in pictures)]),
        case_id=case.case_id,
        opened_at=case.opened_at,
        opened_because=case.opened_because,
        claim=claim,
        timeline=happened,
        rights=answer.get("rights", {}),
        found=_found(conn, case, people),
        checked=_checked(conn, case, people, language),
        decided=decided if kind == "dispute" else decided[-1:],
        pictures=pictures,
        done=done,
        **told,
    )


def note(conn: Connection, actor: Actor, case: Case, kind: Kind, form: str, digest: str, *, at: int) -> None:
    """Notes in the trail that a file was handed out; `form` is pdf or zip, `digest` its SHA-256 in hexadecimal."""
    content = {"kind": kind, "form": form, "sha256": digest}
    trail.record(conn, actor, "case.export", at=at, case_no=case.case_no, content=content)


class People:
    """Staff by role and letter, in the order in which they first touched the case."""

    def __init__(self, entries: list[Entry]) -> None:
        self._names: dict[str, str] = {}
        letters = iter(
            [*string.ascii_uppercase, *(a + b for a in string.ascii_uppercase for b in string.ascii_uppercase)]
        )
        for entry in entries:
            if entry.staff_id is not None and entry.staff_id not in self._names:
                self._names[entry.staff_id] = f"{entry.role or 'staff'}:{next(letters, '')}"

    def name(self, staff_id: str | None, kind: str = "system") -> str:
        """Role and letter as "reviewer:A", for words in any language; "system" and "customer" for the others."""
        return kind if staff_id is None else self._names.get(staff_id, "staff:")


def _is_confirmed(last: Decided) -> bool:
    return last.verdict == "abuse_confirmed" and last.basis in _SHOWN


def _answer(conn: Connection, case: Case) -> dict[str, Any]:
    if case.assessment_id is None:
        return {}
    found = rows(conn, "SELECT answer FROM assessments WHERE assessment_id = ?", (case.assessment_id,))
    answer: dict[str, Any] = orjson.loads(found[0][0]) if found else {}
    return answer


def _found(conn: Connection, case: Case, people: People) -> tuple[Found, ...]:
    """What was found here and, once each, what inspections elsewhere have sent to the ledger."""
    here = records.standing(conn, case.case_no)
    made = [Found(each.at, each.line_id, each.finding, people.name(each.staff_id)) for each in here]
    made += [
        Found(at, line_id, finding, "system")
        for at, line_id, finding in records.seen_in_ledger(conn, case.return_id)
        if not any(
            (each.line_id, each.finding) == (line_id, finding)
            and each.sent_at is not None
            and abs(at - each.at) < SECOND
            for each in here
        )
    ]
    return tuple(sorted(made))


def _checked(conn: Connection, case: Case, people: People, language: str) -> tuple[Checked, ...]:
    checklist = default_checklist()
    made = [
        Checked(each.at, item, checklist.name(item, language) or item, each.result, people.name(each.staff_id))
        for item, each in records.checks(conn, case.case_no).items()
        if each.result != "open"
    ]
    return tuple(sorted(made))


def _of_dispute(conn: Connection, case: Case, answer: Mapping[str, Any], language: str) -> dict[str, Any]:
    disputes = rows(
        conn,
        "SELECT received_at, words, outcome, decided_at FROM disputes WHERE case_no = ? ORDER BY received_at",
        (case.case_no,),
    )
    notices = rows(
        conn, "SELECT made_at, kind, words FROM notices WHERE case_no = ? ORDER BY made_at, notice_id", (case.case_no,)
    )
    return {
        "reasons": _told(answer.get("reasons", ()), language),
        "reassurances": _told(answer.get("reassurances", ()), language),
        "disputed": tuple(Disputed(*row) for row in disputes),
        "noticed": tuple(Noticed(*row) for row in notices),
        "versions": (
            (answer["model"]["name"], answer["model"]["version"]),
            ("policy", answer["policy_version"]),
        )
        if answer
        else (),
    }


def _told(reasons: Any, language: str) -> tuple[Told, ...]:
    return tuple(Told(reason["code"], words_of(reason["code"], language).customer) for reason in reasons)
