"""From events in the ledger to the point-in-time table: seconds, memory, bytes a row, and how they grow.

Each size is simulated and ingested first; what is timed is `returnwise features build` on the fresh ledger, as a
process of its own: pooling every day, all entities, all windows, the table written. In the same run the pandas way:
rolling windows per customer, for the customer's sums alone, on the smallest size.
"""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from benchmarks.common import arguments, finish, returnwise, say, show
from features import declarations
from features.clock import FOREVER, window_us
from features.history import everything
from features.ledger.sql import rows
from features.ledger.store import Ledger
from features.settings import Settings

_TABLES = ("orders", "deliveries", "returns", "inspections", "verdicts")
_SIZES = (100_000, 1_000_000, 10_000_000)
_DAYS = 730


def main() -> None:
    """Runs the measurement and prints it."""
    options = arguments(__doc__, sizes=(str, ",".join(map(str, _SIZES)), "events, comma-separated"))
    sizes = [20_000, 60_000] if options.quick else [int(size) for size in options.sizes.split(",")]
    home = options.home or Path(tempfile.mkdtemp(prefix="returnwise-features-"))
    measured = []
    per_customer = 27.0
    for size in sizes:
        folder = home / str(size)
        events = _prepared(folder, max(50, round(size / per_customer)))
        per_customer = events / max(50, round(size / per_customer))
        if not 0.9 < events / size < 1.1:  # the first guess of events a customer was off
            shutil.rmtree(folder)
            customers = max(50, round(size / per_customer))
            events = _prepared(folder, customers)
            per_customer = events / customers
        measured.append(_build(folder, events))
        show("Events to point-in-time table", measured)
    pandas = _pandas_way(home / str(sizes[0]))
    first, last = measured[0], measured[-1]
    exponent = math.log(last["seconds"] / first["seconds"]) / math.log(last["events"] / first["events"])
    later = measured[-2:]
    upper = math.log(later[1]["seconds"] / later[0]["seconds"]) / math.log(later[1]["events"] / later[0]["events"])
    ours = measured[0]
    result = {
        "benchmark": "features",
        "sizes": measured,
        "growth_exponent": exponent,
        "growth_exponent_last_step": upper,
        "pandas": pandas,
        "values_per_s_against_pandas": (ours["returns"] * ours["values"] / ours["seconds"]) / pandas["values_per_s"],
    }
    show("The pandas way: customer sums only", [pandas])
    say(f"growth exponent {exponent:.3f} overall, {upper:.3f} over the last step")
    finish(result)


def _prepared(folder: Path, customers: int) -> int:
    """Simulates and ingests, unless done before; gives the number of events in the ledger."""
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        data = folder / "data"
        say(f"simulating and ingesting {customers:,} customers")
        returnwise(
            folder,
            *("simulate", "--out", str(data), "--customers", str(customers)),
            *("--days", str(_DAYS), "--seed", "1", "--format", "parquet"),
        )
        returnwise(folder, "ingest", str(data))
        shutil.rmtree(data)
        (folder / "ready").touch()
    else:
        _forget(folder)
    ledger = Ledger.open(Settings(home=folder))
    with ledger.read() as conn:
        total = sum(rows(conn, f"SELECT COUNT(*) FROM {table}")[0][0] for table in _TABLES)
    ledger.close()
    return int(total)


def _forget(folder: Path) -> None:
    """Takes back what an earlier build derived, so that every build starts from the bare ledger."""
    ledger = Ledger.open(Settings(home=folder))
    with ledger.write() as conn:
        conn.exec_driver_sql("DELETE FROM population_days")
        conn.exec_driver_sql("DELETE FROM ledger_meta WHERE name = 'open_day'")
        conn.exec_driver_sql("UPDATE order_lines SET expected_ppm = NULL WHERE expected_ppm IS NOT NULL")
    ledger.close()


def _build(folder: Path, events: int) -> dict[str, Any]:
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "pipelines.cli", "features", "build"],
        env={**os.environ, "RETURNWISE_HOME": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status:
        raise SystemExit(f"features build failed: {process.stderr.read().decode()[-3000:] if process.stderr else ''}")
    table = folder / "features" / "point_in_time.parquet"
    meta = pq.ParquetFile(table).metadata
    return {
        "events": events,
        "returns": meta.num_rows,
        "values": meta.num_columns - 12,
        "seconds": seconds,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_mb": usage.ru_maxrss / 1024,
        "bytes_a_row": table.stat().st_size / meta.num_rows,
    }


def _pandas_way(folder: Path) -> dict[str, Any]:
    """Rolling sums per customer with pandas: the customer's sums over the four windows and the whole history."""
    ledger = Ledger.open(Settings(home=folder))
    with ledger.read() as conn:
        history = everything(conn)
    ledger.close()
    start = time.perf_counter()
    measures = declarations.CUSTOMER_MEASURES
    parts = []
    for kind in dict.fromkeys(measure.facts for measure in measures):
        columns = {name: column.astype(np.int64) for name, column in history.facts[kind].columns.items()}
        part = pd.DataFrame(
            {
                "customer": history.fact_keys(kind, "customer"),
                "at": pd.to_datetime(columns["occurred_at"], unit="us"),
                **{m.name: np.asarray(m.value(columns), dtype="int64") for m in measures if m.facts == kind},
            }
        )
        parts.append(part)
    table = pd.concat(parts, ignore_index=True).fillna(0).sort_values(["customer", "at"], kind="stable")
    names = [measure.name for measure in measures]
    grouped = table.set_index("at").groupby("customer")[names]
    values = 0
    for window in declarations.CUSTOMER.windows:
        length = window_us(window)
        if length < FOREVER:
            values += grouped.rolling(pd.Timedelta(length, unit="us"), closed="left").sum().size
        else:
            values += grouped.cumsum().size
    seconds = time.perf_counter() - start
    return {"events": len(table), "values": values, "seconds": seconds, "values_per_s": values / seconds}


if __name__ == "__main__":
    main()
