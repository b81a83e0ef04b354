"""What a process remembers of the ledger from one request to the next, none of which can make a value wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Connection

from features.busy import BusyKeys
from features.population import Population


@dataclass(frozen=True)
class Memory:
    """Pooled rates of the day, and the keys with many orders."""

    population: Population = field(default_factory=Population)
    busy: BusyKeys = field(default_factory=BusyKeys)

    def warm(self, conn: Connection) -> None:
        """Reads what will be asked for."""
        self.busy.warm(conn)

    @contextmanager
    def tentative(self) -> Iterator[None]:
        """For reading what may yet be taken back: it is forgotten if the block ends with an exception."""
        with self.busy.tentative():
            yield
