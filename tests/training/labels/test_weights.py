"""How many returns a checked one stands for."""

from __future__ import annotations

import numpy as np
import pytest

from training.labels import effective_size, weights


def test_weights_undo_the_odds_up_to_the_limit() -> None:
    assert weights([0.5, 0.01, np.nan, 0.0, 1.5, 1.0], clip=25).tolist() == [2.0, 25.0, 1.0, 1.0, 1.0, 1.0]


def test_effective_size() -> None:
    assert effective_size([]) == 0
    assert effective_size([3.0] * 10) == pytest.approx(10)
    assert effective_size([100.0] + [1.0] * 10) == pytest.approx(110**2 / 10010)
