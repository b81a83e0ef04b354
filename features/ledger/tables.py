"""The ledger's tables (SQLAlchemy Core).

Times are integer microseconds since 1970-01-01 UTC. Amounts of money are integers: unit prices in 1/10,000 and
values in 1/100 of the order's currency, so that sums are exact in every engine. Rows are only ever appended; what is
marked *derived* can be rebuilt from the rest.

Every row says when it happened (`ordered_at`, `requested_at`, ...), from when the histories of its customer, address,
payment, device and e-mail know it (`recorded_at`), and from when the pooled rates of products, categories, couriers
and countries know it (`pooled_at`).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
)

metadata = MetaData()

_Serial = BigInteger().with_variant(Integer, "sqlite")


def _times() -> list[Column[Any]]:
    return [
        Column("recorded_at", BigInteger, nullable=False),
        Column("pooled_at", BigInteger, nullable=False),
        Column("digest", LargeBinary(16), nullable=False),
    ]


orders = Table(
    "orders",
    metadata,
    Column("order_no", _Serial, primary_key=True, autoincrement=True),
    Column("order_id", String, nullable=False, unique=True),
    Column("customer_id", String, nullable=False),
    Column("ordered_at", BigInteger, nullable=False),
    Column("channel", String),
    Column("country", String),
    Column("currency", String),
    Column("email_id", String),  # this and the next three: keyed hashes
    Column("address_id", String),
    Column("payment_id", String),
    Column("device_id", String),
    Column("courier", String),
    *_times(),
)
for _key in ("customer_id", "email_id", "address_id", "payment_id", "device_id"):
    Index(f"ix_orders_{_key}", orders.c[_key])
Index("ix_orders_pooled_at", orders.c.pooled_at)

order_lines = Table(
    "order_lines",
    metadata,
    Column("order_no", _Serial, ForeignKey("orders.order_no"), primary_key=True),
    Column("line_id", String, primary_key=True),
    Column("sku", String, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("unit_price_e4", BigInteger, nullable=False),  # 1/10,000 of the currency
    Column("discount_e4", BigInteger, nullable=False),  # taken off the whole line
    Column("value_minor", BigInteger, nullable=False),  # paid for the whole line, in 1/100 of the currency
    Column("category", String),
    Column("expected_ppm", Integer),  # derived: expected returns per million items, when it was bought
    *_times(),
    sqlite_with_rowid=False,
)
Index("ix_order_lines_pooled_at", order_lines.c.pooled_at)

deliveries = Table(
    "deliveries",
    metadata,
    Column("order_no", _Serial, ForeignKey("orders.order_no"), primary_key=True),
    Column("delivered_at", BigInteger, primary_key=True),
    Column("proof", String, nullable=False),
    *_times(),
    sqlite_with_rowid=False,
)
Index("ix_deliveries_pooled_at", deliveries.c.pooled_at)

returns = Table(
    "returns",
    metadata,
    Column("return_no", _Serial, primary_key=True, autoincrement=True),
    Column("return_id", String, nullable=False),
    Column("order_no", _Serial, ForeignKey("orders.order_no"), nullable=False),
    Column("line_id", String, nullable=False),
    Column("customer_id", String),  # only where somebody else than the buyer returns
    Column("requested_at", BigInteger, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("reason", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("resolution", String),
    Column("channel", String),
    Column("tender", String),
    Column("proof_of_purchase", SmallInteger),  # 0, 1 or unknown
    Column("leads", SmallInteger, nullable=False),  # 1 on one row of each return_id, so that returns can be counted
    *_times(),
)
Index("ux_returns_return_line", returns.c.return_id, returns.c.line_id, unique=True)
Index("ix_returns_order_no", returns.c.order_no)
Index("ix_returns_customer_id", returns.c.customer_id, sqlite_where=returns.c.customer_id.isnot(None))
Index("ix_returns_pooled_at", returns.c.pooled_at)

inspections = Table(
    "inspections",
    metadata,
    Column("inspection_no", _Serial, primary_key=True, autoincrement=True),
    Column("return_id", String, nullable=False),
    Column("order_no", _Serial, ForeignKey("orders.order_no"), nullable=False),
    Column("line_id", String, nullable=False, default=""),  # empty: the whole return
    Column("inspected_at", BigInteger, nullable=False),
    Column("finding", String, nullable=False),
    Column("trigger", String),
    Column("propensity", Float),
    *_times(),
)
Index(
    "ux_inspections_return_time_line",
    inspections.c.return_id,
    inspections.c.inspected_at,
    inspections.c.line_id,
    unique=True,
)
Index("ix_inspections_order_no", inspections.c.order_no)
Index("ix_inspections_pooled_at", inspections.c.pooled_at)

verdicts = Table(
    "verdicts",
    metadata,
    Column("verdict_no", _Serial, primary_key=True, autoincrement=True),
    Column("return_id", String, nullable=False),
    Column("order_no", _Serial, ForeignKey("orders.order_no"), nullable=False),
    Column("decided_at", BigInteger, nullable=False),
    Column("verdict", String, nullable=False),
    Column("abuse_type", String),
    Column("basis", String),
    *_times(),
)
Index("ux_verdicts_return_time", verdicts.c.return_id, verdicts.c.decided_at, unique=True)
Index("ix_verdicts_order_no", verdicts.c.order_no)
Index("ix_verdicts_pooled_at", verdicts.c.pooled_at)

live_events = Table(  # what came over HTTP, by the sender's own event id
    "live_events",
    metadata,
    Column("event_id", String, primary_key=True),
    Column("type", String, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("digest", LargeBinary(16), nullable=False),
)

watermarks = Table(  # up to which moment a key's history has been read by an assessment
    "watermarks",
    metadata,
    Column("entity", String, primary_key=True),  # customer, email, address, payment, device
    Column("key", String, primary_key=True),
    Column("assessed_until", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

order_changes = Table(  # derived: the orders that were appended to, in order; see `features.ledger.changes`
    "order_changes",
    metadata,
    Column("change_no", _Serial, primary_key=True, autoincrement=True),
    Column("order_no", BigInteger, nullable=False),
)

ledger_meta = Table(  # `epoch`: changes when bulk ingest rewrites the past; `open_day`: first day not yet pooled
    "ledger_meta",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

population_days = Table(  # derived: sums of one day's events for a product, category, courier or country
    "population_days",
    metadata,
    Column("entity", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("pooled_day", Integer, primary_key=True),
    Column("occurred_day", Integer, primary_key=True),
    Column("sums", LargeBinary, nullable=False),  # int64, little-endian, in the order of the declared measures
    sqlite_with_rowid=False,
)

erasures = Table(  # whose history was erased, so that files from before do not bring it back
    "erasures",
    metadata,
    Column("subject", String, primary_key=True),  # keyed hash of the customer id
    Column("erased_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
