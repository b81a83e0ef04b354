"""How far a demo has come."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from features.errors import ReturnwiseError

#: The last days of the history are lived through with the model that learned from those before.
REPLAYED_DAYS: Final = 28


class Progress(BaseModel):
    """How far the demo in this home is (`demo.json`), so that running it again goes on instead of beginning anew."""

    customers: int
    end: dt.date
    #: Nothing that was found or concluded about returns of this day or later is ingested or learned from; from it on
    #: the service and its staff work on them. None in a demo that an earlier version began.
    replay_from: dt.date | None = None
    ingested: bool = False
    promoted: bool = False
    replayed: int = 0  # days

    @classmethod
    def load(cls, home: Path, customers: int) -> Progress:
        """The state in `home`; a fresh one, ending yesterday, if there is none."""
        file = home / "demo.json"
        if not file.exists():
            yesterday = dt.datetime.now(tz=dt.UTC).date() - dt.timedelta(days=1)
            return cls(customers=customers, end=yesterday, replay_from=yesterday - dt.timedelta(days=REPLAYED_DAYS - 1))
        state = cls.model_validate_json(file.read_bytes())
        if state.customers != customers:
            raise ReturnwiseError(
                f"{home} holds a demo of {state.customers:,} customers; remove that folder to make another"
            )
        return state

    @property
    def days_to_replay(self) -> list[dt.date]:
        """Days that the service has not lived through yet."""
        if self.replay_from is None:
            return []
        count = (self.end - self.replay_from).days + 1
        return [self.replay_from + dt.timedelta(days=number) for number in range(self.replayed, count)]

    def save(self, home: Path) -> None:
        """Write the state."""
        home.mkdir(parents=True, exist_ok=True)
        (home / "demo.json").write_text(self.model_dump_json() + "\n", encoding="utf-8")
