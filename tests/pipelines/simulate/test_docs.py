"""docs/simulator.md names every setting with its default, and every column of the truth."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from pipelines.simulate.settings import SimulationSettings
from tests.pipelines.simulate.conftest import Shop
from tests.support.repository import ROOT

TEXT = (ROOT / "docs" / "simulator.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", TEXT, flags=re.MULTILINE))
SETTINGS = [field.name for field in fields(SimulationSettings)]


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_documented_with_its_default(name: str) -> None:
    default = getattr(SimulationSettings(), name)
    stated = ROWS[name].strip()
    if isinstance(default, int | float):
        assert float(stated) == default
    elif default is None:
        assert stated == "none"
    elif isinstance(default, str):
        assert stated == default


def test_no_setting_is_documented_that_is_not_there() -> None:
    table = TEXT.partition("## What can be varied")[2].partition("## The truth")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE) == SETTINGS


@pytest.mark.parametrize("name", ["returns_truth", "customers_truth"])
def test_every_column_of_the_truth_is_documented(shop: Shop, name: str) -> None:
    part = TEXT.partition(f"`truth/{name}`")[2].partition("\n\n`truth/")[0].partition("## ")[0]
    cells = re.findall(r"^\| (`[^|]+) \|", part, flags=re.MULTILINE)
    named = {column for cell in cells for column in re.findall(r"`(\w+)`", cell)}
    assert named == set(shop[f"truth/{name}"])
