"""A return worth asking about, and the command that asks."""

from __future__ import annotations

import csv
import datetime as dt
import json
import shlex
import tempfile
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from features.errors import ReturnwiseError
from features.ledger.store import Ledger
from features.ledger.tables import deliveries, order_lines, orders, returns
from features.settings import Settings

HOST: Final = "127.0.0.1"
_STATED: Final = {
    "reason": "changed_mind",
    "kind": "return",
    "resolution": "refund",
    "channel": "web",
    "tender": "original",
}
#: The latest delivered lines of which nothing has come back, of customers who have bought at least ten times.
_OPEN_LINES: Final = (
    sa.select(orders.c.order_id, orders.c.customer_id, order_lines.c.line_id)
    .join(order_lines, order_lines.c.order_no == orders.c.order_no)
    .where(
        sa.exists().where(deliveries.c.order_no == orders.c.order_no),
        ~sa.exists().where(returns.c.order_no == order_lines.c.order_no, returns.c.line_id == order_lines.c.line_id),
        orders.c.customer_id.in_(
            sa.select(orders.c.customer_id).group_by(orders.c.customer_id).having(sa.func.count() >= 10)
        ),
    )
    .order_by(orders.c.ordered_at.desc(), orders.c.order_id, order_lines.c.line_id)
    .limit(300)
)


def example(own: Settings) -> dict[str, Any]:
    """A return request that the demo's ledger can answer: of a few hundred that customers could make today, the one
    that most deserves a look, so that there is something to see."""
    from pipelines.score import score

    ledger = Ledger.open(own)
    try:
        with ledger.read() as conn:
            rows = conn.execute(_OPEN_LINES).all()
    finally:
        ledger.close()
    if not rows:
        raise ReturnwiseError(f"no order of the demo is left to return; remove {own.home} and run the demo again")
    now = dt.datetime.now(tz=dt.UTC).isoformat(timespec="seconds")
    candidates = {
        f"{row.order_id}-{row.line_id}": {
            "customer_id": row.customer_id,
            "order_id": row.order_id,
            "lines": [{"line_id": row.line_id, "quantity": 1}],
            **_STATED,
        }
        for row in rows
    }
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder, "asked.csv"), Path(folder, "answered.csv")
        with asked.open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(["return_id", "order_id", "line_id", "requested_at", "quantity", *_STATED])
            for return_id, row in zip(candidates, rows, strict=True):
                table.writerow([return_id, row.order_id, row.line_id, now, 1, *_STATED.values()])
        report = score(own, asked, answered)
        if report.exit_status:
            raise ReturnwiseError(f"returns of the simulated shop were refused: {report.rejects_file}")
        with answered.open(newline="", encoding="utf-8") as file:
            foremost = max(csv.DictReader(file), key=lambda result: float(result["risk"]))["return_id"]
    return {"return_id": foremost, **candidates[foremost]}


def curl(port: int, key: str, request: dict[str, Any]) -> str:
    r"""A command that asks the service at `port` for an assessment.

    >>> print(curl(8000, "rw_x", {"return_id": "it's"}))
    curl http://127.0.0.1:8000/v1/assessments -H 'Authorization: Bearer rw_x' -H 'Content-Type: application/json' \
      -d '{"return_id": "it'"'"'s"}'
    """
    return (
        f"curl http://{HOST}:{port}/v1/assessments -H 'Authorization: Bearer {key}' "
        f"-H 'Content-Type: application/json' \\\n  -d {shlex.quote(json.dumps(request))}"
    )
