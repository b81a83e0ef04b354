"""The tables of the cases.

Times are integer microseconds since 1970-01-01 UTC, money is in 1/100 of the order's currency. What is written down
about a case (findings, verdicts, notes, checks, photos) is only ever appended; a case itself says where it stands now.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    text,
)

from serving.tables import metadata

_Serial = BigInteger().with_variant(Integer, "sqlite")


def _case() -> Column[int]:
    return Column("case_no", _Serial, ForeignKey("cases.case_no"), nullable=False)


def _by() -> tuple[Column[str], Column[int]]:
    return Column("staff_id", String), Column("at", BigInteger, nullable=False)  # null: the service itself


cases = Table(
    "cases",
    metadata,
    Column("case_no", _Serial, primary_key=True, autoincrement=True),
    Column("case_id", String, nullable=False),  # the reference that a customer may quote; says nothing about anybody
    Column("return_id", String, nullable=False),
    Column("order_no", BigInteger, nullable=False),
    Column("order_id", String, nullable=False),
    Column("customer_id", String, nullable=False),  # who returns
    Column("assessment_id", String),  # null where nothing was assessed
    Column("opened_at", BigInteger, nullable=False),
    Column("opened_because", String, nullable=False),  # action, draw, hand, dispute
    Column("action", String),  # what the policy asked for
    Column("kind", String, nullable=False),  # return, claim
    Column("reason", String, nullable=False),
    Column("country", String),
    Column("channel", String),  # of the order
    Column("category", String),  # of the dearest line
    Column("currency", String),
    Column("value_minor", BigInteger, nullable=False),
    Column("expected_loss_minor", BigInteger, nullable=False),  # risk x value
    Column("risk", Float),
    Column("risk_band", String),
    Column("reasons", String),  # codes of the assessment's reasons, strongest first, separated by one space
    Column("trigger", String),  # of the check, with its odds, as the ledger's inspections have them
    Column("propensity", Float),
    Column("state", String, nullable=False),
    Column("state_since", BigInteger, nullable=False),
    Column("rests_in", String, nullable=False),  # where it goes when nobody has it: open, second_opinion, disputed
    Column("not_by", String),  # who may not give the next verdict: ids of staff, separated by one space
    Column("due_at", BigInteger, nullable=False),
    Column("due_day", Integer, nullable=False),  # days since 1970: the queue is in order of days, then of loss
    Column("escalated_at", BigInteger),  # past its deadline once already
    Column("claimed_by", String),
    Column("claimed_at", BigInteger),
    Column("claim_until", BigInteger),  # a claim ends without activity
    Column("inspections_seen", Integer),  # of the return in the ledger, when the case began to wait for one
    Column("judged_at", BigInteger),  # first judgement: before the risk was shown, or after
    Column("judged_by", String),
    Column("judgement", String),  # no_concern, unsure, concern
    Column("risk_shown_at", BigInteger),  # to anybody, first
    Column("verdict", String),  # the one that stands
    Column("closed_at", BigInteger),
    Column("closed_by", String),
    Column("revision", Integer, nullable=False),  # rises with every change: a form made before it is stale
)
Index("ux_cases_case_id", cases.c.case_id, unique=True)
Index("ux_cases_return_id", cases.c.return_id, unique=True)
_claimed = cases.c.claimed_by.isnot(None)
_escalated = cases.c.escalated_at.isnot(None)
_active = cases.c.state != text("'closed'")  # the few that somebody still has to do with
Index(
    "ix_cases_queue",
    cases.c.due_day,
    cases.c.expected_loss_minor.desc(),
    cases.c.case_no,
    sqlite_where=_active,
    postgresql_where=_active,
)
Index("ix_cases_state", cases.c.state, cases.c.due_at, sqlite_where=_active, postgresql_where=_active)
Index("ix_cases_claimed_by", cases.c.claimed_by, sqlite_where=_claimed, postgresql_where=_claimed)
Index("ix_cases_escalated_at", cases.c.escalated_at, sqlite_where=_escalated, postgresql_where=_escalated)
Index("ix_cases_customer_id", cases.c.customer_id)
Index("ix_cases_order_id", cases.c.order_id)
Index("ix_cases_closed_at", cases.c.closed_at)
Index(  # what the overview counts, without a look at the rows themselves
    "ix_cases_overview",
    cases.c.closed_at,
    cases.c.opened_at,
    cases.c.verdict,
    cases.c.closed_by,
    cases.c.judgement,
    cases.c.reasons,
)
Index("ix_cases_opened_at", cases.c.opened_at)

case_findings = Table(
    "case_findings",
    metadata,
    Column("finding_no", _Serial, primary_key=True, autoincrement=True),
    _case(),
    *_by(),
    Column("line_id", String, nullable=False),  # empty: the whole return
    Column("finding", String, nullable=False),
    Column("withdrawn_at", BigInteger),  # set where it was taken back before the case was closed
    Column("withdrawn_by", String),
    Column("sent_at", BigInteger),  # when it went to the ledger, as an inspection
)
Index("ix_case_findings_case_no", case_findings.c.case_no)

case_checks = Table(  # items of the checklist: the latest row of an item counts
    "case_checks",
    metadata,
    Column("check_no", _Serial, primary_key=True, autoincrement=True),
    _case(),
    *_by(),
    Column("item", String, nullable=False),
    Column("result", String, nullable=False),  # fine, not_fine, not_possible, open
)
Index("ix_case_checks_case_no", case_checks.c.case_no)

case_notes = Table(
    "case_notes",
    metadata,
    Column("note_no", _Serial, primary_key=True, autoincrement=True),
    _case(),
    *_by(),
    Column("words", Text, nullable=False),
)
Index("ix_case_notes_case_no", case_notes.c.case_no)

case_photos = Table(
    "case_photos",
    metadata,
    Column("photo_no", _Serial, primary_key=True, autoincrement=True),
    _case(),
    *_by(),
    Column("caption", String, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),  # SHA-256 of the content
    Column("content", LargeBinary, nullable=False),  # JPEG, encoded anew
    Column("thumbnail", LargeBinary, nullable=False),  # JPEG
)
Index("ix_case_photos_case_no", case_photos.c.case_no)

case_verdicts = Table(  # one row for each time that a case was closed
    "case_verdicts",
    metadata,
    Column("verdict_no", _Serial, primary_key=True, autoincrement=True),
    _case(),
    *_by(),
    Column("verdict", String, nullable=False),
    Column("abuse_type", String),
    Column("basis", String),
    Column("words", Text, nullable=False),  # the reason in the words of who decided; may be empty where cleared
    Column("risk_shown", SmallInteger, nullable=False),
    Column("second_opinion", SmallInteger, nullable=False),  # given by another person than the verdict before
)
Index("ix_case_verdicts_case_no", case_verdicts.c.case_no)
_second = case_verdicts.c.second_opinion == text("1")
Index("ix_case_verdicts_second", case_verdicts.c.at, sqlite_where=_second, postgresql_where=_second)

case_lookers = Table(  # who has a case open, so that others see it
    "case_lookers",
    metadata,
    Column("case_no", _Serial, ForeignKey("cases.case_no"), primary_key=True),
    Column("staff_id", String, primary_key=True),
    Column("seen_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
