"""Who is looked at, and that the odds on record are the true ones."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.ledger.identity import KeyHasher
from serving.policy.checks import LOOKS, Check, CheckRules
from serving.policy.policy import ACTIONS
from serving.policy.source import default_policy

RULES = CheckRules(random_rate=0.02, uncertain_rate=0.1, uncertain_from=0.5)
HASHER = KeyHasher(b"a key for tests")
RETURNS = [f"return {n}" for n in range(40_000)]


def check(drawn: float, *, risk: float = 0.01, looks: bool = False, rules: CheckRules = RULES) -> Check | None:
    return rules.check(looks=looks, risk=risk, elevated_from=0.1, drawn=drawn)


class TestRules:
    @pytest.mark.parametrize(
        ("drawn", "risk", "looks", "expected"),
        [
            (0.019, 0.01, False, ("random", 0.02)),
            (0.021, 0.01, False, None),
            (0.021, 0.05, False, ("random", 0.1)),  # uncertain from half of where `elevated` begins
            (0.021, 0.0499, False, None),
            (0.099, 0.3, True, ("random", 0.1)),
            (0.101, 0.3, True, ("risk", 0.9)),
            (0.101, 0.3, False, None),  # elevated, but not worth waiting for
        ],
    )
    def test_picks(self, drawn: float, risk: float, looks: bool, expected: tuple[str, float] | None) -> None:
        assert check(drawn, risk=risk, looks=looks) == expected

    def test_without_rates_only_the_action_looks(self) -> None:
        none = CheckRules(random_rate=0, uncertain_rate=0, uncertain_from=1)
        assert check(0.0, rules=none) is None
        assert check(0.0, risk=0.2, looks=True, rules=none) == Check("risk", 1.0)

    @given(st.floats(0, 1, exclude_max=True), st.floats(0, 1), st.floats(0.001, 0.999), st.booleans())
    def test_every_look_that_the_action_asks_for_is_made_and_odds_are_odds(
        self, drawn: float, risk: float, elevated_from: float, looks: bool
    ) -> None:
        found = RULES.check(looks=looks, risk=risk, elevated_from=elevated_from, drawn=drawn)
        assert found is not None or not looks
        if found is not None:
            assert 0 < found.propensity <= 1
            assert found.trigger == "random" or looks

    @given(st.floats(0, 1, exclude_max=True), st.floats(0, 1), st.booleans())
    def test_more_risk_is_never_looked_at_less(self, drawn: float, risk: float, looks: bool) -> None:
        if check(drawn, risk=risk / 2, looks=looks) is not None:
            assert check(drawn, risk=risk, looks=looks) is not None


class TestOdds:
    """Of many returns each trigger picks as its odds say, and one over the odds adds up to all that it reaches."""

    @pytest.mark.parametrize("risk", [0.01, 0.07, 0.5])
    @pytest.mark.parametrize("looks", [True, False])
    def test_are_true(self, risk: float, looks: bool) -> None:
        picked: Counter[str] = Counter()
        stands_for: Counter[str] = Counter()
        for return_id in RETURNS:
            made = check(HASHER.draw("check", "1", return_id), risk=risk, looks=looks)
            if made is not None:
                picked[made.trigger] += 1
                stands_for[made.trigger] += 1 / made.propensity  # type: ignore[assignment]
        odds = 0.1 if risk >= 0.05 else 0.02
        assert picked["random"] / len(RETURNS) == pytest.approx(odds, rel=0.08)
        assert stands_for["random"] == pytest.approx(len(RETURNS), rel=0.08)
        assert stands_for["risk"] == pytest.approx(len(RETURNS) if looks else 0, rel=0.02)

    def test_another_policy_version_or_key_draws_others(self) -> None:
        def drawn(hasher: KeyHasher, version: str) -> set[str]:
            return {r for r in RETURNS if hasher.draw("check", version, r) < 0.02}

        first = drawn(HASHER, "1")
        assert drawn(HASHER, "1") == first
        for others in (drawn(HASHER, "2"), drawn(KeyHasher(b"another key"), "1")):
            assert 600 < len(others) < 1_000
            assert len(first & others) < 50  # 16 by chance

    @given(st.text(min_size=1), st.text(min_size=1))
    def test_a_draw_is_a_share_and_always_the_same(self, version: str, return_id: str) -> None:
        drawn = HASHER.draw("check", version, return_id)
        assert 0 <= drawn < 1
        assert HASHER.draw("check", version, return_id) == drawn


def test_texts_that_only_read_alike_together_are_drawn_apart() -> None:
    assert HASHER.draw("check", "1", "2a") != HASHER.draw("check", "12", "a")


def test_the_default_policy_draws_and_asks_of_few() -> None:
    rules = default_policy().checks
    assert 0.01 <= rules.random_rate <= 0.05
    assert rules.random_rate <= rules.uncertain_rate <= 0.2


@pytest.mark.parametrize("action", ACTIONS)
def test_the_actions_that_look(action: str) -> None:
    assert (action in LOOKS) == (action not in ("refund_now", "refund_on_scan"))
