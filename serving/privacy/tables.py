"""The table of what people asked for about what is stored of them. Times are microseconds since 1970-01-01 UTC."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from serving.tables import metadata

_Serial = BigInteger().with_variant(Integer, "sqlite")

requests_of_people = Table(  # exports, corrections and erasures: that they happened, not what they said
    "requests_of_people",
    metadata,
    Column("request_no", _Serial, primary_key=True, autoincrement=True),
    Column("kind", String, nullable=False),  # export, correction, erasure; export_asked, erasure_asked: through a shop
    Column("subject", String, nullable=False),  # keyed hash of the customer id
    Column("at", BigInteger, nullable=False),
    Column("staff_id", String),
    Column("content", Text, nullable=False),  # JSON: counts by table; of what was asked for, for whom
)
Index("ix_requests_of_people_subject", requests_of_people.c.subject)
