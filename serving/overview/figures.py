"""The figures of a stretch of days, summed by the database.

Each query reads one index from the first day on, and none reads a case itself, so a page of figures costs the same
whether the ledger holds a thousand cases or a million. Days are those of UTC.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final, NamedTuple

from sqlalchemy.engine import Connection

from features.clock import DAY, day_of
from features.ledger.sql import marks, rows
from features.ledger.vocabulary import CONCERN_FINDINGS
from serving.overview.intervals import Share, quantile, share, weighted_share

_HOUR: Final = DAY // 24
#: Upper ends of the bars of times to a decision, in hours; the last bar has none.
BARS: Final = (1, 4, 24, 48, 96, 168)
#: How an ended case is told: a person's verdict, or the deadline.
ENDINGS: Final = ("cleared", "abuse_confirmed", "inconclusive", "deadline")

_OPENED: Final = f"SELECT opened_at / {DAY}, count(*) FROM cases WHERE opened_at >= ? AND opened_at < ? GROUP BY 1"
_CLOSED: Final = (
    f"SELECT closed_at / {DAY}, CASE WHEN closed_by IS NULL THEN 'deadline' ELSE verdict END, count(*) FROM cases"
    " WHERE closed_at >= ? AND closed_at < ? GROUP BY 1, 2"
)
_HOURS: Final = (
    f"SELECT (closed_at - opened_at) / {_HOUR}, count(*) FROM cases WHERE closed_at >= ? AND closed_at < ?"
    " AND closed_by IS NOT NULL GROUP BY 1"
)
_REASONS: Final = (
    "SELECT reasons, verdict, count(*) FROM cases WHERE closed_at >= ? AND closed_at < ? AND closed_by IS NOT NULL"
    " AND reasons IS NOT NULL GROUP BY 1, 2"
)
_JUDGED: Final = (
    "SELECT judgement, verdict, count(*) FROM cases WHERE closed_at >= ? AND closed_at < ? AND closed_by IS NOT NULL"
    " AND judgement IS NOT NULL GROUP BY 1, 2"
)
_SECOND: Final = (
    "SELECT p.verdict, v.verdict, count(*) FROM case_verdicts v JOIN case_verdicts p ON p.verdict_no ="
    " (SELECT max(q.verdict_no) FROM case_verdicts q WHERE q.case_no = v.case_no AND q.verdict_no < v.verdict_no"
    " AND q.staff_id IS NOT NULL) WHERE v.second_opinion = 1 AND v.at >= ? AND v.at < ? AND v.staff_id IS NOT NULL"
    " AND v.staff_id <> p.staff_id GROUP BY 1, 2"
)
_STATES: Final = (
    "SELECT state, count(*), sum(CASE WHEN due_at < ? THEN 1 ELSE 0 END) FROM cases WHERE state != 'closed'"
    " GROUP BY state"
)
_CONCERN: Final = f"finding IN {marks(len(CONCERN_FINDINGS))}"
_RANDOM: Final = (
    "SELECT concern, odds, count(*) FROM (SELECT return_id, max(CASE WHEN "
    f"{_CONCERN} THEN 1 ELSE 0 END) AS concern, min(propensity) AS odds FROM inspections WHERE pooled_at >= ?"
    " AND inspected_at >= ? AND inspected_at < ? AND trigger = 'random' AND propensity > 0 GROUP BY return_id) drawn"
    " GROUP BY concern, odds"
)
_RANDOM_FINDINGS: Final = (
    "SELECT finding, count(DISTINCT return_id) FROM inspections WHERE pooled_at >= ? AND inspected_at >= ?"
    " AND inspected_at < ? AND trigger = 'random' GROUP BY finding"
)


class Day(NamedTuple):
    """A day (since 1970): cases opened, and cases ended by ending."""

    day: int
    opened: int
    ended: dict[str, int]

    @property
    def closed(self) -> int:
        """All that ended."""
        return sum(self.ended.values())


class Waiting(NamedTuple):
    """Cases that are not closed, in a state; those past their deadline among them."""

    state: str
    cases: int
    overdue: int


class ReasonFigure(NamedTuple):
    """A reason's cases that a person concluded: the share confirmed of those cleared or confirmed."""

    code: str
    precision: Share | None
    inconclusive: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often two looks at the same case came to the same: (first, then) -> cases, and the share that agreed."""

    pairs: dict[tuple[str, str], int]
    agreed: Share | None


@dataclass(frozen=True, slots=True)
class RandomChecks:
    """Checks that were drawn: how many returns, what was found, and of how many returns it would be found at all."""

    returns: int
    concern: int
    findings: dict[str, int]
    estimate: Share | None


@dataclass(frozen=True, slots=True)
class Figures:
    """All figures of a stretch; times in microseconds since 1970 UTC."""

    since: int
    until: int
    days: list[Day]
    waiting: list[Waiting]
    median_hours: int | None
    ninth_hours: int | None
    hours: list[int]  # cases by the bars of `BARS`
    reasons: list[ReasonFigure]
    first: Agreement
    second: Agreement
    random: RandomChecks

    @property
    def opened(self) -> int:
        """Cases opened."""
        return sum(day.opened for day in self.days)

    @property
    def ended(self) -> dict[str, int]:
        """Cases ended, by ending."""
        return {ending: sum(day.ended.get(ending, 0) for day in self.days) for ending in ENDINGS}

    def share_of(self, ending: str) -> Share | None:
        """The share of an ending among all cases that ended."""
        ended = self.ended
        return share(ended[ending], sum(ended.values()))


def figures(conn: Connection, now: int, days: int) -> Figures:
    """The figures of the last `days` days, today among them."""
    first = day_of(now) - days + 1
    since, until = first * DAY, now + 1
    stretch = (since, until)
    opened = {int(day): int(count) for day, count in rows(conn, _OPENED, stretch)}
    ended: dict[int, dict[str, int]] = {}
    for day, ending, count in rows(conn, _CLOSED, stretch):
        ended.setdefault(int(day), {})[ending] = int(count)
    hours = [(int(hour), int(count)) for hour, count in rows(conn, _HOURS, stretch)]
    return Figures(
        since=since,
        until=now,
        days=[Day(day, opened.get(day, 0), ended.get(day, {})) for day in range(first, day_of(now) + 1)],
        waiting=[Waiting(state, int(count), int(late)) for state, count, late in rows(conn, _STATES, (now,))],
        median_hours=quantile(hours, 0.5),
        ninth_hours=quantile(hours, 0.9),
        hours=_bars(hours),
        reasons=_reasons(rows(conn, _REASONS, stretch)),
        first=_agreement(rows(conn, _JUDGED, stretch), {"no_concern": "cleared", "concern": "abuse_confirmed"}),
        second=_agreement(rows(conn, _SECOND, stretch), {}),
        random=_random(conn, stretch),
    )


def _bars(hours: list[tuple[int, int]]) -> list[int]:
    bars = [0] * (len(BARS) + 1)
    for hour, count in hours:
        bars[next((place for place, end in enumerate(BARS) if hour < end), len(BARS))] += count
    return bars


def _reasons(found: list[tuple[str, str, int]]) -> list[ReasonFigure]:
    verdicts: dict[str, Counter[str]] = {}
    for codes, verdict, count in found:
        for code in codes.split():
            verdicts.setdefault(code, Counter())[verdict] += int(count)
    return [
        ReasonFigure(
            code,
            share(of_it["abuse_confirmed"], of_it["abuse_confirmed"] + of_it["cleared"]),
            of_it["inconclusive"],
        )
        for code, of_it in sorted(verdicts.items())
    ]


def _agreement(found: list[tuple[str, str, int]], same: dict[str, str]) -> Agreement:
    """`same`: what the first word means in words of the second; words without a meaning take no part in the share."""
    pairs = {(first, then): int(count) for first, then, count in found}
    meant = {
        (same.get(first, "" if same else first), then): count
        for (first, then), count in pairs.items()
        if then != "inconclusive" or not same
    }
    whole = sum(count for (first, _), count in meant.items() if first)
    return Agreement(pairs, share(sum(count for (first, then), count in meant.items() if first == then), whole))


def _random(conn: Connection, stretch: tuple[int, int]) -> RandomChecks:
    since, until = stretch
    drawn = [
        (bool(concern), float(odds), int(count))
        for concern, odds, count in rows(conn, _RANDOM, (*CONCERN_FINDINGS, since, since, until))
    ]
    findings = {finding: int(count) for finding, count in rows(conn, _RANDOM_FINDINGS, (since, since, until))}
    return RandomChecks(
        returns=sum(count for _, _, count in drawn),
        concern=sum(count for concern, _, count in drawn if concern),
        findings=findings,
        estimate=weighted_share(drawn),
    )
