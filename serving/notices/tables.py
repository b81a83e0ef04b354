"""The table of notices. Times are microseconds since 1970-01-01 UTC."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from serving.tables import metadata

notices = Table(  # what a customer was told, in the words that were sent
    "notices",
    metadata,
    Column("notice_id", String, primary_key=True),
    Column("customer_id", String, nullable=False),
    Column("case_no", BigInteger),
    Column("return_id", String),
    Column("kind", String, nullable=False),  # of `serving.notices.notices.KINDS`
    Column("round", Integer, nullable=False),  # how often a case has come to this: a repeat makes no second notice
    Column("language", String, nullable=False),
    Column("words", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
)
Index("ix_notices_customer_id", notices.c.customer_id)
Index("ux_notices_case_kind_round", notices.c.case_no, notices.c.kind, notices.c.round, unique=True)
