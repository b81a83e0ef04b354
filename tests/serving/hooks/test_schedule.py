from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from features.clock import SECOND
from serving.hooks.schedule import DELAYS_S, MOST_ATTEMPTS, next_attempt

DAY_S = 86_400


def test_it_lasts_about_three_days() -> None:
    assert 3 * DAY_S < sum(DELAYS_S) < 3.5 * DAY_S
    assert list(DELAYS_S) == sorted(DELAYS_S)


@given(
    attempts=st.integers(1, MOST_ATTEMPTS - 1),
    chance=st.floats(0, 1, exclude_max=True),
    asked=st.none() | st.floats(0, 1e9),
)
def test_delays_stay_within_their_jitter_and_what_was_asked(attempts: int, chance: float, asked: float | None) -> None:
    moment = next_attempt(7, attempts, chance=chance, asked_s=asked)
    assert moment is not None
    delay = (moment - 7) / SECOND
    usual = DELAYS_S[attempts - 1]
    assert delay >= 0.8 * usual - 1e-3
    assert delay <= max(1.2 * usual, min(asked or 0, DAY_S)) + 1e-3
    assert asked is None or delay >= min(asked, DAY_S) - 1e-3


def test_after_the_last_attempt_it_is_given_up() -> None:
    assert next_attempt(0, MOST_ATTEMPTS, chance=0.5) is None
