"""Keys with many orders (a pick-up point, a shared device): kept in memory and brought forward.

Most addresses have a handful of orders, which are read afresh for every request. A pick-up point may have thousands,
and reading them each time would hold up every shopper who uses it. So their facts stay in memory from one request to
the next; what has changed since (`features.ledger.changes`, whoever changed it) is read and replaced, order by order.
The values are those that a fresh read gives.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import numpy as np
from sqlalchemy import Connection

from features import declarations
from features.history import History, of_keys, of_orders, orders_of_key
from features.kernel.key import KeyFacts
from features.ledger import changes
from features.ledger.sql import rows

#: From so many orders on a key is kept.
BUSY_FROM: Final = 64
#: Orders kept in all, about half a kilobyte each; the keys not used for longest go first.
_MOST_ORDERS: Final = 300_000
#: Of each party, how many keys are read before anybody asks for them, if they have at least so many orders.
_WARMED: Final = 200
_WARM_FROM: Final = 100
_ENTITY_OF: Final = {entity.name: entity for entity in declarations.EXACT if entity.name in declarations.LINKS}


@dataclass(frozen=True)
class _Kept:
    """The history of one key as of a change."""

    history: History
    facts: KeyFacts
    change_no: int

    @classmethod
    def of(cls, party: str, history: History, change_no: int) -> _Kept:
        return cls(history, KeyFacts(_ENTITY_OF[party], history), change_no)


class BusyKeys:
    """The busy keys of addresses, payment means, devices and e-mails that this process has met."""

    def __init__(self, busy_from: int = BUSY_FROM, most_orders: int = _MOST_ORDERS) -> None:
        self._busy_from = busy_from
        self._most_orders = most_orders
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
        self._orders = 0
        self._lock = threading.Lock()
        self._changed: list[tuple[str, str]] = []

    def take(self, conn: Connection, keys: Mapping[str, str | None]) -> dict[str, KeyFacts]:
        """By party, the facts of those of `keys` (party -> key) that are kept, as the ledger has them now."""
        taken: dict[str, KeyFacts] = {}
        for party in declarations.LINKS:
            key = keys.get(party)
            kept = None if key is None else self._kept.get((party, key))
            if key is not None and kept is not None:
                forward = _brought_forward(conn, party, key, kept)
                if forward is None:
                    self._drop((party, key))
                    continue
                if forward is not kept:
                    self._keep((party, key), forward)
                else:
                    self._kept.move_to_end((party, key))
                taken[party] = forward.facts
        return taken

    def note(self, conn: Connection, keys: Mapping[str, str | None], history: History) -> None:
        """Keeps those of `keys` that turn out to be busy; `history` is what `of_keys` has just read of them."""
        for party in declarations.LINKS:
            key = keys.get(party)
            if key is None or (party, key) in self._kept:
                continue
            mine = history.keys[party] == 0
            if np.count_nonzero(mine) >= self._busy_from:
                self._keep((party, key), _Kept.of(party, history.part(mine), changes.latest(conn)))

    def warm(self, conn: Connection) -> None:
        """Reads the busiest keys before they are asked for."""
        for party in declarations.LINKS:
            busiest = rows(
                conn,
                f"SELECT {party}_id FROM orders WHERE {party}_id IS NOT NULL GROUP BY {party}_id"
                f" HAVING COUNT(*) >= {_WARM_FROM} ORDER BY COUNT(*) DESC LIMIT {_WARMED}",
            )
            for (key,) in busiest:
                if (party, key) not in self._kept:
                    self.note(conn, {party: key}, of_keys(conn, {party: key}, None))

    @contextmanager
    def tentative(self) -> Iterator[None]:
        """If the block ends with an exception, and its transaction is taken back, so is what was read in it."""
        self._changed = []
        try:
            yield
        except BaseException:
            for at in self._changed:
                self._drop(at)
            raise

    def _keep(self, at: tuple[str, str], kept: _Kept) -> None:
        self._changed.append(at)
        with self._lock:
            before = self._kept.pop(at, None)
            self._orders += len(kept.history.order_nos) - (0 if before is None else len(before.history.order_nos))
            self._kept[at] = kept
            while self._orders > self._most_orders:
                _, oldest = self._kept.popitem(last=False)
                self._orders -= len(oldest.history.order_nos)

    def _drop(self, at: tuple[str, str]) -> None:
        with self._lock:
            kept = self._kept.pop(at, None)
            if kept is not None:
                self._orders -= len(kept.history.order_nos)


def _brought_forward(conn: Connection, party: str, key: str, kept: _Kept) -> _Kept | None:
    """The same key as of now; `None` if it is to be read anew."""
    touched = changes.since(conn, kept.change_no)
    if touched is None:
        return None
    if not touched:
        return kept
    known = kept.history.order_nos
    last = int(known[-1])
    new = set(orders_of_key(conn, party, key, last)) if max(touched) > last else set()
    changed = set(known[np.isin(known, list(touched))].tolist()) | new
    change_no = changes.latest(conn)
    if not changed:
        return _Kept(kept.history, kept.facts, change_no)
    unchanged = kept.history.part(~np.isin(known, list(changed)))
    return _Kept.of(party, unchanged.joined(of_orders(conn, changed, kept.history.names)), change_no)
