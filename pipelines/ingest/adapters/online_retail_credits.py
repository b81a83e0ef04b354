"""Finds the purchases that credits take back: same customer, same item, oldest line with units left first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Purchase:
    """A line of an order: `line` is its place in the input."""

    line: int
    customer: str
    item: str
    moment: int  # of its order
    quantity: int


@dataclass(frozen=True)
class Credit:
    """A line of a credit note, with the units it takes back as a positive number."""

    line: int
    customer: str
    item: str
    moment: int
    quantity: int


@dataclass(frozen=True)
class Part:
    """`quantity` units of the credit in line `credit` of the input belong to the purchase in line `purchase`."""

    credit: int
    purchase: int
    quantity: int


@dataclass(frozen=True)
class Matches:
    """What became of the credits: their parts, and the lines of those that have none, by why."""

    parts: list[Part]
    never_bought: list[int]
    nothing_left: list[int]
    units_beyond: dict[int, int]  # by credit line: units more than were bought, where some were


def match(purchases: Iterable[Purchase], credits: Iterable[Credit]) -> Matches:
    """Gives each credit, in order of time, the oldest open units that were bought no later than the credit.

    Equal moments keep the order of the input, so that the same lines give the same matches.
    """
    bought: dict[tuple[str, str], list[Purchase]] = defaultdict(list)
    for purchase in sorted(purchases, key=lambda purchase: (purchase.moment, purchase.line)):
        bought[purchase.customer, purchase.item].append(purchase)
    left = {purchase.line: purchase.quantity for lines in bought.values() for purchase in lines}
    first_open: dict[tuple[str, str], int] = defaultdict(int)
    found = Matches([], [], [], {})
    for credit in sorted(credits, key=lambda credit: (credit.moment, credit.line)):
        key = credit.customer, credit.item
        lines = bought.get(key, [])
        if not lines or lines[0].moment > credit.moment:
            found.never_bought.append(credit.line)
            continue
        wanted = credit.quantity
        while wanted and first_open[key] < len(lines) and lines[first_open[key]].moment <= credit.moment:
            purchase = lines[first_open[key]]
            taken = min(wanted, left[purchase.line])
            found.parts.append(Part(credit.line, purchase.line, taken))
            wanted -= taken
            left[purchase.line] -= taken
            if left[purchase.line] == 0:
                first_open[key] += 1
        if wanted == credit.quantity:
            found.nothing_left.append(credit.line)
        elif wanted:
            found.units_beyond[credit.line] = wanted
    return found
