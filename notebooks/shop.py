"""The simulated shop of these notebooks: made once, then opened again by each of them.

    settings = shop.settings()

It lies in `var/notebooks`, or in the folder `notebooks` of `RETURNWISE_HOME` if that is set, with a ledger and an
MLflow store of its own. Version 1 of the model is trained on it and is the champion. Remove the folder to begin anew.
For a ledger of your own, write `settings = Settings()` (from `features.settings`) instead.
"""

from __future__ import annotations

import fcntl
import os
import warnings
from pathlib import Path

from features.settings import Settings
from training.registry.tracking import client

#: Small, so that a notebook takes seconds. To have enough to learn from, it checks two returns in five.
CUSTOMERS, DAYS, SEED = 4_000, 730, 1
CHECKS = {"random_rate": 0.25, "routine_rate": 0.2, "risk_rate": 0.08}


def settings() -> Settings:
    """Settings of the shop, which is made if it is not there (about half a minute)."""
    root = Path(os.environ.get("RETURNWISE_HOME") or Path(__file__).parents[1] / "var")
    own = Settings(home=root.resolve() / "notebooks", database_url="", mlflow_tracking_uri="", hash_key="")
    own.home.mkdir(parents=True, exist_ok=True)
    with (own.home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two notebooks may be started at once
        if not (own.home / "ready").exists():
            make(own)
            (own.home / "ready").touch()
    client(own)  # opens MLflow there, without its telemetry
    for module in ("feast", "mlflow", "pydantic", "google", "tqdm"):  # what these say about each other
        warnings.filterwarnings("ignore", module=rf"{module}(\.|$)")
    return own


def make(own: Settings) -> None:
    """Simulate two years, ingest them, register the features with Feast, train version 1 and make it the champion."""
    from features.repo import feature_store
    from pipelines.ingest.run import ingest
    from pipelines.simulate.run import simulate
    from pipelines.simulate.settings import SimulationSettings
    from training.registry import promote
    from training.run import train

    tables = own.home / "tables"
    behaviour = SimulationSettings(**CHECKS)
    simulate(tables, customers=CUSTOMERS, days=DAYS, seed=SEED, settings=behaviour, format="parquet")
    ingest(tables, settings=own)
    feature_store(own)
    promote(own, train(own).version)
