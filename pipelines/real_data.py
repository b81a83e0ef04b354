"""`python -m pipelines.real_data`: score every return of the ledger and describe the twenty with the highest risk.

Made for the UCI Online Retail set, whose run from file to assessed returns it writes to `docs/real-data.md`; works on
any ledger.
"""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
import pandas as pd
import typer

from features.clock import SECOND
from features.errors import ReturnwiseError
from features.ledger.sql import batches, rows
from features.ledger.store import Ledger
from features.offline import Frames
from features.request import assessed_returns
from features.settings import Settings, get_settings
from pipelines.console import bars, say
from pipelines.score import score
from serving.model.holder import champion_now
from serving.reasons.catalogue import default_catalogue
from serving.reasons.explain import Explainer

TOP: Final = 20
_COLUMNS: Final = (
    "return_id",
    "order_id",
    "line_id",
    "requested_at",
    "quantity",
    "reason",
    "kind",
    "resolution",
    "channel",
    "tender",
    "proof_of_purchase",
)


@dataclass(frozen=True)
class Case:
    """One of the returns with the highest risk."""

    return_id: str
    requested_at: int
    items: int
    value: float
    currency: str
    risk: float
    reasons: list[dict[str, Any]]
    reassurances: list[dict[str, Any]]


def export_returns(ledger: Ledger, path: Path) -> int:
    """Writes the ledger's returns as a `returns` table; gives the number of rows."""
    count = 0
    names = ", ".join(f"o.{name}" if name == "order_id" else f"r.{name}" for name in _COLUMNS)
    sql = f"SELECT {names} FROM returns r JOIN orders o ON o.order_no = r.order_no ORDER BY r.return_no"
    with ledger.read() as conn, path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        for batch in batches(conn, sql):
            for row in batch:
                moment = datetime.fromtimestamp(row[3] / SECOND, tz=UTC).isoformat().replace("+00:00", "Z")
                proof = {None: "", 0: "false", 1: "true"}[row[10]]
                writer.writerow([*row[:3], moment, *row[4:10], proof])
            count += len(batch)
    return count


def highest(settings: Settings, scored: pd.DataFrame, top: int = TOP) -> list[Case]:
    """The returns with the highest risk, with their reasons."""
    chosen = scored.sort_values(["risk", "return_id"], ascending=[False, True]).head(top)
    model = champion_now(settings)
    explainer = Explainer(default_catalogue())
    ledger = Ledger.open(settings)
    with ledger.read() as conn:
        every = assessed_returns(conn)
        frame = every[every["return_id"].isin(list(chosen["return_id"]))].reset_index(drop=True)
        currency = dict(rows(conn, "SELECT order_id, COALESCE(currency, '') FROM orders"))
        cases: dict[str, Case] = {}
        for numbers, vectors in Frames(conn).vectors(frame):
            for number, vector, estimate in zip(numbers.tolist(), vectors, model.assess_many(vectors), strict=True):
                row = frame.iloc[number]
                money = currency[str(row["order_id"])]
                reasons, reassurances = explainer.explain(
                    estimate.contributions, vector, claim=int(row["request_kind_code"]) == 1, currency=money
                )
                cases[str(row["return_id"])] = Case(
                    return_id=str(row["return_id"]),
                    requested_at=int(row["requested_at"]),
                    items=int(row["request_items"]),
                    value=int(row["request_value"]) / 100,
                    currency=money,
                    risk=estimate.risk,
                    reasons=reasons,
                    reassurances=reassurances,
                )
    ledger.close()
    return [cases[str(return_id)] for return_id in chosen["return_id"]]


def page(scored: pd.DataFrame, cases: list[Case], counts: dict[str, int]) -> str:
    """The measured part of `docs/real-data.md`."""
    bands = Counter(scored["risk_band"])
    risks = scored["risk"].to_numpy(dtype=np.float64)
    lines = [
        "| what | count |",
        "| --- | ---: |",
        *(f"| {name} in the ledger | {count:,} |" for name, count in counts.items()),
        f"| returns assessed | {len(scored):,} |",
        *(f"| of these `{band}` | {bands[band]:,} |" for band in ("low", "elevated", "high")),
        "",
        f"Risk: median {np.median(risks):.4f}, 99th percentile {np.quantile(risks, 0.99):.4f}, "
        f"highest {risks.max():.4f}.",
        "",
        f"## The {len(cases)} returns with the highest risk",
        "",
    ]
    for place, case in enumerate(cases, 1):
        when = datetime.fromtimestamp(case.requested_at / SECOND, tz=UTC).date().isoformat()
        lines.append(
            f"{place}. **{case.return_id}** of {when}: {case.items:,} items, {case.value:,.2f} {case.currency}; "
            f"risk {case.risk:.4f}"
        )
        lines += [f"   - {r['code']} {r['title']}. {r['detail']} ({r['contribution']:+.2f})" for r in case.reasons]
        lines += [
            f"   - in favour: {r['code']} {r['title']}. {r['detail']} ({r['contribution']:+.2f})"
            for r in case.reassurances
        ]
    return "\n".join(lines) + "\n"


def read_scored(path: Path) -> pd.DataFrame:
    """The output of `returnwise score`, risks to the last bit."""
    return pd.read_csv(path, keep_default_na=False, dtype={"return_id": str}, float_precision="round_trip")


def _counts(ledger: Ledger) -> dict[str, int]:
    with ledger.read() as conn:
        return {
            name: rows(conn, f"SELECT COUNT(*) FROM {table}")[0][0]
            for name, table in (("orders", "orders"), ("order lines", "order_lines"), ("returned lines", "returns"))
        }


def main(
    out: Annotated[Path | None, typer.Option(help="Document whose part after the marker is written anew.")] = None,
) -> None:
    """Score every return of the ledger with the champion and describe the twenty with the highest risk."""
    settings = get_settings()
    folder = settings.home / "real-data"
    folder.mkdir(parents=True, exist_ok=True)
    ledger = Ledger.open(settings)
    export_returns(ledger, folder / "returns.csv")
    counts = _counts(ledger)
    ledger.close()
    with bars() as progress:
        report = score(settings, folder / "returns.csv", folder / "scored.csv", progress)
    if report.exit_status:
        raise ReturnwiseError(f"returns of the ledger were refused: {report.rejects_file}")
    scored = read_scored(folder / "scored.csv")
    text = page(scored, highest(settings, scored), counts)
    if out is None:
        say(text)
        return
    marker = "<!-- measured -->\n"
    written = out.read_text(encoding="utf-8")
    out.write_text(written[: written.index(marker) + len(marker)] + "\n" + text, encoding="utf-8")
    say(f"wrote {out}")


if __name__ == "__main__":
    typer.run(main)
