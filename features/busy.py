"""Keys with many orders (a pick-up point, a shared device): kept in memory and brought forward.

Most addresses have a handful of orders, which are read afresh for every request. A pick-up point may have thousands,
and reading them each time would hold up every shopper who uses it. So their facts stay in memory from one request to
the next; what has changed since (`features.ledger.changes`, whoever changed it) is read and replaced, order by order.
The values are those that a fresh read gives.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from sqlalchemy import Connection

from features import declarations
from features.history import History, keys_of_orders, of_keys, of_orders
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
_WARMED_ORDERS: Final = 100_000
_ENTITY_OF: Final = {entity.name: entity for entity in declarations.EXACT if entity.name in declarations.LINKS}


_At = tuple[str, str]  # party and key


@dataclass
class _Kept:
    """What is kept of one key: its facts, but for the orders that have changed since."""

    facts: KeyFacts
    names: Mapping[str, dict[str | None, int]]
    orders: set[int]
    changed: set[int] = field(default_factory=set)


class BusyKeys:
    """The busy keys of addresses, payment means, devices and e-mails that this process has met.

    For one reader at a time. What may yet be taken back is to be read within `tentative`.
    """

    def __init__(self, busy_from: int = BUSY_FROM, most_orders: int = _MOST_ORDERS) -> None:
        self._busy_from = busy_from
        self._most_orders = most_orders
        self._kept: OrderedDict[_At, _Kept] = OrderedDict()
        self._owners: dict[int, list[_At]] = {}  # order -> the keys among `_kept` that it has
        self._orders = 0  # of all that is kept
        self._upto: int | None = None  # number of the last change that was seen
        self._newest = 0  # number of the newest order that was seen
        self._touched: set[_At] = set()  # in this transaction

    def take(self, conn: Connection, keys: Mapping[str, str | None]) -> dict[str, KeyFacts]:
        """By party, the facts of those of `keys` (party -> key) that are kept, as the ledger has them now."""
        taken: dict[str, KeyFacts] = {}
        if not self._kept:
            return taken
        self._see_changes(conn)
        for party in declarations.LINKS:
            at = (party, keys.get(party) or "")
            kept = self._kept.get(at)
            if kept is not None:
                self._kept.move_to_end(at)
                self._bring_forward(conn, at, kept)
                taken[party] = kept.facts
        return taken

    def note(self, conn: Connection, keys: Mapping[str, str | None], history: History) -> None:
        """Keeps those of `keys` that turn out to be busy; `history` is what `of_keys` has just read of them."""
        if len(history.order_nos) < self._busy_from:
            return
        self._see_changes(conn)
        for party in declarations.LINKS:
            key = keys.get(party)
            if key is None or (party, key) in self._kept:
                continue
            mine = history.keys[party] == 0
            if np.count_nonzero(mine) >= self._busy_from:
                self._keep((party, key), history.part(mine))

    def warm(self, conn: Connection) -> None:
        """Reads the busiest keys before they are asked for."""
        found = [
            (count, party, key)
            for party in declarations.LINKS
            for key, count in rows(
                conn,
                f"SELECT {party}_id, COUNT(*) FROM orders WHERE {party}_id IS NOT NULL GROUP BY {party}_id"
                f" HAVING COUNT(*) >= {_WARM_FROM} ORDER BY COUNT(*) DESC LIMIT {_WARMED}",
            )
        ]
        room = min(_WARMED_ORDERS, self._most_orders)
        for count, party, key in sorted(found, reverse=True):
            room -= count
            if room >= 0 and (party, key) not in self._kept:
                self.note(conn, {party: key}, of_keys(conn, {party: key}, None))

    @contextmanager
    def tentative(self) -> Iterator[None]:
        """If the block ends with an exception, and its transaction is taken back, so is what was read in it."""
        self._touched.clear()
        before = self._upto, self._newest
        try:
            yield
        except BaseException:
            for at in self._touched:
                self._drop(at)
            self._upto, self._newest = before
            raise

    def _see_changes(self, conn: Connection) -> None:
        """Marks what has changed since the last time."""
        if not self._kept:
            self._upto = None
        found = None if self._upto is None else changes.since(conn, self._upto)
        if found is None:
            self._forget()
            self._upto = changes.latest(conn)
            ((newest,),) = rows(conn, "SELECT MAX(order_no) FROM orders")
            self._newest = newest or 0
        elif found:
            fresh = [order_no for _, order_no in found if order_no > self._newest]
            for _, order_no in found:
                for at in self._owners.get(order_no, ()):
                    self._mark(at, order_no)
            if fresh:
                for order_no, *keys in keys_of_orders(conn, fresh):
                    for at in zip(declarations.LINKS, keys, strict=True):
                        self._mark(at, order_no)
                self._newest = max(fresh)
            self._upto = found[-1][0]

    def _mark(self, at: _At, order_no: int) -> None:
        kept = self._kept.get(at)
        if kept is not None:
            kept.changed.add(order_no)
            self._touched.add(at)

    def _bring_forward(self, conn: Connection, at: _At, kept: _Kept) -> None:
        """Reads what has changed of a key."""
        if kept.changed:
            self._touched.add(at)
            kept.facts.replace(kept.changed, of_orders(conn, kept.changed, kept.names))
            self._own(at, kept.changed - kept.orders)
            kept.orders |= kept.changed
            kept.changed = set()

    def _keep(self, at: _At, history: History) -> None:
        self._touched.add(at)
        orders = set(history.order_nos.tolist())
        self._kept[at] = _Kept(KeyFacts(_ENTITY_OF[at[0]], history), history.names, orders)
        self._own(at, orders)
        while self._orders > self._most_orders:
            self._drop(next(iter(self._kept)))

    def _own(self, at: _At, order_nos: set[int]) -> None:
        self._orders += len(order_nos)
        for order_no in order_nos:
            self._owners.setdefault(order_no, []).append(at)

    def _drop(self, at: _At) -> None:
        kept = self._kept.pop(at, None)
        if kept is None:
            return
        self._orders -= len(kept.orders)
        for order_no in kept.orders:
            owners = self._owners[order_no]
            owners.remove(at)
            if not owners:
                del self._owners[order_no]

    def _forget(self) -> None:
        self._kept.clear()
        self._owners.clear()
        self._orders = 0
