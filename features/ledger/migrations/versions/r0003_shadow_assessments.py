"""What the challenger would have said, beside the assessments that were answered.

Revision: 0003.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "shadow_assessments",
        sa.Column("assessment_id", sa.String(), primary_key=True, nullable=False),
        sa.Column("model_version", sa.String(), primary_key=True, nullable=False),
        sa.Column("risk", sa.Float(), nullable=False),
        sa.Column("scored_at", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("shadow_assessments")
