"""What is wrong with a policy file is said with its line and what to do."""

from __future__ import annotations

import itertools
import random
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.ledger.vocabulary import CHANNELS, REASONS
from serving.policy.conditions import ANOTHER, BANDS, DEAREST, DIMENSIONS, Box, Case, Space
from serving.policy.countries import ALL
from serving.policy.faults import MOST, PolicyError
from serving.policy.nodes import LONGEST
from serving.policy.reading import load, read
from serving.policy.source import FILE, default_policy
from tests.support.policies import DEFAULT, line_of, replaced, written
from tests.support.words import judging_words

BY_RULES = """decide:
  by: rules
  rules:
    - id: claims
      when: {kind: claim, band: [elevated, high]}
      action: staff_review
    - id: dear
      when: {kind: return, band: high, history: enough, value_from: 200}
      action: staff_review
    - id: doubt
      when: {kind: return, band: [elevated, high]}
      action: inspect_before_refund
    - id: rest
      action: refund_now
"""
_FROM, _TO = DEFAULT.index("decide:\n"), DEFAULT.index("# Looking where")
RULES = DEFAULT[:_FROM] + BY_RULES + "\n" + DEFAULT[_TO:]


def faults(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        read(text, "shop.yaml")
    return caught.value.message.splitlines()


@pytest.mark.parametrize(
    ("old", "new", "at", "told"),
    [
        ('version: "2026-12"\n', "", "currency: EUR", "version is missing: names this text"),
        (
            "random_rate: 0.01\n",
            "random_rat: 0.01\n",
            "random_rat: ",
            "unknown key 'random_rat'; did you mean 'random_rate'?",
        ),
        ("currency: EUR", "currency: EUR\ncurrency: USD", "currency: USD", "stands twice, first in line"),
        ("loss_share: 0.6", "loss_share: 1.6", "loss_share", "costs.loss_share: 1.6 is not a number from 0 to 1"),
        ("loss_share: 0.6", "loss_share: much", "loss_share", "must be a number from 0 to 1, not 'much'"),
        ("loss_share: 0.6", "loss_share: .nan", "loss_share", "must be a number"),
        ("loss_share: 0.6", "loss_share: [1]", "loss_share", "must be a number from 0 to 1, not a list"),
        ("loss_share: 0.6", "loss_share:", "loss_share", "not nothing"),
        ("checks_a_day: 50", "checks_a_day: 0", "checks_a_day", "nobody could look at anything"),
        ("checks_a_day: 50", "checks_a_day: 1.5", "checks_a_day", "a whole number"),
        ("put_off: 3.00, finds: 0.90", "put_off: 3.00, finds: 0.99", "costs:", "review finds less"),
        ("action: refund_now", "action: refuse", "action: refuse", "unknown action 'refuse'"),
        ("{value_below: 15}", "{value_below: 0}", "- id: small-value", "can never apply"),
        ("{value_below: 15}", "{value_beneath: 15}", "value_beneath", "did you mean 'value_below'"),
        ("action: refund_now", "action: refund_on_scan", "- id: small-value", "of a claim: no goods come back"),
        ("action: refund_now", "action: staff_review", "- id: small-value", "on a thin history: goes beyond a look"),
        ("random_rate: 0.01", "random_rate: 0.001", "checks:\n", "odds must be 0 or at least 0.01"),
        ("random_rate: 0.01", "random_rate: 0.3", "checks:\n", "uncertain_rate must not be less"),
        ("channel: store}", "channel: shop}", "channel: shop", "unknown channel 'shop'"),
        ("[GB, IS, LI, NO]", "[GB, UK]", "[GB, UK]", "unknown country 'UK'"),
        ("[GB, IS, LI, NO]", "[GB, GB]", "[GB, GB]", "'GB' stands twice in this list"),
        ("[GB, IS, LI, NO]", "[]", "country: []", "has 0 entries"),
        ("category: [apparel, event_wear", "category: [aparel, event_wear", "[aparel", "did you mean 'apparel'"),
        ("withdrawal_days: 14", "withdrawal_days: 10", "withdrawal_days", "the law gives 14 days"),
        ("window_days: 30\n    withdrawal", "window_days: -1\n    withdrawal", "window_days: -1", "from 0 to 3650"),
        ("conditions: [unused, complete, receipt]", "conditions: [sealed]", "  en:", "conditions.sealed is missing"),
        (
            "  - id: usual\n",
            "  - id: usual\n    when: {channel: web}\n",
            "- id: usual",
            "no terms for a return or claim",
        ),
        ("- id: usual", "- id: store", "- id: store\n    window", "the id 'store' stands twice"),
        ("- id: usual", "- id: warranty", "- id: warranty", "stands for something else"),
        ("until: 01-31", "until: 02-30", "until: 02-30", "must be a day of every year"),
        ("    offer: exchange", "    offer: exchange\n    bonus_percent: 5", "- id: exchange", "only store_credit can"),
        ("{due_days: 10,", "{due_days: 15,", "due_days: 15", "from 1 to 14"),
        ("past_due: clear", "past_due: refuse", "past_due: refuse", "unknown way 'refuse'"),
        ("countries: {NL: nl", "countries: {NL: fr", "languages:", "there are no texts in 'fr'"),
        ("      staff_review: A member", "      # A member", "    notices:", "staff_review is missing"),
        (", and add {percent}%.\n      partial", ".\n      partial", "store_credit_bonus: If", "a text with {percent}"),
        ("refund_now: Your refund", "refund_now: Your {refund}", "refund_now: Your", "without braces"),
        ("rates: {GBP: 1.16}", "rates: {pounds: 1.16}", "pounds", "three capital letters"),
        ("rates: {GBP: 1.16}", "rates: &money {GBP: 1.16}", "&money", "anchors and references"),
        ("rates: {GBP: 1.16}", "rates: !!python/object:os.system {}", "!!python", "tags (such as"),
        ("rates: {GBP: 1.16}", "rates: {GBP: 1.16", "categories:", "is not YAML"),
        ("rates: {GBP: 1.16}", "rates: 5", "rates: 5", "must be a mapping"),
        ("rates: {GBP: 1.16}", "rates: {EUR: 2}", "rates: {EUR", "EUR is the currency itself and has no rate"),
        ("  checks_a_day: 50", "\tchecks_a_day: 50", "\tchecks", "has a tab where lines are indented; use spaces"),
        ("Thank you", "Thank\x00 you", "Thank\x00", "a character that is no text here (0x00); remove it"),
        ("days_over: 0.05", "days_over: 0,05", "days_over: 0,05", "write a point, not a comma"),
        ("[GB, IS, LI, NO]", "[UK, IS]", "[UK, IS]", "did you mean 'GB'?"),
    ],
)
def test_each_fault_has_its_line(old: str, new: str, at: str, told: str) -> None:
    text = replaced(old, new)
    found = faults(text)
    line = line_of(text, at)
    assert any(f.startswith(f"shop.yaml:{line}:") and told in f for f in found), "\n".join([f"line {line}", *found])


def test_bounds_are_written_as_they_may_be_written() -> None:
    assert any("a number from 0 to 1000000, not" in fault for fault in faults(replaced("work: 5.00", "work: 1e3")))


def test_many_faults_are_told_in_part() -> None:
    found = faults(DEFAULT + "".join(f"key{number}: 1\n" for number in range(500)))
    assert len(found) == MOST + 1
    assert found[-1].endswith(f"and {500 - MOST} more from here on")


def test_entries_that_lie_over_each_other_in_endless_ways_are_told_in_time() -> None:
    chance, rules = random.Random(1), []
    words = {"country": ALL[:14], "channel": (*CHANNELS, "unknown"), "band": BANDS, "reason": REASONS}
    for number in range(400):
        when = {name: chance.sample(words[name], len(words[name]) // 2) for name in chance.sample(sorted(words), 2)}
        least = chance.randrange(300)
        when |= {"kind": ["return"], "value_from": least, "value_below": least + 200}  # type: ignore[dict-item]
        rules.append({"id": f"rule-{number}", "when": when, "action": "inspect_before_refund"})
    begun = time.process_time()
    found = faults(written(decide={"by": "expected_cost", "rules": rules}))
    assert any("in so many ways that nobody could tell which of them decides" in fault for fault in found)
    assert time.process_time() - begun < 30  # it would take years


def test_all_faults_are_told_at_once_in_the_order_of_their_lines() -> None:
    text = DEFAULT.replace("EUR", "euro", 1).replace("loss_share: 0.6", "loss_share: 6").replace("01-31", "31 jan")
    found = faults(text)
    assert len(found) == 3
    assert [int(fault.split(":")[1]) for fault in found] == sorted(
        line_of(text, p) for p in ("euro", "share: 6", "31 j")
    )


@pytest.mark.parametrize(
    "text", ["", "# nothing", "[]", "version: 1", "a: {" * 40, "\t", "x" * (LONGEST + 1), "\0", "- a\nb: c"]
)
def test_what_is_no_policy_at_all_is_told_too(text: str) -> None:
    assert all(fault.startswith("shop.yaml:") for fault in faults(text))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(DEFAULT) - 1), st.text("abc01:{}[]&*!-\n #\"'", max_size=3), st.integers(0, 40))
def test_a_file_that_is_damaged_is_read_or_told_about(at: int, put: str, gone: int) -> None:
    told = ""
    try:
        read(DEFAULT[:at] + put + DEFAULT[at + gone :], "shop.yaml")
    except PolicyError as error:
        told = error.message
    assert all(fault.startswith("shop.yaml:") for fault in told.splitlines())


class TestRules:
    def test_may_decide_everything(self) -> None:
        assert read(RULES, "shop.yaml").way == "rules"

    @pytest.mark.parametrize(
        ("old", "new", "at", "told"),
        [
            ("    - id: rest\n      action: refund_now\n", "", "- id: doubt", "no rule fits a"),
            ("kind: return, band: high, history", "kind: return, band: low, history", "- id: dear", ""),
            (
                "    - id: rest\n",
                "    - id: more\n      action: refund_now\n    - id: rest\n",
                "- id: rest",
                "says the same",
            ),
            (
                "    - id: rest\n",
                "    - id: late\n      when: {kind: return, band: high, value_from: 300}\n"
                "      action: refund_now\n    - id: rest\n",
                "- id: late",
                "'doubt' (line",
            ),
            (
                "    - id: doubt\n",
                "    - id: shoes\n      when: {kind: return, category: shoes}\n      action: refund_now\n"
                "    - id: doubt\n",
                "- id: shoes",
                "overlaps with 'dear'",
            ),
            (
                "    - id: rest\n",
                "    - id: parts\n      when: {kind: return, band: [low, high], value_below: 0.5}\n"
                "      action: refund_on_scan\n    - id: rest\n",
                "- id: parts",
                "overlaps with 'doubt'",
            ),
        ],
    )
    def test_that_lie_over_each_other(self, old: str, new: str, at: str, told: str) -> None:
        assert old in RULES
        text = RULES.replace(old, new, 1)
        if not told:
            assert read(text, "shop.yaml").way == "rules"
            return
        found = faults(text)
        assert any(f.startswith(f"shop.yaml:{line_of(text, at)}:") and told in f for f in found), found

    def test_that_others_leave_nothing_for_together(self) -> None:
        more = "    - id: low\n      when: {band: low}\n      action: refund_now\n"
        more += "    - id: cleared\n      when: {kind: claim}\n      action: refund_now\n"
        text = RULES.replace("    - id: rest\n", more + "    - id: rest\n")
        assert any("'rest'" not in f and "can never apply: " in f and "leave nothing for it" in f for f in faults(text))

    def test_an_exception_may_stand_before_its_rule_and_an_overlap_be_decided_before(self) -> None:
        both = "    - id: both\n      action: refund_on_scan\n      when:\n"
        both += "        {kind: return, history: enough, band: high, category: shoes, value_from: 200}\n"
        shoes = "    - id: shoes\n      when: {kind: return, category: shoes, band: high, history: enough}\n"
        shoes += "      action: refund_now\n"
        text = RULES.replace("    - id: dear\n", both + "    - id: dear\n").replace(
            "    - id: doubt\n", shoes + "    - id: doubt\n"
        )
        read(text, "shop.yaml")


class TestDefault:
    def test_loads_as_it_stands(self) -> None:
        assert load(FILE) == default_policy()
        assert default_policy().version == "2026-12"

    def test_as_other_yaml_it_says_the_same(self) -> None:
        assert read(written(), "shop.yaml") == default_policy()

    def test_a_file_that_is_not_there_or_no_text(self, tmp_path: Path) -> None:
        with pytest.raises(PolicyError, match=r"nothing\.yaml:1:1: No such file"):
            load(tmp_path / "nothing.yaml")
        (tmp_path / "other.yaml").write_bytes(b"\xff\xfe")
        with pytest.raises(PolicyError, match=r"other\.yaml:1:1: is not UTF-8"):
            load(tmp_path / "other.yaml")
        (tmp_path / "latin.yaml").write_bytes("version: 1\ncurrency: \xe9\n".encode("latin-1"))
        with pytest.raises(PolicyError, match=r"latin\.yaml:2:11: is not UTF-8 .*save the file as UTF-8"):
            load(tmp_path / "latin.yaml")

    def test_words_are_kind(self) -> None:
        assert not judging_words(DEFAULT)

    def test_clauses_are_the_text_of_their_entries(self) -> None:
        clauses = default_policy().clauses
        assert clauses["winter-gifts"].text.splitlines()[0] == "  - id: winter-gifts"
        for clause in clauses.values():
            assert clause.text in DEFAULT
            assert DEFAULT.splitlines()[clause.line - 1] == clause.text.splitlines()[0]
        assert clauses["expected-cost"].text.startswith("costs:")


_words = {"kind": ("return", "claim"), "band": BANDS, "category": ("shoes", ANOTHER)}


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    sets = []
    for at, name in enumerate(DIMENSIONS):
        if name in _words and draw(st.booleans()):
            sets.append((at, frozenset(draw(st.lists(st.sampled_from(_words[name]), min_size=1)))))
    least = draw(st.sampled_from((0, 1, 2)))
    return Box(tuple(sets), least, draw(st.sampled_from((1, 2, 3, DEAREST))))


def cases() -> list[Case]:
    every: Any = itertools.product(_words["kind"], _words["band"], _words["category"], (0.0, 1.0, 2.0, 3.0))
    return [Case(k, b, "thin", "DE", "web", c, "gift", v) for k, b, c, v in every]


class TestBoxes:
    space = Space(("shoes",))

    @settings(max_examples=300, deadline=None)
    @given(boxes(), st.lists(boxes(), max_size=4))
    def test_what_is_left_is_left(self, box: Box, others: list[Box]) -> None:
        rest = self.space.rest(box, others)
        left = {case for case in cases() if box.fits(case) and not any(other.fits(case) for other in others)}
        if rest is None:
            assert left == set()
        else:
            inside = {case for case in cases() if rest.fits(case)}
            assert inside <= left
            assert inside or Space().words(5) - {ANOTHER} & dict(rest.sets).get(5, frozenset())

    @settings(max_examples=200, deadline=None)
    @given(boxes(), boxes())
    def test_what_is_common(self, one: Box, other: Box) -> None:
        common = self.space.common(one, other)
        for case in cases():
            assert common.fits(case) == (one.fits(case) and other.fits(case))
