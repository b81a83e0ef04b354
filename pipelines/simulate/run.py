"""`returnwise simulate`: the history of a simulated shop, from its customers to its verdicts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Final

import numpy as np
from rich.progress import Progress

from pipelines.simulate.abuse import abusive_asks, plan
from pipelines.simulate.asks import joined
from pipelines.simulate.calendar import Calendar
from pipelines.simulate.chance import happens
from pipelines.simulate.customers import make_customers
from pipelines.simulate.identities import make_identities
from pipelines.simulate.inspections import make_inspections
from pipelines.simulate.orders import NEVER, make_lines, make_orders
from pipelines.simulate.products import make_products
from pipelines.simulate.requests import make_requests
from pipelines.simulate.returns import History, honest_asks
from pipelines.simulate.settings import SimulationError, SimulationSettings
from pipelines.simulate.tables import Story, deliveries_on_record, late_by, outputs
from pipelines.simulate.text import Opaque
from pipelines.simulate.verdicts import make_verdicts
from pipelines.simulate.write import FORMATS, check_folder, write_tables

LAST_DAY: Final = dt.date(2026, 9, 30)
#: About 1 kB of memory each.
MOST_ORDERS: Final = 20_000_000
_FIRST_DAY: Final = dt.date(1970, 1, 1)
_STEPS: Final = 6


@dataclass
class SimulationReport:
    """How many rows each table has, and how much of it is abusive."""

    out: Path
    counts: dict[str, int] = field(default_factory=dict)  # by table, truth/ included
    requests: int = 0
    abusive: int = 0
    returned_lines: int = 0
    seconds: float = 0.0

    def lines(self) -> list[str]:
        """The report as lines of plain text."""
        tables = [f"{name:<24} {rows:>12,}" for name, rows in self.counts.items()]
        bought = max(self.counts.get("order_lines", 0), 1)
        return [
            f"{'table':<24} {'rows':>12}",
            *tables,
            f"{self.returned_lines / bought:.1%} of the lines were asked back; "
            f"{self.abusive / max(self.requests, 1):.1%} of {self.requests:,} return requests are abusive",
            f"written to {self.out} in {self.seconds:.1f} s",
        ]


def simulate(
    out: Path,
    *,
    customers: int,
    days: int,
    seed: int,
    end: dt.date = LAST_DAY,
    progress: Progress | None = None,
    format: str = "csv",
    settings: SimulationSettings | None = None,
) -> SimulationReport:
    """Writes the tables of a shop with so many customers over the `days` days of which `end` is the last.

    The same arguments give the same files, byte by byte. Nothing lies after `end`. The truth is written to
    `out/truth`, which ingest never reads.

    Raises:
        SimulationError: the arguments make no sense, the day `end` is not over yet, or `out` holds tables in the other
            format or of somebody else.
    """
    if customers < 1 or days < 1 or seed < 0:
        raise SimulationError("customers and days must be at least 1, and the seed at least 0")
    kind = next((known for known in FORMATS if known == format), None)
    if kind is None:
        raise SimulationError(f"unknown format {format!r}: {' or '.join(FORMATS)}")
    settings = settings or SimulationSettings()
    _check_size(customers, days, end, settings)
    _check_end(end)
    check_folder(out, kind)
    began = perf_counter()
    with _task(progress, "simulating", _STEPS) as advance:
        story = tell(customers, days, seed, end, settings, lambda: advance(1))
    tables = outputs(story, text_times=kind == "csv")
    with _task(progress, "writing", sum(table.rows for table in tables)) as advance:
        write_tables(out, tables, kind, advance)
    requests = story.requests
    return SimulationReport(
        out=out,
        counts={table.name: table.rows for table in tables},
        requests=len(requests),
        abusive=int((requests.kind >= 0).sum()),
        returned_lines=len(np.unique(requests.lines.line)),
        seconds=perf_counter() - began,
    )


def _check_end(end: dt.date) -> None:
    """Ingest refuses what has not happened yet, so a history must not reach into it."""
    yesterday = dt.datetime.now(tz=dt.UTC).date() - dt.timedelta(days=1)
    if end > yesterday:
        raise SimulationError(f"{end} is not over yet (UTC); the history may end on {yesterday} at the latest")


def _check_size(customers: int, days: int, end: dt.date, settings: SimulationSettings) -> None:
    if days > (end - _FIRST_DAY).days + 1:
        raise SimulationError(f"{days:,} days that end on {end} would begin before {_FIRST_DAY}")
    orders = customers * max(1.0, days / 365 * settings.orders_per_year)
    if orders > MOST_ORDERS:
        raise SimulationError(
            f"{customers:,} customers over {days:,} days make up to {orders:,.0f} orders; the shop is made in memory, "
            f"which ends at {MOST_ORDERS:,}"
        )


def tell(
    customers: int,
    days: int,
    seed: int,
    end: dt.date,
    settings: SimulationSettings,
    step_done: Callable[[], None] = lambda: None,
) -> Story:
    """Everything that happens in such a shop, in memory."""
    rng = np.random.default_rng(seed)
    calendar = Calendar.until(end, days)
    opaque = Opaque(int(rng.integers(0, 2**40)))
    people = make_customers(rng, customers, calendar, settings)
    identities = make_identities(rng, people)
    products = make_products(rng, customers)
    step_done()
    orders = make_orders(rng, people, identities, calendar, settings)
    step_done()
    lines = make_lines(rng, orders, people, products, calendar)
    history = History(people, products, orders, lines, calendar, settings)
    step_done()
    planned = plan(rng, history)
    of_refunders = planned.refunder_orders
    orders.device[of_refunders] = identities.refunder_device[orders.customer[of_refunders]]
    abusive, taken = abusive_asks(rng, history, planned)
    requests = make_requests(rng, history, joined([honest_asks(rng, history, taken), abusive]))
    step_done()
    inspections = make_inspections(rng, history, requests)
    step_done()
    verdicts = make_verdicts(rng, history, requests, inspections)
    late = happens(rng, settings.late_share, len(orders)) & (orders.scanned < NEVER)
    recorded = late_by(orders.scanned, rng.exponential(0.9, len(orders)), late)
    delivered = deliveries_on_record(orders.scanned, recorded, calendar.end)
    step_done()
    return Story(history, identities, requests, inspections, verdicts, delivered, recorded[delivered], opaque)


@contextmanager
def _task(progress: Progress | None, what: str, total: int) -> Iterator[Callable[[int], None]]:
    if progress is None:
        yield lambda done: None
        return
    task = progress.add_task(what, total=max(total, 1))
    yield lambda done: progress.advance(task, done)
    progress.update(task, completed=max(total, 1))
