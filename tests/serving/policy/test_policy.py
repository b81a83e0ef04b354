from __future__ import annotations

import itertools
from typing import Any, get_args

import pytest

from serving.policy.costs import ACTIONS, Capacity, CheckCost, Costs, ExpectedCost
from serving.policy.policy import Band, CaseRule, Decision, Facts, Kind
from serving.policy.rights import Purchase
from serving.policy.source import default_policy
from tests.support.policies import DAY, policy_of, replaced

POLICY = default_policy()


def facts(kind: str = "return", risk: float = 0.02, value: int = 5_000, **more: Any) -> Facts:
    return Facts(
        **({"reason": "size_fit", "band": "low", "sufficient": True} | more), kind=kind, risk=risk, value_minor=value
    )


class TestDefault:
    @pytest.mark.parametrize(
        ("asked", "action", "clause"),
        [
            (facts(), "refund_now", "expected-cost"),
            (facts(risk=0.2), "refund_on_scan", "expected-cost"),
            (facts(risk=0.4), "inspect_before_refund", "expected-cost"),
            (facts(risk=0.99, value=1_499), "refund_now", "small-value"),
            (facts(risk=0.4, value=60_000), "staff_review", "expected-cost"),
            (facts(risk=0.4, value=60_000, sufficient=False), "inspect_before_refund", "expected-cost"),
            (facts("claim", risk=0.02), "refund_now", "expected-cost"),
            (facts("claim", risk=0.4, value=10_000), "staff_review", "expected-cost"),
            (facts(restricted=True), "inspect_before_refund", "restriction"),
            (facts(restricted=True, risk=0.4, value=60_000), "staff_review", "expected-cost"),
            (facts("claim", restricted=True), "refund_now", "expected-cost"),
        ],
    )
    def test_decides(self, asked: Facts, action: str, clause: str) -> None:
        assert POLICY.decide(asked) == Decision(action, clause)  # type: ignore[arg-type]

    def test_no_action_refuses(self) -> None:
        risks, values = (0.0, 0.1, 0.5, 1.0), (0, 1_999, 20_000, 10**9)
        cases = itertools.product(get_args(Kind), get_args(Band), (True, False), risks, values)
        found = {POLICY.decide(facts(k, r, v, band=b, sufficient=s)).action for k, b, s, r, v in cases}
        assert found == set(ACTIONS)

    def test_values_are_in_its_currency(self) -> None:
        assert POLICY.decide(facts(value=1_400, risk=0.9, currency="GBP")).clause == "expected-cost"
        assert POLICY.decide(facts(value=1_400, risk=0.9, currency="SEK")).clause == "small-value"
        assert POLICY.value(100, None) == POLICY.value(100, "EUR") == 100

    def test_cases_have_a_deadline_and_an_end(self) -> None:
        assert POLICY.cases.opened["staff_review"] == CaseRule(2, "escalate")
        assert POLICY.cases.opened["draw"] == CaseRule(21, "clear")
        assert POLICY.cases.longest_days == 30


class TestExpectedCost:
    check = CheckCost(5, 3, 0.9)
    costs = Costs(0.6, CheckCost(0.25, 0.25, 0.15), check, CheckCost(12, 4, 0.97), CheckCost(6, 4, 0.8))

    def test_is_the_formula_of_the_page(self) -> None:
        options = dict(ExpectedCost(self.costs, 0).options("return", True, 0.2, 100))
        assert options["refund_now"] == pytest.approx(0.2 * 0.6 * 100)
        assert options["inspect_before_refund"] == pytest.approx(5 + 0.8 * 3 + 0.2 * 0.1 * 0.6 * 100)
        assert set(options) == set(ACTIONS)
        assert set(dict(ExpectedCost(self.costs, 0).options("claim", True, 0.2, 100))) == {"refund_now", "staff_review"}

    def test_a_look_must_bring_the_least_gain_beyond_its_cost(self) -> None:
        best = [ExpectedCost(self.costs, least).best("return", True, 0.2, 100) for least in (0, 3.3, 3.4, 9)]
        # the scan saves 0.2 * 0.15 * 60 - 0.25 - 0.8 * 0.25 = 1.35, the inspection 0.2 * 0.9 * 60 - 5 - 0.8 * 3 = 3.4
        assert best == ["inspect_before_refund", "refund_on_scan", "refund_on_scan", "refund_on_scan"]
        assert ExpectedCost(self.costs, 2.0).best("return", True, 0.2, 100) == "inspect_before_refund"

    def test_of_equals_it_takes_what_asks_least(self) -> None:
        free = Costs(0, *[CheckCost()] * 4)
        assert ExpectedCost(free, 0).best("return", True, 1.0, 1_000) == "refund_now"

    def test_capacity_is_no_counter(self) -> None:
        assert Capacity(1, 0.0, 0.05).least_gain == 0.0
        assert {POLICY.decide(facts(risk=0.4)).action for _ in range(1_000)} == {"inspect_before_refund"}


class TestCustomer:
    def told(self, country: str | None, action: str = "inspect_before_refund", **more: Any) -> list[dict[str, Any]]:
        asked = facts(country=country, channel="web", **more)
        right = POLICY.right(asked, Purchase(20_500 * DAY, 20_490 * DAY, 20_493 * DAY))
        return POLICY.alternatives_told(asked, action, right, "refund")

    def test_reads_the_language_of_the_country(self) -> None:
        assert [POLICY.language(country) for country in ("NL", "BE", "DE", None)] == ["nl", "nl", "en", "en"]
        assert POLICY.notice("refund_now", "NL").startswith("Je geld")
        assert POLICY.notice("refund_now", None).startswith("Your refund")

    def test_is_offered_what_fits(self) -> None:
        assert self.told("DE", category="shoes") == [
            {
                "offer": "exchange",
                "clause": "exchange",
                "text": "If you like, we send you another one instead of a refund.",
            },
            {
                "offer": "store_credit",
                "clause": "credit",
                "bonus_percent": 5,
                "text": "If you like, we give you store credit instead of a refund, and add 5%.",
            },
            {
                "offer": "partial_refund",
                "clause": "over-use",
                "text": "If the item turns out to have been used beyond trying it on, the refund may be lower by what "
                "it lost in value.",
            },
        ]
        assert [offer["offer"] for offer in self.told("NL", "refund_now", category="shoes")] == [
            "exchange",
            "store_credit",
        ]
        assert [offer["offer"] for offer in self.told("DE", reason="defective", category="shoes")] == [
            "exchange",
            "partial_refund",
        ]

    def test_reads_what_applies_in_the_same_language(self) -> None:
        text = replaced(
            "    window_days: 30\n    conditions: [unused, complete]\n    non_returnable: [beauty]\n\n#",
            "    window_days: 30\n    conditions: [unused]\n    fee: {postage: 4.95, restocking: 2}\n\n#",
        )
        policy = policy_of(text)
        purchase = Purchase(20_500 * DAY, 20_490 * DAY, 20_493 * DAY)
        asked = facts(country="US", channel="web")
        assert policy.right_told(policy.right(asked, purchase), "US") == {
            "basis": "policy",
            "until": "2026-03-11",
            "may_refuse": False,
            "clause": "usual",
            "covered": True,
            "conditions": [
                {"code": "unused", "text": "The item has been tried on or tried out, and not used beyond that."}
            ],
            "fees": [
                {
                    "kind": "postage",
                    "amount": "4.95",
                    "currency": "EUR",
                    "text": "The postage of the return is taken off the refund: 4.95 EUR.",
                },
                {
                    "kind": "restocking",
                    "amount": "2.00",
                    "currency": "EUR",
                    "text": "A fee for taking it back is taken off the refund: 2.00 EUR.",
                },
            ],
        }
        dutch = policy.right_told(policy.right(asked._replace(country="NL"), purchase), "NL")
        assert [fee["text"] for fee in dutch["fees"]] == [
            "De verzendkosten van de retour gaan van het bedrag af: 4.95 EUR."
        ]
