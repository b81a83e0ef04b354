"""The table of notices. Times are microseconds since 1970-01-01 UTC."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, String, Table, Text

from serving.tables import metadata

notices = Table(  # what a customer was told, in the words that were sent
    "notices",
    metadata,
    Column("notice_id", String, primary_key=True),
    Column("customer_id", String, nullable=False),
    Column("case_no", BigInteger),
    Column("return_id", String),
    Column("kind", String, nullable=False),  # check, verdict, restriction, dispute
    Column("language", String, nullable=False),
    Column("words", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
)
Index("ix_notices_customer_id", notices.c.customer_id)
Index("ix_notices_case_no", notices.c.case_no)
