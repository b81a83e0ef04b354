"""The keys of a policy file: how each is read, and what it means. The pages about them are made from this."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, NamedTuple

from features.ledger.vocabulary import CHANNELS, KINDS, REASONS
from serving.policy import countries, rights, sections
from serving.policy.checks import CheckRules
from serving.policy.conditions import BANDS, DEAREST, DIMENSIONS, HISTORIES, UNKNOWN, Box
from serving.policy.costs import ACTIONS, Capacity, Costs
from serving.policy.nodes import Fields, Key, Listing, Named, Place, Reader, Scalar
from serving.policy.policy import CaseRules
from serving.policy.scalars import integer, number, pattern, word
from serving.policy.terms import Fee
from serving.policy.texts import Texts

OFFERS: Final = ("exchange", "store_credit", "partial_refund")
OPENED: Final = ("inspect_before_refund", "staff_review", "draw", "hand", "dispute")
#: Names of clauses that no entry may have.
RESERVED: Final = ("expected-cost", "restriction", "withdrawal", "warranty")

_MONEY: Final = number(0, 1_000_000)
_SHARE: Final = number(0, 1)
_CURRENCY: Final = pattern("[A-Z]{3}", "a currency of three capital letters (ISO 4217)")
_VERSION: Final = pattern("[A-Za-z0-9][A-Za-z0-9._-]{0,39}", "a name of letters, digits, . _ and - such as 2026-12")
_ID: Final = pattern("[a-z][a-z0-9-]{0,39}", "a name of small letters, digits and - such as gifts-2026")
_CATEGORY: Final = pattern(r"[^\s{}](.{0,98}[^\s{}])?", "the name of a category")


@dataclass(frozen=True)
class Entry:
    """An entry of a list with an id: its place, whom it is for, and what it says."""

    place: Place
    id: str
    box: Box
    says: dict[str, Any]


class Document(NamedTuple):
    """What a file says, before its parts are held against each other; `at` has the place of each section."""

    at: Place
    version: str
    currency: str
    rates: dict[str, float]
    categories: tuple[str, ...]
    costs: Costs
    capacity: Capacity
    decide: tuple[str, tuple[Entry, ...]]
    checks: CheckRules
    terms: tuple[Entry, ...]
    seasons: tuple[Entry, ...]
    alternatives: tuple[Entry, ...]
    cases: CaseRules
    languages: tuple[Place, str, dict[str, str]]
    texts: dict[str, tuple[Place, Texts]]


def document(categories: Sequence[str] = ()) -> Fields:
    """The whole file, for a shop with these categories."""
    when = _conditions(categories)
    shop = ("country", "channel", "category")
    rule = (Key("action", word(ACTIONS, "action"), "what to do: one of the four actions"),)
    return Fields(
        (
            Key("version", _VERSION, "names this text; a new one for every change, as every answer names it"),
            Key("currency", _CURRENCY, "what all money in this file is in"),
            Key(
                "rates",
                Named(_CURRENCY, number(0.000001, 1_000_000)),
                "what one unit of another currency is worth in this one; without a rate, one is taken for one",
                {},
            ),
            Key("categories", Listing(_CATEGORY), "the shop's categories that this file may name", ()),
            Key("costs", sections.costs(), "what checks cost and find"),
            Key("capacity", sections.capacity(), "how many returns staff can look at"),
            Key(
                "decide",
                Fields(
                    (
                        Key("by", word(("expected_cost", "rules"), "way"), "what decides where no rule fits"),
                        Key(
                            "rules",
                            Listing(_entry(when, (*DIMENSIONS, "value_from", "value_below"), rule), distinct=False),
                            "fixed handling of some returns; the first that fits decides",
                            (),
                        ),
                    ),
                    lambda _, by, rules: (by, rules),
                ),
                "how an action is chosen",
            ),
            Key("checks", sections.checks(), "the odds with which returns are drawn for a look: see looking.md"),
            Key(
                "terms",
                Listing(_entry(when, shop, _terms(categories)), fewest=1, distinct=False),
                "what the shop grants",
            ),
            Key(
                "seasons",
                Listing(_entry(when, shop, _season()), distinct=False),
                "orders of a season that may come back for longer",
                (),
            ),
            Key(
                "alternatives",
                Listing(
                    _entry(when, ("kind", "reason", *shop, "value_from", "value_below"), _alternative()), distinct=False
                ),
                "what is offered beside what was asked for",
                (),
            ),
            Key("cases", sections.cases(), "how long staff have for a case, by what opened it"),
            Key("languages", sections.languages(), "the language that a customer is written to in"),
            Key("texts", Named(sections.LANGUAGE, sections.texts(), 1), "what the customer reads, by language"),
        ),
        lambda place, **values: Document(place, **values),
    )


def categories_reader() -> Reader:
    """Reads the shop's categories, which the rest of the file is read with."""
    return Listing(_CATEGORY)


def _conditions(categories: Sequence[str]) -> dict[str, Key]:
    """Keys of `when` by name."""
    places = word((*countries.ALL, "EU", UNKNOWN), "country")
    money = number(0, 10_000_000)
    named: tuple[tuple[str, Scalar, str], ...] = (
        ("kind", word(KINDS, "kind"), "goods come back (return), or money is asked for without them (claim)"),
        ("band", word(BANDS, "risk band"), "band of the risk"),
        ("history", word(HISTORIES, "history"), "whether the customer's history is enough for a risk of its own"),
        ("country", places, "country of the order (ISO 3166-1), EU for all its states, or unknown"),
        ("channel", word((*CHANNELS, UNKNOWN), "channel"), "channel of the order, or unknown"),
        ("category", _category(categories), "category of the dearest item, one of `categories`, or unknown"),
        ("reason", word(REASONS, "reason"), "the reason that was given"),
    )
    keys = {name: Key(name, Listing(of, single=True, fewest=1), text, None) for name, of, text in named}
    keys["value_from"] = Key("value_from", money, "value of what comes back, at least", 0.0)
    keys["value_below"] = Key("value_below", money, "value of what comes back, less than", None)
    return keys


def _category(categories: Sequence[str]) -> Scalar:
    def convert(text: str) -> str:
        if text not in (*categories, UNKNOWN):
            close = difflib.get_close_matches(text, categories, 1)
            perhaps = f"did you mean {close[0]!r}? " if close else ""
            raise ValueError(f"unknown category {text[:60]!r}; {perhaps}if the shop has it, add it to categories")
        return text

    return Scalar("category", convert)


def _entry(when: dict[str, Key], names: Sequence[str], keys: tuple[Key, ...]) -> Fields:
    head = (
        Key("id", _ID, "names the entry, as answers do"),
        Key("when", Fields(tuple(when[name] for name in names), _box), "which returns; all, without it", Box()),
    )

    def build(place: Place, id: str, when: Box, **says: Any) -> Entry:
        if id in RESERVED:
            raise place.wrong(f"the id {id!r} stands for something else; choose another")
        return Entry(place, id, when, says)

    return Fields((*head, *keys), build)


def _box(_: Place, value_from: float = 0.0, value_below: float | None = None, **named: Any) -> Box:
    sets = []
    for at, name in enumerate(DIMENSIONS):
        if named.get(name) is not None:
            found = frozenset(named[name])
            sets.append((at, found - {"EU"} | countries.EU if "EU" in found else found))
    below = DEAREST if value_below is None else round(value_below * 100)
    return Box(tuple(sets), round(value_from * 100), below)


def _terms(categories: Sequence[str]) -> tuple[Key, ...]:
    fee = Fields(
        (
            Key("postage", _MONEY, "cost of sending it back; never where the shop is at fault", 0.0),
            Key("restocking", _MONEY, "the shop's own; never within a right that the law gives", 0.0),
        ),
        lambda _, postage, restocking: Fee(round(postage * 100), round(restocking * 100)),
    )
    law = f"the law gives {rights.WITHDRAWAL_DAYS} days, and this file may only give more"
    warranty = f"the law gives {rights.WARRANTY_DAYS} days, and this file may only give more"
    return (
        Key("window_days", integer(0, 3_650), "days from delivery in which goods may come back"),
        Key("conditions", Listing(sections.CODE), "what the goods have to be like; each needs a text", ()),
        Key(
            "non_returnable",
            Listing(_category(categories)),
            "categories that the shop does not take back of its own accord",
            (),
        ),
        Key("fee", fee, "what is taken off the refund", Fee()),
        Key(
            "withdrawal_days",
            integer(rights.WITHDRAWAL_DAYS, 3_650, why=law),
            f"withdrawal without a reason for so many days, where the law gives {rights.WITHDRAWAL_DAYS} or nothing",
            None,
        ),
        Key(
            "warranty_days",
            integer(rights.WARRANTY_DAYS, 36_500, why=warranty),
            f"days of warranty, where the law gives {rights.WARRANTY_DAYS}",
            None,
        ),
    )


def _season() -> tuple[Key, ...]:
    def convert(text: str) -> tuple[int, int]:
        try:
            month, day = (int(part) for part in text.split("-"))
            date(2023, month, day)
        except ValueError:
            raise ValueError(f"must be a day of every year as month-day such as 12-31, not {text[:20]!r}") from None
        return month, day

    day = Scalar("a day as month-day such as 12-31", convert)
    return (
        Key("ordered_from", day, "first day of the order"),
        Key("ordered_to", day, "last day of the order"),
        Key("until", day, "the first such day after that is the last on which goods may come back"),
    )


def _alternative() -> tuple[Key, ...]:
    return (
        Key("offer", word(OFFERS, "offer"), "what is offered; the choice is the customer's"),
        Key("bonus_percent", integer(1, 100), "so much more, where it is store credit", 0),
    )
