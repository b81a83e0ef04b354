"""The tables of connected shops. Times are microseconds since 1970-01-01 UTC."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, String, Table, Text

from serving.tables import metadata

shop_connections = Table(  # shops whose webhooks are taken in
    "shop_connections",
    metadata,
    Column("connection_id", String, primary_key=True),
    Column("kind", String, nullable=False),  # shopify, woocommerce: of `serving.shops.adapters`
    Column("name", String, nullable=False),
    Column("prefix", String, nullable=False),  # before all ids of this shop; may be empty
    Column("secret", String, nullable=False),  # sealed: `serving.sealing`
    Column("created_at", BigInteger, nullable=False),
    Column("disabled_at", BigInteger),
)

shop_waiting = Table(  # deliveries and returns that came before their order
    "shop_waiting",
    metadata,
    Column("event_id", String, primary_key=True),
    Column("connection_id", String, nullable=False),
    Column("order_id", String, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("content", Text, nullable=False),  # JSON: an event of `POST /v1/events`, and whether its time is its own
)
Index("ix_shop_waiting_order_id", shop_waiting.c.order_id)
