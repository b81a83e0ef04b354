"""Alembic migrations of the ledger's database; `features.ledger.store` runs them when it opens a ledger."""
