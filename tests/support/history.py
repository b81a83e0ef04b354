"""A small shop's history, made up and appended to a ledger, for tests that train on one."""

from __future__ import annotations

from typing import Any

import numpy as np

from features.clock import DAY
from features.ledger.append import TABLES, append_rows
from features.ledger.store import Ledger
from features.settings import Settings

FIRST_DAY = 20_000
Rows = dict[str, list[dict[str, Any]]]


def made_up_history(customers: int = 240, orders_each: int = 12, seed: int = 5, *, inspected: float = 0.8) -> Rows:
    """Rows of every table. One customer in eight sends back most of what they buy, and half of it worn."""
    rng = np.random.default_rng(seed)
    out: Rows = {table: [] for table in TABLES}
    for c in range(customers):
        heavy = c % 8 == 0
        days = np.sort(rng.integers(0, 300, orders_each))
        for i, day in enumerate(days):
            order, at = f"o{c}-{i}", int((FIRST_DAY + day) * DAY + rng.integers(0, DAY))
            keys = {f"{name}_id": f"{name}{c // (2 if heavy else 1)}" for name in ("email", "address", "payment")}
            out["orders"].append(
                {"order_id": order, "customer_id": f"c{c}", "ordered_at": at, "country": "DE", "channel": "web", **keys}
            )
            sku = int(rng.integers(0, 30))
            out["order_lines"].append(
                {
                    "order_id": order,
                    "line_id": "1",
                    "sku": f"s{sku}",
                    "quantity": int(rng.integers(1, 4)),
                    "unit_price_e4": int(rng.integers(5, 200)) * 10_000,
                    "category": f"k{sku % 4}",
                }
            )
            out["deliveries"].append({"order_id": order, "delivered_at": at + 2 * DAY, "proof": "scan"})
            if rng.random() < (0.8 if heavy else 0.35):
                requested = at + int(rng.integers(3, 20)) * DAY
                _return(out, rng, f"r{c}-{i}", order, requested, heavy, inspected)
    return out


def _return(
    out: Rows, rng: np.random.Generator, return_id: str, order: str, requested: int, heavy: bool, inspected: float
) -> None:
    out["returns"].append(
        {
            "return_id": return_id,
            "order_id": order,
            "line_id": "1",
            "requested_at": requested,
            "quantity": 1,
            "reason": str(rng.choice(["changed_mind", "size_fit", "defective"])),
            "kind": "return",
        }
    )
    if rng.random() >= inspected:
        return
    worn = rng.random() < (0.5 if heavy else 0.03)
    looked = requested + int(rng.integers(1, 6)) * DAY
    out["inspections"].append(
        {
            "return_id": return_id,
            "inspected_at": looked,
            "finding": "worn" if worn else "as_described",
            "trigger": "random",
            "propensity": inspected,
        }
    )
    if worn and rng.random() < 0.2:
        out["verdicts"].append(
            {
                "return_id": return_id,
                "decided_at": looked + DAY,
                "verdict": "abuse_confirmed",
                "basis": "inspection",
                "abuse_type": "wardrobing",
            }
        )


def fill(settings: Settings, history: Rows) -> None:
    """Append a history to the ledger of `settings` as bulk ingest would."""
    ledger = Ledger.open(settings)
    try:
        with ledger.write() as conn:
            for table in TABLES:
                done = append_rows(
                    conn, table, history[table], live=False, now_us=(FIRST_DAY + 1000) * DAY, hasher=ledger.hasher
                )
                assert not done.rejects, (table, done.rejects[:3])
    finally:
        ledger.close()
