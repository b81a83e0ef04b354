"""What really happened with the returns of the simulated shop, and what staff see of it: with the simulator's own odds
of seeing it, of seeing what is not there, and of concluding wrongly."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pipelines.simulate.inspections import days_to_check, finding_odds
from pipelines.simulate.verdicts import dispute_odds, verdict_odds
from serving.cases.claim import Claim
from training.labels.rules import FOUND_KIND


class Deed(NamedTuple):
    """What a return is, and what was done; both are empty where it is honest."""

    kind: str = ""
    act: str = ""


class Seen(NamedTuple):
    """What a check of a return sees, and when: days after the request."""

    finding: str
    days: float


def read_truth(tables: Path) -> dict[str, Deed]:
    """The returns that are not honest, by id."""
    with (tables / "truth" / "returns_truth.csv").open(newline="", encoding="utf-8") as file:
        return {row["return_id"]: Deed(row["kind"], row["act"]) for row in csv.DictReader(file) if row["kind"]}


def look(rng: np.random.Generator, deed: Deed, asked: Claim) -> Seen:
    """A check of a return."""
    is_claim = asked.kind == "claim"
    odds = finding_odds(deed.act, claim=is_claim, reason=asked.reason, scanned=bool(asked.deliveries))
    return Seen(drawn(rng, odds), days_to_check(rng, is_claim))


def conclude(rng: np.random.Generator, deed: Deed, finding: str) -> str:
    """A person's verdict after a check."""
    return drawn(rng, verdict_odds(finding, abusive=bool(deed.kind)))


def conclude_again(rng: np.random.Generator, deed: Deed) -> str:
    """A second person's verdict where the first said abuse and the customer disputed it."""
    return drawn(rng, dispute_odds(abusive=bool(deed.kind)))


def named(rng: np.random.Generator, deed: Deed, finding: str) -> str:
    """The kind of abuse that a person names who saw something of concern: mostly the true one."""
    if not deed.kind:
        return FOUND_KIND[finding]
    return deed.kind if rng.random() < 0.65 else deed.act


def drawn(rng: np.random.Generator, odds: Mapping[str, float]) -> str:
    """One of the keys, with those odds."""
    shares = np.array([*odds.values()])
    return [*odds][int(rng.choice(len(shares), p=shares / shares.sum()))]
