"""Whatever a policy file says, and whatever is asked: what holds of every answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any, get_args

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.ledger.vocabulary import VERDICTS
from serving.clock import iso_date
from serving.policy.costs import ACTIONS, NEEDS_GOODS, RANK
from serving.policy.countries import EU
from serving.policy.policy import Action, Facts, Policy
from serving.policy.reading import read
from serving.policy.rights import WARRANTY_REASONS, WITHDRAWAL_DAYS, Purchase
from tests.support.policies import DAY, DEFAULT, facts, policies, policy_of, purchases
from tests.support.repository import ROOT

many = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))


def test_there_are_four_actions_and_none_refuses() -> None:
    assert get_args(Action) == ("refund_now", "refund_on_scan", "inspect_before_refund", "staff_review")
    assert not set(VERDICTS) & {"refused"}


@many
@given(policies(), facts())
def test_of_every_policy_and_return_the_action_is_one_that_may_be(policy: Policy, asked: Facts) -> None:
    action, clause = policy.decide(asked)
    assert action in ACTIONS
    assert clause in {*policy.clauses, "restriction"}
    if asked.kind == "claim":
        assert action not in NEEDS_GOODS
    elif not asked.sufficient:
        assert RANK[action] <= RANK["inspect_before_refund"]
    assert policy.notice(action, asked.country)


@many
@given(policies(), facts())
def test_a_restriction_asks_for_a_look_and_for_no_more(policy: Policy, asked: Facts) -> None:
    usual = policy.decide(asked._replace(restricted=False)).action
    restricted = policy.decide(asked._replace(restricted=True)).action
    if asked.kind == "claim":
        assert restricted == usual
    else:
        assert RANK[restricted] == max(RANK[usual], RANK["inspect_before_refund"])


@many
@given(policies(), facts(), purchases())
def test_no_right_is_taken_away(policy: Policy, asked: Facts, purchase: Purchase) -> None:
    right = policy.right(asked, purchase)
    told = policy.right_told(right, asked.country)
    assert told["may_refuse"] is False
    delivered = purchase.delivered_at
    by_law = asked.country in EU and asked.channel != "store"
    if by_law and (delivered is None or purchase.requested_at // DAY <= delivered // DAY + WITHDRAWAL_DAYS):
        assert right.basis == "withdrawal"
        assert delivered is None or right.until is not None
        assert delivered is None or right.until >= iso_date(delivered + WITHDRAWAL_DAYS * DAY)  # type: ignore[operator]
    elif asked.reason in WARRANTY_REASONS and (delivered is None or purchase.requested_at <= delivered + 730 * DAY):
        assert right.basis in ("withdrawal", "warranty")
    if right.basis != "policy":
        assert right.covered
        assert right.conditions == ()
        assert right.fee.restocking == 0
    if asked.reason in WARRANTY_REASONS and right.basis != "policy":
        assert told["fees"] == []


@many
@given(policies(), facts(), purchases(), st.sampled_from(("refund", "exchange", "store_credit", None)))
def test_what_is_offered_is_lawful_and_never_what_was_asked_for(
    policy: Policy, asked: Facts, purchase: Purchase, resolution: str | None
) -> None:
    action, _ = policy.decide(asked)
    right = policy.right(asked, purchase)
    offered = policy.alternatives_told(asked, action, right, resolution)
    assert len({o["offer"] for o in offered}) == len(offered)
    for offer in offered:
        assert offer["offer"] != resolution
        assert offer["clause"] in policy.clauses
        if offer["offer"] == "partial_refund":
            assert asked.kind == "return"
            assert action in ("inspect_before_refund", "staff_review")
            assert right.basis != "warranty"


@many
@given(policies(), facts(), st.floats(0, 1))
def test_more_risk_never_means_less_of_a_look(policy: Policy, asked: Facts, other: float) -> None:
    low, high = (policy.by_cost.best(asked.kind, asked.sufficient, risk, 50.0) for risk in sorted((asked.risk, other)))
    assert RANK[low] <= RANK[high]


@many
@given(policies(), facts(), purchases())
def test_the_same_return_and_text_give_the_same_answer(policy: Policy, asked: Facts, purchase: Purchase) -> None:
    again = read(policy.text, "again")
    assert again == policy
    assert again.decide(asked) == policy.decide(asked)
    assert again.right(asked, purchase) == policy.right(asked, purchase)


_SCRIPT = """
import json, sys
from serving.policy.policy import Facts
from serving.policy.reading import read
from serving.policy.rights import Purchase
said = json.load(sys.stdin)
policy = read(said["text"], "test")
out = []
for fields, moments in said["asked"]:
    facts, purchase = Facts(*fields), Purchase(*moments)
    action, clause = policy.decide(facts)
    right = policy.right(facts, purchase)
    out.append([action, clause, policy.right_told(right, facts.country),
                policy.alternatives_told(facts, action, right, None)])
print(json.dumps(out))
"""


def test_so_do_processes_with_other_hash_seeds() -> None:
    policy, asked = policy_of(DEFAULT), []
    for number in range(300):
        fields = Facts(
            ("return", "claim")[number % 7 == 0],
            ("size_fit", "gift", "defective", "changed_mind")[number % 4],
            number / 300,
            ("low", "elevated", "high")[number % 3],
            number % 5 > 0,
            number * 377 % 90_000,
            ("EUR", "GBP", None)[number % 3],
            ("DE", "NL", "GB", "US", None)[number % 5],
            ("web", "store", None)[number % 3],
            ("shoes", "beauty", "hats")[number % 3],
            number % 11 == 0,
        )
        ordered = (20_700 + number) * DAY
        asked.append((fields, Purchase(ordered + number * 3 * DAY, ordered, ordered + DAY)))

    def answers(seed: str) -> Any:
        said = json.dumps({"text": DEFAULT, "asked": asked})
        done = subprocess.run(
            [sys.executable, "-c", _SCRIPT],
            input=said,
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
        )
        return json.loads(done.stdout)

    first = answers("1")
    assert answers("2") == first
    assert [answer[:2] for answer in first] == [list(policy.decide(fields)) for fields, _ in asked]
    assert len({answer[0] for answer in first}) == 4
