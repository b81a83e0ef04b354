"""The table of connected shops. Times are microseconds since 1970-01-01 UTC."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, String, Table

from serving.tables import metadata

shop_connections = Table(  # shops whose webhooks are taken in
    "shop_connections",
    metadata,
    Column("connection_id", String, primary_key=True),
    Column("kind", String, nullable=False),  # shopify, woocommerce
    Column("name", String, nullable=False),
    Column("secret", String, nullable=False),  # encrypted, as above
    Column("created_at", BigInteger, nullable=False),
    Column("disabled_at", BigInteger),
)
