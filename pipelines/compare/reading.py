"""What both versions said about the same assessments, and what was found: read from the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from sqlalchemy.engine import Connection

from features.ledger.sql import rows
from serving.shadow.model import VectorModel, decoded
from training.labels import read_labels

Floats = npt.NDArray[np.float64]

_AT_ONCE: Final = 2_000
_EVER: Final = 2**63 - 1
#: The vector comes along only where one of the risks has to be computed from it.
_PART = (
    "SELECT a.assessment_no, a.return_id, a.requested_at, COALESCE(r.customer_id, o.customer_id),"
    " CASE WHEN a.model_version = ? THEN a.risk ELSE c.risk END,"
    " CASE WHEN a.model_version = ? THEN a.risk ELSE s.risk END, a.feature_service,"
    " CASE WHEN (a.model_version <> ? AND c.risk IS NULL) OR (a.model_version <> ? AND s.risk IS NULL)"
    " THEN a.vector END"
    " FROM assessments a JOIN orders o ON o.order_no = a.order_no"
    " LEFT JOIN returns r ON r.return_id = a.return_id AND r.leads = 1"
    " LEFT JOIN shadow_assessments c ON c.assessment_id = a.assessment_id AND c.model_version = ?"
    " LEFT JOIN shadow_assessments s ON s.assessment_id = a.assessment_id AND s.model_version = ?"
    " WHERE a.assessment_no > ? AND a.requested_at > ? ORDER BY a.assessment_no LIMIT ?"
)


@dataclass(frozen=True)
class Assessed:
    """n assessments that both versions speak about.

    `frame` has a row for each, in the order in which they were made: return_id, customer_id, requested_at
    (microseconds), champion, challenger (risks), and of the labels as they are known now: label (1, 0, NaN: none),
    trigger, propensity. `computed`: how many of the challenger's risks were not stored, and computed from the vector.
    `left_out`: how many assessments more there are, of which a risk is not stored and whose vector another version of
    the features made.
    """

    frame: pd.DataFrame
    computed: int
    left_out: int


def read_assessed(conn: Connection, champion: VectorModel, challenger: VectorModel, after: int) -> Assessed:
    """Assessments requested after a moment (microseconds), with the risks of both versions: as they were stored, of
    an answer or in the shadow, or else computed from the stored vector, which gives the same bits."""
    parts: list[pd.DataFrame] = []
    computed = left_out = 0
    for found in _parts(conn, champion.version, challenger.version, after):
        part = pd.DataFrame(
            {
                "return_id": [row[1] for row in found],
                "requested_at": np.array([row[2] for row in found], dtype=np.int64),
                "customer_id": [row[3] for row in found],
            }
        )
        vectors = [None if row[7] is None else decoded(row[6], bytes(row[7])) for row in found]
        part["champion"], _ = _completed([row[4] for row in found], champion, vectors)
        part["challenger"], more = _completed([row[5] for row in found], challenger, vectors)
        known = part["champion"].notna() & part["challenger"].notna()
        computed += int((more & known.to_numpy()).sum())
        left_out += int((~known).sum())
        parts.append(part[known])
    frame = pd.concat(parts, ignore_index=True) if parts else _nothing()
    labels = read_labels(conn, _EVER).set_index("return_id").reindex(frame["return_id"])
    for column in ("label", "trigger", "propensity"):
        frame[column] = labels[column].to_numpy()
    return Assessed(frame, computed, left_out)


def _parts(conn: Connection, champion: str, challenger: str, after: int) -> Iterator[list[tuple[Any, ...]]]:
    beyond = 0
    while found := rows(conn, _PART, (*(champion, challenger) * 3, beyond, after, _AT_ONCE)):
        beyond = found[-1][0]
        yield found


def _completed(
    stored: list[float | None], model: VectorModel, vectors: list[Floats | None]
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Stored risks, missing ones computed where there is a vector; and which were computed."""
    risk = np.array([np.nan if value is None else value for value in stored], dtype=np.float64)
    wanted = [i for i, vector in enumerate(vectors) if vector is not None and stored[i] is None]
    if wanted:
        risk[wanted] = model.risk(np.stack([vector for i in wanted if (vector := vectors[i]) is not None]))
    computed = np.zeros(len(risk), dtype=np.bool_)
    computed[wanted] = True
    return risk, computed


def _nothing() -> pd.DataFrame:
    columns: dict[str, Any] = {"return_id": [], "requested_at": [], "customer_id": [], "champion": [], "challenger": []}
    return pd.DataFrame(columns)
