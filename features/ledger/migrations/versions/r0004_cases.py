"""Cases, and the audit trail.

Revision: 0004.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


_REFUSALS = ("UPDATE", "DELETE")


def _sqlite(what: str) -> str:
    return (
        f"CREATE TRIGGER audit_no_{what.lower()} BEFORE {what} ON audit "
        "BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END"
    )


def _refuse_changes() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for what in _REFUSALS:
            op.execute(_sqlite(what))
        return
    op.execute(
        "CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit "
        "FOR EACH ROW EXECUTE FUNCTION audit_is_append_only()"
    )


def upgrade() -> None:
    op.create_table(
        "cases",
        sa.Column("case_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("return_id", sa.String(), nullable=False),
        sa.Column("order_no", sa.BigInteger(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("assessment_id", sa.String(), nullable=True),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("opened_because", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("country", sa.String(), nullable=True),
        sa.Column("channel", sa.String(), nullable=True),
        sa.Column("category", sa.String(), nullable=True),
        sa.Column("currency", sa.String(), nullable=True),
        sa.Column("value_minor", sa.BigInteger(), nullable=False),
        sa.Column("expected_loss_minor", sa.BigInteger(), nullable=False),
        sa.Column("risk", sa.Float(), nullable=True),
        sa.Column("risk_band", sa.String(), nullable=True),
        sa.Column("reasons", sa.String(), nullable=True),
        sa.Column("trigger", sa.String(), nullable=True),
        sa.Column("propensity", sa.Float(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("state_since", sa.BigInteger(), nullable=False),
        sa.Column("rests_in", sa.String(), nullable=False),
        sa.Column("not_by", sa.String(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("due_day", sa.Integer(), nullable=False),
        sa.Column("escalated_at", sa.BigInteger(), nullable=True),
        sa.Column("claimed_by", sa.String(), nullable=True),
        sa.Column("claimed_at", sa.BigInteger(), nullable=True),
        sa.Column("claim_until", sa.BigInteger(), nullable=True),
        sa.Column("inspections_seen", sa.Integer(), nullable=True),
        sa.Column("judged_at", sa.BigInteger(), nullable=True),
        sa.Column("judged_by", sa.String(), nullable=True),
        sa.Column("judgement", sa.String(), nullable=True),
        sa.Column("risk_shown_at", sa.BigInteger(), nullable=True),
        sa.Column("verdict", sa.String(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_by", sa.String(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("case_no"),
    )
    op.create_index("ix_cases_closed_at", "cases", ["closed_at"], unique=False)
    op.create_index(
        "ix_cases_overview",
        "cases",
        ["closed_at", "opened_at", "verdict", "closed_by", "judgement", "reasons"],
        unique=False,
    )
    op.create_index("ix_cases_customer_id", "cases", ["customer_id"], unique=False)
    op.create_index("ix_cases_opened_at", "cases", ["opened_at"], unique=False)
    op.create_index("ix_cases_order_id", "cases", ["order_id"], unique=False)
    active, claimed = sa.text("state != 'closed'"), sa.text("claimed_by IS NOT NULL")
    op.create_index(
        "ix_cases_queue",
        "cases",
        ["due_day", sa.text("expected_loss_minor DESC"), "case_no"],
        unique=False,
        sqlite_where=active,
        postgresql_where=active,
    )
    op.create_index(
        "ix_cases_state", "cases", ["state", "due_at"], unique=False, sqlite_where=active, postgresql_where=active
    )
    escalated = sa.text("escalated_at IS NOT NULL")
    op.create_index(
        "ix_cases_escalated_at",
        "cases",
        ["escalated_at"],
        unique=False,
        sqlite_where=escalated,
        postgresql_where=escalated,
    )
    op.create_index(
        "ix_cases_claimed_by", "cases", ["claimed_by"], unique=False, sqlite_where=claimed, postgresql_where=claimed
    )
    op.create_index("ux_cases_case_id", "cases", ["case_id"], unique=True)
    op.create_index("ux_cases_return_id", "cases", ["return_id"], unique=True)
    op.create_table(
        "case_findings",
        sa.Column(
            "finding_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("case_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("staff_id", sa.String(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("line_id", sa.String(), nullable=False),
        sa.Column("finding", sa.String(), nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_by", sa.String(), nullable=True),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_no"],
            ["cases.case_no"],
        ),
        sa.PrimaryKeyConstraint("finding_no"),
    )
    op.create_index("ix_case_findings_case_no", "case_findings", ["case_no"], unique=False)
    op.create_table(
        "case_checks",
        sa.Column("check_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("case_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("staff_id", sa.String(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("result", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_no"],
            ["cases.case_no"],
        ),
        sa.PrimaryKeyConstraint("check_no"),
    )
    op.create_index("ix_case_checks_case_no", "case_checks", ["case_no"], unique=False)
    op.create_table(
        "case_notes",
        sa.Column("note_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("case_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("staff_id", sa.String(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_no"],
            ["cases.case_no"],
        ),
        sa.PrimaryKeyConstraint("note_no"),
    )
    op.create_index("ix_case_notes_case_no", "case_notes", ["case_no"], unique=False)
    op.create_table(
        "case_photos",
        sa.Column("photo_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("case_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("staff_id", sa.String(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("caption", sa.String(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("thumbnail", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_no"],
            ["cases.case_no"],
        ),
        sa.PrimaryKeyConstraint("photo_no"),
    )
    op.create_index("ix_case_photos_case_no", "case_photos", ["case_no"], unique=False)
    op.create_table(
        "case_verdicts",
        sa.Column(
            "verdict_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("case_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("staff_id", sa.String(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("abuse_type", sa.String(), nullable=True),
        sa.Column("basis", sa.String(), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("risk_shown", sa.SmallInteger(), nullable=False),
        sa.Column("second_opinion", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_no"],
            ["cases.case_no"],
        ),
        sa.PrimaryKeyConstraint("verdict_no"),
    )
    op.create_index("ix_case_verdicts_case_no", "case_verdicts", ["case_no"], unique=False)
    second = sa.text("second_opinion = 1")
    op.create_index(
        "ix_case_verdicts_second",
        "case_verdicts",
        ["at"],
        unique=False,
        sqlite_where=second,
        postgresql_where=second,
    )
    op.create_table(
        "case_lookers",
        sa.Column("case_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("staff_id", sa.String(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_no"],
            ["cases.case_no"],
        ),
        sa.PrimaryKeyConstraint("case_no", "staff_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "audit",
        sa.Column("audit_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor_kind", sa.String(), nullable=False),
        sa.Column("staff_id", sa.String(), nullable=True),
        sa.Column("role", sa.String(), nullable=True),
        sa.Column("operation", sa.String(), nullable=False),
        sa.Column("case_no", sa.BigInteger(), nullable=True),
        sa.Column("subject", sa.String(), nullable=True),
        sa.Column("risk_shown", sa.SmallInteger(), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("audit_no"),
    )
    op.create_index("ix_audit_case_no", "audit", ["case_no"], unique=False, sqlite_where=sa.text("case_no IS NOT NULL"))
    op.create_index("ix_audit_staff_at", "audit", ["staff_id", "at"], unique=False)
    op.create_index("ix_audit_subject", "audit", ["subject"], unique=False, sqlite_where=sa.text("subject IS NOT NULL"))
    _refuse_changes()


def downgrade() -> None:
    op.drop_table("audit")
    op.drop_table("case_lookers")
    op.drop_table("case_verdicts")
    op.drop_table("case_photos")
    op.drop_table("case_notes")
    op.drop_table("case_checks")
    op.drop_table("case_findings")
    op.drop_table("cases")
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION audit_is_append_only()")
