"""The audit trail's table. Triggers of the database refuse to change or delete a row.

Times are integer microseconds since 1970-01-01 UTC.
"""

from __future__ import annotations

from sqlalchemy import DDL, BigInteger, Column, Index, Integer, SmallInteger, String, Table, Text, event

from serving.tables import metadata

audit = Table(
    "audit",
    metadata,
    Column("audit_no", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("actor_kind", String, nullable=False),  # staff, customer, system
    Column("staff_id", String),  # who of the staff; null for the others
    Column("role", String),  # the role that they had then
    Column("operation", String, nullable=False),  # "case.claim", ...: of `serving.staff.permissions`, or "system...."
    Column("case_no", BigInteger),
    Column("subject", String),  # what else it was done to, as "kind:id"; of a customer the keyed hash, never the id
    Column("risk_shown", SmallInteger),  # whether the risk of the case had been shown to this person by then
    Column("content", Text, nullable=False),  # JSON: codes, ids and numbers, never a person's words
)
Index("ix_audit_case_no", audit.c.case_no, sqlite_where=audit.c.case_no.isnot(None))
Index("ix_audit_subject", audit.c.subject, sqlite_where=audit.c.subject.isnot(None))
Index("ix_audit_staff_at", audit.c.staff_id, audit.c.at)

for _what in ("UPDATE", "DELETE"):  # PostgreSQL's are made by the migration
    event.listen(
        audit,
        "after_create",
        DDL(  # type: ignore[no-untyped-call]
            f"CREATE TRIGGER audit_no_{_what.lower()} BEFORE {_what} ON audit "
            "BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END"
        ).execute_if(dialect="sqlite"),
    )
