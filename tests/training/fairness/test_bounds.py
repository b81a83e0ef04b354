"""The written bounds."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.errors import TrainingError
from training.fairness.bounds import read_bounds

GOOD = """
false_positive_ratio = 1.25
calibration_gap = 0.01
calibration_gap_share = 0.25
confidence = 0.99
min_effective_size = 100
flag_share = 0.02
"""


def test_those_that_come_with_it() -> None:
    bounds = read_bounds()
    assert bounds.false_positive_ratio == 1.25
    assert bounds.flag_share == 0.02


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        ("1.25", "0.9", "false_positive_ratio"),
        ("0.99", "1", "confidence"),
        ("flag_share = 0.02", "", "flag_share"),
        ("flag_share", "flag_shares", "flag_share"),
        ("= 100", "= many", "bounds.toml"),
    ],
)
def test_says_what_is_wrong(tmp_path: Path, old: str, new: str, cause: str) -> None:
    path = tmp_path / "bounds.toml"
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(TrainingError, match=cause):
        read_bounds(path)


def test_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"nowhere\.toml"):
        read_bounds(tmp_path / "nowhere.toml")
