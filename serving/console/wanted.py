"""What of the queue a person wants to see, as it stands in the address: so that a link, the way back and the next case
keep it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import urlencode

from serving.cases.queue import ACTIVE, CLOSED, Filters, Position
from serving.cases.states import STATES

#: Everything that is to do, one's own, what is late or was handed on, what is in one state, the closed ones.
VIEWS: Final = (ACTIVE, "mine", "overdue", "escalated", *(state for state in STATES if state != CLOSED), CLOSED)
BECAUSE: Final = ("action", "draw", "hand", "dispute")
KINDS: Final = ("return", "claim")
_AMOUNT: Final = re.compile(r"\d{1,9}(?:[.,]\d{1,2})?", re.ASCII)
_LONGEST: Final = 100
_PLACE: Final = re.compile(r"(\d{1,18})\.(\d{1,18})\.(\d{1,18})", re.ASCII)
NAMES: Final = ("view", "because", "kind", "country", "channel", "category", "from", "to", "search")


class Wanted(NamedTuple):
    """A view of the queue. What cannot be is as if it were not there. Amounts are as they were typed."""

    view: str = ACTIVE
    because: str = ""
    kind: str = ""
    country: str = ""
    channel: str = ""
    category: str = ""
    value_from: str = ""
    value_to: str = ""
    search: str = ""
    after: Position | None = None

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but the view was chosen."""
        return any(self[1:9])

    def filters(self, staff_id: str) -> Filters:
        """The same for the queue."""
        return Filters(
            state=self.view if self.view in STATES else ACTIVE,
            mine=staff_id if self.view == "mine" else None,
            because=self.because or None,
            kind=self.kind or None,
            country=self.country or None,
            channel=self.channel or None,
            category=self.category or None,
            value_from=_minor(self.value_from),
            value_to=_minor(self.value_to),
            overdue=self.view == "overdue",
            escalated=self.view == "escalated",
            search=self.search,
        )

    def query(self, **changes: str) -> str:
        """The end of an address, with its question mark; empty if nothing was chosen. Always begins with page one."""
        values = dict(zip(NAMES, self[:9], strict=True)) | changes
        chosen = {name: value for name, value in values.items() if value and (name, value) != ("view", ACTIVE)}
        return f"?{urlencode(chosen)}" if chosen else ""

    def query_after(self, after: Position) -> str:
        """The end of the address of the page after a place."""
        return self.query(after=".".join(map(str, after)))


def wanted(query: Mapping[str, str]) -> Wanted:
    """What an address asks for."""

    def text(name: str) -> str:
        return query.get(name, "").strip()[:_LONGEST]

    def one_of(name: str, allowed: tuple[str, ...], otherwise: str = "") -> str:
        return value if (value := text(name)) in allowed else otherwise

    def amount(name: str) -> str:
        return value if _AMOUNT.fullmatch(value := text(name)) else ""

    place = _PLACE.fullmatch(text("after"))
    return Wanted(
        one_of("view", VIEWS, ACTIVE),
        one_of("because", BECAUSE),
        one_of("kind", KINDS),
        text("country"),
        text("channel"),
        text("category"),
        amount("from"),
        amount("to"),
        text("search"),
        Position(*(int(number) for number in place.groups())) if place else None,
    )


def _minor(amount: str) -> int | None:
    """An amount in 1/100.

    >>> _minor("12,5"), _minor("")
    (1250, None)
    """
    if not amount:
        return None
    whole, _, part = amount.replace(",", ".").partition(".")
    return int(whole) * 100 + int(part.ljust(2, "0") or 0)
