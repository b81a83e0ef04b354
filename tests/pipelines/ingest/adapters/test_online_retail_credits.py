"""Matching credits with purchases."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipelines.ingest.adapters.online_retail_credits import Credit, Part, Purchase, match

_people = st.sampled_from("AB")
_items = st.sampled_from("xy")
_purchases = st.lists(st.tuples(_people, _items, st.integers(0, 9), st.integers(1, 5)), max_size=12)
_credits = st.lists(st.tuples(_people, _items, st.integers(0, 9), st.integers(1, 7)), max_size=12)


def made(
    purchases: list[tuple[str, str, int, int]], credits: list[tuple[str, str, int, int]]
) -> tuple[list[Purchase], list[Credit]]:
    return (
        [Purchase(line, *values) for line, values in enumerate(purchases)],
        [Credit(line, *values) for line, values in enumerate(credits, 100)],
    )


def unit_by_unit(purchases: list[Purchase], credits: list[Credit]) -> dict[tuple[int, int], int]:
    """The slow way: each unit credited takes the oldest unit bought that is still open."""
    units = [p for p in sorted(purchases, key=lambda p: (p.moment, p.line)) for _ in range(p.quantity)]
    found: dict[tuple[int, int], int] = {}
    for credit in sorted(credits, key=lambda c: (c.moment, c.line)):
        for _ in range(credit.quantity):
            open_units = [
                u for u in units if (u.customer, u.item) == (credit.customer, credit.item) and u.moment <= credit.moment
            ]
            if open_units:
                units.remove(open_units[0])
                key = credit.line, open_units[0].line
                found[key] = found.get(key, 0) + 1
    return found


@given(_purchases, _credits)
def test_the_same_as_unit_by_unit(
    bought: list[tuple[str, str, int, int]], credited: list[tuple[str, str, int, int]]
) -> None:
    purchases, credits = made(bought, credited)
    found = match(purchases, credits)
    assert {(part.credit, part.purchase): part.quantity for part in found.parts} == unit_by_unit(purchases, credits)
    assert len({(part.credit, part.purchase) for part in found.parts}) == len(found.parts)


@given(_purchases, _credits)
def test_every_credit_and_unit_is_accounted_for_once(
    bought: list[tuple[str, str, int, int]], credited: list[tuple[str, str, int, int]]
) -> None:
    purchases, credits = made(bought, credited)
    found = match(purchases, credits)
    matched = {part.credit for part in found.parts}
    groups = [matched, set(found.never_bought), set(found.nothing_left)]
    assert sum(len(group) for group in groups) == len(credits)
    assert set.union(*groups) == {credit.line for credit in credits}
    assert set(found.units_beyond) <= matched
    unmatched = {line for group in groups[1:] for line in group}
    beyond = sum(found.units_beyond.values()) + sum(c.quantity for c in credits if c.line in unmatched)
    assert sum(c.quantity for c in credits) == sum(part.quantity for part in found.parts) + beyond


def test_oldest_first_and_split() -> None:
    purchases, credits = made([("A", "x", 5, 2), ("A", "x", 1, 2)], [("A", "x", 9, 3)])
    assert match(purchases, credits).parts == [Part(100, 1, 2), Part(100, 0, 1)]


def test_what_is_bought_later_is_not_taken_back() -> None:
    purchases, credits = made([("A", "x", 5, 2)], [("A", "x", 4, 1)])
    found = match(purchases, credits)
    assert (found.parts, found.never_bought) == ([], [100])


def test_another_customers_purchase_is_not_taken_back() -> None:
    purchases, credits = made([("B", "x", 1, 2)], [("A", "x", 4, 1)])
    assert match(purchases, credits).never_bought == [100]


def test_more_credited_than_bought() -> None:
    purchases, credits = made([("A", "x", 1, 2)], [("A", "x", 4, 3), ("A", "x", 5, 1)])
    found = match(purchases, credits)
    assert (found.parts, found.units_beyond, found.nothing_left) == ([Part(100, 0, 2)], {100: 1}, [101])
