"""From the ledger and two policy files to tables and a picture."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.progress import Progress
from sqlalchemy.engine import Connection

from features.clock import DAY, day_of
from features.errors import ReturnwiseError
from features.ledger.sql import rows
from features.ledger.store import Ledger
from features.population import close_days
from features.settings import Settings
from pipelines.policy.picture import ENDINGS, draw
from serving.model.holder import champion_now
from serving.policy.past import Past, has_all_answers, read_past
from serving.policy.reading import load
from serving.policy.simulation import Simulation
from serving.policy.simulation import simulate as run
from serving.policy.source import in_force

_YEAR: Final = 365


class PolicyRunError(ReturnwiseError):
    """There is nothing to simulate on, or no place for the picture."""


@dataclass(frozen=True)
class SimulateReport:
    """A simulation, and where its picture is."""

    simulation: Simulation
    plot: Path | None


def simulate(
    settings: Settings,
    file: Path,
    against: Path | None = None,
    *,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    plot: Path | None = None,
    progress: Progress | None = None,
) -> SimulateReport:
    """What the policy in `file` would have done to the returns of a stretch, beside another: that in `against`, or else
    the one in force.

    `since` and `until` are days (UTC), both included; by default the last year of the ledger's returns.

    Raises:
        PolicyError: a file is no policy.
        PolicyRunError: there are no returns in that stretch, or the plot cannot be drawn there.
        ReturnwiseError: returns have to be assessed, and there is no champion.
    """
    if plot is not None and plot.suffix.lower() not in ENDINGS:
        raise PolicyRunError(f"{plot}: the name must end in {', '.join(ENDINGS)}")
    policy = load(file)
    other = load(against) if against is not None else None
    ledger = Ledger.open(settings)
    try:
        with ledger.read() as conn:
            first, after = _stretch(conn, since, until)
            other = other or in_force(conn)
            answered = has_all_answers(conn, first, after)
        past = _read(ledger, settings, first, after, answered, progress)
    finally:
        ledger.close()
    if not len(past):
        raise PolicyRunError("there are no returns in that stretch")
    simulation = run([policy, other], past, _bar(progress, "policies"))
    if plot is not None:
        draw(simulation, plot)
    return SimulateReport(simulation, plot)


def _read(
    ledger: Ledger, settings: Settings, first: int, after: int, answered: bool, progress: Progress | None
) -> Past:
    model = None if answered else champion_now(settings)
    if model is not None:
        with ledger.write() as conn:
            close_days(conn, day_of(after))
    with ledger.read() as conn:
        return read_past(conn, model, first, after, _bar(progress, "estimates"))


def _stretch(conn: Connection, since: dt.datetime | None, until: dt.datetime | None) -> tuple[int, int]:
    """The first moment, and the one after the last."""
    latest = rows(conn, "SELECT max(requested_at) FROM returns")[0][0]
    if latest is None:
        raise PolicyRunError("the ledger holds no returns: `returnwise ingest` some first")
    after = (int(latest) // DAY + 1) * DAY if until is None else _us(until) + DAY
    first = after - _YEAR * DAY if since is None else _us(since)
    if first >= after:
        raise PolicyRunError("--since lies after --until")
    return first, after


def _us(day: dt.datetime) -> int:
    return int(day.replace(tzinfo=dt.UTC).timestamp()) * 1_000_000


def _bar(progress: Progress | None, what: str) -> Callable[[int, int], None]:
    if progress is None:
        return lambda done, total: None
    task = progress.add_task(what, total=None)
    return lambda done, total: progress.update(task, completed=done, total=max(total, 1))
