"""The first tables: the ledger's, and the assessments and API keys of the service.

Revision: 0001. The column definitions are written out, not taken from `features.ledger.tables`: a migration must go
on making what it made when it was written. A test compares the outcome with the tables of today.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _serial() -> sa.types.TypeEngine[Any]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(), nullable=null)


def _big(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), nullable=null)


def _number(name: str) -> sa.Column[Any]:
    return sa.Column(name, _serial(), primary_key=True, autoincrement=True)


def _order_no(*, primary_key: bool = False) -> sa.Column[Any]:
    return sa.Column(
        "order_no",
        _serial(),
        sa.ForeignKey("orders.order_no"),
        primary_key=primary_key,
        autoincrement=False,
        nullable=False,
    )


def _times() -> list[sa.Column[Any]]:
    return [_big("recorded_at"), _big("pooled_at"), sa.Column("digest", sa.LargeBinary(16), nullable=False)]


def upgrade() -> None:
    _create_orders()
    _create_returns()
    _create_findings()
    _create_bookkeeping()
    _create_service_tables()


def _create_orders() -> None:
    op.create_table(
        "orders",
        _number("order_no"),
        sa.Column("order_id", sa.String(), nullable=False, unique=True),
        _text("customer_id"),
        _big("ordered_at"),
        _text("channel", null=True),
        _text("country", null=True),
        _text("currency", null=True),
        _text("email_id", null=True),
        _text("address_id", null=True),
        _text("payment_id", null=True),
        _text("device_id", null=True),
        _text("courier", null=True),
        *_times(),
    )
    for key in ("customer_id", "email_id", "address_id", "payment_id", "device_id", "pooled_at"):
        op.create_index(f"ix_orders_{key}", "orders", [key])

    op.create_table(
        "order_lines",
        _order_no(primary_key=True),
        sa.Column("line_id", sa.String(), primary_key=True, nullable=False),
        _text("sku"),
        sa.Column("quantity", sa.Integer(), nullable=False),
        _big("unit_price_e4"),
        _big("discount_e4"),
        _big("value_minor"),
        _text("category", null=True),
        sa.Column("expected_ppm", sa.Integer()),
        *_times(),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_order_lines_pooled_at", "order_lines", ["pooled_at"])

    op.create_table(
        "deliveries",
        _order_no(primary_key=True),
        sa.Column("delivered_at", sa.BigInteger(), primary_key=True, autoincrement=False, nullable=False),
        _text("proof"),
        *_times(),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_deliveries_pooled_at", "deliveries", ["pooled_at"])


def _create_returns() -> None:
    op.create_table(
        "returns",
        _number("return_no"),
        _text("return_id"),
        _order_no(),
        _text("line_id"),
        _text("customer_id", null=True),
        _big("requested_at"),
        sa.Column("quantity", sa.Integer(), nullable=False),
        _text("reason"),
        _text("kind"),
        _text("resolution", null=True),
        _text("channel", null=True),
        _text("tender", null=True),
        sa.Column("proof_of_purchase", sa.SmallInteger()),
        sa.Column("leads", sa.SmallInteger(), nullable=False),
        *_times(),
    )
    op.create_index("ux_returns_return_line", "returns", ["return_id", "line_id"], unique=True)
    op.create_index("ix_returns_order_no", "returns", ["order_no"])
    op.create_index(
        "ix_returns_customer_id", "returns", ["customer_id"], sqlite_where=sa.text("customer_id IS NOT NULL")
    )
    op.create_index("ix_returns_pooled_at", "returns", ["pooled_at"])


def _create_findings() -> None:
    op.create_table(
        "inspections",
        _number("inspection_no"),
        _text("return_id"),
        _order_no(),
        _text("line_id"),
        _big("inspected_at"),
        _text("finding"),
        _text("trigger", null=True),
        sa.Column("propensity", sa.Float()),
        *_times(),
    )
    op.create_index(
        "ux_inspections_return_time_line", "inspections", ["return_id", "inspected_at", "line_id"], unique=True
    )
    op.create_table(
        "verdicts",
        _number("verdict_no"),
        _text("return_id"),
        _order_no(),
        _big("decided_at"),
        _text("verdict"),
        _text("abuse_type", null=True),
        _text("basis", null=True),
        *_times(),
    )
    op.create_index("ux_verdicts_return_time", "verdicts", ["return_id", "decided_at"], unique=True)
    for table in ("inspections", "verdicts"):
        for column in ("order_no", "pooled_at"):
            op.create_index(f"ix_{table}_{column}", table, [column])


def _create_bookkeeping() -> None:
    op.create_table(
        "live_events",
        sa.Column("event_id", sa.String(), primary_key=True, nullable=False),
        _text("type"),
        _big("received_at"),
        sa.Column("digest", sa.LargeBinary(16), nullable=False),
    )
    op.create_table(
        "watermarks",
        sa.Column("entity", sa.String(), primary_key=True, nullable=False),
        sa.Column("key", sa.String(), primary_key=True, nullable=False),
        _big("assessed_until"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ledger_meta",
        sa.Column("name", sa.String(), primary_key=True, nullable=False),
        _big("value"),
    )
    op.create_table(
        "population_days",
        sa.Column("entity", sa.String(), primary_key=True, nullable=False),
        sa.Column("key", sa.String(), primary_key=True, nullable=False),
        sa.Column("pooled_day", sa.Integer(), primary_key=True, autoincrement=False, nullable=False),
        sa.Column("occurred_day", sa.Integer(), primary_key=True, autoincrement=False, nullable=False),
        sa.Column("sums", sa.LargeBinary(), nullable=False),
        sqlite_with_rowid=False,
    )


def _create_service_tables() -> None:
    op.create_table(
        "assessments",
        _number("assessment_no"),
        _text("assessment_id"),
        _text("return_id"),
        sa.Column("request_digest", sa.LargeBinary(16), nullable=False),
        _big("order_no"),
        _big("requested_at"),
        _big("assessed_at"),
        sa.Column("risk", sa.Float(), nullable=False),
        _text("risk_band"),
        _text("action"),
        _text("model_version"),
        _text("policy_version"),
        _text("feature_service"),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
    )
    for column in ("assessment_id", "return_id"):
        op.create_index(f"ux_assessments_{column}", "assessments", [column], unique=True)
    op.create_table(
        "api_keys",
        sa.Column("key_id", sa.String(), primary_key=True, nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        _text("scopes"),
        _text("label"),
        _big("created_at"),
        _big("revoked_at", null=True),
    )


def downgrade() -> None:
    for table in (
        "api_keys",
        "assessments",
        "population_days",
        "ledger_meta",
        "watermarks",
        "live_events",
        "verdicts",
        "inspections",
        "returns",
        "deliveries",
        "order_lines",
        "orders",
    ):
        op.drop_table(table)
