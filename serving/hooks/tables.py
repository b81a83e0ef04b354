"""The tables of webhooks. Times are microseconds since 1970-01-01 UTC."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text

from serving.tables import metadata

_Serial = BigInteger().with_variant(Integer, "sqlite")

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("endpoint_id", String, primary_key=True),
    Column("url", String, nullable=False),
    Column("secret", String, nullable=False),  # encrypted with a key that is kept beside the hash key
    Column("types", String, nullable=False),  # separated by one space
    Column("description", String, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("disabled_at", BigInteger),
)

webhook_messages = Table(  # the outbox: written in the transaction of what it tells of
    "webhook_messages",
    metadata,
    Column("message_no", _Serial, primary_key=True, autoincrement=True),
    Column("message_id", String, nullable=False, unique=True),
    Column("type", String, nullable=False),  # assessment.made, case.opened, case.closed, verdict.given, notice.made
    Column("at", BigInteger, nullable=False),
    Column("content", Text, nullable=False),  # JSON, sent byte for byte on every attempt
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("message_no", _Serial, ForeignKey("webhook_messages.message_no"), primary_key=True),
    Column("endpoint_id", String, ForeignKey("webhook_endpoints.endpoint_id"), primary_key=True),
    Column("attempts", Integer, nullable=False),
    Column("next_at", BigInteger),  # null: delivered, or given up
    Column("delivered_at", BigInteger),
    Column("last_status", Integer),
    Column("last_trouble", String),
)
Index("ix_webhook_deliveries_next_at", webhook_deliveries.c.next_at)
