"""The tables of staff accounts. Secrets are kept as digests only. Times are microseconds since 1970-01-01 UTC."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, SmallInteger, String, Table

from serving.tables import metadata

staff = Table(
    "staff",
    metadata,
    Column("staff_id", String, primary_key=True),
    Column("login", String, nullable=False),  # lower case
    Column("name", String, nullable=False),
    Column("role", String, nullable=False),  # desk, reviewer, lead, analyst, administrator
    Column("password_hash", String),  # argon2id; null: signs in elsewhere, or has not chosen one yet
    Column("oidc_subject", String),  # "issuer subject"
    Column("language", String),  # null: as the browser asks
    Column("theme", String),  # light, dark; null: as the system
    Column("shortcuts", SmallInteger, nullable=False, default=1),  # whether single keys do something
    Column("created_at", BigInteger, nullable=False),
    Column("created_by", String),
    Column("disabled_at", BigInteger),
)
Index("ux_staff_login", staff.c.login, unique=True)
Index("ux_staff_oidc_subject", staff.c.oidc_subject, unique=True)

staff_sessions = Table(
    "staff_sessions",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),  # SHA-256 of the cookie's value
    Column("staff_id", String, nullable=False),
    Column("form_key", String, nullable=False),  # forms carry it back
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)
Index("ix_staff_sessions_staff_id", staff_sessions.c.staff_id)

staff_links = Table(  # one-time links: the first administrator, invitations, new passwords
    "staff_links",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("purpose", String, nullable=False),  # first_start, invitation, new_password
    Column("staff_id", String),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
)

sign_in_attempts = Table(
    "sign_in_attempts",
    metadata,
    Column("attempt_no", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("login", String, nullable=False),  # a keyed digest: people type passwords there, too
    Column("at", BigInteger, nullable=False),
    Column("succeeded", SmallInteger, nullable=False),
)
Index("ix_sign_in_attempts_login_at", sign_in_attempts.c.login, sign_in_attempts.c.at)
