"""What people conclude: verdicts after checks, after admissions, by opinion and by policy, some of them wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from features.ledger import vocabulary as words
from pipelines.simulate.calendar import DAY, opening_hours
from pipelines.simulate.chance import Codes, Floats, Ints, earlier_within, happens, pick, pick_by
from pipelines.simulate.customers import KIND
from pipelines.simulate.inspections import FINDING, Inspections
from pipelines.simulate.requests import Requests, value_factor
from pipelines.simulate.returns import History

_VERDICT: Final = {verdict: code for code, verdict in enumerate(words.VERDICTS)}
_BASIS: Final = {basis: code for code, basis in enumerate(words.BASES)}

#: cleared, abuse confirmed, inconclusive: after a concern about an abusive return, after one about another, after none.
_AFTER_CONCERN: Final = (0.07, 0.78, 0.15)
_AFTER_MISTAKE: Final = (0.48, 0.22, 0.30)
_AFTER_NOTHING: Final = (0.95, 0.005, 0.045)
_AFTER_DAMAGE: Final = (0.55, 0.05, 0.40)
_VERDICT_ODDS: Final = (0.80, 0.80, 0.45, 0.40)  # how often there is a verdict at all, in the same order

_OPINIONS: Final = 0.006  # share of returns decided without looking
_POLICY: Final = 0.08  # share of the returns of those who return nearly everything
_DISPUTED: Final = 0.05  # share of verdicts of abuse that a second person looks at again
_DISPUTE_MISTAKE: Final = (0.85, 0.05, 0.10)
_DISPUTE_KEPT: Final = (0.10, 0.75, 0.15)


@dataclass
class Verdicts:
    """Verdicts (n,) in order of time: position of the request, when, and codes (`abuse_type` -1 for none); `recorded`
    is 0 where the verdict was recorded at once."""

    request: Ints
    at: Ints
    verdict: Codes
    abuse_type: Codes
    basis: Codes
    recorded: Ints

    def __len__(self) -> int:
        return len(self.at)


def verdict_odds(finding: str, *, abusive: bool) -> dict[str, float]:
    """Odds of each verdict after a check that found something, or nothing, of one return."""
    if finding in words.CONCERN_FINDINGS:
        shares = _AFTER_CONCERN if abusive else _AFTER_MISTAKE
    else:
        shares = _AFTER_DAMAGE if finding == "damaged" else _AFTER_NOTHING
    return dict(zip(words.VERDICTS, shares, strict=True))


def dispute_odds(*, abusive: bool) -> dict[str, float]:
    """Odds of each verdict of a second person on a disputed verdict of abuse."""
    return dict(zip(words.VERDICTS, _DISPUTE_KEPT if abusive else _DISPUTE_MISTAKE, strict=True))


def make_verdicts(rng: np.random.Generator, history: History, requests: Requests, inspections: Inspections) -> Verdicts:
    """The verdicts that were reached and recorded before the end of the history."""
    parts = [_after_checks(rng, requests, inspections), _by_opinion(rng, requests), _by_policy(rng, history, requests)]
    first = _together(parts)
    second = _disputes(rng, requests, first)
    made = _together([first, second])
    late = happens(rng, history.settings.late_share, len(made))
    made.recorded = np.where(late, made.at + (DAY * rng.exponential(1.5, len(made))).astype(np.int64) + 1_800, 0)
    in_time = np.flatnonzero(np.maximum(made.at, made.recorded) < history.calendar.end)
    # Two verdicts on one return are never of the same second.
    order = in_time[np.lexsort((made.request[in_time], made.at[in_time]))]
    same = np.zeros(len(order), dtype=np.bool_)
    same[1:] = (made.at[order][1:] == made.at[order][:-1]) & (made.request[order][1:] == made.request[order][:-1])
    return _taken(made, order[~same])


def _taken(verdicts: Verdicts, which: Ints) -> Verdicts:
    return Verdicts(**{name: values[which] for name, values in vars(verdicts).items()})


def _together(parts: list[Verdicts]) -> Verdicts:
    return Verdicts(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in vars(parts[0])})


def _decided(rng: np.random.Generator, since: Ints, days: Floats) -> Ints:
    at = (since + days * DAY).astype(np.int64) // DAY * DAY + opening_hours(rng, len(since))
    return np.asarray(np.maximum(at, since + 600))


def _called(rng: np.random.Generator, requests: Requests, request: Ints, verdict: Codes, claim: int) -> Codes:
    """The kind that a person names: mostly the true one; what is done rather than who is behind it, if unknown."""
    n = len(request)
    kind, act = requests.kind[request], requests.act[request]
    named = np.where(happens(rng, 0.65, n), kind, act)
    guess = np.where(requests.claim[request], claim, KIND["wardrobing"])
    named = np.where(kind >= 0, named, guess)
    return np.where((verdict == _VERDICT["abuse_confirmed"]) & happens(rng, 0.93, n), named, -1).astype(np.int8)


def _after_checks(rng: np.random.Generator, requests: Requests, inspections: Inspections) -> Verdicts:
    abusive = requests.kind[inspections.request] >= 0
    concern = inspections.concern
    case = np.where(concern, np.where(abusive, 0, 1), np.where(inspections.finding == FINDING["damaged"], 3, 2))
    made = np.flatnonzero(happens(rng, np.array(_VERDICT_ODDS)[case], len(case)))
    shares = (_AFTER_CONCERN, _AFTER_MISTAKE, _AFTER_NOTHING, _AFTER_DAMAGE)
    verdict = pick_by(rng, shares, case[made])
    request = inspections.request[made]
    confirmed = verdict == _VERDICT["abuse_confirmed"]
    basis = np.where(requests.claim[request], _BASIS["carrier_trace"], _BASIS["inspection"])
    basis = np.where(confirmed & happens(rng, 0.08, len(made)), _BASIS["admission"], basis)
    return Verdicts(
        request=request,
        at=_decided(rng, inspections.known[made], rng.gamma(1.3, 2.5, len(made))),
        verdict=verdict,
        abuse_type=_called(rng, requests, request, verdict, KIND["false_claim"]),
        basis=basis.astype(np.int8),
        recorded=np.zeros(len(made), dtype=np.int64),
    )


def _by_opinion(rng: np.random.Generator, requests: Requests) -> Verdicts:
    """Some are decided at the desk, on value and on how often the customer returns; often wrongly."""
    n = len(requests)
    recent = earlier_within(requests.customer, requests.at, requests.customer, requests.at, 60 * DAY)
    gut = np.clip(value_factor(requests), 0.2, 5.0) ** 0.5 * (1.0 + 0.35 * np.minimum(recent, 6)) / 1.5
    request = np.flatnonzero(happens(rng, np.minimum(_OPINIONS * gut, 0.5), n))
    abusive = (requests.kind[request] >= 0).astype(np.int64)
    verdict = pick_by(rng, ((0.70, 0.12, 0.18), (0.25, 0.57, 0.18)), abusive)
    return Verdicts(
        request=request,
        at=_decided(rng, requests.at[request], rng.gamma(1.5, 3.0, len(request))),
        verdict=verdict,
        abuse_type=_called(rng, requests, request, verdict, KIND["other"]),
        basis=np.full(len(request), _BASIS["opinion"], dtype=np.int8),
        recorded=np.zeros(len(request), dtype=np.int64),
    )


def _by_policy(rng: np.random.Generator, history: History, requests: Requests) -> Verdicts:
    """Those who return nearly everything are told about the policy, which is not a finding of abuse."""
    serial = history.customers.serial[requests.customer]
    request = np.flatnonzero(serial & (requests.kind < 0) & happens(rng, _POLICY, len(requests)))
    n = len(request)
    verdict = np.array([_VERDICT["cleared"], _VERDICT["abuse_confirmed"]], dtype=np.int8)[pick(rng, (0.4, 0.6), n)]
    return Verdicts(
        request=request,
        at=_decided(rng, requests.at[request], 3.0 + rng.gamma(1.5, 4.0, n)),
        verdict=verdict,
        abuse_type=np.where(verdict == _VERDICT["cleared"], -1, KIND["serial_returning"]).astype(np.int8),
        basis=np.full(n, _BASIS["policy"], dtype=np.int8),
        recorded=np.zeros(n, dtype=np.int64),
    )


def _disputes(rng: np.random.Generator, requests: Requests, first: Verdicts) -> Verdicts:
    """A second person looks again at some verdicts of abuse, and mostly sees mistakes for what they are."""
    again = np.flatnonzero((first.verdict == _VERDICT["abuse_confirmed"]) & happens(rng, _DISPUTED, len(first)))
    n = len(again)
    request = first.request[again]
    abusive = (requests.kind[request] >= 0).astype(np.int64)
    verdict = pick_by(rng, (_DISPUTE_MISTAKE, _DISPUTE_KEPT), abusive)
    kept = verdict == _VERDICT["abuse_confirmed"]
    return Verdicts(
        request=request,
        at=_decided(rng, first.at[again], 2.0 + rng.gamma(2.0, 3.0, n)),
        verdict=verdict,
        abuse_type=np.where(kept, first.abuse_type[again], -1).astype(np.int8),
        basis=first.basis[again],
        recorded=np.zeros(n, dtype=np.int64),
    )
