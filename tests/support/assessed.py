"""Assessments as the service stores them, put there by hand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from sqlalchemy.engine import Connection

from features.clock import DAY
from features.ledger.sql import execute
from features.ledger.store import Ledger
from features.service import SERVICE
from serving.assessments import repository
from serving.assessments.repository import Stored
from tests.support.history import FIRST_DAY

#: A moment within the history of `tests.support.history`, for models that were trained until then.
ENDED: Final = (FIRST_DAY + 60) * DAY


@dataclass(frozen=True)
class Home:
    """A home whose ledger a test changes, as nobody else may."""

    ledger: Ledger

    def change(self, *statements: str) -> None:
        """Run statements."""
        with self.ledger.write() as conn:
            for statement in statements:
                execute(conn, statement)


def keep_assessments(
    conn: Connection,
    made: Iterable[tuple[str, int, str, np.ndarray]],
    *,
    order_no: int = 1,
    risk: float = 0.1,
    service: str = SERVICE,
) -> None:
    """Store assessments (id, requested_at, version, vector) of returns of the same ids."""
    for name, requested_at, version, vector in made:
        repository.store(
            conn,
            Stored(
                assessment_id=name,
                return_id=name,
                request_digest=b"",
                order_no=order_no,
                requested_at=requested_at,
                assessed_at=requested_at,
                risk=risk,
                risk_band="low",
                action="refund_now",
                model_version=version,
                policy_version="test",
                feature_service=service,
                vector=np.ascontiguousarray(vector, dtype="<f8").tobytes(),
                answer=b"{}",
            ),
        )
