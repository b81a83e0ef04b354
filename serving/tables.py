"""The service's own tables (SQLAlchemy Core), kept in the ledger's database and made by the ledger's migrations.

Times are integer microseconds since 1970-01-01 UTC.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, MetaData, String, Table

metadata = MetaData()

_Serial = BigInteger().with_variant(Integer, "sqlite")

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", String, primary_key=True),
    Column("digest", LargeBinary(32), nullable=False),  # SHA-256 of the secret; the secret itself is never kept
    Column("scopes", String, nullable=False),  # separated by one space, in the order of serving.keys.scopes
    Column("label", String, nullable=False, default=""),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)

assessments = Table(
    "assessments",
    metadata,
    Column("assessment_no", _Serial, primary_key=True, autoincrement=True),
    Column("assessment_id", String, nullable=False),
    Column("return_id", String, nullable=False),
    Column("request_digest", LargeBinary(16), nullable=False),  # of the request, so that a repeat is told from a change
    Column("order_no", BigInteger, nullable=False),
    Column("requested_at", BigInteger, nullable=False),  # the moment the features are as of
    Column("assessed_at", BigInteger, nullable=False),  # when the answer was made
    Column("risk", Float, nullable=False),
    Column("risk_band", String, nullable=False),
    Column("action", String, nullable=False),
    Column("model_version", String, nullable=False),
    Column("policy_version", String, nullable=False),
    Column("feature_service", String, nullable=False),
    Column("vector", LargeBinary, nullable=False),  # float64, little-endian, in the order of the feature service
    Column("answer", LargeBinary, nullable=False),  # JSON (UTF-8), sent again byte for byte
)
Index("ux_assessments_assessment_id", assessments.c.assessment_id, unique=True)
Index("ux_assessments_return_id", assessments.c.return_id, unique=True)

shadow_assessments = Table(  # what a challenger would have said; never shown, and can be computed again from the vector
    "shadow_assessments",
    metadata,
    Column("assessment_id", String, primary_key=True),
    Column("model_version", String, primary_key=True),
    Column("risk", Float, nullable=False),
    Column("scored_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
