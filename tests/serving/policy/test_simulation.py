"""Figures of policies on past returns, against sums made by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from serving.policy.costs import ACTIONS
from serving.policy.outcomes import CLEARED, FOUND, NOT_KNOWN
from serving.policy.past import Past
from serving.policy.policy import Facts, Policy
from serving.policy.simulation import simulate
from tests.support.policies import changed, policy_of, replaced


class Rows(SimpleNamespace):
    """Returns as `Asked` has them."""

    def facts(self, number: int, risk: float, band: str, sufficient: bool) -> Facts:
        return Facts(
            self.kinds[number],
            "size_fit",
            risk,
            band,
            sufficient,
            self.values[number],
            self.currencies[number],
            self.countries[number],
            self.channels[number],
        )


def past(*rows: dict[str, Any], first_day: int = 100, last_day: int = 101) -> Past:
    usual = {"risk": 0.02, "value": 5_000, "kind": "return", "day": 100, "country": "DE", "channel": "web"}
    usual |= {"outcome": NOT_KNOWN, "sufficient": True, "restricted": False, "tenure": 400.0, "currency": "EUR"}
    full = [usual | row for row in rows]

    def column(name: str) -> list[Any]:
        return [row[name] for row in full]

    asked = Rows(
        kinds=column("kind"),
        values=column("value"),
        currencies=column("currency"),
        countries=column("country"),
        channels=column("channel"),
    )
    return Past(
        asked=asked,  # type: ignore[arg-type]
        days=np.array(column("day")),
        risks=np.array(column("risk")),
        bands=["low"] * len(full),
        sufficient=column("sufficient"),
        restricted=column("restricted"),
        tenure_days=np.array(column("tenure")),
        outcomes=np.array(column("outcome"), dtype=np.int8),
        elevated_from=0.1,
        answered=1,
        left_out=0,
        first_day=first_day,
        last_day=last_day,
    )


POLICY = policy_of(
    changed(old_1="random_rate: 0.01", new_1="random_rate: 0", old_2="uncertain_rate: 0.05", new_2="uncertain_rate: 0")
)


def with_gain(least: float, a_day: int = 50, version: str = "other") -> Policy:
    text = POLICY.text.replace("least_gain: 0.00", f"least_gain: {least}").replace("2026-12", version)
    return policy_of(text.replace("checks_a_day: 50", f"checks_a_day: {a_day}"))


class TestFigures:
    def test_are_sums_of_expectations(self) -> None:
        made = simulate(
            [POLICY], past({"risk": 0.4, "value": 10_000}, {}, {"risk": 0.2}, {"kind": "claim", "risk": 0.5})
        )
        (figures,) = made.figures
        assert figures.returns == 4
        assert figures.actions == {
            "refund_now": 0.25,
            "refund_on_scan": 0.25,
            "inspect_before_refund": 0.25,
            "staff_review": 0.25,
        }
        # an inspection, a scan, a trace: risk x finds x 0.6 x value
        found = 0.4 * 0.9 * 60 + 0.2 * 0.15 * 30 + 0.5 * 0.8 * 30
        assert figures.found == pytest.approx(found)
        assert figures.missed == pytest.approx(0.4 * 60 + 0.02 * 30 + 0.2 * 30 + 0.5 * 30 - found)
        assert figures.work == pytest.approx(5 + 0.25 + 6)
        assert figures.put_off == pytest.approx(0.6 + 0.5)
        assert figures.saved == pytest.approx(found - 11.25 - (0.6 * 3 + 0.8 * 0.25 + 0.5 * 4))
        assert figures.checks == 2

    def test_what_is_known_is_counted(self) -> None:
        looked_at, passed = {"risk": 0.4, "value": 10_000}, {"risk": 0.01}
        made = simulate(
            [POLICY],
            past(
                looked_at | {"outcome": FOUND},
                looked_at | {"outcome": CLEARED},
                looked_at,
                passed | {"outcome": FOUND},
                passed | {"outcome": CLEARED},
            ),
        )
        assert made.figures[0].known == (2, 1, pytest.approx(60), 2, 1, pytest.approx(30))

    def test_values_of_another_currency_count_by_their_rate(self) -> None:
        made = simulate([POLICY], past({"risk": 0.4, "value": 10_000, "currency": "GBP"}))
        assert made.figures[0].found == pytest.approx(0.4 * 0.9 * 60 * 1.16)

    def test_restrictions_of_the_time_count(self) -> None:
        made = simulate([POLICY], past({"restricted": True}))
        assert made.figures[0].actions["inspect_before_refund"] == 1

    def test_draws_count_by_their_odds(self) -> None:
        policy = policy_of(replaced("uncertain_rate: 0.05", "uncertain_rate: 0.1"))
        made = simulate([policy], past({"risk": 0.01}, {"risk": 0.07}, {"risk": 0.4, "value": 10_000}))
        assert made.figures[0].checks == pytest.approx(0.01 + 0.1 + 1)


class TestComparison:
    def test_both_are_valued_with_the_costs_of_the_first(self) -> None:
        dear = policy_of(POLICY.text.replace("{work: 5.00", "{work: 50.00").replace("2026-12", "dear"))
        rows = past({"risk": 0.4, "value": 10_000})
        made = simulate([POLICY, dear], rows)
        assert made.versions == ("2026-12", "dear")
        assert [f.actions["inspect_before_refund"] for f in made.figures] == [1, 0]
        assert simulate([dear, POLICY], rows).figures[1].work == 50

    def test_tells_what_moves(self) -> None:
        made = simulate([with_gain(100), POLICY], past({"risk": 0.4, "value": 10_000}, {}, {}))
        assert made.moved == {("inspect_before_refund", "refund_on_scan"): 1, ("refund_now", "refund_now"): 2}

    def test_segments_hold_every_return_once_along_each_dimension(self) -> None:
        rows = [
            {"country": country, "channel": channel, "value": value, "tenure": tenure}
            for country, channel in (("DE", "web"), (None, "store"), ("FR", None))
            for value in (0, 2_499, 2_500, 90_000)
            for tenure in (0.0, 29.9, 30.0, 400.0, float("nan"))
        ]
        made = simulate([POLICY, with_gain(3)], past(*rows))
        for dimension in ("country", "channel", "kind", "value", "tenure"):
            of = [segment for segment in made.segments if segment.dimension == dimension]
            assert sum(segment.figures[0].returns for segment in of) == len(rows)
            assert sum(segment.figures[1].found for segment in of) == pytest.approx(made.figures[1].found)
        assert {s.name for s in made.segments if s.dimension == "country"} == {"DE", "FR", "unknown"}

    def test_advances_to_the_end(self) -> None:
        told: list[tuple[int, int]] = []
        simulate([POLICY, POLICY], past({}, {}, {}), lambda done, total: told.append((done, total)))
        assert told[-1] == (6, 6)
        assert [done for done, _ in told] == sorted(done for done, _ in told)


class TestCapacity:
    def rows(self) -> Past:
        """Ten days; on day d, d returns that are worth a look, of values 100, 200, ..."""
        rows = [
            {"day": 100 + day, "risk": 0.4, "value": 10_000 * (number + 1), "sufficient": False}
            for day in range(10)
            for number in range(day)
        ]
        return past(*rows, first_day=100, last_day=109)

    def test_days_without_returns_count(self) -> None:
        (days,) = simulate([with_gain(0, 8)], self.rows()).days
        assert days.checks.tolist() == list(range(10))
        assert (days.mean, days.share_over) == (4.5, 0.1)

    @pytest.mark.parametrize("a_day", [1, 3, 5, 8])
    def test_the_gain_that_is_proposed_keeps_to_it_and_no_less_would(self, a_day: int) -> None:
        (days,) = simulate([with_gain(0, a_day)], self.rows()).days
        assert days.proposed is not None
        (kept,) = simulate([with_gain(days.proposed, a_day)], self.rows()).days
        assert kept.share_over <= kept.days_over
        assert kept.proposed == days.proposed
        assert days.proposed > 0
        (less,) = simulate([with_gain(round(days.proposed - 0.01, 2), a_day)], self.rows()).days
        assert less.share_over > less.days_over

    def test_nothing_is_asked_for_where_there_is_room(self) -> None:
        (days,) = simulate([with_gain(0, 9)], self.rows()).days
        assert days.proposed == 0

    def test_what_rules_ask_for_cannot_be_priced_away(self) -> None:
        text = POLICY.text.replace("{value_below: 15}", "{kind: return}").replace("checks_a_day: 50", "checks_a_day: 2")
        policy = policy_of(text.replace("action: refund_now", "action: inspect_before_refund"))
        (days,) = simulate([policy], self.rows()).days
        assert days.proposed is None
        assert days.mean == 4.5


def test_no_figure_leaves_an_action_out() -> None:
    assert set(simulate([POLICY], past({})).figures[0].actions) == set(ACTIONS)
