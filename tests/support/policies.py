"""Policies for tests: the default one with changes, any valid one, and any return."""

from __future__ import annotations

import copy
import json
from typing import Any, Final

import yaml
from hypothesis import assume
from hypothesis import strategies as st

from features.ledger.vocabulary import CHANNELS, KINDS, REASONS
from serving.policy.conditions import BANDS, DIMENSIONS, HISTORIES
from serving.policy.costs import ACTIONS, NEEDS_GOODS
from serving.policy.faults import PolicyError
from serving.policy.policy import Facts, Policy
from serving.policy.reading import read
from serving.policy.rights import Purchase
from serving.policy.source import FILE

DEFAULT: Final = FILE.read_text(encoding="utf-8")
DAY: Final = 86_400_000_000
COUNTRIES: Final = ("DE", "NL", "GB", "US", "NO")
CATEGORIES: Final = ("shoes", "beauty")


def changed(**replacements: str) -> str:
    """The default policy's text with the first of each `old` replaced by `new`, given as pairs old_1=..., new_1=..."""
    text = DEFAULT
    for number in range(1, len(replacements) // 2 + 1):
        old, new = replacements[f"old_{number}"], replacements[f"new_{number}"]
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def replaced(old: str, new: str) -> str:
    return changed(old_1=old, new_1=new)


_SAID: Final = yaml.safe_load(DEFAULT.replace("NO]", '"NO"]'))


def written(change: Any = None, **sections: Any) -> str:
    """The default policy with other sections, written as YAML."""
    said = copy.deepcopy(_SAID)
    said.update(sections)
    if change is not None:
        change(said)
    return json.dumps(said, indent=1)


def policy_of(text: str, file: str = "test.yaml") -> Policy:
    return read(text, file)


def line_of(text: str, part: str) -> int:
    """The line in which `part` first stands."""
    return text[: text.index(part)].count("\n") + 1


_WORDS: Final = {
    "kind": KINDS,
    "band": BANDS,
    "history": HISTORIES,
    "country": (*COUNTRIES, "EU", "unknown"),
    "channel": (*CHANNELS, "unknown"),
    "category": (*CATEGORIES, "unknown"),
    "reason": REASONS,
}
_money = st.decimals(0, 300, places=2).map(float)
_share = st.integers(0, 100).map(lambda percent: percent / 100)


@st.composite
def _when(draw: st.DrawFn, names: tuple[str, ...]) -> dict[str, Any]:
    chosen = draw(st.lists(st.sampled_from(names), max_size=3, unique=True))
    when: dict[str, Any] = {
        name: draw(st.lists(st.sampled_from(_WORDS[name]), min_size=1, max_size=4, unique=True)) for name in chosen
    }
    if "kind" in names and draw(st.booleans()):
        when["value_from"] = draw(_money)
    return when


@st.composite
def _checks(draw: st.DrawFn) -> dict[str, Any]:
    finds, put_off = sorted(draw(st.tuples(*[_share] * 3))), sorted(draw(st.tuples(*[_money] * 3)))
    costs: dict[str, Any] = {"loss_share": draw(_share)}
    for at, name in enumerate(("scan", "inspection", "review")):
        costs[name] = {"work": draw(_money), "put_off": put_off[at], "finds": finds[at]}
    return costs | {"trace": {"work": draw(_money), "put_off": draw(_money), "finds": draw(_share)}}


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Any policy that is valid, its entries and numbers drawn."""
    every = tuple(DIMENSIONS)
    shop = ("country", "channel", "category")
    rules = []
    for number in range(draw(st.integers(0, 3))):
        when, action = draw(_when(every)), draw(st.sampled_from(ACTIONS))
        if action in NEEDS_GOODS:
            when["kind"] = "return"
        elif action == "staff_review" and when.get("kind") != ["claim"]:
            when["history"] = "enough"
        rules.append({"id": f"rule-{number}", "when": when, "action": action})
    terms: list[dict[str, Any]] = [{"when": draw(_when(shop))} for _ in range(draw(st.integers(0, 2)))]
    for number, entry in enumerate((*terms, rest := {})):
        entry |= {"id": f"terms-{number}", "window_days": draw(st.integers(0, 100))}
        entry["conditions"] = draw(st.lists(st.sampled_from(("unused", "complete")), unique=True))
        entry["non_returnable"] = draw(st.lists(st.sampled_from(CATEGORIES), min_size=1, unique=True))
        entry["fee"] = {"postage": draw(_money), "restocking": draw(_money)}
        if draw(st.booleans()):
            entry["withdrawal_days"] = draw(st.integers(14, 60))
    offers = [
        {"id": f"offer-{offer}".replace("_", "-"), "offer": offer, "when": draw(_when(("kind", "reason", *shop)))}
        for offer in draw(st.lists(st.sampled_from(("exchange", "store_credit", "partial_refund")), unique=True))
    ]
    text = written(
        version=draw(st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True)),
        rates={"GBP": draw(st.floats(0.1, 10).map(lambda rate: round(rate, 3)))},
        costs=draw(_checks()),
        capacity={"checks_a_day": draw(st.integers(1, 500)), "least_gain": draw(_money)},
        decide={"by": "expected_cost", **({"rules": rules} if rules else {})},
        categories=list(CATEGORIES),
        terms=[*terms, rest],
        alternatives=offers or [{"id": "offer", "offer": "exchange"}],
    )
    try:
        return policy_of(text)
    except PolicyError:
        assume(False)
        raise


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    """Any return."""
    maybe = [st.sampled_from((*words, None)) for words in (("EUR", "GBP", "SEK"), COUNTRIES, CHANNELS)]
    return Facts(
        kind=draw(st.sampled_from(KINDS)),
        reason=draw(st.sampled_from(REASONS)),
        risk=draw(st.floats(0, 1)),
        band=draw(st.sampled_from(BANDS)),
        sufficient=draw(st.booleans()),
        value_minor=draw(st.integers(0, 500_000)),
        currency=draw(maybe[0]),
        country=draw(maybe[1]),
        channel=draw(maybe[2]),
        category=draw(st.sampled_from((*CATEGORIES, "hats", None))),
        restricted=draw(st.booleans()),
    )


@st.composite
def purchases(draw: st.DrawFn) -> Purchase:
    """Any moments of an order, its delivery and the request, in that order."""
    ordered = draw(st.integers(19_000, 21_500)) * DAY + draw(st.integers(0, DAY - 1))
    delivered = draw(st.none() | st.integers(0, 30 * DAY).map(lambda later: ordered + later))
    return Purchase(max(ordered, delivered or 0) + draw(st.integers(0, 900 * DAY)), ordered, delivered)
