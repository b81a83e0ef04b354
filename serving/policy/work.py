"""The process that makes one simulation: `python -m serving.policy.work ID`.

A process of its own, because it reads all returns of a year and may have to assess them: in the service it would hold
up shoppers. It tells the ledger how far it is, and what it found.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from typing import Final

from features.clock import DAY, day_of
from features.errors import ReturnwiseError
from features.ledger.sql import rows
from features.ledger.store import Ledger
from features.population import close_days
from features.settings import Settings, get_settings
from serving.clock import now_us
from serving.model.holder import champion_now
from serving.model.loaded import LoadedModel
from serving.policy import simulations
from serving.policy.past import has_all_answers, read_past
from serving.policy.reading import read
from serving.policy.simulation import Simulation, simulate
from serving.policy.simulations import Stored
from serving.policy.told import document

_log = logging.getLogger(__name__)
_TOLD_EVERY_S: Final = 1.0
_NICE: Final = 10  # shoppers come first


class NothingPast(ReturnwiseError):
    """There are no returns to simulate on."""


def main(simulation_id: str) -> int:
    """Make the simulation of that id; gives the exit status."""
    settings = get_settings()
    ledger = Ledger.open(settings)
    try:
        return work(ledger, settings, simulation_id)
    finally:
        ledger.close()


def work(ledger: Ledger, settings: Settings, simulation_id: str) -> int:
    """The same over an open ledger. What goes wrong is noted with the simulation."""
    with ledger.read() as conn:
        wanted = simulations.find(conn, simulation_id)
    if wanted is None or wanted.ended_at is not None:
        return 1
    try:
        result = document(_simulated(ledger, settings, wanted))
    except ReturnwiseError as error:
        trouble = error.message
    except Exception:  # noqa: BLE001 - told on the page, and in full in the log
        _log.exception("simulation %s failed", simulation_id)
        trouble = "internal"
    else:
        with ledger.write() as conn:
            simulations.finish(conn, simulation_id, result, now_us())
        return 0
    with ledger.write() as conn:
        simulations.fail(conn, simulation_id, trouble, now_us())
    return 1


def _simulated(ledger: Ledger, settings: Settings, wanted: Stored) -> Simulation:
    policies = [read(wanted.content, "policy"), read(wanted.against, "policy in force")]
    with ledger.read() as conn:
        latest = rows(conn, "SELECT max(requested_at) FROM returns")[0][0]
        if latest is None:
            raise NothingPast("no_returns")
        after = (int(latest) // DAY + 1) * DAY
        first = after - wanted.days * DAY
        answered = has_all_answers(conn, first, after)
    beat = _Beat(ledger, wanted.simulation_id)
    model = None if answered else _model(settings)
    if model is not None:
        with ledger.write() as conn:
            close_days(conn, day_of(after))
    with ledger.read() as conn:
        past = read_past(conn, model, first, after, beat)
    if not len(past):
        raise NothingPast("no_returns")
    return simulate(policies, past)


def _model(settings: Settings) -> LoadedModel | None:
    """The champion. Without one, returns that have no answer are left out, and the result says how many."""
    try:
        return champion_now(settings)
    except ReturnwiseError as error:
        _log.warning("no champion: %s", error.message)
        return None


class _Beat:
    """Tells the ledger how far the work is, not too often."""

    def __init__(self, ledger: Ledger, simulation_id: str) -> None:
        self._ledger = ledger
        self._id = simulation_id
        self._told = 0.0

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._told >= _TOLD_EVERY_S or done == total:
            self._told = now
            with self._ledger.write() as conn:
                simulations.beat(conn, self._id, done, total, now_us())


if __name__ == "__main__":
    os.nice(_NICE)
    raise SystemExit(main(sys.argv[1]))
