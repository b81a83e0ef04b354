"""When it is enough to decide."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipelines.compare.comparison import Comparison, Counts, conclude
from pipelines.compare.figures import Agreement, Difference
from pipelines.compare.report import blocks_of, lines_of
from tests.support.words import judging_words

COUNTS = Counts(
    assessments=5000,
    computed=10,
    left_out=0,
    learned_from=0,
    labelled=900,
    positives=120,
    with_odds=900,
    effective=400.0,
    triggers={"random": 500, "risk": 400},
)
EQUAL = Difference(0.012, 0.012, -0.003, 0.003)


def made(order: Difference, calibration: Difference = EQUAL, unfit: str | None = None, **counts: int) -> Comparison:
    figures = {"average_precision": order, "calibration_error": calibration}
    return Comparison(
        champion="3",
        challenger="4",
        since=1_700_000_000_000_000,
        until=1_710_000_000_000_000,
        counts=replace(COUNTS, **counts),
        raw=figures,
        weighted=figures,
        agreement=Agreement(0.9, 0.7, np.diag([4000, 800, 200]).astype(np.int64)),
        unfit=unfit,
    )


BETTER = Difference(0.27, 0.31, 0.01, 0.07)
WORSE = Difference(0.27, 0.20, -0.12, -0.03)
UNSURE = Difference(0.27, 0.29, -0.02, 0.06)


@pytest.mark.parametrize(
    ("comparison", "enough", "told"),
    [
        (made(BETTER), True, ["version 4 orders returns better", "+0.040", "+0.010 to +0.070"]),
        (made(WORSE), True, ["version 4 orders returns worse than version 3"]),
        (made(Difference(0.27, 0.272, -0.009, 0.011)), True, ["as well as version 3"]),
        (made(UNSURE), False, ["With about 4 times as many findings"]),
        (made(Difference(0.27, 0.271, -0.06, 0.06)), False, ["-0.060 to +0.060)."]),  # hopeless: no number is given
        (made(Difference(0.27, 0.27, -0.06, 0.06)), False, ["Not enough to decide"]),
        (made(BETTER, positives=49), False, ["49 of 900", "below 50"]),
        (made(BETTER, labelled=140, positives=120), False, ["Not enough"]),
        (made(BETTER, labelled=0, positives=0), False, ["none of the 5,000 assessments has a label yet"]),
        (made(BETTER, learned_from=7), False, ["7 of them were requested before", "--since"]),
        (made(BETTER, Difference(0.008, 0.03, 0.01, 0.03)), True, ["better", "But its risks are less well calibrated"]),
        (made(BETTER, unfit="its 9 features"), True, ["But the service would refuse it as champion (its 9 features)"]),
    ],
)
def test_whether_it_is_enough(comparison: Comparison, enough: bool, told: list[str]) -> None:
    found = conclude(comparison)
    assert found.enough == enough
    assert all(text in found.sentence for text in told), found.sentence
    assert lines_of(comparison)[-1] == found.sentence
    assert not judging_words(str(blocks_of(comparison)))


def test_a_smaller_error_is_no_reservation() -> None:
    assert "But" not in conclude(made(BETTER, Difference(0.03, 0.02, -0.02, -0.001))).sentence


def test_odds_that_nobody_recorded_are_told() -> None:
    assert any("recorded for 300 of 900" in line for line in lines_of(made(BETTER, with_odds=300)))
    assert not any("recorded for" in line for line in lines_of(made(BETTER)))


def test_that_it_would_be_refused_is_told_once_whatever_is_decided() -> None:
    for order in (BETTER, UNSURE):
        assert " ".join(lines_of(made(order, unfit="its 9 features"))).count("its 9 features") == 1
