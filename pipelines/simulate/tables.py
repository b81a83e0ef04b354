"""The tables of the contract, and the truth, as Arrow batches: rows [low, high) of each at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.ledger import vocabulary as words
from pipelines.simulate.calendar import DAY
from pipelines.simulate.chance import Ints
from pipelines.simulate.customers import SIZE_RANGES
from pipelines.simulate.identities import Identities
from pipelines.simulate.inspections import Inspections
from pipelines.simulate.orders import NEVER
from pipelines.simulate.requests import Requests
from pipelines.simulate.returns import History
from pipelines.simulate.shop import CATEGORY_NAMES, COUNTRIES, COURIERS, SIZES
from pipelines.simulate.text import Opaque, chosen, decimals, iso_times, optional
from pipelines.simulate.verdicts import Verdicts

_COURIER_NAMES: Final = [courier.name for courier in COURIERS]
_COUNTRY_CODES: Final = [country.code for country in COUNTRIES]
_CURRENCIES: Final = [country.currency for country in COUNTRIES]


@dataclass(frozen=True)
class Story:
    """Everything that happened, ready to be written."""

    history: History
    identities: Identities
    requests: Requests
    inspections: Inspections
    verdicts: Verdicts
    delivered: Ints  # orders with a delivery on record, in order of time
    delivery_recorded: Ints  # when these were recorded, 0 for at once
    opaque: Opaque


@dataclass(frozen=True)
class Output:
    """A table to be written: its number of rows, and its rows [low, high) as columns by name."""

    name: str
    rows: int
    columns: Callable[[int, int], dict[str, pa.Array]]


#: Names of the tables; what lies in `truth` is never ingested.
NAMES: Final = (
    "orders",
    "order_lines",
    "deliveries",
    "returns",
    "inspections",
    "verdicts",
    "truth/returns_truth",
    "truth/customers_truth",
)


def outputs(story: Story, *, text_times: bool) -> list[Output]:
    """The tables of `NAMES`; times as ISO 8601 text or as timestamps (UTC)."""
    at = iso_times if text_times else _timestamps
    history = story.history
    rows_and_columns = (
        (len(history.orders), lambda low, high: _orders(story, at, low, high)),
        (len(history.lines), lambda low, high: _lines(story, low, high)),
        (len(story.delivered), lambda low, high: _deliveries(story, at, low, high)),
        (len(story.requests.of), lambda low, high: _returns(story, at, low, high)),
        (len(story.inspections), lambda low, high: _inspections(story, at, low, high)),
        (len(story.verdicts), lambda low, high: _verdicts(story, at, low, high)),
        (len(story.requests), lambda low, high: _returns_truth(story, low, high)),
        (len(history.customers), lambda low, high: _customers_truth(story, low, high)),
    )
    return [Output(name, rows, columns) for name, (rows, columns) in zip(NAMES, rows_and_columns, strict=True)]


Times = Callable[[Ints], pa.Array]


def _timestamps(moments: Ints) -> pa.Array:
    return pa.array(moments * 1_000_000, mask=moments == 0).cast(pa.timestamp("us", "UTC"))


def _orders(story: Story, at: Times, low: int, high: int) -> dict[str, pa.Array]:
    orders, opaque = story.history.orders, story.opaque
    part = slice(low, high)
    return {
        "order_id": opaque.ids("o", np.arange(low, high)),
        "customer_id": opaque.ids("c", orders.customer[part]),
        "ordered_at": at(orders.at[part]),
        "channel": chosen(orders.channel[part], words.CHANNELS),
        "country": chosen(orders.country[part], _COUNTRY_CODES),
        "currency": chosen(orders.country[part], _CURRENCIES),
        "email_id": opaque.ids("", orders.email[part], "@example.com"),
        "address_id": opaque.ids("ad_", orders.address[part]),
        "payment_id": opaque.ids("pm_", orders.payment[part]),
        "device_id": opaque.ids("dv_", orders.device[part]),
        "courier": chosen(orders.courier[part], _COURIER_NAMES),
    }


def _lines(story: Story, low: int, high: int) -> dict[str, pa.Array]:
    lines, opaque = story.history.lines, story.opaque
    part = slice(low, high)
    style = pc.utf8_upper(opaque.ids("s", lines.style[part]))
    size = chosen(lines.size[part], SIZES)
    return {
        "order_id": opaque.ids("o", lines.order[part]),
        "line_id": _numbers(lines.number[part]),
        "sku": pc.coalesce(pc.binary_join_element_wise(style, size, "-"), style),
        "quantity": pa.array(lines.quantity[part]),
        "unit_price": decimals(lines.price[part]),
        "category": chosen(lines.category[part], CATEGORY_NAMES),
        "discount": decimals(lines.discount[part]),
    }


def _numbers(numbers: Ints) -> pa.Array:
    return pa.array(numbers).cast(pa.string())


def _deliveries(story: Story, at: Times, low: int, high: int) -> dict[str, pa.Array]:
    orders, order = story.history.orders, story.delivered[low:high]
    return {
        "order_id": story.opaque.ids("o", order),
        "delivered_at": at(orders.scanned[order]),
        "proof": chosen(orders.proof[order], words.PROOFS),
        "recorded_at": at(story.delivery_recorded[low:high]),
    }


def _returns(story: Story, at: Times, low: int, high: int) -> dict[str, pa.Array]:
    requests, lines = story.requests, story.history.lines
    of, asks = requests.of[low:high], requests.lines
    line = asks.line[low:high]
    proof = requests.proof[of]
    return {
        "return_id": story.opaque.ids("r", of),
        "order_id": story.opaque.ids("o", lines.order[line]),
        "line_id": _numbers(lines.number[line]),
        "requested_at": at(requests.at[of]),
        "quantity": pa.array(asks.quantity[low:high]),
        "reason": chosen(asks.reason[low:high], words.REASONS),
        "kind": chosen(requests.claim[of].astype(np.int8), words.KINDS),
        "resolution": chosen(requests.resolution[of], words.RESOLUTIONS),
        "channel": chosen(requests.channel[of], words.CHANNELS),
        "tender": chosen(requests.tender[of], words.TENDERS),
        "proof_of_purchase": optional(proof == 1, proof < 0),
    }


def _inspections(story: Story, at: Times, low: int, high: int) -> dict[str, pa.Array]:
    made, lines = story.inspections, story.history.lines
    part = slice(low, high)
    line = made.line[part]
    propensity = made.propensity[part]
    return {
        "return_id": story.opaque.ids("r", made.request[part]),
        "inspected_at": at(made.at[part]),
        "finding": chosen(made.finding[part], words.FINDINGS),
        "trigger": chosen(made.trigger[part], words.TRIGGERS),
        "propensity": optional(propensity, np.isnan(propensity)),
        "line_id": pc.if_else(pa.array(line >= 0), _numbers(lines.number[line]), pa.scalar(None, pa.string())),
        "recorded_at": at(made.recorded[part]),
    }


def _verdicts(story: Story, at: Times, low: int, high: int) -> dict[str, pa.Array]:
    made = story.verdicts
    part = slice(low, high)
    return {
        "return_id": story.opaque.ids("r", made.request[part]),
        "decided_at": at(made.at[part]),
        "verdict": chosen(made.verdict[part], words.VERDICTS),
        "abuse_type": chosen(made.abuse_type[part], words.ABUSE_TYPES),
        "basis": chosen(made.basis[part], words.BASES),
        "recorded_at": at(made.recorded[part]),
    }


def _returns_truth(story: Story, low: int, high: int) -> dict[str, pa.Array]:
    requests = story.requests
    kind = requests.kind[low:high]
    customer = requests.customer[low:high]
    lapse = (kind >= 0) & (story.history.customers.kind[customer] < 0)
    return {
        "return_id": story.opaque.ids("r", np.arange(low, high)),
        "abusive": pa.array(kind >= 0),
        "kind": chosen(kind, words.ABUSE_TYPES),
        "act": chosen(requests.act[low:high], words.ABUSE_TYPES),
        "lapse": pa.array(lapse),
    }


def _customers_truth(story: Story, low: int, high: int) -> dict[str, pa.Array]:
    customers, identities = story.history.customers, story.identities
    part = slice(low, high)
    kind, ring = customers.kind[part], customers.ring[part]
    hired = kind == words.ABUSE_TYPES.index("hired_refunder")
    groups: list[Any] = [ring >= 0, hired, kind >= 0, customers.serial[part], customers.bracketing[part] > 0.05]
    group = np.select(groups, range(len(groups)), default=len(groups))
    return {
        "customer_id": story.opaque.ids("c", np.arange(low, high)),
        "group": chosen(group, ("ring", "hired", "habit", "serial_returning", "bracketing", "usual")),
        "kind": chosen(kind, words.ABUSE_TYPES),
        "act": chosen(customers.act[part], words.ABUSE_TYPES),
        "intensity": optional(np.round(customers.intensity[part], 4), kind < 0),
        "ring": optional(ring, ring < 0),
        "country": chosen(customers.country[part], _COUNTRY_CODES),
        "channel": chosen(customers.channel[part], words.CHANNELS),
        "size_range": chosen(customers.size_range[part], SIZE_RANGES),
        "household_size": pa.array(identities.household_size[part]),
        "pickup_point": pa.array(identities.pickup[part]),
        "brackets": pa.array(customers.bracketing[part] > 0.05),
        "serial": pa.array(customers.serial[part]),
        "joined_day": pa.array(np.round(customers.joined[part], 2)),
    }


def deliveries_on_record(orders_scanned: Ints, recorded: Ints, end: int) -> Ints:
    """Orders whose delivery happened and was recorded before the end, in order of time."""
    known = np.where(orders_scanned < NEVER, np.maximum(orders_scanned, recorded), NEVER)
    order = np.flatnonzero(known < end)
    return np.asarray(order[np.argsort(orders_scanned[order], kind="stable")])


def late_by(moments: Ints, days: Any, late: Any) -> Ints:
    """When what happened at `moments` was recorded if it was `days` late, 0 where at once. (n,) each."""
    return np.where(late, moments + (DAY * days).astype(np.int64) + 1_800, 0)
