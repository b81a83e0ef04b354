"""The table of published policies. Times are microseconds since 1970-01-01 UTC."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from serving.tables import metadata

policies = Table(
    "policies",
    metadata,
    Column("policy_no", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("version", String, nullable=False),  # as the text says
    Column("content", Text, nullable=False),  # the YAML, as it was written
    Column("why", Text, nullable=False),  # what the change is for
    Column("proposed_by", String, nullable=False),
    Column("proposed_at", BigInteger, nullable=False),
    Column("decided_by", String),  # another person
    Column("decided_at", BigInteger),
    Column("decision", String),  # published, declined; null: still open
    Column("in_force_no", BigInteger),  # the policy in force when it was proposed; null: the default one
)
Index("ix_policies_published", policies.c.decision, policies.c.decided_at)
