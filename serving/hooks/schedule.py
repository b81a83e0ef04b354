"""When a message that was not taken is sent again: the schedule that the Standard Webhooks specification recommends,
about three days long."""

from __future__ import annotations

from typing import Final

from features.clock import SECOND

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
#: Seconds to wait after the first, second, ... attempt.
DELAYS_S: Final = (
    5,
    5 * _MINUTE,
    30 * _MINUTE,
    2 * _HOUR,
    5 * _HOUR,
    10 * _HOUR,
    14 * _HOUR,
    20 * _HOUR,
    24 * _HOUR,
)
MOST_ATTEMPTS: Final = len(DELAYS_S) + 1
#: A delay is up to this share shorter or longer, so that what failed together does not come back together.
_JITTER: Final = 0.2
#: What a receiver asks for with `Retry-After` counts up to here.
_LONGEST_ASKED_S: Final = 24 * _HOUR


def next_attempt(now: int, attempts: int, *, chance: float, asked_s: float | None = None) -> int | None:
    """The moment of the next attempt, after so many; None when it is time to give up.

    Args:
        now: microseconds since 1970 UTC.
        attempts: made so far, at least 1.
        chance: from 0 to below 1, drawn anew each time.
        asked_s: what the receiver asked for, in seconds.

    >>> next_attempt(0, 1, chance=0.5) == 5 * SECOND
    True
    >>> next_attempt(0, 10, chance=0.5) is None
    True
    """
    if attempts >= MOST_ATTEMPTS:
        return None
    delay = DELAYS_S[attempts - 1] * (1 + _JITTER * (2 * chance - 1))
    if asked_s is not None:
        delay = max(delay, min(asked_s, _LONGEST_ASKED_S))
    return now + round(delay * SECOND)
