"""Up to which moment the history of a customer, e-mail, address, card or device has been read by an assessment."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.engine import Connection

from features.ledger.sql import execute, marks


def raise_watermarks(conn: Connection, keys: Iterable[tuple[str, str]], until_us: int) -> None:
    """Notes that an assessment as of `until_us` has read the histories of `keys`.

    What arrives later over HTTP is recorded at `until_us` or after it, so that this assessment, computed again at any
    time, finds what it found. A watermark never sinks.

    Args:
        conn: from `Ledger.write()`.
        keys: (entity, key) with entity one of customer, email, address, payment, device, and the key as in `orders`.
        until_us: the moment t of the assessment, which has read what was recorded before t.
    """
    rows = sorted({(entity, key, until_us) for entity, key in keys})  # in one order, so that two writers cannot cross
    if not rows:
        return
    execute(
        conn,
        f"INSERT INTO watermarks (entity, key, assessed_until) VALUES {', '.join([marks(3)] * len(rows))} "
        "ON CONFLICT (entity, key) DO UPDATE SET assessed_until = excluded.assessed_until "
        "WHERE excluded.assessed_until > watermarks.assessed_until",
        [part for row in rows for part in row],
    )
