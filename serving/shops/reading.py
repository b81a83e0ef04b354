"""Reading what shops send: values with their place in the message, and what is made of a message."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from features.errors import ReturnwiseError
from features.ledger.identity import KeyHasher
from serving.clock import iso
from serving.privacy.asking import Asking

_AMOUNT: Final = re.compile(r"-?\d{1,12}([.]\d{1,12})?", re.ASCII)
_BLANKS: Final = re.compile(r"\s+")
_CENTS_OF_CENTS: Final = Decimal("0.0001")


class UnreadableError(ReturnwiseError):
    """A message is not of the form that the shop documents; the text names the place."""


@dataclass(frozen=True, slots=True)
class Node:
    """A value of a message and its place.

    >>> order = Node({"id": 7, "line_items": [{"price": "1.50"}]})
    >>> order["line_items"].items()[0]["price"].amount()
    Decimal('1.50')
    >>> order["customer"]["id"].value is None
    True
    """

    value: Any
    place: str = ""

    def __getitem__(self, name: str) -> Node:
        place = f"{self.place}.{name}" if self.place else name
        if self.value is None:
            return Node(None, place)
        if not isinstance(self.value, dict):
            raise UnreadableError(f"{self.place or 'the message'} must be an object")
        return Node(self.value.get(name), place)

    def items(self) -> list[Node]:
        """The members of a list; none if it is missing."""
        if self.value is None:
            return []
        if not isinstance(self.value, list):
            raise UnreadableError(f"{self.place} must be a list")
        return [Node(value, f"{self.place}[{i}]") for i, value in enumerate(self.value)]

    def ident(self) -> str:
        """An id, sent as a number or as text."""
        found = self.text()
        if found is None:
            raise UnreadableError(f"{self.place} must be an id")
        return found

    def text(self) -> str | None:
        """Text without the blanks around it; a number as text; None if it is missing or empty."""
        if isinstance(self.value, str):
            return self.value.strip() or None
        if isinstance(self.value, int) and not isinstance(self.value, bool):
            return str(self.value)
        if self.value is None:
            return None
        raise UnreadableError(f"{self.place} must be text")

    def flag(self) -> bool:
        """Whether it is true; missing counts as not."""
        return self.value is True

    def count(self) -> int:
        """A whole number."""
        if isinstance(self.value, int | float) and not isinstance(self.value, bool) and self.value == int(self.value):
            return int(self.value)
        raise UnreadableError(f"{self.place} must be a whole number")

    def amount(self) -> Decimal:
        """An amount of money, sent as text or as a number; nothing if it is missing."""
        if self.value is None or self.value == "":
            return Decimal(0)
        text = repr(self.value) if isinstance(self.value, float) else str(self.value)
        if isinstance(self.value, bool) or not _AMOUNT.fullmatch(text):
            raise UnreadableError(f"{self.place} must be an amount")
        return Decimal(text)

    def moment(self, *, utc: bool = False) -> str:
        """A time as ISO 8601 in UTC. `utc`: the shop leaves the zone away, and means UTC."""
        try:
            moment = datetime.fromisoformat(str(self.value))
            if moment.tzinfo is None and utc:
                moment = moment.replace(tzinfo=UTC)
            if moment.tzinfo is not None:
                moment = moment.astimezone(UTC)
        except (ValueError, OverflowError):
            raise UnreadableError(f"{self.place} must be a time") from None
        if moment.tzinfo is None:
            raise UnreadableError(f"{self.place} must have a time zone")
        return moment.isoformat().replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a shop, its signature checked.

    Attributes:
        connection_id: the connection that it came by.
        prefix: stands before every id of the shop.
        sent_at: when the shop says that it was made, or when it came; microseconds since 1970 UTC.
        body: what it says.
        hasher: makes the keyed hashes of guests' e-mails.
    """

    connection_id: str
    prefix: str
    sent_at: int
    body: Node
    hasher: KeyHasher

    def event(self, key: str, kind: str, occurred_at: str | None, /, **fields: Any) -> dict[str, Any]:
        """An event of `POST /v1/events` about the thing `key`, named alike in every message about it."""
        return {
            "event_id": f"{self.connection_id}:{key}",
            "type": kind,
            "occurred_at": occurred_at or iso(self.sent_at),
            **{name: value for name, value in fields.items() if value is not None},
        }

    def own(self, ident: str) -> str:
        """An id of the shop as the ledger has it."""
        return self.prefix + ident

    def guest(self, email: str | None, order_id: str) -> str:
        """The customer id of somebody who bought without an account: the keyed hash of the e-mail, so that the orders
        of one guest belong together; without an e-mail every order stands for itself."""
        hashed = self.hasher.email(email)
        return f"guest-{hashed}" if hashed else self.own(f"guest-of-{order_id}")


@dataclass(frozen=True, slots=True)
class Mapped:
    """An event that a message stands for.

    `own_time`: whether `occurred_at` is when it happened, or only when the message was made; then a later message about
    the same thing is a repetition, although its time is another one.
    """

    event: dict[str, Any]
    own_time: bool = True


@dataclass(slots=True)
class Reading:
    """What was made of a message: events, notes about what was left out, and what people ask for about their data.

    `shop_asks`: the shop's own address, if it asks that all that came from it be erased.
    """

    events: list[Mapped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    asked: list[Asking] = field(default_factory=list)
    shop_asks: str | None = None

    def add(self, other: Reading) -> None:
        """Take the events and notes of another one, too."""
        self.events += other.events
        self.notes += other.notes


def left_out(note: str) -> Reading:
    """Nothing is made of a message, or of a part of it; the note says why."""
    return Reading(notes=[note])


def money(amount: Decimal) -> str:
    """An amount for an event: four decimals count."""
    return str(max(Decimal(0), amount).quantize(_CENTS_OF_CENTS))


def line_prices(quantity: int, before: Decimal, paid: Decimal) -> dict[str, str]:
    """`unit_price` and `discount` of a line that cost `before` in all, and `paid` after discounts.

    >>> line_prices(3, Decimal("10.00"), Decimal("9.00"))
    {'unit_price': '3.3333', 'discount': '0.9999'}
    """
    unit = (max(before, paid) / quantity).quantize(_CENTS_OF_CENTS)
    return {"unit_price": money(unit), "discount": money(unit * quantity - paid)}


def address(*parts: str | None) -> str | None:
    """An address in one spelling, as far as that goes without a directory; kept only as a keyed hash.

    >>> address("Main Street 1", None, "53111", "Bonn ", "DE")
    'main street 1|53111|bonn|de'
    """
    found = [_BLANKS.sub(" ", part).strip().casefold() for part in parts if part and part.strip()]
    return "|".join(found)[-200:] or None if len(found) > 1 else None


@dataclass(frozen=True, slots=True)
class Adapter:
    """A kind of shop.

    Attributes:
        kind: its name in commands and in the database.
        title: its name for people.
        signature_header: carries the HMAC-SHA256 of the raw body in base64.
        topic_header: carries what the message is about.
        delivery_header: carries the id of the delivery, the same when the shop sends it again.
        time_header: carries when the message was made, if any header does.
        makes_secret: whether a secret can be chosen for the shop; otherwise it comes from there.
        readers: topic -> what reads the body.
        silent: topic -> why nothing is made of it.
        reasons: the shop's word for why something comes back -> the contract's `reason`.
        is_ping: whether a body without signature only tries the address out.
    """

    kind: str
    title: str
    signature_header: str
    topic_header: str
    delivery_header: str
    time_header: str | None
    makes_secret: bool
    readers: Mapping[str, Callable[[Message], Reading]]
    silent: Mapping[str, str]
    reasons: Mapping[str, str]
    is_ping: Callable[[bytes], bool]
