"""Tables for people and for machines."""

from __future__ import annotations

import json

import pytest

from training.evaluation.intervals import Interval
from training.evaluation.tables import Column, Table, shown


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (0.0456, "share", "4.6%"),
        (Interval(0.1, 0.05, 0.2), "share", "10.0% (5.0% to 20.0%)"),
        (Interval(0.1), "share", "10.0%"),
        (Interval(-0.01, -0.02, 0.03), "difference", "−0.010 (−0.020 to +0.030)"),
        (0.015, "points", "+1.5"),
        (1234.5, "money", "1,234"),
        (12.5, "money", "12.50"),
        (-12.5, "money_difference", "−12.50"),
        (0.00123, "small", "0.0012"),
        (True, "text", "yes"),
        ("", "text", "–"),
        (float("inf"), "figure", "–"),
    ],
)
def test_cells_as_people_read_them(value, kind, text) -> None:
    assert shown(value, kind) == text


def test_machines_get_every_number_and_no_nan() -> None:
    table = Table(
        "t",
        "caption",
        (Column("name", "name"), Column("auc", "AUC", "figure"), Column("n", "n", "count")),
        (
            {"name": "a", "auc": Interval(0.7, 0.6, 0.8), "n": 3},
            {"name": "b", "auc": Interval(float("nan")), "n": None, "small": True},
            {"name": "c"},
        ),
    )
    content = json.loads(json.dumps(table.split(), allow_nan=False))
    assert content["columns"] == ["name", "auc", "auc_low", "auc_high", "n"]
    assert content["data"] == [["a", 0.7, 0.6, 0.8, 3], ["b", None, None, None, None], ["c", None, None, None, None]]
    assert table.cells(table.rows[1]) == ["b (few)", "–", "–"]
