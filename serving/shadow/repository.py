"""SQL of the shadow assessments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy.engine import Connection

from features.ledger.sql import execute, marks, rows


class ShadowAssessment(NamedTuple):
    """What a version would have said; `scored_at` in microseconds since 1970 UTC."""

    assessment_id: str
    model_version: str
    risk: float
    scored_at: int


class Unscored(NamedTuple):
    """An assessment that a version has not scored; `vector` as float64 bytes."""

    assessment_no: int
    assessment_id: str
    feature_service: str
    vector: bytes


#: Rows in a statement. One statement of many rows leaves the interpreter once and comes back once: with one for each,
#: the write lock would be held for as long as busy threads keep this one waiting between them.
_AT_ONCE: Final = 200
_STORE = (
    f"INSERT INTO shadow_assessments ({', '.join(ShadowAssessment._fields)}) VALUES {{}}"
    " ON CONFLICT (assessment_id, model_version) DO NOTHING"
)
_UNSCORED = (
    "FROM assessments a WHERE a.requested_at > ? AND a.model_version <> ? AND NOT EXISTS (SELECT 1 FROM"
    " shadow_assessments s WHERE s.assessment_id = a.assessment_id AND s.model_version = ?)"
)
_COUNT_UNSCORED = f"SELECT COUNT(*) {_UNSCORED}"
_NEXT_UNSCORED = (
    f"SELECT a.assessment_no, a.assessment_id, a.feature_service, a.vector {_UNSCORED} AND a.assessment_no > ?"
    " ORDER BY a.assessment_no LIMIT ?"
)


def store(conn: Connection, scored: Sequence[ShadowAssessment]) -> None:
    """Keep what a version would have said; what is there already stays as it is."""
    for start in range(0, len(scored), _AT_ONCE):
        part = scored[start : start + _AT_ONCE]
        places = ", ".join([marks(len(ShadowAssessment._fields))] * len(part))
        execute(conn, _STORE.format(places), [value for row in part for value in row])


def count_unscored(conn: Connection, version: str, after: int) -> int:
    """Number of assessments requested after a moment that `version` neither answered nor scored."""
    return int(rows(conn, _COUNT_UNSCORED, (after, version, version))[0][0])


def next_unscored(conn: Connection, version: str, after: int, beyond: int, limit: int) -> list[Unscored]:
    """The first `limit` of them, in order of `assessment_no`, from the first number beyond `beyond` on."""
    found = rows(conn, _NEXT_UNSCORED, (after, version, version, beyond, limit))
    return [Unscored(number, name, service, bytes(vector)) for number, name, service, vector in found]
