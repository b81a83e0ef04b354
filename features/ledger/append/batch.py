"""What the appends of all tables share: the outcome, the refusals, times and digests."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from sqlalchemy.engine import Connection

from features.clock import SECOND
from features.ledger.identity import KeyHasher

#: Clocks differ a little between machines: so much later than now is not yet the future.
CLOCK_SKEW_US: Final = 60 * SECOND
_LARGEST_INT: Final = 2**63 - 1
_SHOWN: Final = 40  # characters of a value in a reason


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was refused.

    Attributes:
        index: its position in the batch.
        column: the column at fault.
        reason: why, in plain English.
        conflict: whether it contradicts what the ledger holds under the same id, rather than being wrong in itself.
    """

    index: int
    column: str
    reason: str
    conflict: bool = False


@dataclass(slots=True)
class Outcome:
    """What became of a batch.

    Attributes:
        accepted: rows that are new in the ledger.
        duplicates: rows that it held already, with the same content.
        rejects: the rows refused, by position.
        order_nos: the orders that the accepted rows belong to, each once, in the order of the rows.
        earliest_recorded_us: the least `recorded_at` of the accepted rows; None if there are none.
    """

    accepted: int = 0
    duplicates: int = 0
    rejects: list[Reject] = field(default_factory=list)
    order_nos: list[int] = field(default_factory=list)
    earliest_recorded_us: int | None = None


class Batch:
    """One call of `append_rows` at work."""

    def __init__(
        self,
        conn: Connection,
        table: str,
        rows: Sequence[Mapping[str, Any]],
        *,
        live: bool,
        now_us: int,
        hasher: KeyHasher,
    ) -> None:
        self.conn = conn
        self.table = table
        self.rows = rows
        self.live = live
        self.hasher = hasher
        self.open_day_us = 0  # live only: start of the first day that is not yet pooled
        self.rejects: list[Reject] = []
        self._latest_us = now_us + CLOCK_SKEW_US
        self._person = table.encode()
        self._duplicates = 0
        self._accepted = 0
        self._order_nos: dict[int, None] = {}
        self._earliest: int | None = None

    def outcome(self) -> Outcome:
        """The outcome so far."""
        self.rejects.sort(key=lambda reject: reject.index)
        return Outcome(self._accepted, self._duplicates, self.rejects, list(self._order_nos), self._earliest)

    def refuse(self, index: int, column: str, reason: str, *, conflict: bool = False) -> None:
        """Notes why a row does not get in."""
        self.rejects.append(Reject(index, column, reason, conflict))

    def accept(self, order_no: int, recorded_us: int) -> None:
        """Counts a row that gets in."""
        self._accepted += 1
        self._order_nos[order_no] = None
        if self._earliest is None or recorded_us < self._earliest:
            self._earliest = recorded_us

    def is_new(self, index: int, column: str, digest: bytes, known: bytes | None) -> bool:
        """Whether the row's natural key is not `known` yet; if it is, counts a duplicate or refuses the row."""
        if known is None:
            return True
        if known == digest:
            self._duplicates += 1
        else:
            reason = f"this {_IDENTITY[self.table]} is known with other content"
            self.refuse(index, column, reason, conflict=True)
        return False

    def in_time(self, index: int, column: str, occurred_us: int, row: Mapping[str, Any]) -> bool:
        """Whether nothing in the row lies in the future; refuses it otherwise."""
        if occurred_us > self._latest_us:
            self.refuse(index, column, f"lies in the future: {shown_time(occurred_us)}")
            return False
        if not self.live:
            recorded_us = row.get("recorded_at")
            if recorded_us is not None and recorded_us > self._latest_us:
                self.refuse(index, "recorded_at", f"lies in the future: {shown_time(recorded_us)}")
                return False
        return True

    def times(self, row: Mapping[str, Any], occurred_us: int, parent_us: int, watermark_us: int) -> tuple[int, int]:
        """`recorded_at` and `pooled_at` of a row.

        Nothing is known before it happened, nor before what it belongs to (`parent_us`). Live, nothing becomes known
        to an assessment that has been made (`watermark_us`), nor to the pooled rates of a day that is closed.
        """
        if self.live:
            recorded_us = max(occurred_us, parent_us, watermark_us)
            return recorded_us, max(recorded_us, self.open_day_us)
        stated_us = row.get("recorded_at")
        recorded_us = max(occurred_us, parent_us, occurred_us if stated_us is None else stated_us)
        return recorded_us, recorded_us

    def digest(self, index: int, content: Mapping[str, Any]) -> bytes | None:
        """16 bytes that stand for the content of a row; None, and the row refused, if it cannot be stored.

        What is None does not count, so that a column that a later version adds leaves older digests as they are.
        """
        try:
            text = orjson.dumps({k: v for k, v in content.items() if v is not None}, option=orjson.OPT_SORT_KEYS)
        except TypeError:
            self.refuse(index, *_unstorable(content))
            return None
        return hashlib.blake2b(text, digest_size=16, person=self._person).digest()


_IDENTITY: Final = {
    "orders": "order_id",
    "order_lines": "line_id of the order",
    "deliveries": "delivered_at of the order",
    "returns": "line of the return",
    "inspections": "inspected_at of the return",
    "verdicts": "decided_at of the return",
}


def _unstorable(content: Mapping[str, Any]) -> tuple[str, str]:
    for column, value in content.items():
        if isinstance(value, str):
            try:
                value.encode()
            except UnicodeEncodeError:
                return column, "is not valid Unicode text"
        elif isinstance(value, int) and abs(value) > _LARGEST_INT:
            return column, "is too large a number"
    raise TypeError(f"row with values of unexpected types: { ({c: type(v).__name__ for c, v in content.items()}) }")


def shown(value: str) -> str:
    """A value as it appears in a reason: quoted, in plain characters, cut if long.

    >>> shown("O-1")
    "'O-1'"
    """
    text = ascii(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...'"


def shown_time(us: int) -> str:
    """A time as it appears in a reason.

    >>> shown_time(0)
    '1970-01-01T00:00:00Z'
    """
    try:
        moment = dt.datetime.fromtimestamp(us // SECOND, dt.UTC)
    except (OverflowError, ValueError, OSError):
        return f"{us} microseconds after 1970"
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
