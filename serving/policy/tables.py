"""The tables of published policies and of simulations. Times are microseconds since 1970-01-01 UTC."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text

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

policy_simulations = Table(  # what a policy would have done; made by a process of its own, and kept for a while
    "policy_simulations",
    metadata,
    Column("simulation_id", String, primary_key=True),
    Column("digest", LargeBinary(16), nullable=False),  # of the content
    Column("content", Text, nullable=False),
    Column("against", Text, nullable=False),  # the text that it is held against
    Column("days", Integer, nullable=False),  # of returns, up to the latest
    Column("made_by", String, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),  # the process was last heard of
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("ended_at", BigInteger),
    Column("trouble", Text),  # why there is no result
    Column("result", Text),  # JSON
)
Index("ix_policy_simulations_digest", policy_simulations.c.digest, policy_simulations.c.made_at)
Index("ix_policy_simulations_ended_at", policy_simulations.c.ended_at)
