"""The written bounds."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.errors import TrainingError
from training.gate.bounds import read_bounds

GOOD = """
capacity = 0.05
min_findings = 20
calibration_error = 0.01
calibration_error_share = 0.5
min_flagged = 50
one_return_ms = 3.0
"""


def test_those_that_come_with_it() -> None:
    bounds = read_bounds()
    assert bounds.capacity == 0.02
    assert bounds.calibration_error == 0.01


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        ("0.05", "0.03", r"capacity: .*0\.01, 0\.02, 0\.05"),
        ("= 3.0", "= 0", "one_return_ms"),
        ("min_flagged = 50", "", "min_flagged"),
        ("min_findings", "fewest", "min_findings"),
        ("= 20", "= many", r"mine\.toml"),
    ],
)
def test_says_what_is_wrong(tmp_path: Path, old: str, new: str, cause: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)
    assert read_bounds(path).capacity == 0.05
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(TrainingError, match=cause):
        read_bounds(path)
