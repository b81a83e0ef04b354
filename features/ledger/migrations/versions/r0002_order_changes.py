"""Which orders have changed lately, so that histories kept in memory can be brought forward.

Revision: 0002.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "order_changes",
        sa.Column("change_no", serial, primary_key=True, autoincrement=True),
        sa.Column("order_no", sa.BigInteger(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("order_changes")
