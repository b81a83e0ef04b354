"""Returns of a stretch of time as policies see them, to ask what another policy would have done to them.

What was answered when they were asked for counts, where there is an answer. The others are assessed now, each as of its
own moment, by the model in use.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import orjson
import pandas as pd
from sqlalchemy.engine import Connection

from features.clock import DAY, SECOND
from features.ledger.sql import batches, rows
from features.offline import Frames
from features.request import assessed_returns
from features.service import SERVICE, VECTOR
from serving.model.loaded import LoadedModel
from serving.policy.asked import Asked
from serving.policy.outcomes import NOT_KNOWN, outcomes

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_TENURE: Final = VECTOR.index("customer_seconds_since_first_order")


@dataclass(frozen=True, eq=False)
class Past:
    """`n` returns, by number. `days` (n,) are UTC days since 1970, `tenure_days` (n,) since the customer's first order
    (NaN: not known), `outcomes` (n,) what is known of them now. `answered` of them had an answer, `left_out` had none
    and no model assessed them. The stretch is from `first_day` to `last_day`, both included.
    """

    asked: Asked
    days: Ints
    risks: Floats
    bands: list[str]
    sufficient: list[bool]
    restricted: list[bool]
    tenure_days: Floats
    outcomes: npt.NDArray[np.int8]
    elevated_from: float
    answered: int
    left_out: int
    first_day: int
    last_day: int

    def __len__(self) -> int:
        return len(self.days)


class _Estimated(NamedTuple):
    risk: float
    band: str
    sufficient: bool
    tenure_days: float


def read_past(
    conn: Connection,
    model: LoadedModel | None,
    since: int,
    until: int,
    advance: Callable[[int, int], None] = lambda done, total: None,
) -> Past:
    """The returns requested from `since` to before `until` (microseconds since 1970 UTC).

    With a model the days before `until` must have been pooled (`features.population.close_days`). `advance` is told how
    many returns have an estimate, of how many.
    """
    frame = assessed_returns(conn, until - 1)
    frame = frame[frame["requested_at"] >= since].reset_index(drop=True)
    ids = frame["return_id"].tolist()
    answered = _answered(conn, since, until)
    known: dict[str, _Estimated] = {name: answered[name] for name in ids if name in answered}
    advance(len(known), len(ids))
    missing = frame[~frame["return_id"].isin(list(known))].reset_index(drop=True)
    if model is not None and len(missing):
        names = missing["return_id"].tolist()
        for numbers, vectors in Frames(conn).vectors(missing):
            for number, vector, estimate in zip(numbers.tolist(), vectors, model.assess_many(vectors), strict=True):
                tenure = float(vector[_TENURE]) * SECOND / DAY
                known[names[number]] = _Estimated(estimate.risk, estimate.band, estimate.sufficient, tenure)
            advance(len(known), len(ids))
    frame = frame[frame["return_id"].isin(list(known))].reset_index(drop=True)
    return _past(conn, frame, known, model, len(ids), len(answered.keys() & set(ids)), since, until)


def has_all_answers(conn: Connection, since: int, until: int) -> bool:
    """Whether every return of the stretch has an answer, so that no model is needed."""
    sql = (
        "SELECT 1 FROM returns r WHERE r.requested_at >= ? AND r.requested_at < ? AND NOT EXISTS"
        " (SELECT 1 FROM assessments a WHERE a.return_id = r.return_id) LIMIT 1"
    )
    return not rows(conn, sql, (since, until))


def _past(
    conn: Connection,
    frame: pd.DataFrame,
    known: dict[str, _Estimated],
    model: LoadedModel | None,
    every: int,
    answered: int,
    since: int,
    until: int,
) -> Past:
    estimates = [known[name] for name in frame["return_id"].tolist()]
    known_of = outcomes(conn)
    moments = frame["requested_at"].to_numpy(dtype=np.int64)
    return Past(
        asked=Asked(conn, frame),
        days=moments // DAY,
        risks=np.array([each.risk for each in estimates], dtype=np.float64),
        bands=[each.band for each in estimates],
        sufficient=[each.sufficient for each in estimates],
        restricted=_restricted(conn, frame["customer_id"].tolist(), moments.tolist()),
        tenure_days=np.array([each.tenure_days for each in estimates], dtype=np.float64),
        outcomes=np.array([known_of.get(name, NOT_KNOWN) for name in frame["return_id"].tolist()], dtype=np.int8),
        elevated_from=_elevated_from(estimates) if model is None else model.elevated_from,
        answered=answered,
        left_out=every - len(frame),
        first_day=since // DAY,
        last_day=(until - 1) // DAY,
    )


def _answered(conn: Connection, since: int, until: int) -> dict[str, _Estimated]:
    """What was answered, by return_id."""
    sql = (
        "SELECT return_id, risk, risk_band, answer, feature_service, vector FROM assessments"
        f" WHERE requested_at >= {int(since)} AND requested_at < {int(until)}"
    )
    found = {}
    for batch in batches(conn, sql, 2_000):
        for return_id, risk, band, answer, service, vector in batch:
            sufficient = bool(orjson.loads(answer)["history"]["sufficient"])
            values = np.frombuffer(vector, dtype="<f8") if service == SERVICE else ()
            tenure = float(values[_TENURE]) * SECOND / DAY if len(values) == len(VECTOR) else float("nan")
            found[return_id] = _Estimated(risk, band, sufficient, tenure)
    return found


def _elevated_from(estimates: list[_Estimated]) -> float:
    """Where the band `elevated` begins, as far as the answers tell."""
    return min((each.risk for each in estimates if each.band != "low"), default=1.0)


def _restricted(conn: Connection, customers: list[str], moments: list[int]) -> list[bool]:
    spans: dict[str, list[tuple[int, int]]] = {}
    for customer, start, end, lifted in rows(
        conn, "SELECT customer_id, from_at, until_at, lifted_at FROM restrictions"
    ):
        spans.setdefault(customer, []).append((start, end if lifted is None else min(end, lifted)))
    if not spans:
        return [False] * len(customers)
    return [
        any(start <= moment < end for start, end in spans.get(customer, ()))
        for customer, moment in zip(customers, moments, strict=True)
    ]
