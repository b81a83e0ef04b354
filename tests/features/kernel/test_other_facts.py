"""The kernel on declarations and facts that are not those of returns."""

from __future__ import annotations

import numpy as np
import pytest

from features import declarations
from features.clock import DAY, SECOND, window_us
from features.history import Facts, History
from features.kernel import many
from features.measures import FACT_KINDS, Age, Entity, Measure, names_of

_RIDES = Measure("rides", "rides", lambda f: np.ones(len(f["km"]), dtype=np.int64), "rides", "rides")
_KM = Measure("km", "rides", lambda f: f["km"], "km", "distance")
_FAULTS = Measure("faults", "checks", lambda f: f["fault"] > 0, "faults", "rides after which a fault was found")
_LAST_FAULT = Age("seconds_since_fault", "checks", "last", "since the last", where=lambda f: f["fault"] > 0)
_FIRST_RIDE = Age("seconds_since_first", "rides", "first", "since the first")

RIDER = Entity("rider", ("rider_id",), ("1d", "3d", "lifetime"), (_RIDES, _KM, _FAULTS), ages=(_FIRST_RIDE,))
BIKE = Entity("bike", ("bike_id",), ("2d", "9d"), (_KM, _FAULTS), ages=(_LAST_FAULT,))
PAIR = Entity("pair", ("rider_id", "bike_id"), ("5d",), (_RIDES,))
_DELAY = 2 * DAY


@pytest.fixture(scope="module")
def rides() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    n = 240
    at = np.sort(rng.integers(0, 20 * DAY, n) // (DAY // 4) * (DAY // 4))  # ties, and exact ends of windows
    return {
        "rider": rng.integers(-1, 6, n),
        "bike": rng.integers(0, 4, n),
        "at": at,
        "km": rng.integers(1, 30, n),
        "fault": (rng.random(n) < 0.3).astype(np.int64),
    }


def _history(rides: dict[str, np.ndarray]) -> History:
    at, rows = rides["at"], np.arange(len(rides["at"]))
    ridden = Facts({"occurred_at": at, "recorded_at": at, "km": rides["km"]}, rows, None)
    checked = Facts({"occurred_at": at, "recorded_at": at + _DELAY, "fault": rides["fault"]}, rows, None)
    keys = {party: rides[party] for party in ("rider", "bike")}
    return History(rows, [], keys, {}, {"rides": ridden, "checks": checked})


def _asked(rides: dict[str, np.ndarray]) -> many.Asked:
    keys = {party: rides[party] for party in ("rider", "bike")}
    return many.Asked(keys, np.full(len(rides["at"]), -1), rides["at"])


def _plain(rides: dict[str, np.ndarray], row: int) -> dict[str, float]:
    """The definitions word for word: recorded before the moment, occurred within the window before it."""
    moment, out = int(rides["at"][row]), {}
    facts = list(zip(*(rides[name].tolist() for name in ("rider", "bike", "at", "km", "fault")), strict=True))
    rider, bike = int(rides["rider"][row]), int(rides["bike"][row])
    own = {
        "rider": [f for f in facts if f[0] == rider and rider >= 0],
        "bike": [f for f in facts if f[1] == bike],
        "pair": [f for f in facts if f[:2] == (rider, bike) and rider >= 0],
    }
    for entity in (RIDER, BIKE, PAIR):
        ridden = [f for f in own[entity.name] if f[2] < moment]
        checked = [f for f in own[entity.name] if f[2] + _DELAY < moment]
        for window in entity.windows:
            start = moment - window_us(window)
            out[f"{entity.name}_rides_{window}"] = sum(1 for f in ridden if f[2] >= start)
            out[f"{entity.name}_km_{window}"] = sum(f[3] for f in ridden if f[2] >= start)
            out[f"{entity.name}_faults_{window}"] = sum(f[4] for f in checked if f[2] >= start)
        faults = [f[2] for f in checked if f[4]]
        out[f"{entity.name}_seconds_since_fault"] = (moment - max(faults)) // SECOND if faults else np.nan
        first = min((f[2] for f in ridden), default=None)
        out[f"{entity.name}_seconds_since_first"] = np.nan if first is None else (moment - first) // SECOND
    return out


def test_values_are_what_their_definitions_say(rides: dict[str, np.ndarray]) -> None:
    entities = (RIDER, BIKE, PAIR)
    values = many.values(_history(rides), _asked(rides), entities)
    names = names_of(entities)
    expected = np.array([[_plain(rides, row)[name] for name in names] for row in range(len(values))])
    np.testing.assert_array_equal(values, expected)
    assert len(names) == 16
    constant = {name for name, column in zip(names, values.T, strict=True) if len(np.unique(column)) == 1}
    assert constant == {"rider_faults_1d", "bike_faults_2d"}, "no longer than what a check takes to be known"


@pytest.mark.parametrize("by", ["rider", "bike"])
def test_chunks_by_either_party_give_the_same(rides: dict[str, np.ndarray], by: str) -> None:
    history, asked = _history(rides), _asked(rides)
    whole = many.values(history, asked, (RIDER, BIKE))
    got = np.full_like(whole, -1.0)
    for rows, values in many.chunks(history, asked, (RIDER, BIKE), by=by, size=50):
        got[rows] = values
    np.testing.assert_array_equal(got, whole)


def test_declarations_about_returns_use_facts_of_the_ledger() -> None:
    used = {part.facts for entity in declarations.ENTITIES for part in (*entity.measures, *entity.ages)}
    assert used == set(FACT_KINDS)
