from __future__ import annotations

import pytest

from pipelines.simulate.settings import HABITS, SimulationError, SimulationSettings
from tests.pipelines.simulate.conftest import Shop, tell_shop

SMALL = {"customers": 3_000, "days": 500, "seed": 12}


def told(settings: SimulationSettings) -> Shop:
    return tell_shop(**SMALL, settings=settings)


@pytest.fixture(scope="module")
def usual() -> Shop:
    return told(SimulationSettings())


def abusive(shop: Shop) -> float:
    return float(shop["truth/returns_truth"]["abusive"].mean())


@pytest.mark.parametrize("kind", ["fake_tracking", "counterfeit_item", "wardrobing", "false_claim"])
def test_a_break_brings_a_kind_that_was_not_there(kind: str) -> None:
    shop = told(SimulationSettings(break_day=300, break_kind=kind, break_share=0.04))
    requests = shop.requests().query("act == @kind")
    day = (requests["ordered_at"] - shop["orders"]["ordered_at"].min().normalize()).dt.days
    assert len(requests) > 15
    assert day.min() >= 300
    assert day.max() > 400
    people = shop["truth/customers_truth"]
    assert people["kind"].eq(kind).sum() > 25


def test_without_a_break_the_kind_is_one_of_many(usual: Shop) -> None:
    requests = usual.requests().query("act == 'fake_tracking'")
    assert (
        requests["ordered_at"].min()
        < usual.end - usual.end.to_pydatetime().resolution - (usual.end - usual["orders"]["ordered_at"].min()) * 0.5
    )


def test_levels_change_what_they_say(usual: Shop) -> None:
    none = told(SimulationSettings(abuse_level=0.0))
    assert abusive(none) == 0
    assert abusive(told(SimulationSettings(abuse_level=2.0))) > 1.4 * abusive(usual)
    more = told(SimulationSettings(return_level=1.6))
    assert len(more["returns"]) > 1.25 * len(usual["returns"])
    lossy = told(SimulationSettings(loss_level=4.0))
    lost = [shop["returns"]["reason"].eq("not_received").sum() for shop in (lossy, usual)]
    assert lost[0] > 2 * lost[1]
    busy = told(SimulationSettings(orders_per_year=18.0))
    assert len(busy["orders"]) > 1.8 * len(usual["orders"])


def test_checks_can_be_turned_off_and_up(usual: Shop) -> None:
    none = told(SimulationSettings(routine_rate=0.0, random_rate=0.0, risk_rate=0.0))
    assert len(none["inspections"]) == 0
    assert set(none["verdicts"]["basis"]) <= {"opinion", "policy"}
    only_random = told(SimulationSettings(routine_rate=0.0, random_rate=0.1, risk_rate=0.0))
    assert set(only_random["inspections"]["trigger"]) == {"random"}
    assert set(only_random["inspections"]["propensity"]) == {0.1}
    assert len(only_random["inspections"]) > 3 * usual["inspections"]["trigger"].eq("random").sum()


def test_the_mix_can_be_one_kind() -> None:
    shop = told(SimulationSettings(abuse_mix={"wardrobing": 1.0}, ring_share=0.0, hired_share=0.0, lapse_rate=0.0))
    assert set(shop["truth/returns_truth"]["kind"].dropna()) == {"wardrobing"}


def test_nobody_is_late_if_told_so() -> None:
    shop = told(SimulationSettings(late_share=0.0))
    for name in ("deliveries", "inspections", "verdicts"):
        assert shop[name]["recorded_at"].isna().all()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"habit_share": 0.5}, "habit_share"),
        ({"random_rate": -0.1}, "random_rate"),
        ({"random_rate": float("nan")}, "random_rate"),
        ({"orders_per_year": 1e9}, "orders_per_year"),
        ({"break_kind": "serial_returning"}, "unknown kind"),
        ({"abuse_mix": {"gossip": 1.0}}, "gossip"),
        ({"abuse_mix": {"wardrobing": -1.0, "false_claim": 2.0}}, "negative"),
        ({"abuse_mix": {"fake_tracking": 1.0}, "break_day": 3}, "some kind"),
        ({"break_day": -1}, "break_day"),
    ],
)
def test_settings_out_of_bounds_are_refused(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(SimulationError, match=words):
        SimulationSettings(**wrong)  # type: ignore[arg-type]


def test_the_usual_mix_is_whole() -> None:
    assert sum(HABITS.values()) == pytest.approx(1.0)
    assert sum(SimulationSettings().weights()) == pytest.approx(1.0)
