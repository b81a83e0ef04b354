from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from features.ledger.vocabulary import ABUSE_TYPES, CONCERN_FINDINGS, FINDINGS, REASONS, VERDICTS
from pipelines.demo.keeping_back import keep_back
from pipelines.demo.truth import Deed, conclude, drawn, named, read_truth
from pipelines.simulate.inspections import days_to_check, finding_odds, looked_at
from pipelines.simulate.orders import NEVER
from pipelines.simulate.run import simulate, tell
from pipelines.simulate.settings import SimulationSettings
from pipelines.simulate.verdicts import dispute_odds, verdict_odds

END = dt.date(2026, 6, 30)


@pytest.mark.parametrize("claim", [True, False])
@pytest.mark.parametrize("act", ["", "wardrobing", "fake_tracking", "false_claim", "account_ring"])
def test_odds_are_odds(act: str, claim: bool) -> None:
    for reason in REASONS:
        odds = finding_odds(act, claim=claim, reason=reason, scanned=False)
        assert sum(odds.values()) == pytest.approx(1)
        assert set(odds) <= set(FINDINGS)
    for finding in FINDINGS:
        for abusive in (True, False):
            assert sum(verdict_odds(finding, abusive=abusive).values()) == pytest.approx(1)
            assert set(dispute_odds(abusive=abusive)) == set(VERDICTS)


def test_staff_see_what_the_simulator_sees() -> None:
    """Summed over the returns of a shop, the odds are as many of each finding as the simulator's checks find."""
    story = tell(3_000, 200, 5, END, SimulationSettings(), lambda: None)
    requests, orders = story.requests, story.history.orders
    finding, at, _ = looked_at(np.random.default_rng(1), story.history, requests)
    seen, expected = Counter(FINDINGS[code] for code in finding), Counter[str]()
    scanned = (orders.gone & (orders.scanned < NEVER))[requests.order]
    for place in range(len(requests)):
        act = int(requests.act[place])
        expected.update(
            finding_odds(
                "" if act < 0 else ABUSE_TYPES[act],
                claim=bool(requests.claim[place]),
                reason=REASONS[requests.reason[place]],
                scanned=bool(scanned[place]),
            )
        )
    for name in FINDINGS:
        assert seen[name] == pytest.approx(expected[name], abs=4 * max(expected[name], 1) ** 0.5), name
    rng = np.random.default_rng(2)
    days = [days_to_check(rng, False) for _ in range(2_000)]
    goods = ~requests.claim
    assert np.mean(days) == pytest.approx(((at - requests.at)[goods] / 86_400).mean(), abs=0.7)


def test_draws_follow_the_odds() -> None:
    rng = np.random.default_rng(3)
    found = Counter(drawn(rng, {"a": 3.0, "b": 1.0, "c": 0.0}) for _ in range(2_000))
    assert found["a"] == pytest.approx(1_500, abs=100)
    assert "c" not in found
    assert conclude(rng, Deed(), "as_described") in VERDICTS


def test_a_person_names_what_was_done_or_what_it_looked_like() -> None:
    rng = np.random.default_rng(4)
    for finding in CONCERN_FINDINGS:
        assert named(rng, Deed(), finding) in ABUSE_TYPES
    assert {named(rng, Deed("account_ring", "false_claim"), "delivery_shown") for _ in range(50)} == {
        "account_ring",
        "false_claim",
    }


class TestKeepingBack:
    def test_nothing_found_about_late_returns_is_left_and_all_else_is(self, tmp_path: Path) -> None:
        simulate(tmp_path, customers=400, days=200, seed=2, end=END)
        before = {name: (tmp_path / f"{name}.csv").read_text().splitlines() for name in ("inspections", "verdicts")}
        returns = (tmp_path / "returns.csv").read_text()
        since = dt.date(2026, 5, 1)
        keep_back(tmp_path, since)
        asked = {row.split(",")[0]: row.split(",")[3] for row in returns.splitlines()}
        for name, lines in before.items():
            kept = (tmp_path / f"{name}.csv").read_text().splitlines()
            assert kept == [line for line in lines if line == lines[0] or asked[line.split(",")[0]] < "2026-05-01"]
            assert 1 < len(kept) < len(lines)
            keep_back(tmp_path, since)
            assert (tmp_path / f"{name}.csv").read_text().splitlines() == kept
        assert (tmp_path / "returns.csv").read_text() == returns

    def test_the_truth_is_of_those_returns_that_are_not_honest(self, tmp_path: Path) -> None:
        report = simulate(tmp_path, customers=400, days=200, seed=2, end=END)
        deeds = read_truth(tmp_path)
        assert len(deeds) == report.abusive
        assert {deed.kind for deed in deeds.values()} <= set(ABUSE_TYPES)
        assert all(deed.act for deed in deeds.values())
