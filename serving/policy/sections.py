"""Sections of a policy file that stand for themselves: costs, capacity, draws, cases, languages and texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from pydantic import ValidationError

from serving.policy import countries, rights
from serving.policy.checks import CheckRules
from serving.policy.costs import ACTIONS, Capacity, CheckCost, Costs
from serving.policy.nodes import Fields, Key, Named, Place
from serving.policy.policy import CaseRule, CaseRules
from serving.policy.scalars import integer, number, pattern, word, words
from serving.policy.texts import Texts

CODE: Final = pattern("[a-z][a-z0-9_]{0,39}", "a name of small letters, digits and _")
LANGUAGE: Final = pattern("[a-z]{2}", "a language of two small letters (ISO 639-1)")
_MONEY: Final = number(0, 1_000_000)
_SHARE: Final = number(0, 1)


def costs() -> Fields:
    """What checks cost and find."""
    check = Fields(
        (
            Key("work", _MONEY, "time and handling of one check"),
            Key("put_off", _MONEY, "what it costs to keep an honest shopper waiting for it"),
            Key("finds", _SHARE, "share of what a careful inspection would find that it finds"),
        ),
        lambda _, **values: CheckCost(**values),
    )

    def build(place: Place, **values: Any) -> Costs:
        costs = Costs(**values)
        for one, name, other in (("scan", "inspection", costs.inspection), ("inspection", "review", costs.review)):
            gentler: CheckCost = getattr(costs, one)
            if other.finds < gentler.finds or other.put_off < gentler.put_off:
                raise place.wrong(
                    f"{name} finds less, or puts off less, than {one}: more risk would lead to less of a look; "
                    f"finds and put_off must not fall from scan to inspection to review"
                )
        return costs

    return Fields(
        (
            Key("loss_share", _SHARE, "share of the goods' value that is lost when abuse is paid out"),
            Key("scan", check, "waiting for the carrier's scan (`refund_on_scan`)"),
            Key("inspection", check, "looking at the item when it arrives (`inspect_before_refund`)"),
            Key("review", check, "a person looks at everything (`staff_review` of a return)"),
            Key("trace", check, "a person asks the carrier (`staff_review` of a claim)"),
        ),
        build,
    )


def capacity() -> Fields:
    """How many returns staff can look at."""
    none = "nobody could look at anything, and every check would wait for ever; give what staff can do in a day"
    return Fields(
        (
            Key("checks_a_day", integer(1, 1_000_000, why=none), "returns that staff can look at in a day"),
            Key(
                "least_gain",
                _MONEY,
                "what a look must be expected to bring beyond its cost, so that there are no more than staff can make; "
                "`returnwise policy simulate` proposes it",
            ),
            Key("days_over", number(0, 0.5), "share of days on which there may be more checks than that", 0.05),
        ),
        lambda _, **values: Capacity(**values),
    )


def checks() -> Fields:
    """The odds of draws."""

    def build(place: Place, **values: float) -> CheckRules:
        try:
            return CheckRules(**values)
        except ValidationError as error:
            raise place.wrong(error.errors()[0]["msg"].removeprefix("Value error, ")) from None

    return Fields(
        (
            Key("random_rate", number(0, 0.5), "odds of the draw"),
            Key("uncertain_rate", number(0, 0.5), "odds where the risk is uncertain"),
            Key("uncertain_from", _SHARE, "uncertain from so many times the risk at which `elevated` begins"),
        ),
        build,
    )


def cases() -> Fields:
    """How long staff have for a case."""

    def rule(most: int, why: str) -> Fields:
        return Fields(
            (
                Key("due_days", integer(1, most), f"days that staff have; {why}"),
                Key("past_due", word(("clear", "escalate"), "way"), "what happens then: it is never refused"),
            ),
            lambda _, **values: CaseRule(**values),
        )

    def days(name: str, text: str) -> Key:
        return Key(name, integer(1, 90), text)

    def build(_: Place, **values: Any) -> CaseRules:
        opened = {name: found for name, found in values.items() if isinstance(found, CaseRule)}
        return CaseRules(opened, **{name: found for name, found in values.items() if name not in opened})

    law = f"at most {rights.REFUND_DAYS}, as the law wants the refund by then"
    return Fields(
        (
            Key("inspect_before_refund", rule(rights.REFUND_DAYS, law), "the action asked for a look at the item"),
            Key("staff_review", rule(rights.REFUND_DAYS, law), "the action asked for a person"),
            Key("draw", rule(90, "no refund waits for it"), "the return was drawn"),
            Key("hand", rule(90, "counted from when it was opened"), "a person opened it"),
            Key("dispute", rule(30, "counted from when it was received"), "the customer disputes a verdict"),
            days("wait_customer_days", "a wait for the customer puts the deadline off to so many days from then"),
            days("wait_inspection_days", "so does a wait for the goods"),
            days("longest_days", "no wait puts it off to more than so many days after the case was opened"),
            days("second_opinion_days", "days that another person has for a second opinion"),
            days("escalated_days", "days more for a case that was escalated, once; then it is cleared"),
        ),
        build,
    )


def languages() -> Fields:
    """Which language a customer is written to in."""
    by_country = Named(word(countries.ALL, "country"), LANGUAGE)
    return Fields(
        (
            Key("default", LANGUAGE, "where no country says otherwise"),
            Key("countries", by_country, "language by country", {}),
        ),
        lambda place, default, countries: (place, default, countries),
    )


def texts() -> Fields:
    """What the customer reads, in one language."""

    def all_of(keys: Sequence[Key]) -> Fields:
        return Fields(tuple(keys), lambda _, **values: values)

    offer = {"exchange": "an exchange", "store_credit": "store credit", "partial_refund": "a lower refund for over-use"}
    return Fields(
        (
            Key(
                "notices",
                all_of([Key(action, words(600), f"what the customer is told with `{action}`") for action in ACTIONS]),
                "what the customer is told about each action",
            ),
            Key("conditions", Named(CODE, words(300)), "each condition in words", {}),
            Key(
                "offers",
                all_of(
                    [Key(name, words(400), f"how {what} is offered") for name, what in offer.items()]
                    + [Key("store_credit_bonus", words(400, ("percent",)), "how store credit with a bonus is offered")]
                ),
                "how each alternative is offered",
            ),
            Key(
                "fees",
                all_of(
                    [
                        Key(name, words(300, ("amount", "currency")), f"how {name} is told")
                        for name in ("postage", "restocking")
                    ]
                ),
                "how fees are told",
            ),
        ),
        lambda place, **values: (place, Texts(**values)),
    )
