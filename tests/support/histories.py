"""Small random histories in a real ledger, with ties, late records and shared keys, for property tests."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features.clock import DAY
from features.ledger import vocabulary as words
from features.ledger.append import append_rows
from features.ledger.store import Ledger
from features.settings import Settings

START = 19_700 * DAY
NOW = START + 500 * DAY


@dataclass(frozen=True)
class Made:
    """A ledger and the moments worth asking about: every change, and the microseconds around it."""

    settings: Settings
    ledger: Ledger
    moments: list[int]


def make_history(home: Path, seed: int, *, orders: int = 25, database_url: str = "") -> Made:
    """Fills a new ledger. Times fall on a coarse grid, so that ties and exact window ends are common."""
    rng = random.Random(seed)
    settings = Settings(home=home, database_url=database_url, hash_key="a key for tests only")
    ledger = Ledger.open(settings)
    tables: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("orders", "order_lines", "deliveries", "returns", "inspections", "verdicts")
    }

    def when(low: int) -> int:
        grid = DAY // 4 if rng.random() < 0.8 else 1
        return low + rng.choice((0, 1, 3, 7, 20, 30, 90, 200)) * DAY + rng.randrange(0, DAY, grid)

    def late(moment: int) -> int | None:
        return moment + rng.choice((1, DAY, 10 * DAY, 40 * DAY)) if rng.random() < 0.3 else None

    for number in range(orders):
        ordered = when(START + rng.randrange(0, 150) * DAY)
        order_id = f"o{number}"
        tables["orders"].append(
            {
                "order_id": order_id,
                "customer_id": f"c{rng.randrange(4)}",
                "ordered_at": ordered,
                "channel": rng.choice(words.CHANNELS),
                "country": rng.choice(("NL", "DE", None)),
                "currency": "EUR",
                "courier": rng.choice(("k1", "k2", None)),
                "recorded_at": late(ordered),
                **{
                    key: rng.choice((f"{key}{rng.randrange(3)}", None))
                    for key in ("email_id", "address_id", "payment_id", "device_id")
                },
            }
        )
        lines = {f"l{n}": rng.randrange(1, 4) for n in range(rng.randrange(1, 4))}
        for line, quantity in lines.items():
            tables["order_lines"].append(
                {
                    "order_id": order_id,
                    "line_id": line,
                    "sku": f"s{rng.randrange(4)}",
                    "quantity": quantity,
                    "unit_price_e4": rng.randrange(1, 900_000),
                    "discount_e4": rng.choice((0, 100)),
                    "category": rng.choice(("shoes", "toys", None)),
                    "recorded_at": late(ordered),
                }
            )
        if rng.random() < 0.8:
            delivered = when(ordered)
            tables["deliveries"].append(
                {
                    "order_id": order_id,
                    "delivered_at": delivered,
                    "proof": rng.choice(words.PROOFS),
                    "recorded_at": late(delivered),
                }
            )
        for part in range(rng.choice((0, 1, 1, 2))):
            requested = when(ordered)
            return_id = f"r{number}-{part}"
            chosen = [line for line in lines if lines[line] > 0 and rng.random() < 0.7]
            reason = rng.choice(words.REASONS)
            kind = rng.choice(words.KINDS)
            for line in chosen:
                back = rng.randint(1, lines[line])
                lines[line] -= back
                tables["returns"].append(
                    {
                        "return_id": return_id,
                        "order_id": order_id,
                        "line_id": line,
                        "requested_at": requested,
                        "quantity": back,
                        "reason": reason,
                        "kind": kind,
                        "resolution": rng.choice((*words.RESOLUTIONS, None)),
                        "channel": "web",
                        "tender": rng.choice((*words.TENDERS, None)),
                        "proof_of_purchase": rng.choice((True, False, None)),
                        "recorded_at": late(requested),
                    }
                )
            if chosen and rng.random() < 0.6:
                inspected = when(requested)
                tables["inspections"].append(
                    {
                        "return_id": return_id,
                        "inspected_at": inspected,
                        "finding": rng.choice(words.FINDINGS),
                        "trigger": "random",
                        "propensity": 0.1,
                        "recorded_at": late(inspected),
                    }
                )
                for decided in {when(inspected) for _ in range(rng.choice((1, 1, 2, 3)))}:  # the last one stands
                    tables["verdicts"].append(
                        {
                            "return_id": return_id,
                            "decided_at": decided,
                            "verdict": rng.choice(words.VERDICTS),
                            "basis": rng.choice(words.BASES),
                            "recorded_at": late(decided),
                        }
                    )
    moments: set[int] = set()
    with ledger.write() as conn:
        for table, rows in tables.items():
            outcome = append_rows(conn, table, rows, live=False, now_us=NOW + 2000 * DAY, hasher=ledger.hasher)
            assert not outcome.rejects, outcome.rejects[:3]
            for row in rows:
                moments.update(v for k, v in row.items() if k.endswith("_at") and v is not None)
    ends = {moment + days * DAY for moment in moments for days in (0, 7, 30, 90, 365)}
    around = sorted({moment + step for moment in ends for step in (-1, 0, 1)})
    return Made(settings, ledger, sorted(rng.sample(around, min(60, len(around)))))
