"""The table of restrictions. Times are microseconds since 1970-01-01 UTC."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, String, Table

from serving.tables import metadata

restrictions = Table(  # always with an end
    "restrictions",
    metadata,
    Column("restriction_id", String, primary_key=True),
    Column("customer_id", String, nullable=False),
    Column("kind", String, nullable=False),  # inspect_first: refunds wait for a look at the goods
    Column("case_no", BigInteger, nullable=False),  # the confirmed case that it rests on
    Column("from_at", BigInteger, nullable=False),
    Column("until_at", BigInteger, nullable=False),
    Column("made_by", String, nullable=False),
    Column("lifted_at", BigInteger),
    Column("lifted_by", String),
)
Index("ix_restrictions_customer_id", restrictions.c.customer_id)
