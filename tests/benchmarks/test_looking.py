"""The mechanics of the loop, on made-up returns whose answers are known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import lightgbm
import numpy as np
import pytest

from benchmarks.looking.__main__ import finds, spread, strategies_at, waits
from benchmarks.looking.loop import Loop, OwnFindings, Strategy, learn, risk_of, run
from benchmarks.looking.outcome import outcome
from benchmarks.looking.shop import OWN, Returns, returns_of
from features.clock import DAY
from features.service import MODEL_FEATURES
from pipelines.simulate.settings import SimulationSettings
from serving.policy.checks import CheckRules
from training.drift.random_checks import Checks

PLACE = {feature.name: place for place, feature in enumerate(MODEL_FEATURES)}
SIGN = PLACE["customer_claims_365d"]  # the column that shows the old kind of abuse
A_DAY, DAYS, START, BROKE = 20, 60, 20, 30
NONE = CheckRules(random_rate=0, uncertain_rate=0, uncertain_from=1)
EVEN = CheckRules(random_rate=0.05, uncertain_rate=0.05, uncertain_from=1)


def made_up(seed: int = 1) -> Returns:
    """Twenty returns a day. The old kind shows in one column, the new kind in none; checks see everything next day."""
    rng = np.random.default_rng(seed)
    n = A_DAY * DAYS
    day = np.repeat(np.arange(DAYS), A_DAY)
    old = rng.random(n) < 0.2
    new = ~old & (day >= BROKE) & (rng.random(n) < 0.15)
    X = np.zeros((n, len(MODEL_FEATURES)))
    X[:, SIGN] = 3.0 * old + rng.random(n)
    at = day * DAY + np.tile(np.arange(A_DAY), DAYS) * (DAY // A_DAY)
    early = (day < START) & (rng.random(n) < 0.5)
    abusive = old | new
    return Returns(
        requested_at=at,
        customer=rng.integers(0, 50, n),
        value=np.full(n, 10.0),
        X=X,
        own={name: np.full(n, np.nan if "seconds" in name else 0.0) for name in OWN},
        seen=abusive.astype(float),
        known_at=at + DAY,
        label=np.where(early, abusive.astype(float), np.nan),
        checked=early,
        abusive=abusive,
        new=new,
        before=Checks.of(at[early], abusive[early], np.full(int(early.sum()), 0.5)),
        start=START * DAY,
        broke=BROKE * DAY,
        end=DAYS * DAY,
    )


@pytest.fixture(scope="module")
def shop() -> Returns:
    return made_up()


@pytest.fixture(scope="module")
def first(shop: Returns) -> lightgbm.Booster:
    return learn(shop, shop.X, shop.label, shop.checked, shop.start)


def looped(shop: Returns, first: lightgbm.Booster, rules: CheckRules, *, scores: bool = True) -> Loop:
    luck = np.random.default_rng(7).random(len(shop))
    return run(shop, Strategy("any", rules, scores), first, capacity=0.1, every_days=14, luck=luck)


class TestLoop:
    def test_spends_the_same_number_every_day_on_the_highest_scores(
        self, shop: Returns, first: lightgbm.Booster
    ) -> None:
        loop = looped(shop, first, NONE)
        by_day = loop.checked.reshape(DAYS, A_DAY)
        assert by_day.sum(axis=1).tolist() == [0] * START + [2] * (DAYS - START)
        assert not loop.drawn.any()
        risk = loop.risk.reshape(DAYS, A_DAY)[START:]
        assert (
            np.where(by_day[START:], risk, np.inf).min(axis=1) >= np.where(by_day[START:], 0, risk).max(axis=1)
        ).all()

    def test_draws_come_first_and_count(self, shop: Returns, first: lightgbm.Booster) -> None:
        loop = looped(shop, first, EVEN)
        assert loop.drawn.sum() == pytest.approx(0.05 * A_DAY * (DAYS - START), abs=15)
        assert (loop.drawn <= loop.checked).all()
        assert loop.checked.sum() == pytest.approx(2 * (DAYS - START), abs=2)
        assert set(loop.odds[shop.requested_at >= shop.start]) == {0.05}

    def test_only_at_random_knows_no_scores(self, shop: Returns, first: lightgbm.Booster) -> None:
        loop = looped(shop, first, EVEN, scores=False)
        assert (loop.drawn == loop.checked).all()

    def test_uncertain_returns_are_drawn_more_often(self, shop: Returns, first: lightgbm.Booster) -> None:
        rules = CheckRules(random_rate=0.02, uncertain_rate=0.3, uncertain_from=0.5)
        loop = looped(shop, first, rules)
        uncertain = loop.odds == 0.3
        assert 0 < uncertain.sum() < len(shop) / 2
        assert np.nanmin(loop.risk[uncertain]) > 0
        assert loop.drawn[uncertain].mean() > 0.15 > loop.drawn[~uncertain].mean()

    def test_is_learned_anew_and_nothing_of_the_future_is_known(self, shop: Returns, first: lightgbm.Booster) -> None:
        loop = looped(shop, first, NONE)
        later = shop.requested_at >= shop.start
        assert sorted(set(loop.model[later].tolist())) == [0, 1, 2]
        assert set(loop.model[~later].tolist()) == {-1}
        day = START + 14
        changed = made_up()
        changed.seen[changed.requested_at >= (day - 1) * DAY] = 0.0  # what is seen from here on is known after day 34
        other = looped(changed, first, NONE)
        until = shop.requested_at < (day + 1) * DAY
        assert np.array_equal(loop.risk[until], other.risk[until], equal_nan=True)
        assert np.array_equal(risk_of(first, shop.X[:5]), risk_of(first, shop.X[:5]))


class TestOwnFindings:
    def test_count_from_the_moment_they_are_known(self, shop: Returns) -> None:
        row = int(np.flatnonzero(shop.abusive)[0])
        who, known_at = shop.customer[row], int(shop.known_at[row])
        later = np.flatnonzero((shop.customer == who) & (shop.requested_at > known_at))[:1]
        own = OwnFindings(shop)
        own.look_at(np.array([row]))
        X = shop.X.copy()
        own.until(known_at)
        own.update(X, later)
        assert np.array_equal(X, shop.X)
        own.until(known_at + 1)
        own.update(X, later)
        assert X[later, PLACE["customer_concerns_lifetime"]] == 1
        assert X[later, PLACE["customer_concern_rate_lifetime"]] == pytest.approx((1 + 2 * 0.1) / 3)
        days = (shop.requested_at[later] - known_at) / DAY
        assert X[later, PLACE["customer_days_since_concern"]] == pytest.approx(days, abs=1e-4)
        others = np.delete(np.arange(len(shop)), later)
        assert np.array_equal(X[others], shop.X[others])


class TestOutcome:
    def loop(self, shop: Returns, rows: Sequence[int], drawn: bool = False) -> Loop:
        made = Loop(*(np.zeros(len(shop), bool) for _ in range(2)), *(np.zeros(len(shop)) for _ in range(3)))
        made.checked[rows] = True
        made.drawn[rows] = drawn
        made.odds[:] = 0.05
        return made

    def test_says_when_the_new_kind_was_seen(self, shop: Returns) -> None:
        rows = np.flatnonzero(shop.new)[[0, 3, 4, 9, 20]].tolist()
        came = outcome(shop, self.loop(shop, rows), capacity=0.1, steady=1.0)
        assert came.moments["first"].days == (shop.known_at[rows[0]] - shop.broke) / DAY
        assert came.moments["fifth"].days == (shop.known_at[rows[4]] - shop.broke) / DAY
        assert came.moments["fifth"].checks == sum(shop.requested_at[rows] < shop.known_at[rows[4]])
        assert (came.new_cases, came.cases, came.new_value, came.value, came.checks) == (5, 5, 50.0, 50.0, 5)
        assert came.moments["alarm"].days == np.inf

    def test_what_is_known_after_the_end_was_not_found(self, shop: Returns) -> None:
        came = outcome(shop, self.loop(shop, [len(shop) - 1]), capacity=0.1, steady=1.0)
        assert came.cases == 0
        assert came.moments["first"].days == np.inf

    def test_flagged_when_the_scores_put_it_first(self, shop: Returns) -> None:
        made = self.loop(shop, [])
        late = shop.requested_at >= 45 * DAY
        made.model[:] = late
        made.risk[:] = np.where(late, shop.new, ~shop.new) + 0.0
        came = outcome(shop, made, capacity=0.2, steady=1.0)
        assert came.moments["flagged"].days == pytest.approx(15.0)
        assert 0.4 < came.flagged <= 0.5  # not by the first model, wholly by the second

    def test_an_alarm_when_random_checks_find_far_more(self, shop: Returns) -> None:
        drawn = np.flatnonzero((shop.requested_at >= shop.broke) & shop.abusive)
        came = outcome(shop, self.loop(shop, drawn.tolist(), drawn=True), capacity=0.1, steady=1.0)
        assert 0 < came.moments["alarm"].days < 30


def test_the_default_policy_is_among_the_strategies_and_rows_are_by_strategy(
    shop: Returns, first: lightgbm.Booster
) -> None:
    names = [strategy.name for strategy in strategies_at(0.05)]
    assert names == ["highest scores", "and at random", "default policy", "only at random"]
    came = outcome(shop, looped(shop, first, NONE), capacity=0.1, steady=0.5)
    both = [{"highest scores": came, "other": came}]
    assert [row["strategy"] for row in waits(both, "days")] == ["highest scores", "other"]
    assert finds(both)[1]["value found, %"] == "100 (100 to 100)"
    assert spread([float("inf"), float("inf"), 2.0]) == "- (2 to -)"


def test_a_simulated_shop_forgets_later_checks_and_can_look_at_every_return(tmp_path: Path) -> None:
    settings = SimulationSettings(break_day=150, break_kind="fake_tracking", break_share=0.1)
    shop = returns_of(tmp_path, customers=300, days=240, seed=3, settings=settings, start_day=120)
    later = shop.requested_at >= shop.start
    assert not shop.checked[later].any()
    assert shop.checked[~later].any()
    assert not shop.new[shop.requested_at < shop.broke].any()
    assert shop.new.any()
    assert (shop.known_at > shop.requested_at).all()
    assert np.nanmean(shop.seen[shop.abusive]) > 0.5 > np.nanmean(shop.seen[~shop.abusive])
