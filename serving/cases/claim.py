"""What a customer asks for: the return or claim of a case, as the ledger has it.

Times are microseconds since 1970 UTC, unit prices in 1/10,000 and values in 1/100 of the order's currency.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy.engine import Connection

from features.ledger.sql import rows


class ClaimedLine(NamedTuple):
    """A line of the order of which something comes back or is claimed; `value_minor` is what was paid for that."""

    line_id: str
    sku: str
    category: str | None
    quantity: int
    bought: int
    unit_price_e4: int
    discounted: bool
    value_minor: int


class Delivery(NamedTuple):
    """A delivery of the order and how it was proven: none, scan, photo or signature."""

    delivered_at: int
    proof: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A return request with its order. What was not stated is None."""

    return_id: str
    requested_at: int
    kind: str
    reason: str
    resolution: str | None
    return_channel: str | None
    tender: str | None
    proof_of_purchase: bool | None
    customer_id: str
    bought_by_other: bool  # somebody else than the buyer asks
    order_id: str
    ordered_at: int
    order_channel: str | None
    country: str | None
    currency: str | None
    courier: str | None
    lines: tuple[ClaimedLine, ...]
    lines_kept: int  # lines of the order of which nothing is asked for
    deliveries: tuple[Delivery, ...]  # oldest first

    @property
    def value_minor(self) -> int:
        """What was paid for all that is asked for."""
        return sum(line.value_minor for line in self.lines)

    @property
    def items(self) -> int:
        """Pieces asked for."""
        return sum(line.quantity for line in self.lines)

    @property
    def main(self) -> ClaimedLine:
        """The line with the greatest value; of equals the first by its id."""
        return min(self.lines, key=lambda line: (-line.value_minor, line.line_id))

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories of the lines, that of the dearest first."""
        dearest = sorted(self.lines, key=lambda line: (-line.value_minor, line.line_id))
        return tuple(dict.fromkeys(line.category for line in dearest if line.category))

    @property
    def delivery(self) -> Delivery | None:
        """The latest delivery before the request, or the first after it."""
        before = [each for each in self.deliveries if each.delivered_at <= self.requested_at]
        return before[-1] if before else next(iter(self.deliveries), None)

    @property
    def delivered_after_request(self) -> bool:
        """Whether all that is known to have arrived did so after the request."""
        return self.delivery is not None and self.delivery.delivered_at > self.requested_at


_HEAD = (
    "SELECT r.requested_at, r.kind, r.reason, r.resolution, r.channel, r.tender, r.proof_of_purchase, r.customer_id,"
    " o.customer_id, o.order_no, o.order_id, o.ordered_at, o.channel, o.country, o.currency, o.courier"
    " FROM returns r JOIN orders o ON o.order_no = r.order_no WHERE r.return_id = ? ORDER BY r.return_no LIMIT 1"
)
_LINES = (
    "SELECT l.line_id, l.sku, l.category, r.quantity, l.quantity, l.unit_price_e4, l.discount_e4 > 0,"
    " l.value_minor * r.quantity / l.quantity FROM returns r"
    " JOIN order_lines l ON l.order_no = r.order_no AND l.line_id = r.line_id WHERE r.return_id = ? ORDER BY l.line_id"
)
_BOUGHT = "SELECT COUNT(*) FROM order_lines WHERE order_no = ?"
_DELIVERIES = "SELECT delivered_at, proof FROM deliveries WHERE order_no = ? ORDER BY delivered_at"


def read(conn: Connection, return_id: str) -> Claim:
    """The return of that id.

    Raises:
        LookupError: the ledger has no such return.
    """
    found = rows(conn, _HEAD, (return_id,))
    if not found:
        raise LookupError(f"unknown return {return_id}")
    requested_at, kind, reason, resolution, channel, tender, proof, returner, buyer, order_no, *order = found[0]
    lines = tuple(
        ClaimedLine(line_id, sku, category, quantity, bought, price, bool(discounted), value)
        for line_id, sku, category, quantity, bought, price, discounted, value in rows(conn, _LINES, (return_id,))
    )
    ((bought_lines,),) = rows(conn, _BOUGHT, (order_no,))
    order_id, ordered_at, order_channel, country, currency, courier = order
    return Claim(
        return_id=return_id,
        requested_at=requested_at,
        kind=kind,
        reason=reason,
        resolution=resolution,
        return_channel=channel,
        tender=tender,
        proof_of_purchase=None if proof is None else bool(proof),
        customer_id=returner or buyer,
        bought_by_other=returner is not None and returner != buyer,
        order_id=order_id,
        ordered_at=ordered_at,
        order_channel=order_channel,
        country=country,
        currency=currency,
        courier=courier,
        lines=lines,
        lines_kept=bought_lines - len(lines),
        deliveries=tuple(Delivery(*row) for row in rows(conn, _DELIVERIES, (order_no,))),
    )
