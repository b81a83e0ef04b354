"""The table contract, declared once: pandera schemas, normalisation and the checks of the documents derive from it."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

from features.ledger import vocabulary

ID_LENGTH: Final = 200
MAX_QUANTITY: Final = 100_000
MAX_PRICE: Final = 10_000_000


class Kind(enum.Enum):
    """What a column holds, and so how its text is read."""

    ID = "id"  # opaque text
    KEY = "key"  # opaque id or raw value, hashed before it is stored
    TEXT = "text"
    CHOICE = "choice"  # one of a closed vocabulary
    COUNTRY = "country"
    CURRENCY = "currency"
    TIME = "time"
    QUANTITY = "quantity"
    MONEY = "money"
    SHARE = "share"  # a probability above 0
    FLAG = "flag"

    @property
    def is_text(self) -> bool:
        """Whether the value stays text after normalisation."""
        return self in _TEXT_KINDS

    @property
    def is_number(self) -> bool:
        """Whether the value is checked as a float64 number."""
        return self in (Kind.QUANTITY, Kind.MONEY, Kind.SHARE)


_TEXT_KINDS: Final = (Kind.ID, Kind.KEY, Kind.TEXT, Kind.CHOICE, Kind.COUNTRY, Kind.CURRENCY)


@dataclass(frozen=True)
class Column:
    """One column of the contract: how it is called, what it holds, and what is allowed in it."""

    name: str
    kind: Kind
    required: bool = False
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None

    @property
    def ledger_name(self) -> str:
        """Name of the normalised value: money is passed on in 1/10,000 of the currency."""
        return f"{self.name}_e4" if self.kind is Kind.MONEY else self.name


@dataclass(frozen=True)
class Table:
    """One table of the contract, with its columns in the order of the documents."""

    name: str
    columns: tuple[Column, ...]

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the columns that every file of this table must have."""
        return tuple(column.name for column in self.columns if column.required)

    def column(self, name: str) -> Column | None:
        """The column of that name, if the contract has it."""
        return next((column for column in self.columns if column.name == name), None)


def _id(name: str, *, required: bool = True) -> Column:
    return Column(name, Kind.ID, required, low=1, high=ID_LENGTH)


def _key(name: str) -> Column:
    return Column(name, Kind.KEY, low=1, high=ID_LENGTH)


def _text(name: str) -> Column:
    return Column(name, Kind.TEXT, low=1, high=ID_LENGTH)


def _time(name: str, *, required: bool = True) -> Column:
    return Column(name, Kind.TIME, required, low=0)


def _choice(name: str, choices: tuple[str, ...], *, required: bool = False) -> Column:
    return Column(name, Kind.CHOICE, required, choices=choices)


def _quantity(name: str) -> Column:
    return Column(name, Kind.QUANTITY, True, low=1, high=MAX_QUANTITY)


def _money(name: str, *, required: bool) -> Column:
    return Column(name, Kind.MONEY, required, low=0, high=MAX_PRICE)


def _table(name: str, *columns: Column) -> Table:
    return Table(name, (*columns, _time("recorded_at", required=False)))


ORDERS: Final = _table(
    "orders",
    _id("order_id"),
    _id("customer_id"),
    _time("ordered_at"),
    _choice("channel", vocabulary.CHANNELS),
    Column("country", Kind.COUNTRY),
    Column("currency", Kind.CURRENCY),
    _key("email_id"),
    _key("address_id"),
    _key("payment_id"),
    _key("device_id"),
    _text("courier"),
)
ORDER_LINES: Final = _table(
    "order_lines",
    _id("order_id"),
    _id("line_id"),
    _id("sku"),
    _quantity("quantity"),
    _money("unit_price", required=True),
    _text("category"),
    _money("discount", required=False),
)
DELIVERIES: Final = _table(
    "deliveries",
    _id("order_id"),
    _time("delivered_at"),
    _choice("proof", vocabulary.PROOFS),
)
RETURNS: Final = _table(
    "returns",
    _id("return_id"),
    _id("order_id"),
    _id("line_id"),
    _time("requested_at"),
    _quantity("quantity"),
    _choice("reason", vocabulary.REASONS, required=True),
    _choice("kind", vocabulary.KINDS),
    _choice("resolution", vocabulary.RESOLUTIONS),
    _choice("channel", vocabulary.CHANNELS),
    _choice("tender", vocabulary.TENDERS),
    Column("proof_of_purchase", Kind.FLAG),
)
INSPECTIONS: Final = _table(
    "inspections",
    _id("return_id"),
    _time("inspected_at"),
    _choice("finding", vocabulary.FINDINGS, required=True),
    _choice("trigger", vocabulary.TRIGGERS),
    Column("propensity", Kind.SHARE, low=0, high=1),
    _id("line_id", required=False),
)
VERDICTS: Final = _table(
    "verdicts",
    _id("return_id"),
    _time("decided_at"),
    _choice("verdict", vocabulary.VERDICTS, required=True),
    _choice("abuse_type", vocabulary.ABUSE_TYPES),
    _choice("basis", vocabulary.BASES),
)

#: In the order of ingest: a row's order and return must be known before it.
TABLES: Final = (ORDERS, ORDER_LINES, DELIVERIES, RETURNS, INSPECTIONS, VERDICTS)
