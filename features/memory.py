"""What a process remembers of the ledger from one request to the next, none of which can make a value wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

from sqlalchemy import Connection

from features.busy import BusyKeys
from features.population import Population, close_days


@dataclass(frozen=True)
class Memory:
    """Pooled rates of the day, and for the one who writes the keys with many orders."""

    population: Population = field(default_factory=Population)
    busy: BusyKeys | None = None

    @classmethod
    def of_writer(cls) -> Memory:
        """For who reads through one connection at a time, in transactions that write."""
        return cls(busy=BusyKeys())

    def is_ready(self, conn: Connection, day: int) -> bool:
        """Whether requests of that day can be answered: every day before it is pooled. To be asked in the transaction
        that reads; also notices if bulk ingest has changed the past."""
        return self.population.prepare(conn, day)

    def prepare(self, conn: Connection, day: int) -> bool:
        """Pools the days before that day; gives whether there were any. Needs a write transaction."""
        if self.is_ready(conn, day):
            return False
        return close_days(conn, day) > 0

    def warm(self, conn: Connection) -> None:
        """Reads what will be asked for."""
        if self.busy is not None:
            self.busy.warm(conn)

    @contextmanager
    def tentative(self) -> Iterator[None]:
        """For reading what may yet be taken back: it is forgotten if the block ends with an exception."""
        with self.busy.tentative() if self.busy is not None else nullcontext():
            yield
