"""The table of disputes. Times are microseconds since 1970-01-01 UTC."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text

from serving.tables import metadata

_Serial = BigInteger().with_variant(Integer, "sqlite")

disputes = Table(
    "disputes",
    metadata,
    Column("dispute_id", String, primary_key=True),
    Column("case_no", _Serial, ForeignKey("cases.case_no"), nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("words", Text, nullable=False),  # the customer's
    Column("digest", String, nullable=False),  # of the request, so that a repeat is told from a change
    Column("verdict_before", String),  # the one that is disputed; null: none had been given
    Column("due_at", BigInteger, nullable=False),
    Column("decided_at", BigInteger),
    Column("decided_by", String),
    Column("outcome", String),  # upheld: the verdict stands; changed: another verdict; null: still open
    Column("risk_before", String),  # as JSON numbers: what was estimated before, and again
    Column("risk_after", String),
)
Index("ix_disputes_case_no", disputes.c.case_no)
