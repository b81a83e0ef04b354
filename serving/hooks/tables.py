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
    Column("secret", String, nullable=False),  # sealed: `serving.sealing`
    Column("former_secret", String),  # sealed; signs beside the other one while a change of secret lasts
    Column("former_until", BigInteger),
    Column("types", String, nullable=False),  # separated by one space
    Column("description", String, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("disabled_at", BigInteger),
    Column("disabled_because", String),  # hand; gone: it answered 410
)

webhook_messages = Table(  # the outbox: written in the transaction of what it tells of
    "webhook_messages",
    metadata,
    Column("message_no", _Serial, primary_key=True, autoincrement=True),
    Column("message_id", String, nullable=False, unique=True),
    Column("type", String, nullable=False),  # of `serving.hooks.types`
    Column("at", BigInteger, nullable=False),
    Column("content", Text, nullable=False),  # JSON, sent byte for byte on every attempt
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("message_no", _Serial, ForeignKey("webhook_messages.message_no"), primary_key=True),
    Column("endpoint_id", String, ForeignKey("webhook_endpoints.endpoint_id"), primary_key=True),
    Column("attempts", Integer, nullable=False),  # begun so far; tells a sender whose lease is over from its successor
    Column("next_at", BigInteger),  # of the next attempt, or until when a sender has it; null: delivered, or given up
    Column("delivered_at", BigInteger),
    Column("last_at", BigInteger),  # of the latest attempt that ended
    Column("last_status", Integer),
    Column("last_trouble", String),
)
_c = webhook_deliveries.c
Index(
    "ix_webhook_deliveries_due",
    _c.endpoint_id,
    _c.next_at,
    sqlite_where=_c.next_at.isnot(None),
    postgresql_where=_c.next_at.isnot(None),
)
_given_up = _c.next_at.is_(None) & _c.delivered_at.is_(None)
Index(
    "ix_webhook_deliveries_given_up",
    _c.endpoint_id,
    _c.message_no,
    sqlite_where=_given_up,
    postgresql_where=_given_up,
)
